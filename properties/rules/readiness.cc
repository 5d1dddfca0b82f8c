#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "properties/rules/outcome.h"
#include "properties/rules/reading.h"
#include "properties/rules/rules.h"
#include "properties/rules/verdicts.h"

// T10: do ready, and wait, say that there is an outcome exactly when there is one?
namespace poolproof::properties {
namespace {

using harness::Step;
using harness::StepKind;
using Fate = Reading::Fate;
using Kind = Reading::Kind;

/// What a step says of its task: that there is an outcome, or that there is none; nullopt where it
/// says neither.
std::optional<bool> said(const Reading& reading, int step) {
  const auto& run = reading.run(step);
  if (!run.ended) return std::nullopt;
  switch (reading.step(step).kind) {
    case StepKind::kReady:
      return run.is(Kind::kOk) ? std::optional(run.result->value == "true") : std::nullopt;
    case StepKind::kWait:
      if (run.is(Kind::kOk)) return true;
      return run.is(Kind::kTimeout) ? std::optional(false) : std::nullopt;
    case StepKind::kGet:
      if (run.is(Kind::kTimeout)) return false;
      return is_told(run.result->kind) ? std::optional(true) : std::nullopt;
    default:
      return std::nullopt;
  }
}

/// A get that runs out of time says as much.
bool asks(const Step& step) {
  const bool in_time = step.kind == StepKind::kGet && step.timeout;
  return step.kind == StepKind::kReady || step.kind == StepKind::kWait || in_time;
}

/// The first step about the task, before this one, that found its outcome.
std::optional<int> found_before(const Reading& reading, int step) {
  const int task = reading.step(step).task;
  for (int earlier = 1; earlier < step; ++earlier) {
    const bool about_it = reading.step(earlier).task == task;
    if (about_it && said(reading, earlier).value_or(false)) return earlier;
  }
  return std::nullopt;
}

/// Whether anything but its body can have brought the task's outcome by then: the pool's end, a
/// death, a fault, main that has taken it back.
bool may_have_been_ended(const Reading& reading, int step) {
  const auto& ended = *reading.run(step).ended;
  for (int earlier = 1; earlier < step; ++earlier) {
    const StepKind kind = reading.step(earlier).kind;
    const bool ends = kind == StepKind::kTerminate || kind == StepKind::kDrop;
    if (ends && reading.run(earlier).begun) return true;
  }
  return reading.disturbed_before(ended) || reading.harmed_before(ended) ||
         reading.cancelled_before(reading.step(step).task, ended);
}

/// A run of its that had surely not ended by then, or not begun.
const Reading::Run* open_run(const Reading& reading, int task, const Reading::Moment& moment) {
  const auto& runs = reading.runs(task);
  const auto open = std::find_if(runs.begin(), runs.end(), [&](const Reading::Run& run) {
    return !run.ended || moment < *run.ended;
  });
  return open == runs.end() ? nullptr : &*open;
}

/// A map may be over with its first error, be it its input's, and a language's exit may be an
/// outcome that no body tells of.
bool ends_with_its_runs(const Reading& reading, int task) {
  const auto& body = reading.body(task);
  if (entry(body.kind).kills_worker) return false;
  if (!reading.is_map(task)) return true;
  return value_of(task, body).has_value() && !reading.handed_over(task).raises_at;
}

/// Whether an outcome fails on its way: behind such a one others may not come either, which T7 and
/// T9 judge.
bool may_be_unreadable(const Reading& reading) {
  return std::any_of(reading.accepted().begin(), reading.accepted().end(), [&](const auto& task) {
    return entry(reading.body(task.first).kind).comes == harness::Comes::kToAnError;
  });
}

void judge_yes(const Reading& reading, int step, Verdicts& verdicts) {
  const int task = reading.step(step).task;
  if (may_have_been_ended(reading, step) || !ends_with_its_runs(reading, task)) return;
  if (found_before(reading, step)) return verdicts.held();
  const auto* run = open_run(reading, task, *reading.run(step).begun);
  // What ends while it asks may be over before it answers.
  const bool surely = run != nullptr && (!run->ended || *reading.run(step).ended < *run->ended);
  if (!surely) return reading.runs(task).empty() ? void() : verdicts.held();
  verdicts.violated(
      fmt::format("{} says that there is an outcome of task {}, which still runs in process {}",
                  reading.name(step), task, run->pid),
      {run->begun.event, reading.run(step).ended->event});
}

/// The last of its runs, if all were over more than the grace before and nothing but the pool can
/// have kept the outcome from main.
const Reading::Run* done_long_before(const Reading& reading, int step) {
  const int task = reading.step(step).task;
  const auto& begun = *reading.run(step).begun;
  const auto& runs = reading.runs(task);
  if (runs.empty() || reading.is_map(task) || !ends_with_its_runs(reading, task)) return nullptr;
  const auto& ended = *reading.run(step).ended;
  if (may_have_been_ended(reading, step) || reading.hit_before(ended) ||
      reading.callback_failed_before(ended) || reading.callback_ended_before(ended) ||
      may_be_unreadable(reading))
    return nullptr;
  const auto& last = runs.back();
  return last.ended && *last.ended < begun && !reading.within_grace(*last.ended, begun) ? &last
                                                                                        : nullptr;
}

void judge_no(const Reading& reading, int step, Verdicts& verdicts) {
  const int task = reading.step(step).task;
  const auto& run = reading.run(step);
  if (const auto found = found_before(reading, step)) {
    return verdicts.violated(
        fmt::format("{} says that there is no outcome of task {}, which {} has found",
                    reading.name(step), task, reading.name(*found)),
        {reading.run(*found).ended->event, run.ended->event});
  }
  if (const auto* done = done_long_before(reading, step)) {
    return verdicts.violated(
        fmt::format("{} says that there is no outcome of task {}, whose body was over {} before",
                    reading.name(step), task,
                    in_words(reading.tree_time(*done->ended, *run.ended))),
        {done->ended->event, run.ended->event});
  }
  if (open_run(reading, task, *run.ended) != nullptr) verdicts.held();
}

/// ready does not wait; what a wait takes is T8's affair.
void judge_pending(const Reading& reading, int step, Verdicts& verdicts) {
  if (reading.step(step).kind != StepKind::kReady) return;
  const auto fate = reading.fate(step);
  const auto& run = reading.run(step);
  if (fate == Fate::kHangs || fate == Fate::kLate) {
    return verdicts.violated(
        fmt::format("{} of task {} does not return", reading.name(step), reading.step(step).task),
        {run.begun->event, reading.end().event});
  }
  if (fate == Fate::kUnclear)
    verdicts.doubtful(
        fmt::format("{} was not over: {}", reading.name(step), reading.why_unclear()));
}

}  // namespace

Verdict readiness_is_true(const Evidence& evidence) {
  const Reading reading(evidence);
  Verdicts verdicts;
  for (int step = 1; step <= reading.steps(); ++step) {
    const auto& run = reading.run(step);
    if (!asks(reading.step(step)) || !run.begun) continue;
    if (!reading.accepted().contains(reading.step(step).task)) continue;
    const auto answer = said(reading, step);
    if (!run.ended) judge_pending(reading, step, verdicts);
    if (answer) (*answer ? judge_yes : judge_no)(reading, step, verdicts);
  }
  return verdicts.verdict();
}

}  // namespace poolproof::properties
