#pragma once

#include <algorithm>
#include <map>
#include <optional>
#include <vector>

#include "harness/case.h"
#include "properties/contract.h"

namespace poolproof::properties {

/// What a healthy pool's state is after some steps, as far as it decides which calls are legal and
/// which waits end. Pure; the generators, the shrinker and the rules all ask it.
class Model {
 public:
  enum class State { kNone, kRunning, kClosed, kTerminated, kDropped };
  enum class Call { kLegal, kIllegal, kImpossible };  // impossible: not a scenario at all

  explicit Model(const Contract& contract) : contract_(contract) {}

  State state() const { return state_; }
  bool joined() const { return joined_; }
  /// Tasks submitted so far, refused ones too: the next is one more.
  int tasks() const { return static_cast<int>(tasks_.size()); }
  /// Whether a healthy pool took the task over.
  bool accepted(int task) const;
  /// Whether the task surely has an outcome by now.
  bool finished(int task) const;

  /// Whether no task of the pool can ever run.
  bool stillborn() const { return stillborn_; }

  /// At most so many workers were lost so far.
  int lost_workers() const { return deaths_; }

  /// Whether the task's worker may have died, or will, before it was through with it.
  bool may_lose_worker(int task) const;

  /// Whether a healthy pool takes the step, refuses it with its documented error, or whether it
  /// makes no sense here: submit without any pool, get of a refused task, a kill that would find no
  /// such worker (idle ones are gone once the pool is closed).
  Call call(const harness::Step& step) const;

  /// Whether a healthy pool may let main wait for ever in this step by what the scenario asked for:
  /// a get without timeout of a task that never ends (or is queued behind such), a join of a closed
  /// pool with one. Doubt counts as "may": where it says false, a healthy pool lets main go on.
  bool may_wait_for_ever(const harness::Step& step) const;

  /// The same for main's exit, under a contract whose exit drains or waits for close.
  bool may_wait_for_ever(const harness::Ending& ending) const;

  /// Performs the step. took_effect: whether it did what a healthy pool does with a legal call; the
  /// generators believe it, the rules read it off the step's result (refused, not fired, timed
  /// out).
  void apply(const harness::Step& step, bool took_effect = true);

 private:
  struct Task {
    harness::Body body;
    bool accepted = false;
    bool finished = false;        // surely: its outcome is known, or its worker was killed in it
    bool perhaps_killed = false;  // a kill step may have hit it
    bool fresh = false;           // takes a while, and main has not waited for anything since
  };
  /// At least this many workers; a pool's default is not known here.
  int capacity() const { return std::max(workers_, 1); }
  bool never_ends(const Task& task) const;
  int endless() const;
  bool is_used() const { return state_ == State::kRunning || state_ == State::kClosed; }
  bool has_place(int task) const;
  bool busy_worker_is_plausible() const;
  bool idle_worker_is_plausible() const;
  Call call_of_kill(harness::Victim victim) const;
  Call call_of_known_pool(const harness::Step& step) const;
  bool get_may_wait(int task) const;
  void submit(const harness::Step& step, bool took_effect);
  void kill(harness::Victim victim);
  void finish_all();

  Contract contract_;
  State state_ = State::kNone;
  bool joined_ = false;
  int workers_ = 0;         // 0: the pool's default
  int deaths_ = 0;          // at most so many workers were lost
  bool stillborn_ = false;  // no worker gets through with its initializer
  std::map<int, Task> tasks_;
};

/// What a healthy pool makes of the step: the generators' view of "took effect".
bool takes_effect(const Model& model, const harness::Step& step);

/// Well-formed (no impossible step) and without endless waits.
bool is_runnable(const harness::Scenario& scenario, const Contract& contract);

/// Whether a healthy pool may keep main waiting for ever if a kill step finds nobody: then a case
/// that does not end says nothing before its recording is judged.
bool may_wait_where_kills_miss(const harness::Scenario& scenario, const Contract& contract);

/// Steps and (as 0) the exit that must be over within the grace under this contract; for Job.
std::vector<int> prompt_steps(const harness::Scenario& scenario, const Contract& contract);

/// Steps and (as 0) the exit whose end a healthy pool brings about by itself, if not at once: none
/// that the scenario asked to wait, none that waits for a time; for Job.
std::vector<int> waiting_steps(const harness::Scenario& scenario, const Contract& contract);

}  // namespace poolproof::properties
