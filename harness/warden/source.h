#pragma once

#include <functional>
#include <memory>

#include "harness/sys/result.h"
#include "harness/warden/delay.h"
#include "harness/warden/tree.h"

namespace poolproof::warden {

/// Where the facts about processes come from. One implementation per way of seeing: ptrace (exact)
/// and /proc (sampled).
class Source {
 public:
  virtual ~Source() = default;
  /// Begins to follow main, which waits before its exec.
  virtual sys::Result<void> follow(int main_pid) = 0;
  /// Takes in what has happened; true when anything had. A busy tree may have more to tell: ask
  /// again before sleeping.
  virtual bool pump() = 0;
  /// Whether all processes that were heard of are in the tree.
  virtual bool settled() const { return true; }
  /// From now on everything is dying: no longer told to the tree, only helped on its way.
  virtual void let_go() {}
  /// Whether births and deaths are known exactly.
  virtual bool exact() const = 0;
};

/// Called in a sync point's stop, or when a look finds new claims.
using OnSync = std::function<void()>;

std::unique_ptr<Source> ptrace_source(Tree& tree, DelayMeter& delay, OnSync on_sync);
std::unique_ptr<Source> proc_source(Tree& tree, int init_pid, OnSync on_sync);

}  // namespace poolproof::warden
