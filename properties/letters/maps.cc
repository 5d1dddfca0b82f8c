// Maps: some items as one task, and the results of an imap, one after the other.
#include <algorithm>
#include <array>

#include "properties/letters.h"
#include "properties/letters/waits.h"
#include "properties/model.h"

namespace poolproof::properties::letters {
namespace {

using harness::BodyKind;
using harness::Form;
using harness::Step;
using harness::StepKind;

// ---- map ----------------------------------------------------------------------------------------

/// Those that leave their worker alive: what a map is after some of its items were lost, pools
/// leave open.
constexpr std::array kBodies{BodyKind::kNothing, BodyKind::kEcho,  BodyKind::kSleep,
                             BodyKind::kSpin,    BodyKind::kNever, BodyKind::kRaise};
/// None, one, around the number of workers, more than some chunks.
constexpr std::array kItems{0, 1, 2, 3, 3, 4, 8};
constexpr std::int64_t kLargestPayload = 1 << 16;

void fill_map(Draft& draft, Step& step) {
  const auto& forms = draft.abilities.forms;
  if (forms.empty()) return;
  auto& dice = draft.dice;
  step.task = draft.model.tasks() + 1;
  step.form = dice.pick(forms);
  step.items = dice.pick(kItems);
  if (!is_stream(step.form) && dice.percent(30)) step.chunk = 1 + dice.below(3);
  constexpr int kRaisingPercent = 30;
  constexpr int kMostTaken = 2;  // or main is hardly ever told of it
  if (step.items > 0 && draft.can(harness::Setting::kInput) && dice.percent(kRaisingPercent))
    step.raises_at = 1 + dice.below(std::min(step.items, kMostTaken));
  step.body = draft.body();
  if (std::find(kBodies.begin(), kBodies.end(), step.body.kind) == kBodies.end()) step.body = {};
  step.body.amount = std::min(step.body.amount, kLargestPayload);
}

/// The call that takes the whole input may fail, or its get: nobody is to wait for it.
bool may_raise_at_once(const Step& step) {
  return step.raises_at && !is_stream(step.form);
}

std::vector<std::string> map_templates(const Step& step) {
  if (step.raises_at) return {std::string(name(step.form)) + "_raising"};
  return {std::string(name(step.form))};
}

// ---- next ---------------------------------------------------------------------------------------

/// Finished is what has given all its results; after that each call ends at once.
void next(PoolState& state, const Step& step, bool took_effect) {
  if (!took_effect || state.task(step.task) == nullptr) return;
  auto& task = state.tasks[step.task];
  task.finished = ++task.taken >= task.items || task.finished;
}

void fill_next(Draft& draft, Step& step) {
  std::vector<int> streams;
  for (int task = 1; task <= draft.model.tasks(); ++task) {
    if (draft.model.accepted(task) && draft.model.is_stream(task)) streams.push_back(task);
  }
  if (!streams.empty()) fill_wait(draft, step, draft.dice.pick(streams));
}

std::vector<std::string> next_templates(const Step& step) {
  if (step.timeout) return {"next_timeout", "next"};
  return {"next"};
}

}  // namespace

const Letter kMap{.kind = StepKind::kMap,
                  .call = call_of_submit,
                  .apply = submit,
                  .may_be_in_vain = may_raise_at_once,
                  .weight = 16,
                  .fill = fill_map,
                  .templates = map_templates};

const Letter kNext{.kind = StepKind::kNext,
                   .may_wait_for_ever = may_wait_for_outcome,
                   .apply = next,
                   .may_be_in_vain = has_timeout,
                   .lets_time_pass = always,
                   .takes_a_time = has_timeout,
                   .is_prompt = wait_is_prompt,
                   .weight = 34,
                   .fill = fill_next,
                   .templates = next_templates};

}  // namespace poolproof::properties::letters
