#include "properties/model.h"

#include <algorithm>
#include <tuple>

namespace poolproof::properties {

using harness::Needs;
using harness::Step;
using harness::StepKind;

bool Model::accepted(int number) const {
  const auto* task = state_.task(number);
  return task != nullptr && task->accepted;
}

bool Model::finished(int number) const {
  const auto* task = state_.task(number);
  return task != nullptr && task->finished;
}

bool Model::is_stream(int number) const {
  const auto* task = state_.task(number);
  return task != nullptr && task->is_stream();
}

bool Model::may_lose_worker(int number) const {
  const auto* task = state_.task(number);
  if (task == nullptr || !task->accepted) return false;
  return task->perhaps_killed || entry(task->body.kind).kills_worker;
}

bool Model::has_what_it_needs(const Step& step) const {
  switch (entry(step.kind).needs) {
    case Needs::kNothing:
      return true;
    case Needs::kNoPool:
      return state_.life == State::kNone;
    case Needs::kPool:
      return state_.is_referenced();
    case Needs::kTask:
      return accepted(step.task);
    case Needs::kWholeTask:
      return accepted(step.task) && !is_stream(step.task);
    case Needs::kStream:
      return accepted(step.task) && is_stream(step.task);
    case Needs::kNoProgram:
      return !state_.program;
    case Needs::kProgram:
      return state_.program;
  }
  return false;
}

Model::Call Model::call(const Step& step) const {
  if (!has_what_it_needs(step)) return Call::kImpossible;
  const auto call = letter(step.kind).call;
  return call == nullptr ? Call::kLegal : call(state_, step);
}

bool Model::may_wait_for_ever(const Step& step) const {
  const auto may_wait = letter(step.kind).may_wait_for_ever;
  return may_wait != nullptr && may_wait(state_, step);
}

bool Model::may_wait_for_ever(const harness::Ending& ending) const {
  if (!entry(ending.kind).runs_cleanup) return false;
  if (state_.neighbour_is_busy && state_.contract.exit != Contract::Exit::kTerminates) return true;
  if (state_.life == State::kNone || state_.life == State::kTerminated) return false;
  switch (state_.contract.exit) {
    case Contract::Exit::kTerminates:
      return false;
    case Contract::Exit::kDrains:
      return state_.endless() > 0;
    case Contract::Exit::kWaitsForClose:
      return state_.life != State::kClosed || state_.endless() > 0;
  }
  return true;
}

void Model::apply(const Step& step, bool took_effect) {
  const auto& letter = properties::letter(step.kind);
  if (letter.lets_time_pass != nullptr && letter.lets_time_pass(step)) {
    for (auto& [number, task] : state_.tasks) task.fresh = false;
  }
  if (letter.apply != nullptr) letter.apply(state_, step, took_effect);
}

bool Model::is_prompt(const Step& step) const {
  if (call(step) == Call::kIllegal) return true;
  const auto prompt = letter(step.kind).is_prompt;
  return prompt != nullptr && prompt(state_, step);
}

bool takes_effect(const Model& model, const Step& step) {
  const auto in_vain = letter(step.kind).may_be_in_vain;
  return model.call(step) == Call::kLegal && (in_vain == nullptr || !in_vain(step));
}

bool takes_a_time(const Step& step) {
  const auto takes = letter(step.kind).takes_a_time;
  return takes != nullptr && takes(step);
}

bool is_deaf_to_its_ending(const harness::Scenario& scenario) {
  using harness::EndingKind;
  using harness::Inherited;
  const auto& [steps, inherits] = std::tie(scenario.steps, scenario.inherits);
  const bool by_main = std::any_of(steps.begin(), steps.end(),
                                   [](const Step& step) { return entry(step.kind).deafens_main; });
  const bool to_sigterm = by_main || inherits.contains(Inherited::kSigtermBlocked);
  const auto ending = scenario.ending.kind;
  const bool by_sigint = ending == EndingKind::kSigint || ending == EndingKind::kCtrlC;
  return (ending == EndingKind::kSigterm && to_sigterm) ||
         (by_sigint && inherits.contains(Inherited::kSigintIgnored));
}

bool is_runnable(const harness::Scenario& scenario, const Contract& contract) {
  Model model(contract);
  for (const Step& step : scenario.steps) {
    if (model.call(step) == Model::Call::kImpossible) return false;
    if (model.may_wait_for_ever(step)) return false;
    model.apply(step, takes_effect(model, step));
  }
  return !model.may_wait_for_ever(scenario.ending) && !is_deaf_to_its_ending(scenario);
}

bool may_wait_where_kills_miss(const harness::Scenario& scenario, const Contract& contract) {
  Model model(contract);
  for (const Step& step : scenario.steps) {
    if (model.may_wait_for_ever(step)) return true;
    model.apply(step, step.kind != StepKind::kKill && takes_effect(model, step));
  }
  return model.may_wait_for_ever(scenario.ending);
}

std::vector<int> prompt_steps(const harness::Scenario& scenario, const Contract& contract) {
  std::vector<int> prompt;
  Model model(contract);
  int number = 0;
  for (const Step& step : scenario.steps) {
    ++number;
    if (model.is_prompt(step)) prompt.push_back(number);
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
    if (!takes_a_time(step) && !model.may_wait_for_ever(step)) waiting.push_back(number);
    model.apply(step, takes_effect(model, step));
  }
  if (!model.may_wait_for_ever(scenario.ending)) waiting.push_back(0);
  return waiting;
}

}  // namespace poolproof::properties
