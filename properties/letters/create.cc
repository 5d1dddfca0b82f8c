#include <array>

#include "properties/enumerate.h"
#include "properties/letters.h"

namespace poolproof::properties::letters {
namespace {

using harness::Initializer;
using harness::Setting;
using harness::Step;

Call call(const PoolState& /*state*/, const Step& step) {
  return has_bad_count(step) ? Call::kIllegal : Call::kLegal;
}

void apply(PoolState& state, const Step& step, bool took_effect) {
  if (!took_effect) return;
  state.life = PoolState::Life::kRunning;
  state.workers = step.workers.value_or(0);
  state.stillborn = fails(step.initializer);
}

void fill(Draft& draft, Step& step) {
  auto& dice = draft.dice;
  const int index = dice.weighted({45, 35, 15, 5});
  if (index < 3) step.workers = index + 1;
  if (draft.can(Setting::kQuota) && dice.percent(20)) step.quota = 1 + dice.below(2);
  if (draft.can(Setting::kInitializer) && dice.percent(12)) {
    step.initializer =
        dice.pick(std::array{Initializer::kReturns, Initializer::kReturns, Initializer::kRaises,
                             Initializer::kExits, Initializer::kKillsSelf, Initializer::kSleeps});
  }
  step.caller = draft.caller();
}

std::vector<Step> in_short(const SmallAlphabet& alphabet, int /*tasks*/) {
  std::vector<Step> steps;
  for (int workers = 1; workers <= alphabet.most_workers; ++workers)
    steps.push_back({.kind = harness::StepKind::kCreate, .workers = workers});
  return steps;
}

std::vector<std::string> templates(const Step& step) {
  return {step.workers ? "create" : "create_default"};
}

}  // namespace

const Letter kCreate{.kind = harness::StepKind::kCreate,
                     .call = call,
                     .apply = apply,
                     .weight = 0,  // each scenario begins with it
                     .fill = fill,
                     .in_short = in_short,
                     .templates = templates};

}  // namespace poolproof::properties::letters
