#pragma once

#include <vector>

#include "harness/case.h"
#include "properties/contract.h"
#include "properties/letters.h"
#include "properties/pool_state.h"

namespace poolproof::properties {

/// What a healthy pool's state is after some steps, as far as it decides which calls are legal and
/// which waits end. Pure; the generators, the shrinker and the rules all ask it. What each step
/// means stands in its entry (letters.h).
class Model {
 public:
  using State = PoolState::Life;
  using Call = properties::Call;

  explicit Model(const Contract& contract) : state_(contract) {}

  State state() const { return state_.life; }
  bool joined() const { return state_.joined; }
  /// Whether it was dropped in a cycle of references that no collect step has untied yet.
  bool tangled() const { return state_.tangled; }
  /// Tasks submitted so far, refused ones too: the next is one more.
  int tasks() const { return static_cast<int>(state_.tasks.size()); }
  /// Whether a healthy pool took the task over.
  bool accepted(int task) const;
  /// Whether its results are taken one after the other.
  bool is_stream(int task) const;
  /// Whether the task surely has an outcome by now.
  bool finished(int task) const;

  /// Whether no task of the pool can ever run.
  bool stillborn() const { return state_.stillborn; }

  /// At most so many workers were lost so far.
  int lost_workers() const { return state_.deaths; }

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

  /// Whether it has to be over within the grace: a refusal, the end of a terminated pool, and what
  /// was done before: none has to wait for a task.
  bool is_prompt(const harness::Step& step) const;

 private:
  bool has_what_it_needs(const harness::Step& step) const;

  PoolState state_;
};

/// What a healthy pool makes of the step: the generators' view of "took effect".
bool takes_effect(const Model& model, const harness::Step& step);

/// Whether the step takes a time by itself, whatever the pool does: a sleep, a timeout, a search.
bool takes_a_time(const harness::Step& step);
/// Whether main would not end by the scenario's ending, since it inherited to do without the
/// signal, or handles it.
bool is_deaf_to_its_ending(const harness::Scenario& scenario);

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
