// Tasks, and the waits for their outcomes.
#include <algorithm>
#include <array>

#include "properties/enumerate.h"
#include "properties/letters.h"
#include "properties/letters/waits.h"
#include "properties/model.h"

namespace poolproof::properties::letters {
namespace {

using harness::Step;
using harness::StepKind;
using std::chrono::milliseconds;
using Life = PoolState::Life;

/// A get that gives up: long enough for a task that is on its way, short beside a case.
constexpr milliseconds kShortTimeout{20};
/// A body this long, in milliseconds, still runs when main's next step looks for a busy worker.
constexpr std::int64_t kLongEnough = 20;
constexpr int kCallbackPercent = 15;  // of the submissions
constexpr int kEndingPercent = 12;    // of the callbacks
constexpr int kPatientPercent = 7;    // of the gets of a task whose worker may have died

}  // namespace

bool takes_a_while(const harness::Body& body) {
  const bool timed =
      body.kind == harness::BodyKind::kSleep || body.kind == harness::BodyKind::kSpin;
  return timed && body.amount >= kLongEnough;
}

// ---- submit -------------------------------------------------------------------------------------

Call call_of_submit(const PoolState& state, const Step& step) {
  if (step.task != static_cast<int>(state.tasks.size()) + 1) return Call::kImpossible;
  if (state.doomed) return Call::kImpossible;
  return state.life == Life::kRunning ? Call::kLegal : Call::kIllegal;
}

/// A refused submission has used its number up.
void submit(PoolState& state, const Step& step, bool took_effect) {
  auto& task = state.tasks[step.task];
  task.body = step.body;
  task.is_map = step.kind == StepKind::kMap;
  task.form = step.form;
  task.items = step.items;
  task.accepted = took_effect && state.life == Life::kRunning;
  if (task.accepted && step.callback == harness::Callback::kTerminates) state.doomed = true;
  // The error of its input may end a stream, and comes in an item's place.
  if (step.raises_at && task.is_stream()) task.items = std::min(step.items, *step.raises_at);
  task.fresh = takes_a_while(step.body);
  if (task.accepted && task.is_map && !task.is_stream()) task.finished = task.items == 0;
  if (task.accepted && entry(step.body.kind).kills_worker) state.deaths += task.width();
}

namespace {

void fill_submit(Draft& draft, Step& step) {
  step.task = draft.model.tasks() + 1;
  step.body = draft.body();
  step.caller = draft.caller();
  if (draft.can(harness::Setting::kCallback) && draft.dice.percent(kCallbackPercent)) {
    using harness::Callback;
    const auto& steps = draft.abilities.steps;
    const bool ends = std::find(steps.begin(), steps.end(), StepKind::kTerminate) != steps.end();
    step.callback =
        draft.dice.pick(std::array{Callback::kReturns, Callback::kReturns, Callback::kRaises});
    if (ends && draft.dice.percent(kEndingPercent)) step.callback = Callback::kTerminates;
  }
}

/// Whether main has just been told of an error of a task's own, which leaves its worker alive.
bool was_told_of_an_error(const Draft& draft) {
  const auto& steps = draft.so_far.steps;
  if (steps.empty() || steps.back().kind != StepKind::kGet || steps.back().timeout) return false;
  return draft.any_step([&](const Step& step) {
    return step.kind == StepKind::kSubmit && step.task == steps.back().task &&
           entry(step.body.kind).comes != harness::Comes::kToItsValue;
  });
}

/// Whether no worker need have come to the end of its quota yet.
bool has_quota_left(const Draft& draft) {
  return draft.any_step([&](const Step& step) {
    return step.quota && draft.model.tasks() <= step.workers.value_or(1) * *step.quota;
  });
}

/// What such an error has done to the pool shows by the next task, and so does a quota.
int weigh_submit(const Draft& draft, const Step& /*step*/) {
  if (has_quota_left(draft)) return 2 * kSubmit.weight;
  return was_told_of_an_error(draft) ? 5 * kSubmit.weight : kSubmit.weight;
}

std::vector<std::string> submit_templates(const Step& step) {
  if (step.callback != harness::Callback::kNone) return {"submit_callback", "submit"};
  return {"submit"};
}

std::vector<Step> short_submits(const SmallAlphabet& alphabet, int tasks) {
  std::vector<Step> steps;
  for (const auto& body : alphabet.bodies)
    steps.push_back({.kind = StepKind::kSubmit, .task = tasks + 1, .body = body});
  return steps;
}

}  // namespace

// ---- get ----------------------------------------------------------------------------------------

bool may_wait_for_outcome(const PoolState& state, const Step& step) {
  if (step.timeout) return false;
  const auto* task = state.task(step.task);
  if (task == nullptr || !task->accepted) return true;
  if (task->finished) return false;
  if (state.life == Life::kDropped) return true;  // what it means is the pool's own affair
  if (state.life == Life::kTerminated) return false;
  return state.never_ends(*task) || state.may_be_held();
}

bool has_timeout(const Step& step) {
  return step.timeout.has_value();
}

/// The task surely has an outcome: main has got it before, or the pool was joined or terminated, or
/// its worker was killed. Where it was lost and main polls for it, that must not cost a whole fuse.
bool wait_is_prompt(const PoolState& state, const Step& step) {
  // The warden knows one span for every prompt step: there, a short timeout fits into the grace.
  if (step.timeout) return 2 * *step.timeout <= state.contract.grace;
  const auto* task = state.task(step.task);
  return task != nullptr && task->finished && !may_wait_for_outcome(state, step);
}

void fill_wait(Draft& draft, Step& step, int task) {
  step.task = task;
  auto& dice = draft.dice;
  const bool waits = draft.model.may_wait_for_ever(step);
  if (!waits && draft.model.may_lose_worker(step.task) && dice.percent(kPatientPercent)) {
    step.timeout = draft.patience;
  } else if (waits || dice.percent(20)) {
    step.timeout = milliseconds(dice.pick(std::array{0, 1, 10, 50, 100}));
  }
}

namespace {

void get(PoolState& state, const Step& step, bool took_effect) {
  if (took_effect && state.task(step.task) != nullptr) state.tasks[step.task].finished = true;
}

bool is_got(const Draft& draft, int task) {
  return draft.any_step([task](const Step& step) {
    return step.kind == StepKind::kGet && step.task == task && !step.timeout;
  });
}

/// What a thread that waits for an outcome meets while main makes the step before: it is woken.
bool changes_what_is_awaited(const Step& step) {
  switch (step.kind) {
    case StepKind::kClose:
    case StepKind::kTerminate:
    case StepKind::kJoin:
    case StepKind::kDrop:
    case StepKind::kKill:
    case StepKind::kCancel:
    case StepKind::kFork:
    case StepKind::kResize:
      return true;
    default:
      return false;
  }
}

/// Of who waits for ever mostly: a wait with a timeout is over by itself.
void fill_early(Draft& draft, Step& step) {
  const auto& steps = draft.so_far.steps;
  if (step.timeout || step.caller != harness::Caller::kMain || steps.empty()) return;
  const int percent = changes_what_is_awaited(steps.back()) ? 25 : 3;
  if (!draft.can(harness::Setting::kCaller) || !draft.dice.percent(percent)) return;
  auto until_here = steps;
  until_here.push_back(step);
  until_here.back().caller = harness::Caller::kEarly;
  if (harness::begins_early(until_here, steps.size())) step.caller = harness::Caller::kEarly;
}

/// Mostly a task whose outcome main does not know yet.
void fill_get(Draft& draft, Step& step) {
  std::vector<int> open;
  std::vector<int> all;
  for (int task = 1; task <= draft.model.tasks(); ++task) {
    if (!draft.model.accepted(task) || draft.model.is_stream(task)) continue;
    all.push_back(task);
    if (!is_got(draft, task)) open.push_back(task);
  }
  if (all.empty()) return;
  auto& dice = draft.dice;
  step.caller = draft.caller();
  fill_wait(draft, step, !open.empty() && dice.percent(80) ? dice.pick(open) : dice.pick(all));
  fill_early(draft, step);
}

/// Whether main does not know its outcome yet.
bool is_open(const Draft& draft, const Step& step) {
  return draft.model.accepted(step.task) && !is_got(draft, step.task);
}

/// What a join has let get lost shows by the next get.
int weigh_get(const Draft& draft, const Step& step) {
  return draft.model.joined() && is_open(draft, step) ? 4 * kGet.weight : kGet.weight;
}

std::vector<Step> short_gets(const SmallAlphabet& /*alphabet*/, int tasks) {
  std::vector<Step> steps;
  for (int task = 1; task <= tasks; ++task) {
    steps.push_back({.kind = StepKind::kGet, .task = task});
    steps.push_back({.kind = StepKind::kGet, .task = task, .timeout = kShortTimeout});
  }
  return steps;
}

std::vector<std::string> get_templates(const Step& step) {
  if (step.timeout) return {"get_timeout", "get"};
  return {"get"};
}

// ---- wait, ready --------------------------------------------------------------------------------

/// Any task that may be got, whether main knows its outcome or not.
std::optional<int> any_task(Draft& draft) {
  std::vector<int> all;
  for (int task = 1; task <= draft.model.tasks(); ++task) {
    if (draft.model.accepted(task) && !draft.model.is_stream(task)) all.push_back(task);
  }
  if (all.empty()) return std::nullopt;
  return draft.dice.pick(all);
}

void fill_waiting(Draft& draft, Step& step) {
  if (const auto task = any_task(draft)) fill_wait(draft, step, *task);
}

std::vector<std::string> wait_templates(const Step& step) {
  if (step.timeout) return {"wait_timeout", "wait"};
  return {"wait"};
}

bool ready_is_prompt(const PoolState& /*state*/, const Step& /*step*/) {
  return true;
}

void fill_ready(Draft& draft, Step& step) {
  step.task = any_task(draft).value_or(step.task);
}

// ---- cancel -------------------------------------------------------------------------------------

/// What is left of a map whose items are at different points is nothing that a rule asks for.
Call call_of_cancel(const PoolState& state, const Step& step) {
  return state.task(step.task)->is_map || state.doomed ? Call::kImpossible : Call::kLegal;
}

/// Some pools take back only what has not begun, some kill the worker.
void cancel(PoolState& state, const Step& step, bool took_effect) {
  if (!took_effect || state.task(step.task) == nullptr) return;
  state.tasks[step.task].perhaps_killed = true;
  ++state.deaths;
}

/// Mostly one whose outcome main does not know yet.
void fill_cancel(Draft& draft, Step& step) {
  std::vector<int> open;
  for (int task = 1; task <= draft.model.tasks(); ++task) {
    if (draft.model.accepted(task) && !draft.model.is_stream(task) && !is_got(draft, task))
      open.push_back(task);
  }
  if (!open.empty() && draft.dice.percent(90))
    step.task = draft.dice.pick(open);
  else
    fill_ready(draft, step);
}

}  // namespace

const Letter kWait{.kind = StepKind::kWait,
                   .may_wait_for_ever = may_wait_for_outcome,
                   .apply = get,
                   .may_be_in_vain = has_timeout,
                   .lets_time_pass = always,
                   .takes_a_time = has_timeout,
                   .is_prompt = wait_is_prompt,
                   .weight = 3,
                   .fill = fill_waiting,
                   .templates = wait_templates};

const Letter kReady{
    .kind = StepKind::kReady, .is_prompt = ready_is_prompt, .weight = 2, .fill = fill_ready};

const Letter kCancel{.kind = StepKind::kCancel,
                     .call = call_of_cancel,
                     .apply = cancel,
                     .is_prompt = ready_is_prompt,
                     .weight = 3,
                     .fill = fill_cancel};

const Letter kSubmit{.kind = StepKind::kSubmit,
                     .call = call_of_submit,
                     .apply = submit,
                     .weight = 30,
                     .is_in_each = true,
                     .fill = fill_submit,
                     .weigh = weigh_submit,
                     .in_short = short_submits,
                     .templates = submit_templates};

const Letter kGet{.kind = StepKind::kGet,
                  .may_wait_for_ever = may_wait_for_outcome,
                  .apply = get,
                  .may_be_in_vain = has_timeout,
                  .lets_time_pass = always,
                  .takes_a_time = has_timeout,
                  .is_prompt = wait_is_prompt,
                  .weight = 34,
                  .is_in_each = true,
                  .fill = fill_get,
                  .weigh = weigh_get,
                  .in_short = short_gets,
                  .templates = get_templates};

}  // namespace poolproof::properties::letters
