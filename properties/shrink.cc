#include "properties/shrink.h"

#include <algorithm>
#include <csignal>
#include <map>

#include "properties/model.h"

namespace poolproof::properties {
namespace {

using harness::Body;
using harness::BodyKind;
using harness::Fault;
using harness::Parameter;
using harness::Scenario;
using harness::Step;
using harness::StepKind;
using std::chrono::milliseconds;

constexpr int kDefaultWorkers = harness::kMaxWorkers + 1;

template <class T>
bool has(const std::vector<T>& all, T one) {
  return std::find(all.begin(), all.end(), one) != all.end();
}

/// Steps that make sense together, tasks numbered anew.
struct Repaired {
  std::vector<Step> steps;
  std::map<std::size_t, int> numbers;  // of the steps that were kept, by their places before
  std::map<int, int> tasks;
};

/// `steps` with their places in the whole scenario.
Repaired repaired(const std::map<std::size_t, Step>& steps, const Contract& contract) {
  Repaired result;
  auto& [kept, numbers, renumbered] = result;
  Model model(contract);
  for (const auto& [place, whole] : steps) {
    Step step = whole;
    if (step.kind == StepKind::kSubmit) {
      const int old = step.task;
      step.task = model.tasks() + 1;
      if (model.call(step) != Model::Call::kImpossible) renumbered[old] = step.task;
    } else if (step.kind == StepKind::kGet) {
      const auto found = renumbered.find(step.task);
      if (found == renumbered.end()) continue;
      step.task = found->second;
    }
    const auto call = model.call(step);
    if (call == Model::Call::kImpossible) continue;
    const bool timed = step.kind == StepKind::kGet && step.timeout.has_value();
    model.apply(step, call == Model::Call::kLegal && !timed);
    kept.push_back(std::move(step));
    numbers[place] = static_cast<int>(kept.size());
  }
  return result;
}

/// The fault at the same step or task, by its number now; nullopt where that is gone.
std::optional<Fault> moved(Fault fault, const Repaired& repaired) {
  if (fault.trigger == Fault::Trigger::kCall) return fault;
  if (fault.trigger == Fault::Trigger::kTask) {
    const auto task = repaired.tasks.find(fault.nth);
    if (task == repaired.tasks.end()) return std::nullopt;
    fault.nth = task->second;
    return fault;
  }
  const auto step = repaired.numbers.find(static_cast<std::size_t>(fault.nth - 1));
  if (step == repaired.numbers.end()) return std::nullopt;
  fault.nth = step->second;
  return fault;
}

/// Collects candidates that are runnable, simpler, and not there yet.
class Candidates {
 public:
  Candidates(const Scenario& from, const Contract& contract)
      : from_(from), complexity_(complexity(from)), contract_(contract) {}

  void add(Scenario candidate) {
    if (complexity(candidate) >= complexity_) return;
    if (!is_runnable(candidate, contract_)) return;
    if (!has(all_, candidate)) all_.push_back(std::move(candidate));
  }
  /// `change` edits a copy of step `i`.
  template <class Change>
  void add_with(std::size_t i, Change change) {
    Scenario candidate = from_;
    change(candidate.steps[i]);
    add(std::move(candidate));
  }
  std::vector<Scenario> take() { return std::move(all_); }

 private:
  const Scenario& from_;
  Complexity complexity_;
  const Contract& contract_;
  std::vector<Scenario> all_;
};

void without_steps(Candidates& all, const Scenario& from, const Contract& contract) {
  const std::size_t n = from.steps.size();
  for (std::size_t chunk = (n + 1) / 2; chunk > 0; chunk /= 2) {
    for (std::size_t at = 0; at < n; at += chunk) {
      std::map<std::size_t, Step> rest;
      for (std::size_t i = 0; i < n; ++i) {
        if (i < at || i >= at + chunk) rest[i] = from.steps[i];
      }
      auto repaired = properties::repaired(rest, contract);
      Scenario candidate = from;
      if (from.fault) candidate.fault = moved(*from.fault, repaired);
      candidate.steps = std::move(repaired.steps);
      all.add(std::move(candidate));
    }
  }
}

void with_simpler_ending(Candidates& all, const Scenario& from, const Abilities& abilities) {
  for (const auto& ending : harness::ending_table()) {
    if (ending.kind >= from.ending.kind) break;  // the table is in the order of simplicity
    if (!has(abilities.endings, ending.kind)) continue;
    Scenario candidate = from;
    candidate.ending = {.kind = ending.kind};
    all.add(std::move(candidate));
  }
}

void with_simpler_bodies(Candidates& all, const Scenario& from, const Abilities& abilities) {
  for (std::size_t i = 0; i < from.steps.size(); ++i) {
    const Step& step = from.steps[i];
    if (step.kind == StepKind::kKill) {
      all.add_with(i, [](Step& s) { s.victim = harness::Victim::kIdle; });
    }
    if (step.kind != StepKind::kSubmit) continue;
    for (const auto& body : harness::body_table()) {
      if (body.kind >= step.body.kind) break;
      if (!has(abilities.bodies, body.kind)) continue;
      all.add_with(i, [&](Step& s) { s.body = Body{.kind = body.kind}; });
    }
  }
}

/// How much harm it does; for the order of simplicity alone.
std::int64_t severity(const Fault& fault) {
  switch (fault.action) {
    case Fault::Action::kDelay:
      return 1;
    case Fault::Action::kStop:
      return 2;
    case Fault::Action::kErrno:
    case Fault::Action::kTypicalError:
      return fault.lasting ? 4 : 3;
    case Fault::Action::kCloseStdout:
    case Fault::Action::kLimitFiles:
    case Fault::Action::kLimitMemory:
    case Fault::Action::kLimitProcesses:
      return 5;
    case Fault::Action::kSignal:
      break;
  }
  return fault.number == SIGTERM ? 6 : fault.number == SIGKILL ? 8 : 7;
}

void with_gentler_fault(Candidates& all, const Scenario& from) {
  if (!from.fault) return;
  const auto add = [&](auto change) {
    Scenario candidate = from;
    change(candidate);
    all.add(std::move(candidate));
  };
  add([](Scenario& s) { s.fault.reset(); });
  if (from.fault->action == Fault::Action::kSignal)
    add([](Scenario& s) { s.fault->number = SIGTERM; });
  add([](Scenario& s) { s.fault->lasting = false; });
  for (const int nth : {1, from.fault->nth / 2, from.fault->nth - 1}) {
    if (nth >= 1) add([nth](Scenario& s) { s.fault->nth = nth; });
  }
  const auto pause = from.fault->pause;
  for (const auto shorter : {milliseconds(1), pause / 2, pause - milliseconds(1)}) {
    if (shorter >= milliseconds(1)) add([shorter](Scenario& s) { s.fault->pause = shorter; });
  }
}

void with_fewer_timeouts(Candidates& all, const Scenario& from) {
  for (std::size_t i = 0; i < from.steps.size(); ++i) {
    all.add_with(i, [](Step& s) { s.timeout.reset(); });
  }
}

void with_plainer_pool(Candidates& all, const Scenario& from) {
  for (std::size_t i = 0; i < from.steps.size(); ++i) {
    const Step& step = from.steps[i];
    if (step.kind != StepKind::kCreate) continue;
    all.add_with(i, [](Step& s) { s.quota.reset(); });
    for (int simpler = 0; simpler < static_cast<int>(step.initializer); ++simpler) {
      all.add_with(i, [&](Step& s) { s.initializer = static_cast<harness::Initializer>(simpler); });
    }
  }
}

void with_fewer_workers(Candidates& all, const Scenario& from) {
  for (std::size_t i = 0; i < from.steps.size(); ++i) {
    if (from.steps[i].kind != StepKind::kCreate) continue;
    const int workers = from.steps[i].workers.value_or(kDefaultWorkers);
    for (const int fewer : {1, 2, workers / 2, workers - 1}) {
      if (fewer < 1 || fewer > harness::kMaxWorkers) continue;
      all.add_with(i, [&](Step& s) { s.workers = fewer; });
    }
  }
}

std::vector<std::int64_t> smaller(std::int64_t number) {
  return {0, number / 2, number - 1};
}

void with_smaller_numbers(Candidates& all, const Scenario& from) {
  for (std::size_t i = 0; i < from.steps.size(); ++i) {
    const Step& step = from.steps[i];
    for (const auto n : smaller(step.body.amount)) {
      if (n >= 0) all.add_with(i, [&](Step& s) { s.body.amount = n; });
    }
    for (const auto n : smaller(step.quota.value_or(0))) {
      if (n >= 1) all.add_with(i, [&](Step& s) { s.quota = static_cast<int>(n); });
    }
    for (const auto n : smaller(step.duration.count())) {
      if (n >= 0) all.add_with(i, [&](Step& s) { s.duration = milliseconds(n); });
    }
    if (!step.timeout) continue;
    for (const auto n : smaller(step.timeout->count())) {
      if (n >= 0) all.add_with(i, [&](Step& s) { s.timeout = milliseconds(n); });
    }
  }
  for (const auto n : smaller(from.ending.code)) {
    if (n < 0) continue;
    Scenario candidate = from;
    candidate.ending.code = static_cast<int>(n);
    all.add(std::move(candidate));
  }
}

}  // namespace

Complexity complexity(const Scenario& scenario) {
  Complexity sum{};
  auto& [steps, ending, letters, fault, timeouts, workers, numbers] = sum;
  steps = static_cast<std::int64_t>(scenario.steps.size());
  ending = static_cast<std::int64_t>(scenario.ending.kind);
  numbers = scenario.ending.code;
  if (scenario.fault) {
    fault = severity(*scenario.fault);
    numbers += scenario.fault->nth + scenario.fault->pause.count();
  }
  for (const Step& step : scenario.steps) {
    if (step.kind == StepKind::kSubmit) letters += static_cast<std::int64_t>(step.body.kind);
    if (step.kind == StepKind::kKill) letters += static_cast<std::int64_t>(step.victim);
    if (step.kind == StepKind::kCreate) workers += step.workers.value_or(kDefaultWorkers);
    letters += static_cast<std::int64_t>(step.initializer);
    timeouts += (step.timeout ? 1 : 0) + (step.quota ? 1 : 0);
    numbers += step.body.amount + step.quota.value_or(0) + step.duration.count() +
               step.timeout.value_or(milliseconds(0)).count();
  }
  return sum;
}

std::vector<Scenario> simpler(const Scenario& scenario, const Abilities& abilities,
                              const Contract& contract) {
  Candidates all(scenario, contract);
  without_steps(all, scenario, contract);
  with_simpler_ending(all, scenario, abilities);
  with_simpler_bodies(all, scenario, abilities);
  with_gentler_fault(all, scenario);
  with_fewer_timeouts(all, scenario);
  with_plainer_pool(all, scenario);
  with_fewer_workers(all, scenario);
  with_smaller_numbers(all, scenario);
  return all.take();
}

}  // namespace poolproof::properties
