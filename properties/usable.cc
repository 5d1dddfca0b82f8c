#include "properties/usable.h"

#include <fmt/format.h>

#include <map>

#include "properties/model.h"
#include "properties/text.h"

namespace poolproof::properties {
namespace {

using harness::StepKind;
using harness::StepResult;

std::map<int, const StepResult*> results_of(const harness::Trace& trace) {
  std::map<int, const StepResult*> results;
  const auto main = trace.main();
  for (const auto& event : trace.events) {
    const auto* ended = std::get_if<harness::StepEnded>(&event.kind);
    if (ended != nullptr && ended->pid == main) results.emplace(ended->step, &ended->result);
  }
  return results;
}

/// From here on a pool may have reasons of its own to refuse a task.
bool may_cost_a_worker(const harness::Step& step) {
  if (step.kind == StepKind::kKill) return true;
  return entry(step.kind).makes == harness::Makes::kTask && entry(step.body.kind).kills_worker;
}

std::string in_words(const StepResult& result) {
  constexpr std::size_t kMost = 100;
  auto text = result.error.empty() ? std::string(name(result.kind)) : result.error;
  if (!result.message.empty()) text += ": " + result.message;
  return clipped(printable(text), kMost);
}

}  // namespace

void Usable::Calls::add(const StepResult& result, int step, int number) {
  ++asked;
  if (result.kind == StepResult::Kind::kOk) {
    ++taken;
  } else if (first_failure.empty()) {
    first_failure = fmt::format("case {}, step {}: {}", number, step, in_words(result));
  }
}

void Usable::add(const Pool& pool, const harness::Scenario& scenario, const harness::Trace& trace,
                 int number) {
  const auto results = results_of(trace);
  Model model(pool.contract);
  int at = 0;
  for (const auto& step : scenario.steps) {
    const auto found = results.find(++at);
    if (found == results.end()) return;
    const bool took_effect = found->second->kind == StepResult::Kind::kOk;
    const bool legal = model.call(step) == Model::Call::kLegal;
    if (fails(step.initializer)) return;
    if (step.kind == StepKind::kCreate && legal) creates_.add(*found->second, at, number);
    if (step.kind == StepKind::kSubmit && legal) submits_.add(*found->second, at, number);
    if (may_cost_a_worker(step)) return;
    model.apply(step, took_effect);
  }
}

std::optional<std::string> Usable::trouble(const Pool& pool) const {
  const auto line = [&](const char* what, const Calls& calls) {
    return fmt::format(
        "{}: {} ({}), so that nothing was tested; make it work without poolproof first; adapter: "
        "{}",
        pool.label(), what, calls.first_failure, pool.adapter);
  };
  if (creates_.all_failed()) return line("no case could create the pool", creates_);
  if (submits_.all_failed()) return line("the pool took no task in any case", submits_);
  return std::nullopt;
}

}  // namespace poolproof::properties
