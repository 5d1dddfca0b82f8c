#include <fmt/format.h>

#include <algorithm>
#include <csignal>
#include <utility>

#include "properties/rules/reading.h"
#include "properties/rules/replacement.h"
#include "properties/rules/rules.h"
#include "properties/rules/verdicts.h"

// S9: whether a pool that is in use leaves its own workers alive.
namespace poolproof::properties {
namespace {

using Moment = Reading::Moment;
using Process = Reading::Process;
using Role = Reading::Role;

/// By a quota, or for no reason, it leaves with status 0. A limit of the sandbox is the scenario's.
bool left_or_met_a_limit(const sys::ExitStatus& status) {
  const bool limit = status == sys::ExitStatus(sys::Killed{SIGXFSZ}) ||
                     status == sys::ExitStatus(sys::Killed{SIGXCPU});
  return limit || status == sys::ExitStatus(sys::Exited{0});
}

bool killed_by_mains_own(const Reading& reading, const Process& worker) {
  const auto* killer = reading.killer_of(worker);
  return killer != nullptr && killer->role == Role::kOwn;
}

/// Whether the death of one of the pool's processes needs a reason as much as the worker's.
bool is_the_pools_own(const Reading& reading, const Process& dead) {
  const bool of_the_pool = dead.role == Role::kWorker || dead.role == Role::kHelper;
  return of_the_pool && dead.status && !left_or_met_a_limit(*dead.status) &&
         !killed_by_mains_own(reading, dead);
}

/// Whether what happened then may still be why a worker dies. Some pools end all others when one is
/// gone; one that replaces it has come over that after the grace.
bool is_recent(const Reading& reading, const Moment& then, const Moment& moment) {
  return !reading.contract().replaces_workers || reading.within_grace(then, moment);
}

/// Whether the task, whose body ends its worker, may do so about now: it has not begun, has no end
/// that is known, or has had it lately.
bool may_kill(const Reading& reading, int task, const Moment& moment) {
  const auto& runs = reading.runs(task);
  return runs.empty() || std::any_of(runs.begin(), runs.end(), [&](const Reading::Run& run) {
           const auto* worker = reading.worker_of(run);
           return worker == nullptr || !worker->dead || is_recent(reading, *worker->dead, moment);
         });
}

/// Whether the scenario, a fault or an earlier death may be why workers die by then.
bool others_may_be_why(const Reading& reading, const Process& worker, const Moment& moment) {
  if (reading.stillborn() || reading.hit_before(moment)) return true;
  for (int step = 1; step <= reading.steps(); ++step) {
    const auto& run = reading.run(step);
    if (!run.begun || moment < *run.begun) continue;
    const auto& asked = reading.step(step);
    const bool kills =
        asked.kind == harness::StepKind::kKill || asked.kind == harness::StepKind::kCancel;
    if (kills && (!run.ended || is_recent(reading, *run.ended, moment))) return true;
    if (entry(asked.body.kind).kills_worker && may_kill(reading, asked.task, moment)) return true;
  }
  const auto deaths = reading.deaths_before(moment);
  return std::any_of(deaths.begin(), deaths.end(), [&](const Process* other) {
    return other != &worker && !is_the_pools_own(reading, *other) &&
           (!other->dead || is_recent(reading, *other->dead, moment));
  });
}

/// A pool that was asked for fewer workers may end those with nothing in hand as it likes.
bool may_be_too_many(const Reading& reading, const Process& worker) {
  bool shrinks = false;
  int wanted = 0;
  for (int step = 1; step <= reading.steps(); ++step) {
    const auto& asked = reading.step(step);
    if (!reading.run(step).begun || *worker.dead < *reading.run(step).begun) break;
    const bool resizes = asked.kind == harness::StepKind::kResize;
    if (!resizes && asked.kind != harness::StepKind::kCreate) continue;
    if (reading.was_rightly_refused(step)) continue;
    const int before = std::exchange(wanted, asked.workers.value_or(0));
    shrinks = shrinks || (resizes && (before == 0 || wanted < before));
  }
  if (!shrinks) return false;
  return std::none_of(reading.accepted().begin(), reading.accepted().end(), [&](const auto& task) {
    const auto& runs = reading.runs(task.first);
    return std::any_of(runs.begin(), runs.end(), [&](const auto& run) {
      return reading.is_by(run, worker) && (!run.ended || *worker.dying < *run.ended);
    });
  });
}

void judge_worker(const Reading& reading, const Process& worker, const Moment& until,
                  Verdicts& verdicts) {
  // A death by SIGKILL may be seen long after, and `dying` is when it was last known to live.
  if (!worker.dead || until < *worker.dead) return verdicts.held();
  if (!worker.status || left_or_met_a_limit(*worker.status)) return;
  if (killed_by_mains_own(reading, worker) || others_may_be_why(reading, worker, *worker.dead) ||
      may_be_too_many(reading, worker))
    return;
  verdicts.violated(
      fmt::format("{} {}, and neither a task nor anybody outside the pool had a hand in it",
                  reading.name(worker), reading.how_died(worker)),
      {worker.dead->event});
}

}  // namespace

Verdict running_pool_keeps_its_workers(const Evidence& evidence) {
  const Reading reading(evidence);
  const auto until = in_use_until(reading);
  Verdicts verdicts;
  for (const auto& process : reading.processes()) {
    const bool known = process.known_as_worker && *process.known_as_worker < until;
    if (process.role == Role::kWorker && known) judge_worker(reading, process, until, verdicts);
  }
  return verdicts.verdict();
}

}  // namespace poolproof::properties
