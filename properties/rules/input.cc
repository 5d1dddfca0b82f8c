#include <fmt/format.h>

#include "properties/rules/reading.h"
#include "properties/rules/rules.h"
#include "properties/rules/verdicts.h"

// I3: whose is what stands in main's standard input?
namespace poolproof::properties {
namespace {

using harness::Inherited;

/// Of a task that has looked. In a pool of threads the input is its own.
void judge_run(const Reading& reading, int task, const Reading::Run& run, Verdicts& verdicts) {
  const bool looked = run.ended && run.how == "returned" && run.pid != reading.trace().main();
  if (!looked) return;
  if (run.input == 0) return verdicts.held();
  const auto* worker = reading.worker_of(run);
  verdicts.violated(fmt::format("task {} in {} read what stands in main's standard input", task,
                                worker == nullptr ? "a worker" : reading.name(*worker)),
                    {run.begun.event, run.ended->event});
}

}  // namespace

Verdict input_stays_mains(const Evidence& evidence) {
  const Reading reading(evidence);
  const auto& inherits = reading.scenario().inherits;
  Verdicts verdicts;
  if (!inherits.contains(Inherited::kInput) || inherits.contains(Inherited::kStdinClosed))
    return NotExercised{};
  for (const auto& [task, submitted] : reading.accepted()) {
    if (reading.body(task).kind != harness::BodyKind::kReadInput) continue;
    for (const auto& run : reading.runs(task)) judge_run(reading, task, run, verdicts);
  }
  return verdicts.verdict();
}

}  // namespace poolproof::properties
