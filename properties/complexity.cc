#include "properties/complexity.h"

#include <algorithm>
#include <csignal>

namespace poolproof::properties {
namespace {

using harness::BodyKind;
using harness::Fault;
using harness::Field;
using harness::FieldType;
using harness::Neighbour;
using harness::Scenario;
using harness::Simplify;
using harness::Step;
using harness::StepKind;
using std::chrono::milliseconds;

/// As many as the step does by itself. What it does to a pool of its own may show in main's first.
std::int64_t weight(const Step& step) {
  if (step.kind == StepKind::kMap) return 2;
  if (step.kind != StepKind::kNeighbour) return 1;
  switch (step.neighbour) {
    case Neighbour::kEnds:
      return 6;
    case Neighbour::kStays:
    case Neighbour::kBusy:
      return 3;
    case Neighbour::kWorks:
      return 2;
  }
  return 1;
}

/// The place of its kind in the order of simplicity: what every scenario has, what only lets time
/// pass, what only looks, the other stand-ins; then in the order of the table. (A look takes time,
/// too: where that is all that it is for, there is one way to say it.)
std::int64_t rank(const Step& step) {
  switch (step.kind) {
    case StepKind::kCreate:
      return 0;
    case StepKind::kSleep:
      return 1;
    case StepKind::kWorkers:
      return 2;
    case StepKind::kSubmit:
      return 3;
    case StepKind::kKill:
      return 4;
    default:
      return 5 + static_cast<std::int64_t>(step.kind);
  }
}

std::int64_t pairs_out_of_order(const Scenario& scenario) {
  std::int64_t pairs = 0;
  for (std::size_t late = 0; late < scenario.steps.size(); ++late) {
    for (std::size_t early = 0; early < late; ++early)
      pairs += order(scenario.steps[early]) > order(scenario.steps[late]) ? 1 : 0;
  }
  return pairs;
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
    case Fault::Action::kReusePids:
      return 2;
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

constexpr std::array<std::int64_t, 5> kRoundBelow50{1, 2, 5, 10, 20};
bool is_round(std::int64_t time) {
  const auto same = std::find(kRoundBelow50.begin(), kRoundBelow50.end(), time);
  return time % 50 == 0 || same != kRoundBelow50.end();
}

/// Of a sleep: a long one is less trouble than a short one, and an odd one is most.
std::int64_t trouble_of(milliseconds sleep) {
  const auto short_of_most = harness::kMaxMilliseconds - sleep.count();
  return is_round(sleep.count()) ? short_of_most : harness::kMaxMilliseconds + short_of_most;
}

/// What one step adds.
void add_complexity(const Step& step, Complexity& sum) {
  auto& [steps, faults, ending, options, letters, fault, sizes, pairs, numbers] = sum;
  steps += weight(step);
  letters += rank(step);
  numbers += step.body.amount;
  if (step.kind == StepKind::kSleep) numbers += trouble_of(step.duration);
  for (const Field& field : entry(step.kind).fields) {
    const auto value = field.get(step);
    if (field.type == FieldType::kBody || field.type == FieldType::kName)
      letters += value.value_or(0);
    if (field.simplify == Simplify::kSize) sizes += size_of(field, step);
    if (!is_number(field) || step.kind == StepKind::kSleep) continue;
    options += field.optional && value ? 1 : 0;
    numbers += value.value_or(0);
  }
}

}  // namespace

std::pair<std::int64_t, BodyKind> order(const Step& step) {
  return {rank(step), step.body.kind};
}

std::int64_t size_of(const Field& field, const Step& step) {
  const auto size = field.get(step).value_or(field.high + 1);
  return size < 1 ? field.high + 2 - size : size;
}

bool is_number(const Field& field) {
  const bool counts = field.type == FieldType::kNumber || field.type == FieldType::kMilliseconds;
  return counts && field.simplify != Simplify::kSize;
}

Complexity complexity(const Scenario& scenario) {
  Complexity sum{};
  auto& [steps, faults, ending, options, letters, fault, sizes, pairs, numbers] = sum;
  pairs = pairs_out_of_order(scenario);
  faults = scenario.fault ? 1 : 0;
  ending = static_cast<std::int64_t>(scenario.ending.kind);
  numbers = scenario.ending.code;
  if (scenario.fault) {
    fault = severity(*scenario.fault);
    numbers += scenario.fault->nth + scenario.fault->pause.count();
  }
  options = (scenario.processors ? 1 : 0) + static_cast<std::int64_t>(scenario.inherits.size());
  for (const Step& step : scenario.steps) add_complexity(step, sum);
  return sum;
}

}  // namespace poolproof::properties
