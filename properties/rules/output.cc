#include <fmt/format.h>

#include <string>
#include <utility>
#include <vector>

#include "properties/rules/outcome.h"
#include "properties/rules/reading.h"
#include "properties/rules/rules.h"
#include "properties/rules/verdicts.h"
#include "properties/text.h"

// T12: has what a task printed been written, and once?
namespace poolproof::properties {
namespace {

using harness::Inherited;
using Kind = Reading::Kind;

int lines_of(const harness::Captured& output, int task) {
  const auto line = fmt::format("printed by task {}\n", task);
  int lines = 0;
  for (auto at = output.text.find(line); at != std::string::npos;
       at = output.text.find(line, at + line.size()))
    ++lines;
  return lines;
}

/// Of how many of the task's runs main has the outcome, at least.
int told_runs(const Reading& reading, int task) {
  const auto& asked = reading.handed_over(task);
  int told = 0;
  for (const int get : reading.gets(task)) {
    if (!reading.run(get).is(Kind::kOk)) continue;
    if (asked.kind != harness::StepKind::kMap) return 1;
    if (!is_stream(asked.form)) return items_of(asked);
    ++told;
  }
  return told;
}

/// In a pool of threads main's own buffer has it, which is main's affair.
bool ran_in_main(const Reading& reading, int task) {
  for (const auto& run : reading.runs(task)) {
    if (run.pid == reading.trace().main()) return true;
  }
  return false;
}

/// Not before the end: how the worker ended, which may be why, is on record then.
std::vector<std::size_t> shown_by(const Reading& reading, int task) {
  std::vector<std::size_t> events;
  for (const auto& run : reading.runs(task)) events.push_back(run.begun.event);
  events.push_back(reading.end().event);
  return events;
}

void judge_task(const Reading& reading, int task, Verdicts& verdicts) {
  const auto lines = lines_of(reading.trace().out, task);
  const auto runs = static_cast<int>(reading.runs(task).size());
  if (runs == 0) return;  // perhaps its workers write no claims, and an outcome is T3's to tell
  if (lines > runs) {
    return verdicts.violated(fmt::format("task {} has printed {}, but that was written {}", task,
                                         counted(runs, "time"), counted(lines, "time")),
                             shown_by(reading, task));
  }
  const auto told = told_runs(reading, task);
  if (told == 0) return;
  if (lines >= told) return verdicts.held();
  const auto& last = reading.runs(task).back();
  const auto* worker = reading.worker_of(last);
  verdicts.violated(
      fmt::format("main has the outcome of task {}, which printed {}, but that was written {}{}",
                  task, counted(told, "time"), counted(lines, "time"),
                  worker != nullptr && worker->status
                      ? fmt::format(": {} {}", reading.name(*worker), reading.how_died(*worker))
                      : ""),
      shown_by(reading, task));
}

}  // namespace

Verdict output_is_written(const Evidence& evidence) {
  const Reading reading(evidence);
  const auto& scenario = evidence.scenario;
  const auto& output = evidence.trace.out;
  // Nobody reads it, a fault may be why, or it is not all here.
  if (scenario.inherits.contains(Inherited::kStdoutClosed) || scenario.fault ||
      std::cmp_not_equal(output.text.size(), output.bytes))
    return NotExercised{};
  Verdicts verdicts;
  for (const auto& [task, submitted] : reading.accepted()) {
    if (reading.body(task).kind != harness::BodyKind::kPrint || ran_in_main(reading, task))
      continue;
    judge_task(reading, task, verdicts);
  }
  return verdicts.verdict();
}

}  // namespace poolproof::properties
