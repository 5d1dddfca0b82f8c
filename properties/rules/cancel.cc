#include <fmt/format.h>

#include <chrono>
#include <optional>

#include "properties/rules/outcome.h"
#include "properties/rules/reading.h"
#include "properties/rules/rules.h"
#include "properties/rules/verdicts.h"

// T11: does a cancel do what it says?
namespace poolproof::properties {
namespace {

using harness::StepKind;
using Kind = Reading::Kind;

/// Whom a signal ends may run for this long until it comes.
constexpr std::chrono::milliseconds kSettled{20};

/// Its outcome is known and stays.
void judge_outcome(const Reading& reading, int step, int get, Verdicts& verdicts) {
  const auto& cancel = reading.run(step);
  const auto& run = reading.run(get);
  if (!run.ended || !is_told(run.result->kind)) return;
  if (run.is(Kind::kCancelled)) return get < step ? void() : verdicts.held();
  verdicts.violated(
      fmt::format("{} says that task {} is taken back, but {} gives {}", reading.name(step),
                  reading.step(step).task, reading.name(get), name(run.result->kind)),
      {cancel.ended->event, run.ended->event});
}

/// What a body claims before main was told stands before it. One that was cut short may have met
/// the kill that takes it back: that hits a moment later who is at work on another processor.
void judge_beginnings(const Reading& reading, int step, Verdicts& verdicts) {
  const int task = reading.step(step).task;
  const auto& cancel = reading.run(step);
  for (const auto& run : reading.runs(task)) {
    if (reading.cut_short(run)) continue;
    const bool ends_later = run.begun < *cancel.ended && run.ended && *cancel.ended < *run.ended &&
                            run.how != "left" &&
                            reading.tree_time(*cancel.ended, *run.ended) > kSettled;
    if (ends_later) {
      return verdicts.violated(
          fmt::format("{} says that task {} is taken back, but it runs to its end in process {}",
                      reading.name(step), task, run.pid),
          {cancel.ended->event, run.ended->event});
    }
    if (run.begun < *cancel.ended) continue;
    return verdicts.violated(
        fmt::format("{} says that task {} is taken back, but it began in process {}",
                    reading.name(step), task, run.pid),
        {cancel.ended->event, run.begun.event});
  }
  verdicts.held();
}

/// A pool's end, too, gives tasks up, and a fault may.
bool may_be_given_up(const Reading& reading, int get) {
  for (int earlier = 1; earlier < get; ++earlier) {
    const StepKind kind = reading.step(earlier).kind;
    const bool ends = kind == StepKind::kTerminate || kind == StepKind::kDrop;
    if (ends && reading.run(earlier).begun) return true;
  }
  return reading.disturbed_before(*reading.run(get).ended);
}

void judge_no(const Reading& reading, int step, Verdicts& verdicts) {
  const int task = reading.step(step).task;
  for (const int get : reading.gets(task)) {
    const auto& run = reading.run(get);
    if (get < step || !run.ended || !is_told(run.result->kind)) continue;
    if (!run.is(Kind::kCancelled)) return verdicts.held();
    if (may_be_given_up(reading, get) || reading.cancelled_before(task, *run.ended)) return;
    return verdicts.violated(
        fmt::format("{} says that task {} is not taken back, but {} finds that it is",
                    reading.name(step), task, reading.name(get)),
        {reading.run(step).ended->event, run.ended->event});
  }
}

}  // namespace

Verdict cancel_is_true(const Evidence& evidence) {
  const Reading reading(evidence);
  Verdicts verdicts;
  for (int step = 1; step <= reading.steps(); ++step) {
    const auto& run = reading.run(step);
    const auto& asked = reading.step(step);
    if (asked.kind != StepKind::kCancel || !run.is(Kind::kOk)) continue;
    if (!reading.accepted().contains(asked.task)) continue;
    if (run.result->value != "true") {
      judge_no(reading, step, verdicts);
      continue;
    }
    judge_beginnings(reading, step, verdicts);
    for (const int get : reading.gets(asked.task)) judge_outcome(reading, step, get, verdicts);
  }
  return verdicts.verdict();
}

}  // namespace poolproof::properties
