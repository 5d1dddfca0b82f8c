#pragma once

#include <functional>
#include <memory>

#include "harness/sys/result.h"
#include "harness/warden/delay.h"
#include "harness/warden/injector.h"
#include "harness/warden/small_pipes.h"
#include "harness/warden/tree.h"

namespace poolproof::warden {

/// Where the facts about processes come from. One implementation per way of seeing: ptrace (exact)
/// and /proc (sampled).
class Source {
 public:
  virtual ~Source() = default;
  /// Begins to follow main, which waits before its exec.
  virtual sys::Result<void> follow(int main_pid) = 0;
  /// Takes in what has happened; true when anything had.
  virtual bool pump() = 0;
  /// Whether the last pump() left some: a tree that is never quiet must not keep its warden from
  /// the clock and the output. Ask again before sleeping.
  virtual bool has_more() const { return false; }
  /// Whether all processes that were heard of are in the tree.
  virtual bool settled() const { return true; }
  /// Leaves the whole tree to itself, alive: nothing more is heard of it.
  virtual void detach() {}
  /// From now on everything is dying: no longer told to the tree, only helped on its way.
  virtual void let_go() {}
  /// Whether births and deaths are known exactly.
  virtual bool exact() const = 0;
};

/// Takes the claims that have been written by now. Called before each recorded fact, while whoever
/// it is about cannot go on: so a claim stands before every fact that it led to, and in a sync
/// point's stop, where the writer waits.
using ReadClaims = std::function<void()>;

/// Told when a thread stands at a sync point, whose claim has been read; it goes on afterwards.
using AtSyncPoint = std::function<void(int tid)>;

std::unique_ptr<Source> ptrace_source(Tree& tree, DelayMeter& delay, Injector& injector,
                                      SmallPipes small_pipes, ReadClaims read_claims,
                                      AtSyncPoint at_sync_point);
std::unique_ptr<Source> proc_source(Tree& tree, int init_pid, ReadClaims read_claims);

}  // namespace poolproof::warden
