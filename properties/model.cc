#include "properties/model.h"

namespace poolproof::properties {
namespace {

using harness::BodyKind;
using harness::EndingKind;
using harness::Step;
using harness::StepKind;
using harness::Victim;
using std::chrono::milliseconds;

/// A body this long is still running when main's next step looks for a busy worker.
constexpr std::int64_t kLongEnough = 20;
/// A sleep of main that a task begun before it may not outlive.
constexpr milliseconds kShortSleep{5};

bool takes_a_while(const harness::Body& body) {
  const bool timed = body.kind == BodyKind::kSleep || body.kind == BodyKind::kSpin;
  return timed && body.amount >= kLongEnough;
}

bool lets_time_pass(const Step& step) {
  switch (step.kind) {
    case StepKind::kGet:
    case StepKind::kJoin:
    case StepKind::kKill:
      return true;
    case StepKind::kSleep:
      return step.duration > kShortSleep;
    case StepKind::kCreate:
    case StepKind::kSubmit:
    case StepKind::kClose:
    case StepKind::kTerminate:
    case StepKind::kDrop:
    case StepKind::kWorkers:
      return false;
  }
  return true;
}

}  // namespace

bool Model::accepted(int task) const {
  const auto found = tasks_.find(task);
  return found != tasks_.end() && found->second.accepted;
}

bool Model::finished(int task) const {
  const auto found = tasks_.find(task);
  return found != tasks_.end() && found->second.finished;
}

bool Model::may_lose_worker(int task) const {
  const auto found = tasks_.find(task);
  if (found == tasks_.end() || !found->second.accepted) return false;
  return found->second.perhaps_killed || entry(found->second.body.kind).kills_worker;
}

/// Where a dead worker's task is tried again, a body that kills its worker goes on for ever too.
bool Model::never_ends(const Task& task) const {
  if (!task.accepted || task.finished || stillborn_) return false;
  const bool again = contract_.worker_death == Contract::WorkerDeath::kRetried;
  return entry(task.body.kind).never_ends || (again && entry(task.body.kind).kills_worker);
}

int Model::endless() const {
  return static_cast<int>(std::count_if(tasks_.begin(), tasks_.end(),
                                        [&](const auto& task) { return never_ends(task.second); }));
}

/// Whether the task can have been started: some worker is not held by an endless earlier one.
bool Model::has_place(int task) const {
  int held = 0;
  for (const auto& [number, earlier] : tasks_) {
    if (number < task && never_ends(earlier) && !earlier.perhaps_killed) ++held;
  }
  return workers_ == 0 || held < workers_;
}

bool Model::busy_worker_is_plausible() const {
  return std::any_of(tasks_.begin(), tasks_.end(), [&](const auto& entry) {
    const auto& [number, task] = entry;
    if (!task.accepted || task.finished || task.perhaps_killed || !has_place(number)) return false;
    return harness::entry(task.body.kind).never_ends || task.fresh;
  });
}

bool Model::idle_worker_is_plausible() const {
  const auto occupied = std::count_if(tasks_.begin(), tasks_.end(), [&](const auto& entry) {
    return entry.second.accepted && !entry.second.finished &&
           (harness::entry(entry.second.body.kind).never_ends || entry.second.fresh);
  });
  int there = capacity();
  if (contract_.starts_workers_late) there = std::min(there, tasks());
  if (!contract_.replaces_workers) there -= deaths_;
  return occupied < there;
}

Model::Call Model::call_of_kill(Victim victim) const {
  const bool broken = contract_.worker_death == Contract::WorkerDeath::kBreaks && deaths_ > 0;
  // Where close is a shutdown, the pool gives up its list of workers, in which a kill looks.
  const bool listed =
      state_ == State::kRunning || (state_ == State::kClosed && contract_.join_needs_close);
  const bool plausible = victim == Victim::kBusy
                             ? listed && busy_worker_is_plausible()
                             : state_ == State::kRunning && idle_worker_is_plausible();
  return plausible && !broken && !joined_ && !stillborn_ ? Call::kLegal : Call::kImpossible;
}

Model::Call Model::call_of_known_pool(const Step& step) const {
  switch (step.kind) {
    case StepKind::kSubmit:
      if (step.task != tasks() + 1) return Call::kImpossible;
      return state_ == State::kRunning ? Call::kLegal : Call::kIllegal;
    case StepKind::kJoin:
      return state_ == State::kRunning && contract_.join_needs_close ? Call::kIllegal
                                                                     : Call::kLegal;
    case StepKind::kKill:
      return call_of_kill(step.victim);
    case StepKind::kCreate:
      return Call::kImpossible;
    case StepKind::kGet:
    case StepKind::kClose:
    case StepKind::kTerminate:
    case StepKind::kDrop:
    case StepKind::kWorkers:
    case StepKind::kSleep:
      return Call::kLegal;
  }
  return Call::kImpossible;
}

Model::Call Model::call(const Step& step) const {
  switch (step.kind) {
    case StepKind::kSleep:
      return Call::kLegal;
    case StepKind::kGet:
      return accepted(step.task) ? Call::kLegal : Call::kImpossible;
    case StepKind::kCreate:
      return state_ == State::kNone ? Call::kLegal : Call::kImpossible;
    default:
      break;
  }
  const bool referenced = state_ != State::kNone && state_ != State::kDropped;
  return referenced ? call_of_known_pool(step) : Call::kImpossible;
}

bool Model::get_may_wait(int number) const {
  const auto found = tasks_.find(number);
  if (found == tasks_.end() || !found->second.accepted) return true;
  if (found->second.finished) return false;
  if (state_ == State::kDropped) return true;  // what it means is the pool's own affair
  if (state_ == State::kTerminated) return false;
  if (never_ends(found->second)) return true;
  const int lost = contract_.replaces_workers ? 0 : deaths_;
  const int held = endless();
  return held > 0 && held + lost >= capacity();
}

bool Model::may_wait_for_ever(const Step& step) const {
  const bool drops_wait = contract_.exit != Contract::Exit::kTerminates;
  switch (step.kind) {
    case StepKind::kGet:
      return !step.timeout && get_may_wait(step.task);
    case StepKind::kJoin:
      if (state_ == State::kRunning) return !contract_.join_needs_close && endless() > 0;
      return state_ == State::kClosed && endless() > 0;
    case StepKind::kDrop:
      return drops_wait && is_used() && endless() > 0;
    case StepKind::kCreate:
    case StepKind::kSubmit:
    case StepKind::kClose:
    case StepKind::kTerminate:
    case StepKind::kWorkers:
    case StepKind::kSleep:
    case StepKind::kKill:
      return false;
  }
  return false;
}

bool Model::may_wait_for_ever(const harness::Ending& ending) const {
  if (!entry(ending.kind).runs_cleanup) return false;
  if (state_ == State::kNone || state_ == State::kTerminated) return false;
  switch (contract_.exit) {
    case Contract::Exit::kTerminates:
      return false;
    case Contract::Exit::kDrains:
      return endless() > 0;
    case Contract::Exit::kWaitsForClose:
      return state_ != State::kClosed || endless() > 0;
  }
  return true;
}

void Model::submit(const Step& step, bool took_effect) {
  Task& task = tasks_[step.task];
  task.body = step.body;
  task.accepted = took_effect && state_ == State::kRunning;
  task.fresh = takes_a_while(step.body);
  if (task.accepted && entry(step.body.kind).kills_worker) ++deaths_;
}

/// The victim is known only if one task alone can have been running.
void Model::kill(Victim victim) {
  ++deaths_;
  if (victim == Victim::kIdle) return;
  if (contract_.worker_death == Contract::WorkerDeath::kRetried) return;
  std::vector<Task*> candidates;
  for (auto& [number, task] : tasks_) {
    if (task.accepted && !task.finished && has_place(number)) candidates.push_back(&task);
  }
  for (Task* task : candidates) task->perhaps_killed = true;
  if (candidates.size() == 1) candidates.front()->finished = true;
}

void Model::finish_all() {
  for (auto& [number, task] : tasks_) task.finished = true;
}

void Model::apply(const Step& step, bool took_effect) {
  if (lets_time_pass(step)) {
    for (auto& [number, task] : tasks_) task.fresh = task.fresh && step.kind == StepKind::kKill;
  }
  if (step.kind == StepKind::kSubmit) return submit(step, took_effect);
  if (!took_effect) return;
  switch (step.kind) {
    case StepKind::kCreate:
      state_ = State::kRunning;
      workers_ = step.workers.value_or(0);
      stillborn_ = fails(step.initializer);
      break;
    case StepKind::kGet:
      if (const auto found = tasks_.find(step.task); found != tasks_.end())
        found->second.finished = true;
      break;
    case StepKind::kClose:
      if (state_ == State::kRunning) state_ = State::kClosed;
      break;
    case StepKind::kTerminate:
      if (state_ != State::kDropped) state_ = State::kTerminated;
      finish_all();
      break;
    case StepKind::kJoin:
      if (state_ == State::kRunning) state_ = State::kClosed;
      joined_ = true;
      finish_all();
      break;
    case StepKind::kDrop:
      state_ = State::kDropped;
      break;
    case StepKind::kKill:
      kill(step.victim);
      break;
    case StepKind::kSubmit:
    case StepKind::kWorkers:
    case StepKind::kSleep:
      break;
  }
}

bool takes_effect(const Model& model, const Step& step) {
  const bool timed_get = step.kind == StepKind::kGet && step.timeout;
  return model.call(step) == Model::Call::kLegal && !timed_get;
}

bool is_runnable(const harness::Scenario& scenario, const Contract& contract) {
  Model model(contract);
  for (const Step& step : scenario.steps) {
    if (model.call(step) == Model::Call::kImpossible) return false;
    if (model.may_wait_for_ever(step)) return false;
    model.apply(step, takes_effect(model, step));
  }
  return !model.may_wait_for_ever(scenario.ending);
}

bool may_wait_where_kills_miss(const harness::Scenario& scenario, const Contract& contract) {
  Model model(contract);
  for (const Step& step : scenario.steps) {
    if (model.may_wait_for_ever(step)) return true;
    model.apply(step, step.kind != StepKind::kKill && takes_effect(model, step));
  }
  return model.may_wait_for_ever(scenario.ending);
}

/// The task surely has an outcome: main has got it before, or the pool was joined or terminated, or
/// its worker was killed. Where it was lost and main polls for it, that must not cost a whole fuse.
static bool is_prompt_get(const Model& model, const Step& step, const Contract& contract) {
  // The warden knows one span for every prompt step: there, a short timeout fits into the grace.
  if (step.timeout) return 2 * *step.timeout <= contract.grace;
  return model.finished(step.task) && !model.may_wait_for_ever(step);
}

/// A refusal, the end of a terminated pool, and what was done before: none has to wait for a task.
static bool is_prompt(const Model& model, const Step& step, const Contract& contract) {
  if (model.call(step) == Model::Call::kIllegal) return true;
  switch (step.kind) {
    case StepKind::kGet:
      return is_prompt_get(model, step, contract);
    case StepKind::kTerminate:
      return true;
    case StepKind::kClose:
      return model.state() != Model::State::kRunning;
    case StepKind::kJoin:
      return model.state() == Model::State::kTerminated || model.joined();
    default:
      return false;
  }
}

std::vector<int> prompt_steps(const harness::Scenario& scenario, const Contract& contract) {
  std::vector<int> prompt;
  Model model(contract);
  int number = 0;
  for (const Step& step : scenario.steps) {
    ++number;
    if (is_prompt(model, step, contract)) prompt.push_back(number);
    model.apply(step, takes_effect(model, step));
  }
  const bool exit_is_prompt =
      contract.exit == Contract::Exit::kTerminates || !entry(scenario.ending.kind).runs_cleanup;
  if (exit_is_prompt) prompt.push_back(0);
  return prompt;
}

std::vector<int> waiting_steps(const harness::Scenario& scenario, const Contract& contract) {
  std::vector<int> waiting;
  Model model(contract);
  int number = 0;
  for (const Step& step : scenario.steps) {
    ++number;
    // The kit itself polls for a victim.
    const bool takes_time =
        step.timeout || step.kind == StepKind::kSleep || step.kind == StepKind::kKill;
    if (!takes_time && !model.may_wait_for_ever(step)) waiting.push_back(number);
    model.apply(step, takes_effect(model, step));
  }
  if (!model.may_wait_for_ever(scenario.ending)) waiting.push_back(0);
  return waiting;
}

}  // namespace poolproof::properties
