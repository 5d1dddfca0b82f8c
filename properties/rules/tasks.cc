#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "properties/rules/outcome.h"
#include "properties/rules/reading.h"
#include "properties/rules/rules.h"
#include "properties/rules/verdicts.h"

namespace poolproof::properties {
namespace {

using harness::StepKind;
using Fate = Reading::Fate;
using Kind = Reading::Kind;

bool is_outcome(Kind kind) {
  return kind != Kind::kTimeout && kind != Kind::kRefused && kind != Kind::kNotFired;
}

/// The first step of that kind which began, at or after `from`.
std::optional<int> first_begun(const Reading& reading, StepKind kind, int from = 1) {
  for (int step = from; step <= reading.steps(); ++step) {
    if (reading.step(step).kind == kind && reading.run(step).begun) return step;
  }
  return std::nullopt;
}

bool begun_before(const Reading& reading, StepKind kind, int step) {
  const auto first = first_begun(reading, kind);
  return first && *first < step;
}

// ---- T1 -----------------------------------------------------------------------------------------

/// The first join that returned from a closed pool which nothing else had ended.
std::optional<int> joined_after_close(const Reading& reading) {
  for (int step = 1; step <= reading.steps(); ++step) {
    if (reading.step(step).kind != StepKind::kJoin || !reading.run(step).is(Kind::kOk)) continue;
    const auto state = reading.before(step).state();
    const bool closes = state == Model::State::kRunning && !reading.contract().join_needs_close;
    return state == Model::State::kClosed || closes ? std::optional(step) : std::nullopt;
  }
  return std::nullopt;
}

void judge_outcome_after_join(const Reading& reading, int task, int joined, Verdicts& verdicts) {
  for (const int step : reading.gets(task)) {
    const auto& run = reading.run(step);
    // One result of an imap is not the outcome of all its items; that there are no more is.
    const bool one_of_many = reading.step(step).kind == StepKind::kNext && run.is(Kind::kOk);
    if (one_of_many) continue;
    if (run.ended && is_outcome(run.result->kind)) return verdicts.held();
    if (step < joined || begun_before(reading, StepKind::kDrop, step)) continue;
    const std::string lost = fmt::format("task {} was accepted, and {} has returned, but {}", task,
                                         reading.name(joined), reading.name(step));
    if (run.is(Kind::kTimeout)) {
      verdicts.violated(lost + " finds no outcome", {run.begun->event, run.ended->event});
    } else if (reading.fate(step) == Fate::kHangs) {
      verdicts.violated(lost + " waits for ever for its outcome",
                        {run.begun->event, reading.proved_at_rest(*run.begun)->event});
    } else if (reading.fate(step) == Fate::kLate) {
      verdicts.violated(fmt::format("{} has no outcome after {}", lost,
                                    in_words(reading.tree_time(*run.begun, reading.end()))),
                        {run.begun->event, reading.end().event});
    } else if (!run.ended && !reading.main_died()) {
      verdicts.doubtful(
          fmt::format("{} was not over: {}", reading.name(step), reading.why_unclear()));
    }
  }
}

// ---- T2 -----------------------------------------------------------------------------------------

/// By contract, where the worker of the try before was gone. With it goes all that it had in hand:
/// items of a map that were over, too.
bool may_be_tried_again(const Reading& reading, const Reading::Run& before,
                        const Reading::Run& again, Verdicts& verdicts) {
  if (reading.contract().worker_death != Contract::WorkerDeath::kRetried) return false;
  if (!reading.trace().exact) verdicts.doubtful("deaths of workers are not recorded exactly");
  const auto* worker = reading.worker_of(before);
  return !reading.trace().exact || worker == nullptr || worker->gone_before(again.begun);
}

// ---- T5 -----------------------------------------------------------------------------------------

/// The first terminate that returned normally.
std::optional<int> terminated(const Reading& reading) {
  for (int step = 1; step <= reading.steps(); ++step) {
    if (reading.step(step).kind != StepKind::kTerminate) continue;
    if (reading.run(step).is(Kind::kOk)) return step;
  }
  return std::nullopt;
}

/// Claims are in one file: what stands behind terminate's own was begun after it.
void judge_start(const Reading& reading, int task, int terminate, Verdicts& verdicts) {
  const auto& ended = *reading.run(terminate).ended;
  const auto& runs = reading.runs(task);
  const bool began_before = !runs.empty() && runs.front().begun < *reading.run(terminate).begun;
  const bool may_begin = !entry(reading.body(task).kind).never_begins;
  if (!began_before && may_begin) verdicts.held();  // it was there to be started
  for (const auto& run : runs) {
    if (run.begun < ended) continue;
    verdicts.violated(fmt::format("{} has returned, and then task {} begins in process {}",
                                  reading.name(terminate), task, run.pid),
                      {ended.event, run.begun.event});
  }
}

// ---- T6 -----------------------------------------------------------------------------------------

/// Killed by the case's fault, not by what the pool does to workers that it ends.
bool died_of_the_fault(const Reading& reading, const Reading::Process& worker) {
  const auto& hit = reading.hit();
  return hit && hit->pid == worker.pid && hit->fault.action == harness::Fault::Action::kSignal &&
         worker.status == sys::ExitStatus(sys::Killed{hit->fault.number});
}

/// A death that neither the pool nor main's end can have caused: a kill step's, the fault's, or the
/// body's own before anything ended the pool.
bool died_in_the_task(const Reading& reading, int task, const Reading::Run& run) {
  if (!reading.cut_short(run)) return false;
  const auto& worker = *reading.worker_of(run);
  for (int step = 1; step <= reading.steps(); ++step) {
    const auto& other = reading.run(step);
    if (other.is(Kind::kOk) && other.result->killed == run.pid &&
        reading.process(run.pid, *other.ended) == &worker)
      return true;
    const StepKind kind = reading.step(step).kind;
    const bool ends = kind == StepKind::kTerminate || kind == StepKind::kDrop;
    if (ends && other.begun && *other.begun < *worker.dying) return false;
  }
  const auto& ending = reading.ending_begun();
  const bool not_by_the_pool =
      entry(reading.body(task).kind).kills_worker || died_of_the_fault(reading, worker);
  return not_by_the_pool && (!ending || *worker.dying < *ending);
}

/// A body that ends each worker that tries it may be given up at some time, and so is everything
/// that is terminated.
bool must_be_tried_again(const Reading& reading, int task, int step) {
  return reading.contract().worker_death == Contract::WorkerDeath::kRetried &&
         !begun_before(reading, StepKind::kTerminate, step) &&
         !entry(reading.body(task).kind).kills_worker;
}

/// Whether any other task was not over then: a second try may have to wait for its turn.
bool others_were_open(const Reading& reading, int task, const Reading::Moment& moment) {
  return std::any_of(reading.accepted().begin(), reading.accepted().end(), [&](const auto& other) {
    if (other.first == task) return false;
    const auto& runs = reading.runs(other.first);
    return runs.empty() || std::any_of(runs.begin(), runs.end(), [&](const Reading::Run& run) {
             return !run.ended || moment < *run.ended;
           });
  });
}

/// Whether a get has waited, or still waits, for longer than the grace since the worker's death.
/// Where the task is tried again that is judged only if nothing has to run first.
bool waits_in_vain(const Reading& reading, int step, int task, const Reading::Process& worker) {
  const auto& run = reading.run(step);
  const bool again = reading.contract().worker_death == Contract::WorkerDeath::kRetried;
  if (again && others_were_open(reading, task, *worker.dying)) return false;
  const bool late = reading.fate(step) == Fate::kLate && !again;
  if (!late && !run.is(Kind::kTimeout)) return false;
  const auto until = run.ended.value_or(reading.end());
  return !reading.within_grace(*worker.dying, until) && !reading.within_grace(*run.begun, until);
}

void judge_report(const Reading& reading, int task, const Reading::Run& lost, Verdicts& verdicts) {
  const auto& worker = *reading.worker_of(lost);
  const std::string what = fmt::format("task {} was lost: its {} {}", task, reading.name(worker),
                                       reading.how_died(worker));
  for (const int step : reading.gets(task)) {
    const auto& run = reading.run(step);
    if (begun_before(reading, StepKind::kDrop, step)) return;
    if (run.ended && *run.ended < *worker.dying) continue;
    if (run.is(Kind::kWorkerDied) && must_be_tried_again(reading, task, step)) {
      return verdicts.violated(fmt::format("{}, and {} gives {}: it was not tried again", what,
                                           reading.name(step), name(run.result->kind)),
                               {lost.begun.event, worker.dying->event, run.ended->event});
    }
    if (run.ended && is_outcome(run.result->kind)) return verdicts.held();
    std::vector<std::size_t> events{lost.begun.event, worker.dying->event, run.begun->event};
    if (waits_in_vain(reading, step, task, worker)) {
      const auto until = run.ended.value_or(reading.end());
      events.push_back(until.event);
      verdicts.violated(
          fmt::format("{}, and {} waits {} for its outcome in vain", what, reading.name(step),
                      in_words(reading.tree_time(*run.begun, until))),
          std::move(events));
    } else if (reading.fate(step) == Fate::kHangs) {
      events.push_back(reading.proved_at_rest(*run.begun)->event);
      verdicts.violated(fmt::format("{}, and {} waits for ever", what, reading.name(step)),
                        std::move(events));
    } else if (!run.ended && !reading.main_died()) {
      verdicts.doubtful(
          fmt::format("{} was not over: {}", reading.name(step), reading.why_unclear()));
    }
  }
}

/// A map may give its outcome when all other items are over, and an imap others before: that main
/// waits for ever is what no pool may let happen.
void judge_lost_item(const Reading& reading, int task, Verdicts& verdicts) {
  for (const auto& run : reading.runs(task)) {
    if (!died_in_the_task(reading, task, run)) continue;
    const auto& worker = *reading.worker_of(run);
    for (const int step : reading.gets(task)) {
      const auto& get = reading.run(step);
      if (begun_before(reading, StepKind::kDrop, step)) return;
      if (get.is(Kind::kWorkerDied)) return verdicts.held();
      if (get.ended || reading.fate(step) != Fate::kHangs || reading.asked_to_wait(step)) continue;
      return verdicts.violated(
          fmt::format("item {} of task {} was lost: its {} {}, and {} waits for ever", run.item,
                      task, reading.name(worker), reading.how_died(worker), reading.name(step)),
          {run.begun.event, worker.dying->event, get.begun->event,
           reading.proved_at_rest(*get.begun)->event});
    }
  }
}

// ---- T7 -----------------------------------------------------------------------------------------

/// The first get that was told of the task's own error, of a body that leaves its worker alive.
std::optional<int> first_task_error(const Reading& reading) {
  for (int step = 1; step <= reading.steps(); ++step) {
    const auto& asked = reading.step(step);
    if (asked.kind != StepKind::kGet || !reading.run(step).is(Kind::kTaskError)) continue;
    if (is_to_fail(reading.body(asked.task))) return step;
  }
  return std::nullopt;
}

bool is_harmless(const harness::Body& body) {
  return !entry(body.kind).kills_worker && !entry(body.kind).never_ends;
}

void judge_later_get(const Reading& reading, int error_step, int task, Verdicts& verdicts) {
  for (const int step : reading.gets(task)) {
    const auto& run = reading.run(step);
    if (begun_before(reading, StepKind::kTerminate, step) ||
        begun_before(reading, StepKind::kDrop, step))
      return;
    if (run.ended && reading.disturbed_before(*run.ended)) return;
    if (reading.callback_failed_before(run.ended.value_or(reading.end()))) return;
    if (run.ended && is_outcome(run.result->kind)) {
      // Another outcome than the body's is no use, but T3's affair.
      const bool ran = is_made_by_body(task, reading.body(task), *run.result);
      return ran ? verdicts.held() : void();
    }
    if (run.ended || reading.asked_to_wait(step)) continue;
    if (reading.fate(step) == Fate::kHangs && !reading.any_death_before(reading.end())) {
      verdicts.violated(
          fmt::format("after the task error of {} task {} gets no outcome: {} waits for ever",
                      reading.name(error_step), task, reading.name(step)),
          {reading.run(error_step).ended->event, run.begun->event,
           reading.proved_at_rest(*run.begun)->event});
    } else if (!reading.main_died()) {
      verdicts.doubtful(
          fmt::format("{} was not over: {}", reading.name(step), reading.why_unclear()));
    }
  }
}

void judge_later_submit(const Reading& reading, int error_step, int step, Verdicts& verdicts) {
  const auto& run = reading.run(step);
  if (!run.ended || reading.disturbed_before(*run.ended)) return;
  // An error in a callback is T9's affair, and an end that was begun in vain S4's.
  const auto ended = reading.first_end_of_pool();
  if (reading.callback_failed_before(*run.ended) || (ended && *ended < *run.begun)) return;
  const auto& asked = reading.step(step);
  if (entry(asked.body.kind).never_begins) return;  // some pools say so at once
  if (run.is(Kind::kOk)) {
    if (is_harmless(asked.body)) judge_later_get(reading, error_step, asked.task, verdicts);
    return;
  }
  verdicts.violated(
      fmt::format("after the task error of {} {} is not accepted: {} {}", reading.name(error_step),
                  reading.name(step), run.result->error.substr(0, 60),
                  run.result->message.substr(0, 100)),
      {reading.run(error_step).ended->event, run.ended->event});
}

// ---- T8 -----------------------------------------------------------------------------------------

/// The warden ends a short wait with a timeout after the grace, so that this is the bound there.
void judge_timeout(const Reading& reading, int step, Verdicts& verdicts) {
  const auto& run = reading.run(step);
  const auto timeout = *reading.step(step).timeout;
  const auto bound = std::max<Reading::Nanoseconds>(reading.contract().grace, 2 * timeout);
  const auto until = run.ended.value_or(reading.end());
  const auto lasted = reading.tree_time(*run.begun, until);
  const bool hangs = !run.ended && reading.fate(step) == Fate::kHangs;
  if (hangs || lasted > bound) {
    return verdicts.violated(
        fmt::format("{} with a timeout of {} ms {}", reading.name(step), timeout.count(),
                    hangs ? "waits for ever"
                          : fmt::format("{} {}", run.ended ? "took" : "was not over after",
                                        in_words(lasted))),
        {run.begun->event, until.event});
  }
  if (run.ended) return verdicts.held();
  verdicts.doubtful(fmt::format("{} was not over: {}", reading.name(step), reading.why_unclear()));
}

}  // namespace

Verdict no_task_lost(const Evidence& evidence) {
  if (!evidence.contract.join_waits) return NotApplicable{"join does not wait by contract"};
  const Reading reading(evidence);
  const auto joined = joined_after_close(reading);
  if (!joined || begun_before(reading, StepKind::kTerminate, *joined)) return NotExercised{};
  Verdicts verdicts;
  for (const auto& [task, submitted] : reading.accepted()) {
    if (submitted < *joined) judge_outcome_after_join(reading, task, *joined, verdicts);
  }
  return verdicts.verdict();
}

Verdict no_task_runs_twice(const Evidence& evidence) {
  const Reading reading(evidence);
  Verdicts verdicts;
  if (const auto why = doubt_about_runs(reading)) verdicts.doubtful(*why);
  for (const auto& [task, submitted] : reading.accepted()) {
    std::map<int, const Reading::Run*> last;  // of each item
    for (const auto& run : reading.runs(task)) {
      verdicts.held();
      const auto [earlier, is_first] = last.emplace(run.item, &run);
      if (is_first) continue;
      if (may_be_tried_again(reading, *earlier->second, run, verdicts)) {
        earlier->second = &run;
        continue;
      }
      const auto item = run.item > 0 ? fmt::format(" (item {})", run.item) : "";
      verdicts.violated(fmt::format("task {}{} began in process {} and again in process {}", task,
                                    item, earlier->second->pid, run.pid),
                        {earlier->second->begun.event, run.begun.event});
      break;
    }
  }
  return verdicts.verdict();
}

Verdict nothing_starts_after_terminate(const Evidence& evidence) {
  const Reading reading(evidence);
  const auto terminate = terminated(reading);
  if (!terminate) return NotExercised{};
  Verdicts verdicts;
  for (const auto& [task, submitted] : reading.accepted()) {
    if (submitted < *terminate) judge_start(reading, task, *terminate, verdicts);
  }
  return verdicts.verdict();
}

Verdict worker_death_is_reported(const Evidence& evidence) {
  const Reading reading(evidence);
  Verdicts verdicts;
  for (const auto& [task, submitted] : reading.accepted()) {
    const auto& runs = reading.runs(task);
    if (reading.is_map(task)) {
      judge_lost_item(reading, task, verdicts);
      continue;
    }
    // Where it is tried again the last try counts.
    if (runs.empty() || !died_in_the_task(reading, task, runs.back())) continue;
    judge_report(reading, task, runs.back(), verdicts);
  }
  return verdicts.verdict();
}

Verdict errors_leave_the_pool_usable(const Evidence& evidence) {
  const Reading reading(evidence);
  const auto error_step = first_task_error(reading);
  if (!error_step) return NotExercised{};
  Verdicts verdicts;
  for (int step = *error_step + 1; step <= reading.steps(); ++step) {
    if (reading.step(step).kind != StepKind::kSubmit) continue;
    if (reading.before(step).state() != Model::State::kRunning) break;
    judge_later_submit(reading, *error_step, step, verdicts);
  }
  return verdicts.verdict();
}

Verdict timeouts_are_kept(const Evidence& evidence) {
  const Reading reading(evidence);
  Verdicts verdicts;
  for (int step = 1; step <= reading.steps(); ++step) {
    const bool timed = reading.step(step).timeout.has_value();
    const auto& run = reading.run(step);
    if (timed && run.begun && (run.ended || !reading.main_died()))
      judge_timeout(reading, step, verdicts);
  }
  return verdicts.verdict();
}

}  // namespace poolproof::properties
