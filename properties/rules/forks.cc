#include <fmt/format.h>

#include <algorithm>
#include <variant>

#include "properties/rules/outcome.h"
#include "properties/rules/reading.h"
#include "properties/rules/rules.h"
#include "properties/rules/verdicts.h"

namespace poolproof::properties {
namespace {

using harness::ChildEnd;
using harness::StepKind;
using Fate = Reading::Fate;
using Kind = Reading::Kind;
using Role = Reading::Role;

/// What main's wait for the child says, where nothing disturbs it.
std::string_view expected(ChildEnd end) {
  return end == ChildEnd::kSigkill ? "killed 9" : "exited 0";
}

void judge_child(const Reading& reading, int step, Verdicts& verdicts) {
  const auto& run = reading.run(step);
  if (!run.is(Kind::kOk)) return;  // there was no child
  // Who stays is told by nobody; that it is in nobody's way shows at the pool's end and main's.
  if (reading.step(step).child_end == ChildEnd::kStays) return verdicts.held();
  const auto wanted = expected(reading.step(step).child_end);
  if (run.result->value == wanted) return verdicts.held();
  if (reading.calls_failed_before(*run.ended) || reading.harmed_before(*run.ended)) return;
  verdicts.violated(fmt::format("the child of {} {}, not {}", reading.name(step),
                                run.result->value.substr(0, 40), wanted),
                    {run.begun->event, run.ended->event});
}

void judge_hang(const Reading& reading, int step, Verdicts& verdicts) {
  if (reading.asked_to_wait(step)) return;
  const auto& run = reading.run(step);
  const auto fate = reading.fate(step);
  const bool may_take_time = reading.step(step).child_end == ChildEnd::kPools;
  if (fate == Fate::kHangs || (fate == Fate::kLate && !may_take_time)) {
    verdicts.violated(fmt::format("the child of {} does not end", reading.name(step)),
                      {run.begun->event, reading.end().event});
  } else if (fate == Fate::kUnclear || fate == Fate::kLate) {
    verdicts.doubtful(
        fmt::format("{} was not over: {}", reading.name(step), reading.why_unclear()));
  }
}

/// A task that ends its worker may do so at any time from then on, and some pools end their other
/// workers then; who is killed with a task that main took back may die later, too.
bool others_may_end_workers(const Reading& reading, int before) {
  for (int step = 1; step < before; ++step) {
    if (reading.step(step).kind == harness::StepKind::kCancel && reading.run(step).begun)
      return true;
  }
  return std::any_of(reading.accepted().begin(), reading.accepted().end(), [&](const auto& task) {
    const auto& body = reading.body(task.first);
    // What an error costs is S9's to judge.
    return task.second < before && (is_to_fail(body) || entry(body.kind).kills_worker);
  });
}

template <class Asks>
bool any_step_before(const Reading& reading, int before, Asks asks) {
  for (int step = 1; step < before; ++step) {
    if (asks(reading.step(step))) return true;
  }
  return false;
}

bool had_a_quota(const Reading& reading, int before) {
  return any_step_before(reading, before, [](const auto& step) { return step.quota.has_value(); });
}

/// A pool that has another number of workers than before may end some, in any way, at any time.
bool was_resized(const Reading& reading, int before) {
  return any_step_before(reading, before,
                         [](const auto& step) { return step.kind == StepKind::kResize; });
}

/// Whether it was killed, or told to go by a copy of the pool, while the child was there, and by
/// nobody else: by the child, if that is told; where it is not, the pool was in use and whole, and
/// no task and no fault had a hand in it.
bool is_the_childs_doing(const Reading& reading, int step, const Reading::Process& process) {
  const auto& run = reading.run(step);
  const bool of_the_pool = process.role == Role::kWorker || process.role == Role::kHelper;
  const bool in_between = process.dying && *run.begun < *process.dying && process.dead &&
                          *process.dead < *run.ended && process.born && *process.born < *run.begun;
  // Whoever leaves by itself, for its quota or because the pool is closed, exits.
  const bool was_told =
      (process.status && std::holds_alternative<sys::Killed>(*process.status)) ||
      (uses_its_copy(reading.step(step).child_end) && !had_a_quota(reading, step));
  if (!of_the_pool || !in_between || !was_told || reading.harmed_by_fault(process)) return false;
  if (const auto* killer = reading.killer_of(process)) return killer->role == Role::kOwn;
  return !process.may_be_a_neighbours && reading.before(step).state() == Model::State::kRunning &&
         !was_resized(reading, step) && !others_may_end_workers(reading, step) &&
         !reading.disturbed_before(*run.begun) && !reading.hit_before(*run.ended);
}

void judge_pool(const Reading& reading, int step, Verdicts& verdicts) {
  const auto& run = reading.run(step);
  for (const auto& process : reading.processes()) {
    if (!is_the_childs_doing(reading, step, process)) continue;
    verdicts.violated(fmt::format("{} {} while main's own child ended", reading.name(process),
                                  reading.how_died(process)),
                      {run.begun->event, process.dying->event, run.ended->event});
  }
}

/// What main has handed over is not for a child's own processes, which end with nobody of main's
/// pool, if at all.
void judge_tasks(const Reading& reading, Verdicts& verdicts) {
  for (const auto& task : reading.accepted()) {
    for (const auto& run : reading.runs(task.first)) {
      const auto* process = reading.worker_of(run);
      if (process == nullptr || process->role != Role::kOwn) continue;
      verdicts.violated(fmt::format("task {} was run by {}, which a child of main's own has made",
                                    task.first, run.pid),
                        {run.begun.event});
    }
  }
}

}  // namespace

Verdict forked_child_does_no_harm(const Evidence& evidence) {
  const Reading reading(evidence);
  Verdicts verdicts;
  for (int step = 1; step <= reading.steps(); ++step) {
    const auto state = reading.before(step).state();
    if (reading.step(step).kind != StepKind::kFork || !reading.run(step).begun) continue;
    if (state == Model::State::kNone) continue;  // there is no pool to harm
    if (!reading.run(step).ended) {
      judge_hang(reading, step, verdicts);
      continue;
    }
    judge_child(reading, step, verdicts);
    judge_pool(reading, step, verdicts);
  }
  judge_tasks(reading, verdicts);
  return verdicts.verdict();
}

}  // namespace poolproof::properties
