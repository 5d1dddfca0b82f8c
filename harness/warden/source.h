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
  /// Takes in all that has happened; true when anything had.
  virtual bool pump() = 0;
  /// Whether births and deaths are known exactly.
  virtual bool exact() const = 0;
};

/// Called in a sync point's stop, or when a look finds new claims.
using OnSync = std::function<void()>;

std::unique_ptr<Source> ptrace_source(Tree& tree, DelayMeter& delay, OnSync on_sync);
std::unique_ptr<Source> proc_source(Tree& tree, int init_pid, OnSync on_sync);

}  // namespace poolproof::warden
