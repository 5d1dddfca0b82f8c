#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string>

#include "properties/rules/outcome.h"
#include "properties/rules/reading.h"
#include "properties/rules/rules.h"
#include "properties/rules/verdicts.h"

// T9: is each callback called once, with what its task came to, and does an error in one no harm?
namespace poolproof::properties {
namespace {

using harness::Callback;
using harness::StepKind;
using Fate = Reading::Fate;
using Kind = Reading::Kind;
using Moment = Reading::Moment;

// ---- Once ---------------------------------------------------------------------------------------

/// The first get that was told what the task came to.
std::optional<int> first_told(const Reading& reading, int task) {
  for (const int step : reading.gets(task)) {
    const auto& run = reading.run(step);
    if (run.ended && is_told(run.result->kind)) return step;
  }
  return std::nullopt;
}

/// A join that has returned: whoever waits for the pool's end waits for its callbacks. That one has
/// not even waited for the task is S5's affair.
std::optional<int> first_joined(const Reading& reading, int task) {
  if (!reading.contract().join_waits) return std::nullopt;
  const auto& runs = reading.runs(task);
  for (int step = 1; step <= reading.steps(); ++step) {
    const auto& run = reading.run(step);
    if (reading.step(step).kind != StepKind::kJoin || !run.is(Kind::kOk)) continue;
    const bool waited = std::none_of(runs.begin(), runs.end(), [&](const Reading::Run& of_task) {
      return of_task.ended && *run.ended < *of_task.ended;
    });
    if (waited) return step;
  }
  return std::nullopt;
}

/// The outcome is there, and its callback was not called. Some pools call it a moment after they
/// give the outcome, and where calls fail there may be no thread to do it.
void judge_missing(const Reading& reading, int task, int told, Verdicts& verdicts) {
  if (reading.calls_failed_before(reading.end())) return;
  const auto& known = *reading.run(told).ended;
  const auto lost = fmt::format("{} gives the outcome of task {}, and its callback is not called",
                                reading.name(told), task);
  if (const auto join = first_joined(reading, task)) {
    return verdicts.violated(fmt::format("{}, though {} has returned", lost, reading.name(*join)),
                             {known.event, reading.run(*join).ended->event});
  }
  const auto until = reading.main_goes_on_until();
  if (until < known || reading.within_grace(known, until)) return;
  verdicts.violated(fmt::format("{} in {}", lost, in_words(reading.tree_time(known, until))),
                    {known.event, until.event});
}

void judge_calls(const Reading& reading, int task, Verdicts& verdicts) {
  const auto& calls = reading.calls_back(task);
  if (calls.size() > 1) {
    return verdicts.violated(
        fmt::format("the callback of task {} is called with its {}, and again with its {}", task,
                    calls[0].with, calls[1].with),
        {calls[0].at.event, calls[1].at.event});
  }
  const auto told = first_told(reading, task);
  if (!told) return;
  if (calls.empty()) return judge_missing(reading, task, *told, verdicts);
  const auto& run = reading.run(*told);
  const std::string wanted = run.is(Kind::kOk) ? "value" : "error";
  if (calls[0].with == wanted) return verdicts.held();
  verdicts.violated(fmt::format("the callback of task {} is called with its {}, but {} gives {}",
                                task, calls[0].with, reading.name(*told), name(run.result->kind)),
                    {calls[0].at.event, run.ended->event});
}

// ---- Without harm -------------------------------------------------------------------------------

struct Failure {
  int task = 0;
  Moment at;
};

/// The first call of a callback that raises; it claims the call first.
std::optional<Failure> first_failure(const Reading& reading) {
  std::optional<Failure> first;
  for (const auto& [task, submitted] : reading.accepted()) {
    const auto& calls = reading.calls_back(task);
    if (calls.empty() || reading.step(submitted).callback != Callback::kRaises) continue;
    if (!first || calls[0].at < first->at) first = Failure{task, calls[0].at};
  }
  return first;
}

/// Calls that a usable pool takes, and ends well.
bool must_go_well(const harness::Step& step) {
  // An input that raises, or what cannot be handed over, may be the call's own error.
  if (step.raises_at || entry(step.body.kind).never_begins) return false;
  if (step.caller == harness::Caller::kThreads) return false;  // S3 has its say
  const StepKind kind = step.kind;
  return kind == StepKind::kSubmit || kind == StepKind::kMap || kind == StepKind::kClose ||
         kind == StepKind::kTerminate || kind == StepKind::kJoin;
}

void judge_ended_step(const Reading& reading, const Failure& failure, int step,
                      Verdicts& verdicts) {
  const auto& run = reading.run(step);
  // The error of a task explains it as well, and is T7's to judge.
  if (reading.disturbed_before(*run.ended) || reading.task_failed_before(*run.ended)) return;
  if (reading.before(step).call(reading.step(step)) != Model::Call::kLegal) return;
  if (run.is(Kind::kOk)) return verdicts.held();
  if (!must_go_well(reading.step(step))) return;
  verdicts.violated(fmt::format("after the error in the callback of task {} {} fails: {} {}",
                                failure.task, reading.name(step), run.result->error.substr(0, 60),
                                run.result->message.substr(0, 100)),
                    {failure.at.event, run.ended->event});
}

void judge_pending_step(const Reading& reading, const Failure& failure, int step,
                        Verdicts& verdicts) {
  if (reading.main_died() || reading.asked_to_wait(step)) return;
  if (reading.disturbed_before(reading.end()) || reading.task_failed_before(reading.end())) return;
  const auto rest = reading.proved_at_rest(std::max(failure.at, *reading.run(step).begun));
  if (rest) {
    return verdicts.violated(
        fmt::format("after the error in the callback of task {} {} waits for ever", failure.task,
                    reading.name(step)),
        {failure.at.event, rest->event});
  }
  verdicts.doubtful(fmt::format("{} was not over: {}", reading.name(step), reading.why_unclear()));
}

void judge_harm(const Reading& reading, const Failure& failure, Verdicts& verdicts) {
  for (int step = 1; step <= reading.steps(); ++step) {
    const auto& run = reading.run(step);
    if (!run.begun) return;
    if (!run.ended) return judge_pending_step(reading, failure, step, verdicts);
    if (failure.at < *run.ended) judge_ended_step(reading, failure, step, verdicts);
  }
}

}  // namespace

Verdict callbacks_run_once(const Evidence& evidence) {
  const Reading reading(evidence);
  Verdicts verdicts;
  for (const auto& [task, submitted] : reading.accepted()) {
    if (reading.step(submitted).callback != Callback::kNone) judge_calls(reading, task, verdicts);
  }
  if (const auto failure = first_failure(reading)) judge_harm(reading, *failure, verdicts);
  return verdicts.verdict();
}

}  // namespace poolproof::properties
