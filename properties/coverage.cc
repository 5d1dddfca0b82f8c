#include "properties/coverage.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "properties/enumerate.h"

namespace poolproof::properties {
namespace {

using harness::EndingKind;
using harness::Step;
using harness::StepKind;

/// Every situation is reached by programs of so many steps (coverage_test.cc).
constexpr int kDeepEnough = 4;

constexpr std::array<std::string_view, 11> kNames{
    "no pool",       "running, fresh",     "running, busy", "running, idle",
    "running, hurt", "closed, busy",       "closed, idle",  "closed, joined",
    "terminated",    "terminated, joined", "dropped"};

Moment moment(const Model& model, const Step& step) {
  return {situation_of(model), false, static_cast<int>(step.kind)};
}

Moment moment(const Model& model, EndingKind kind) {
  return {situation_of(model), true, static_cast<int>(kind)};
}

/// One step of each kind that may be taken here, with parameters that let it be taken if any do.
std::vector<Step> steps_to_try(const Abilities& abilities, const Model& model) {
  const SmallAlphabet alphabet{.most_workers = 1, .bodies = {harness::Body{}}};
  std::vector<Step> steps;
  for (const auto kind : abilities.steps) {
    const auto forms = letter(kind).in_short;
    if (forms == nullptr) steps.push_back(letters::plain(kind));
    if (forms == nullptr) continue;
    const auto some = forms(alphabet, model.tasks());
    steps.insert(steps.end(), some.begin(), some.end());
  }
  return steps;
}

void add_moments_here(const Abilities& abilities, const Model& model, std::set<Moment>& moments) {
  for (const auto& step : steps_to_try(abilities, model)) {
    const bool fits = model.call(step) != Model::Call::kImpossible;
    // A program can have been launched anywhere.
    const bool reaps = entry(step.kind).needs == harness::Needs::kProgram;
    if ((fits && !model.may_wait_for_ever(step)) || reaps) moments.insert(moment(model, step));
  }
  for (const auto kind : abilities.endings) {
    if (!model.may_wait_for_ever(harness::Ending{.kind = kind})) {
      moments.insert(moment(model, kind));
    }
  }
}

/// How many of the moments main came to: its steps that began, and the ending.
std::size_t begun(const harness::Trace& trace, std::size_t steps) {
  std::size_t last = 0;
  for (const auto& event : trace.events) {
    if (const auto* step = std::get_if<harness::StepBegun>(&event.kind))
      last = std::max(last, static_cast<std::size_t>(std::max(step->step, 0)));
    if (std::holds_alternative<harness::EndingBegun>(event.kind)) return steps + 1;
  }
  return std::min(last, steps);
}

/// What main had begun when the fault fired, counted from 1; 0: nothing, or it did not fire.
std::size_t begun_at_fault(const harness::Trace& trace, std::size_t steps) {
  std::size_t at = 0;
  for (const auto& event : trace.events) {
    if (const auto* step = std::get_if<harness::StepBegun>(&event.kind))
      at = static_cast<std::size_t>(std::max(step->step, 0));
    if (std::holds_alternative<harness::EndingBegun>(event.kind)) at = steps + 1;
    if (std::holds_alternative<harness::FaultFired>(event.kind)) return at;
  }
  return 0;
}

bool has_open_task(const Model& model) {
  for (int task = 1; task <= model.tasks(); ++task) {
    if (model.accepted(task) && !model.finished(task)) return true;
  }
  return false;
}

}  // namespace

std::string_view name(Situation situation) {
  return kNames.at(static_cast<std::size_t>(situation));
}

Situation situation_of(const Model& model) {
  const bool busy = has_open_task(model);
  switch (model.state()) {
    case Model::State::kNone:
      return Situation::kNone;
    case Model::State::kRunning:
      if (model.lost_workers() > 0 || model.stillborn()) return Situation::kHurt;
      if (model.tasks() == 0) return Situation::kFresh;
      return busy ? Situation::kBusy : Situation::kIdle;
    case Model::State::kClosed:
      if (model.joined()) return Situation::kClosedJoined;
      return busy ? Situation::kClosedBusy : Situation::kClosedIdle;
    case Model::State::kTerminated:
      return model.joined() ? Situation::kTerminatedJoined : Situation::kTerminated;
    case Model::State::kDropped:
      return Situation::kDropped;
  }
  return Situation::kNone;
}

std::string to_string(const Moment& moment) {
  const auto what = moment.is_ending ? entry(static_cast<EndingKind>(moment.kind)).name
                                     : entry(static_cast<StepKind>(moment.kind)).name;
  return fmt::format("{} x {}{}", name(moment.situation), moment.is_ending ? "end by " : "", what);
}

std::vector<Moment> moments_of(const harness::Scenario& scenario, const Contract& contract) {
  std::vector<Moment> moments;
  Model model(contract);
  for (const auto& step : scenario.steps) {
    moments.push_back(moment(model, step));
    model.apply(step, takes_effect(model, step));
  }
  moments.push_back(moment(model, scenario.ending.kind));
  return moments;
}

std::set<Moment> reachable(const Abilities& abilities, const Contract& contract) {
  std::set<Moment> moments;
  add_moments_here(abilities, Model(contract), moments);
  Enumerator enumerator(abilities, contract, "");
  for (int length = 1; length <= kDeepEnough; ++length) {
    while (const auto scenario = enumerator.next(length)) {
      Model model(contract);
      for (const auto& step : scenario->steps) model.apply(step, takes_effect(model, step));
      add_moments_here(abilities, model, moments);
    }
  }
  return moments;
}

void Coverage::add(const harness::Scenario& scenario, const Contract& contract) {
  for (const auto& reached : moments_of(scenario, contract)) ++pairs_[reached];
  if (const auto at = moment_of_fault(scenario, contract))
    ++with_faults_[{*at, scenario.fault->action}];
}

void Coverage::add(const harness::Scenario& scenario, const Contract& contract,
                   const harness::Trace& trace) {
  const auto moments = moments_of(scenario, contract);
  const auto reached = begun(trace, scenario.steps.size());
  for (std::size_t at = 0; at < reached; ++at) ++pairs_[moments[at]];
  const auto fired = begun_at_fault(trace, scenario.steps.size());
  if (scenario.fault && fired > 0 && fired <= moments.size())
    ++with_faults_[{moments[fired - 1], scenario.fault->action}];
}

int Coverage::count(const Moment& moment) const {
  const auto found = pairs_.find(moment);
  return found == pairs_.end() ? 0 : found->second;
}

int Coverage::count(const Moment& moment, FaultKind kind) const {
  const auto found = with_faults_.find({moment, kind});
  return found == with_faults_.end() ? 0 : found->second;
}

std::optional<Moment> moment_of_fault(const harness::Scenario& scenario, const Contract& contract) {
  if (!scenario.fault) return std::nullopt;
  const auto moments = moments_of(scenario, contract);
  const auto& fault = *scenario.fault;
  using Trigger = harness::Fault::Trigger;
  if (fault.trigger == Trigger::kCall) return std::nullopt;
  int nth = 0;
  for (std::size_t at = 0; at < scenario.steps.size(); ++at) {
    const bool counts = fault.trigger != Trigger::kTask ||
                        entry(scenario.steps[at].kind).makes == harness::Makes::kTask;
    if (counts && ++nth == fault.nth) return moments[at];
  }
  return std::nullopt;
}

Reached pairs_reached(const Coverage& coverage, const std::set<Moment>& reachable) {
  Reached result{0, static_cast<std::int64_t>(reachable.size())};
  for (const auto& [moment, times] : coverage.pairs()) {
    ++result.reached;
    if (!reachable.contains(moment)) ++result.of;
  }
  return result;
}

Reached triples_reached(const Coverage& coverage, const std::set<Moment>& reachable,
                        const std::vector<FaultKind>& kinds) {
  Reached result{0, static_cast<std::int64_t>(reachable.size() * kinds.size())};
  for (const auto& [triple, times] : coverage.with_faults()) {
    const auto& [moment, kind] = triple;
    const bool expected =
        reachable.contains(moment) && std::find(kinds.begin(), kinds.end(), kind) != kinds.end();
    ++result.reached;
    if (!expected) ++result.of;
  }
  return result;
}

}  // namespace poolproof::properties
