// The pool's own life: close, terminate, join, drop, and the list of its workers.
#include <algorithm>
#include <array>

#include "properties/letters.h"
#include "properties/letters/waits.h"
#include "properties/model.h"

namespace poolproof::properties::letters {
namespace {

using harness::Step;
using harness::StepKind;
using Life = PoolState::Life;

template <StepKind kKind>
std::vector<Step> itself(const SmallAlphabet& /*alphabet*/, int /*tasks*/) {
  return {plain(kKind)};
}

/// A pool's end may come from two threads at once.
void fill_end(Draft& draft, Step& step) {
  step.caller = draft.caller(/*twice=*/true);
}

constexpr int kAgain = 3;  // what was done is rarely done again

// ---- close --------------------------------------------------------------------------------------

void close(PoolState& state, const Step& /*step*/, bool took_effect) {
  if (took_effect && state.life == Life::kRunning) state.life = Life::kClosed;
}

bool close_is_prompt(const PoolState& state, const Step& /*step*/) {
  return state.life != Life::kRunning;
}

/// Whether a task's outcome must still come when the pool is closed in the next step.
bool is_at_work(const Draft& draft) {
  const auto& steps = draft.so_far.steps;
  return !steps.empty() && steps.back().kind == StepKind::kSubmit &&
         takes_a_while(steps.back().body);
}

/// Whether the pool drains shows by what it has to do.
int weigh_close(const Draft& draft, const Step& /*step*/) {
  if (draft.model.state() != Life::kRunning) return kAgain;
  return is_at_work(draft) ? 4 * kClose.weight : kClose.weight;
}

// ---- terminate ----------------------------------------------------------------------------------

void terminate(PoolState& state, const Step& /*step*/, bool took_effect) {
  if (!took_effect) return;
  if (state.life != Life::kDropped) state.life = Life::kTerminated;
  state.finish_all();
}

bool terminate_is_prompt(const PoolState& /*state*/, const Step& /*step*/) {
  return true;
}

/// What it does to a program beside shows if there is one.
int weigh_terminate(const Draft& draft, const Step& /*step*/) {
  const auto& steps = draft.so_far.steps;
  const bool launched = !steps.empty() && steps.back().kind == StepKind::kLaunch;
  return launched ? 6 * kTerminate.weight : kTerminate.weight;
}

// ---- join ---------------------------------------------------------------------------------------

Call call_of_join(const PoolState& state, const Step& /*step*/) {
  if (state.doomed && state.life == Life::kRunning) return Call::kImpossible;
  const bool too_early = state.life == Life::kRunning && state.contract.join_needs_close;
  return too_early ? Call::kIllegal : Call::kLegal;
}

bool join_may_wait(const PoolState& state, const Step& /*step*/) {
  if (state.life == Life::kRunning) return !state.contract.join_needs_close && state.endless() > 0;
  return state.life == Life::kClosed && state.endless() > 0;
}

void join(PoolState& state, const Step& /*step*/, bool took_effect) {
  if (!took_effect) return;
  if (state.life == Life::kRunning) state.life = Life::kClosed;
  state.joined = true;
  state.finish_all();
}

bool join_is_prompt(const PoolState& state, const Step& /*step*/) {
  return state.life == Life::kTerminated || state.joined;
}

/// What was closed is to be joined, or nobody sees whether it drains.
int weigh_join(const Draft& draft, const Step& /*step*/) {
  if (draft.model.joined()) return kAgain;
  return draft.model.state() != Life::kRunning ? 40 : kJoin.weight;
}

// ---- drop ---------------------------------------------------------------------------------------

bool drop_may_wait(const PoolState& state, const Step& step) {
  return state.contract.waits_at(step.farewell) && state.is_used() && state.endless() > 0;
}

bool is_by_scope(const Step& step) {
  using harness::Farewell;
  return step.farewell == Farewell::kScope || step.farewell == Farewell::kScopeError;
}

/// A pool that is over need not take a block (multiprocessing.Pool refuses it).
Call call_of_drop(const PoolState& state, const Step& step) {
  return is_by_scope(step) && (state.life != Life::kRunning || state.doomed) ? Call::kImpossible
                                                                             : Call::kLegal;
}

void fill_drop(Draft& draft, Step& step) {
  using harness::Farewell;
  const bool scoped = draft.can(harness::Setting::kScope) && draft.model.state() == Life::kRunning;
  const std::vector<int> weights{2, scoped ? 1 : 0, scoped ? 2 : 0,
                                 draft.can(harness::Setting::kCycle) ? 1 : 0};  // by Farewell
  step.farewell = static_cast<Farewell>(draft.dice.weighted(weights));
}

std::vector<std::string> drop_templates(const Step& step) {
  if (step.farewell == harness::Farewell::kPlain) return {"drop"};
  return {"drop_" + std::string(name(step.farewell))};
}

void drop(PoolState& state, const Step& step, bool took_effect) {
  if (!took_effect) return;
  state.life = Life::kDropped;
  state.tangled = step.farewell == harness::Farewell::kCycle;
}

// ---- workers ------------------------------------------------------------------------------------

/// Whether the pool had the time to become what it was asked to be.
bool has_settled(const Draft& draft) {
  const auto& steps = draft.so_far.steps;
  return !steps.empty() && steps.back().kind == StepKind::kSleep &&
         steps.back().duration == draft.patience;
}

int weigh_workers(const Draft& draft, const Step& /*step*/) {
  const bool resized =
      draft.any_step([](const Step& step) { return step.kind == StepKind::kResize; });
  return resized && has_settled(draft) ? 60 * kWorkers.weight : kWorkers.weight;
}

// ---- resize -------------------------------------------------------------------------------------

/// Of a pool that is over nobody says what it is to be.
Call call_of_resize(const PoolState& state, const Step& step) {
  if (state.life != Life::kRunning || state.doomed) return Call::kImpossible;
  return has_bad_count(step) ? Call::kIllegal : Call::kLegal;
}

void resize(PoolState& state, const Step& step, bool took_effect) {
  if (took_effect) state.workers = *step.workers;
}

bool resize_is_prompt(const PoolState& /*state*/, const Step& /*step*/) {
  return true;
}

/// Only those count of which an illegal call is wanted.
constexpr int kNonsensePercent = 30;

void fill_resize(Draft& draft, Step& step) {
  const auto& steps = draft.so_far.steps;
  const auto last = std::find_if(steps.rbegin(), steps.rend(),
                                 [](const Step& earlier) { return earlier.workers.has_value(); });
  const bool shrinks = last != steps.rend() && *last->workers > 1 && draft.dice.percent(75);
  step.workers = shrinks ? 1 + draft.dice.below(*last->workers - 1) : 1 + draft.dice.below(4);
  if (draft.dice.percent(kNonsensePercent)) step.workers = -draft.dice.below(2);
}

}  // namespace

const Letter kClose{.kind = StepKind::kClose,
                    .apply = close,
                    .is_prompt = close_is_prompt,
                    .weight = 9,
                    .fill = fill_end,
                    .weigh = weigh_close,
                    .in_short = itself<StepKind::kClose>};

const Letter kTerminate{.kind = StepKind::kTerminate,
                        .apply = terminate,
                        .is_prompt = terminate_is_prompt,
                        .weight = 6,
                        .fill = fill_end,
                        .weigh = weigh_terminate,
                        .in_short = itself<StepKind::kTerminate>};

const Letter kJoin{.kind = StepKind::kJoin,
                   .call = call_of_join,
                   .may_wait_for_ever = join_may_wait,
                   .apply = join,
                   .lets_time_pass = always,
                   .is_prompt = join_is_prompt,
                   .weight = 12,
                   .fill = fill_end,
                   .weigh = weigh_join,
                   .in_short = itself<StepKind::kJoin>};

const Letter kDrop{.kind = StepKind::kDrop,
                   .call = call_of_drop,
                   .may_wait_for_ever = drop_may_wait,
                   .apply = drop,
                   .weight = 8,
                   .fill = fill_drop,
                   .in_short = itself<StepKind::kDrop>,
                   .templates = drop_templates};

const Letter kWorkers{.kind = StepKind::kWorkers, .weight = 7, .weigh = weigh_workers};

const Letter kResize{.kind = StepKind::kResize,
                     .call = call_of_resize,
                     .apply = resize,
                     .is_prompt = resize_is_prompt,
                     .weight = 8,
                     .fill = fill_resize};

}  // namespace poolproof::properties::letters
