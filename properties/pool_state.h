#pragma once

#include <algorithm>
#include <map>
#include <vector>

#include "harness/case.h"
#include "properties/contract.h"

namespace poolproof::properties {

/// What a healthy pool's state is after some steps: what the letters read and change
/// (letters.h). Whoever wants to know what a scenario does asks the Model (model.h).
struct PoolState {
  enum class Life { kNone, kRunning, kClosed, kTerminated, kDropped };

  struct Task {
    harness::Body body;
    bool accepted = false;
    bool finished = false;        // surely: its outcome is known, or its worker was killed in it
    bool perhaps_killed = false;  // a kill step may have hit it
    bool is_map = false;
    harness::Form form = harness::Form::kMap;
    int items = 0;       // of a map
    int taken = 0;       // of an imap: results that main has taken
    bool fresh = false;  // takes a while, and main has not waited for anything since

    bool is_stream() const { return is_map && harness::is_stream(form); }
    /// It runs in at most so many workers at once.
    int width() const { return is_map ? items : 1; }
  };

  explicit PoolState(const Contract& promised) : contract(promised) {}

  Contract contract;
  Life life = Life::kNone;
  bool joined = false;
  bool doomed = false;     // a callback of main's will terminate it, or has
  bool tangled = false;    // dropped in a cycle of references that no collector has found yet
  int workers = 0;         // 0: the pool's default
  int deaths = 0;          // at most so many workers were lost
  bool stillborn = false;  // no worker gets through with its initializer
  bool program = false;    // beside the pool: main has launched one, and not reaped it
  bool neighbour = false;  // another pool of main's lives on
  bool neighbour_is_busy = false;  // with a task that never ends
  std::map<int, Task> tasks;

  /// nullptr for a task that was never submitted.
  const Task* task(int number) const;
  /// At least this many workers; a pool's default is not known here.
  int capacity() const { return std::max(workers, 1); }
  bool is_used() const { return life == Life::kRunning || life == Life::kClosed; }
  bool is_referenced() const { return life != Life::kNone && life != Life::kDropped; }

  /// Where a dead worker's task is tried again, a body that kills its worker goes on for ever too.
  bool never_ends(const Task& task) const;
  /// At most so many workers are held by endless tasks, if there are as many.
  int endless() const;
  /// Whether the task can have been started: some worker is not held by an endless earlier one.
  bool has_place(int task) const;
  /// Whether each worker that is there may be held by an endless task.
  bool may_be_held() const;

  bool busy_worker_is_plausible() const;
  bool idle_worker_is_plausible() const;

  void finish_all();
};

}  // namespace poolproof::properties
