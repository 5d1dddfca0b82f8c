#include "properties/rules/replacement.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

namespace poolproof::properties {
namespace {

using harness::StepKind;
using Role = Reading::Role;
using Moment = Reading::Moment;

/// Those that were lost, and those that have gone by themselves, for a quota or for no reason.
std::vector<const Reading::Process*> gone_workers(const Reading& reading) {
  std::vector<const Reading::Process*> gone;
  for (const auto& process : reading.processes()) {
    if (process.role == Role::kWorker && process.dying) gone.push_back(&process);
  }
  return gone;
}

/// Workers that went long enough ago, the first one first.
std::vector<const Reading::Process*> overdue(const Reading& reading, const Moment& until) {
  auto gone = gone_workers(reading);
  std::erase_if(gone, [&](const auto* one) {
    // A death by SIGKILL may be seen late: `dying` is then when it was last known to live.
    return !one->dead || until < *one->dead || reading.within_grace(*one->dead, until);
  });
  std::sort(gone.begin(), gone.end(),
            [](const auto* a, const auto* b) { return *a->dying < *b->dying; });
  return gone;
}

/// Each has a worker of its own, born in the step.
std::ptrdiff_t neighbours_since(const Reading& reading, const Moment& since, const Moment& until) {
  std::ptrdiff_t neighbours = 0;
  for (int step = 1; step <= reading.steps(); ++step) {
    const auto& run = reading.run(step);
    const auto& asked = reading.step(step);
    const bool made = asked.kind == StepKind::kNeighbour &&
                      asked.neighbour != harness::Neighbour::kWorks && run.is(Reading::Kind::kOk);
    if (made && since < *run.begun && *run.ended < until) ++neighbours;
  }
  return neighbours;
}

/// Whoever was born since may be a worker: one that has not yet had a task is not known as such.
std::ptrdiff_t born_since(const Reading& reading, const Moment& since, const Moment& until) {
  const auto& all = reading.processes();
  const auto born = std::count_if(all.begin(), all.end(), [&](const auto& process) {
    const bool of_the_pool = process.role == Role::kWorker || process.role == Role::kHelper;
    return of_the_pool && process.born && since < *process.born && *process.born < until;
  });
  return std::max<std::ptrdiff_t>(born - neighbours_since(reading, since, until), 0);
}

}  // namespace

Moment in_use_until(const Reading& reading) {
  const auto ended = reading.first_end_of_pool();
  const auto until = reading.main_goes_on_until();
  return ended ? std::min(*ended, until) : until;
}

void judge_replacements(const Reading& reading, Verdicts& verdicts) {
  const auto& contract = reading.contract();
  const auto until = in_use_until(reading);
  if (!contract.replaces_workers || contract.starts_workers_late || reading.stillborn() ||
      reading.may_have_broken_the_pool_before(until))
    return;
  const auto& steps = reading.scenario().steps;
  if (std::any_of(steps.begin(), steps.end(), [](const harness::Step& step) {
        return step.kind == StepKind::kResize;  // whoever is too many is not replaced
      }))
    return;
  const auto gone = overdue(reading, until);
  if (gone.empty()) return;
  const auto born = born_since(reading, *gone.front()->dying, until);
  if (std::cmp_greater_equal(born, gone.size())) return verdicts.held();
  verdicts.violated(
      fmt::format(
          "{} died, and {} later {} been started since, while the pool is in use",
          gone.size() == 1 ? reading.name(*gone.front()) : fmt::format("{} workers", gone.size()),
          in_words(reading.tree_time(*gone.back()->dead, until)),
          born == 0 ? "none has" : fmt::format("{} {}", born, born == 1 ? "has" : "have")),
      {gone.front()->dying->event, until.event});
}

}  // namespace poolproof::properties
