#include <fmt/format.h>

#include "properties/rules/outcome.h"
#include "properties/rules/reading.h"
#include "properties/rules/rules.h"
#include "properties/rules/verdicts.h"

namespace poolproof::properties {
namespace {

using harness::StepKind;
using Fate = Reading::Fate;
using Kind = Reading::Kind;

/// How the pool answered: "returned", "gave refused ValueError "...""
std::string answer(const harness::StepResult& result) {
  if (result.kind == Kind::kOk) return "was taken";
  return fmt::format("gave {} {} \"{}\"", name(result.kind), result.error.substr(0, 60),
                     result.message.substr(0, 100));
}

/// Complains if the step is not over though it is one that a healthy pool answers at once.
void judge_pending(const Reading& reading, int step, const std::string& what, Verdicts& verdicts) {
  const auto& run = reading.run(step);
  switch (reading.fate(step)) {
    case Fate::kHangs:
      return verdicts.violated(fmt::format("{}{} waits for ever", reading.name(step), what),
                               {run.begun->event, reading.proved_at_rest(*run.begun)->event});
    case Fate::kLate:
      return verdicts.violated(fmt::format("{}{} was not over after {}", reading.name(step), what,
                                           in_words(reading.tree_time(*run.begun, reading.end()))),
                               {run.begun->event, reading.end().event});
    case Fate::kUnclear:
      return verdicts.doubtful(
          fmt::format("{} was not over: {}", reading.name(step), reading.why_unclear()));
    case Fate::kNotBegun:
    case Fate::kEnded:
    case Fate::kMainDied:
      return;
  }
}

/// A call that the pool must refuse with its documented error. After a worker's death, or where
/// system calls were made to fail, other errors may come first, and say nothing. A pool that a
/// fault broke may be in another state than it was brought to.
void judge_refusal(const Reading& reading, int step, const std::string& what, Verdicts& verdicts) {
  const auto& run = reading.run(step);
  if (!run.ended) return judge_pending(reading, step, what, verdicts);
  if (run.is(Kind::kRefused)) return verdicts.held();
  if (reading.may_have_broken_the_pool_before(*run.ended)) return;
  if (!run.is(Kind::kOk) && reading.disturbed_before(*run.ended)) return;
  verdicts.violated(
      fmt::format("{}{} {}, not refused", reading.name(step), what, answer(*run.result)),
      {run.begun ? run.begun->event : run.ended->event, run.ended->event});
}

void judge_not_run(const Reading& reading, int step, const std::string& what, Verdicts& verdicts) {
  const int task = reading.step(step).task;
  for (const auto& run : reading.runs(task)) {
    verdicts.violated(fmt::format("{}{}, but task {} began in process {}", reading.name(step), what,
                                  task, run.pid),
                      {reading.run(step).begun->event, run.begun.event});
  }
}

/// Whether one of two calls at once may have ended the pool, and the other has failed: of them only
/// the error is told.
bool may_be_ended_before(const Reading& reading, int step) {
  for (int earlier = 1; earlier < step; ++earlier) {
    const bool twice = reading.step(earlier).caller == harness::Caller::kThreads;
    if (twice && reading.run(earlier).begun && !reading.run(earlier).is(Kind::kOk)) return true;
  }
  return false;
}

/// The last earlier step of the same kind that returned normally.
std::optional<int> done_before(const Reading& reading, int step) {
  for (int earlier = step - 1; earlier >= 1; --earlier) {
    if (reading.step(earlier).kind != reading.step(step).kind) continue;
    if (reading.run(earlier).is(Kind::kOk)) return earlier;
  }
  return std::nullopt;
}

/// close, terminate or join of a pool that had the same done to it, or has it done twice at once.
bool is_repetition(const Reading& reading, int step) {
  const StepKind kind = reading.step(step).kind;
  const bool ends =
      kind == StepKind::kClose || kind == StepKind::kTerminate || kind == StepKind::kJoin;
  const auto model = reading.before(step);
  if (!ends || model.call(reading.step(step)) != Model::Call::kLegal) return false;
  const bool twice = reading.step(step).caller == harness::Caller::kThreads;
  return (twice || done_before(reading, step)) && !model.may_wait_for_ever(reading.step(step));
}

/// Of two calls at once one is the first, and what may make that one fail is for other rules.
bool may_fail_alone(const Reading& reading, const Reading::Moment& moment) {
  return reading.callback_failed_before(moment) || reading.task_failed_before(moment);
}

/// terminate, and every join of a terminated pool.
bool must_be_prompt(const Reading& reading, int step) {
  const auto state = reading.before(step).state();
  if (state == Model::State::kNone || state == Model::State::kDropped) return false;
  const StepKind kind = reading.step(step).kind;
  return kind == StepKind::kTerminate ||
         (kind == StepKind::kJoin && state == Model::State::kTerminated);
}

void judge_promptness(const Reading& reading, int step, Verdicts& verdicts) {
  const auto& run = reading.run(step);
  const std::string what =
      reading.step(step).kind == StepKind::kJoin ? " of a terminated pool" : "";
  if (!run.ended) return judge_pending(reading, step, what, verdicts);
  const bool excused = reading.calls_failed_before(*run.ended) || reading.stillborn();
  if (!run.is(Kind::kOk) && excused) return;
  if (!run.is(Kind::kOk)) {
    verdicts.violated(fmt::format("{}{} {}", reading.name(step), what, answer(*run.result)),
                      {run.ended->event});
  } else if (!reading.within_grace(*run.begun, *run.ended)) {
    verdicts.violated(fmt::format("{}{} took {}", reading.name(step), what,
                                  in_words(reading.tree_time(*run.begun, *run.ended))),
                      {run.begun->event, run.ended->event});
  } else {
    verdicts.held();
  }
}

/// The pool's end is the workers' end: a join that returns without it has not ended anything.
void judge_survivors(const Reading& reading, int step, Verdicts& verdicts) {
  const auto& run = reading.run(step);
  const bool joined = reading.step(step).kind == StepKind::kJoin && run.is(Kind::kOk);
  if (!joined || !reading.contract().join_waits) return;
  for (const auto* worker : reading.alive_after(step)) {
    verdicts.violated(fmt::format("{} of a terminated pool has returned, but {} is alive",
                                  reading.name(step), reading.name(*worker)),
                      {worker->born->event, run.ended->event});
  }
}

/// The close and the join after it that returned, if nothing else ended the pool before.
struct Drained {
  int closed = 0;
  int joined = 0;
};
std::optional<Drained> drained(const Reading& reading) {
  int closed = 0;
  for (int step = 1; step <= reading.steps(); ++step) {
    const StepKind kind = reading.step(step).kind;
    const bool ok = reading.run(step).is(Kind::kOk);
    if (kind == StepKind::kTerminate || kind == StepKind::kDrop) return std::nullopt;
    if (kind == StepKind::kClose && ok && closed == 0) closed = step;
    if (kind == StepKind::kJoin && ok && closed > 0) return Drained{closed, step};
  }
  return std::nullopt;
}

/// All its items, where nothing went wrong: one that failed may take others with it.
void judge_drained_map(const Reading& reading, int task, const Drained& drained,
                       Verdicts& verdicts) {
  const auto& joined = *reading.run(drained.joined).ended;
  const auto& body = reading.body(task);
  const bool harmless = value_of(task, body).has_value();
  if (!harmless || reading.any_death_before(*reading.run(drained.closed).begun) ||
      reading.lost_before(joined) || reading.harmed_before(joined) || reading.stillborn())
    return;
  if (const auto why = doubt_about_runs(reading)) return verdicts.doubtful(*why);
  if (!any_claimed_to_run(reading)) return;
  const auto& runs = reading.runs(task);
  const auto done = std::count_if(runs.begin(), runs.end(), [&](const Reading::Run& run) {
    return run.ended && *run.ended < joined;
  });
  const int items = items_of(reading.handed_over(task));
  if (done >= items) return verdicts.held();
  verdicts.violated(
      fmt::format("{} of {} items of task {}, accepted before {}, were over when {} returned", done,
                  items, task, reading.name(drained.closed), reading.name(drained.joined)),
      {reading.run(drained.closed).begun->event, joined.event});
}

/// What a body claims before the join returns stands before the join's own claim: one file.
void judge_drained(const Reading& reading, int task, const Drained& drained, Verdicts& verdicts) {
  const auto& joined = *reading.run(drained.joined).ended;
  if (reading.cancelled_before(task, joined)) return;
  const bool lost =
      reading.lost_before(joined) || reading.harmed_before(joined) || reading.stillborn();
  if (reading.is_map(task)) return judge_drained_map(reading, task, drained, verdicts);
  const auto& runs = reading.runs(task);
  if (runs.empty()) {
    if (entry(reading.body(task).kind).never_begins) return;
    // Its worker may have died with it in hand before the body began.
    const auto& closing = *reading.run(drained.closed).begun;
    if (lost || reading.any_death_before(closing)) return;
    if (const auto why = doubt_about_runs(reading)) return verdicts.doubtful(*why);
    if (!any_claimed_to_run(reading)) return;  // perhaps none of its workers ever can
    return verdicts.violated(
        fmt::format("task {} was accepted before {}, but never began, though {} has returned", task,
                    reading.name(drained.closed), reading.name(drained.joined)),
        {reading.run(drained.closed).begun->event, joined.event});
  }
  const auto& last = runs.back();
  // What was over before close leaves it nothing to drain.
  const auto& closing = *reading.run(drained.closed).begun;
  if (last.ended && *last.ended < closing) return;
  const auto* worker = reading.worker_of(last);
  if (reading.cut_short(last) && worker->gone_before(closing)) return;
  // Such a body never says that it is over, and its worker may live on.
  if (entry(reading.body(task).kind).kills_worker) return verdicts.held();
  if (reading.cut_short(last) && lost) return;
  if (last.ended && *last.ended < joined) return verdicts.held();
  verdicts.violated(fmt::format("task {} began in process {} and was not over when {} returned",
                                task, last.pid, reading.name(drained.joined)),
                    {last.begun.event, joined.event});
}

void judge_drained_tasks(const Reading& reading, const Drained& drained, Verdicts& verdicts) {
  const bool breaks = reading.contract().worker_death == Contract::WorkerDeath::kBreaks;
  if (breaks && reading.lost_before(*reading.run(drained.joined).ended)) return;
  for (const auto& [task, submitted] : reading.accepted()) {
    if (submitted < drained.closed) judge_drained(reading, task, drained, verdicts);
  }
}

/// As long as main goes on: its own end is a reason for workers to go, and then W1 has its say.
void judge_release(const Reading& reading, const Reading::Process& worker,
                   const Reading::Moment& from, int drop, Verdicts& verdicts) {
  const auto watched = reading.main_goes_on_until();
  if (worker.dying && *worker.dying < watched) {
    if (reading.within_grace(from, *worker.dying)) return verdicts.held();
    return verdicts.violated(
        fmt::format("{} has returned and nothing is pending, but {} lives on for {}",
                    reading.name(drop), reading.name(worker),
                    in_words(reading.tree_time(from, *worker.dying))),
        {from.event, worker.dying->event});
  }
  if (watched < from || reading.within_grace(from, watched)) return;
  verdicts.violated(fmt::format("{} has returned and nothing is pending, but {} is alive {} later",
                                reading.name(drop), reading.name(worker),
                                in_words(reading.tree_time(from, watched))),
                    {from.event, watched.event});
}

/// What a pool makes for all pools of the program, such as a resource tracker, is no part of this
/// one: it executes a program of its own, and the contract tells of what main keeps of it.
bool may_be_kept(const Reading& reading, harness::Pid pid) {
  const auto& keeps = reading.contract().keeps;
  const bool by_contract = std::any_of(keeps.begin(), keeps.end(), [&](const auto& kept) {
    return kept.start_method == reading.scenario().start_method;
  });
  const auto& events = reading.trace().events;
  return by_contract && std::any_of(events.begin(), events.end(), [&](const auto& event) {
           const auto* execed = std::get_if<harness::Execed>(&event.kind);
           return execed != nullptr && execed->pid == pid;
         });
}

/// Nobody has a reference to a pool that was not made: whom it had started goes.
void judge_failed_creation(const Reading& reading, int step, Verdicts& verdicts) {
  const auto& run = reading.run(step);
  const auto watched = reading.main_goes_on_until();
  for (const auto& process : reading.processes()) {
    const bool of_the_pool =
        process.role == Reading::Role::kWorker || process.role == Reading::Role::kHelper;
    const bool meant = of_the_pool && process.born && *run.begun < *process.born &&
                       *process.born < *run.ended && !may_be_kept(reading, process.pid);
    if (!meant) continue;
    const bool gone = process.dying && *process.dying < watched;
    const auto until = gone ? *process.dying : watched;
    const bool in_time = until < *run.ended || reading.within_grace(*run.ended, until);
    if (gone && in_time) verdicts.held();
    if (in_time) continue;
    verdicts.violated(
        fmt::format("{} has failed, but {} lives on for {}{}", reading.name(step),
                    reading.name(process), in_words(reading.tree_time(*run.ended, until)),
                    gone ? "" : " and more"),
        {process.born->event, run.ended->event, until.event});
  }
}

bool is_by_scope(const Reading& reading, int step) {
  using harness::Farewell;
  const auto farewell = reading.step(step).farewell;
  return farewell == Farewell::kScope || farewell == Farewell::kScopeError;
}

bool is_farewell(const Reading& reading, int step, bool by_scope) {
  // Where creation failed there is no block, and so no pool in it.
  const bool is_there = !by_scope || reading.before(step).state() == Model::State::kRunning;
  return reading.run(step).begun && reading.lets_go(step) && !reading.asked_to_wait(step) &&
         is_there && is_by_scope(reading, step) == by_scope;
}

/// From when on nothing gives workers a reason to stay; nullopt: something may, for ever.
Reading::Maybe free_to_go_from(const Reading& reading, int drop) {
  const auto farewell = reading.step(drop).farewell;
  // A future may hold a pool that is merely dropped until its task is over.
  const bool tasks_count =
      farewell == harness::Farewell::kPlain || reading.contract().waits_at(farewell);
  return tasks_count ? reading.released_from(drop) : reading.run(drop).ended;
}

/// The step is over, and the workers go.
void judge_farewell(const Reading& reading, int drop, Verdicts& verdicts) {
  const bool may_take_long = reading.contract().waits_at(reading.step(drop).farewell);
  if (reading.fate(drop) != Fate::kLate || !may_take_long)
    judge_pending(reading, drop, "", verdicts);
  if (!reading.run(drop).is(Kind::kOk)) return;
  const auto from = free_to_go_from(reading, drop);
  for (const auto& process : reading.processes()) {
    const bool meant = reading.is_worker(process) && process.born && from &&
                       *process.born < *from && !process.gone_before(*reading.run(drop).begun);
    if (meant) judge_release(reading, process, *from, drop, verdicts);
  }
}

/// What left the block arrives behind it, and nothing else does: the kit says so by "ok".
void judge_arrival(const Reading& reading, int leave, Verdicts& verdicts) {
  const auto& run = reading.run(leave);
  if (!run.ended || reading.disturbed_before(*run.ended)) return;
  if (run.is(Kind::kOk)) {
    if (reading.step(leave).farewell == harness::Farewell::kScopeError) verdicts.held();
    return;
  }
  verdicts.violated(fmt::format("{}, by {}, {}", reading.name(leave),
                                name(reading.step(leave).farewell), answer(*run.result)),
                    {run.begun->event, run.ended->event});
}

/// Whether an end of the pool was begun before that has not gone well, and may have gone half way.
bool an_end_has_failed_before(const Reading& reading, int step) {
  for (int earlier = 1; earlier < step; ++earlier) {
    const StepKind kind = reading.step(earlier).kind;
    const bool ends = kind == StepKind::kClose || kind == StepKind::kTerminate ||
                      kind == StepKind::kJoin || kind == StepKind::kDrop;
    const auto& run = reading.run(earlier);
    if (ends && run.begun && !run.is(Kind::kOk) && !run.is(Kind::kRefused)) return true;
  }
  return false;
}

/// A call that is legal, and of which no other rule says more: what is repeated or made twice at
/// once is S3's affair, the end of a terminated pool S4's, and what follows a task's error T7's.
bool must_be_taken(const Reading& reading, int step) {
  const auto& asked = reading.step(step);
  const StepKind kind = asked.kind;
  // Of a pool that cannot be made nothing is to be judged.
  const bool meant = kind == StepKind::kClose || kind == StepKind::kJoin ||
                     kind == StepKind::kResize || entry(kind).makes == harness::Makes::kTask;
  if (!meant || asked.caller == harness::Caller::kThreads || has_bad_count(asked)) return false;
  // An input that raises, or what cannot be handed over, may be the call's own error.
  if (asked.raises_at || entry(asked.body.kind).never_begins) return false;
  const auto model = reading.before(step);
  if (model.call(asked) != Model::Call::kLegal || model.state() == Model::State::kTerminated)
    return false;
  const auto& ended = *reading.run(step).ended;
  const bool repeats = kind == StepKind::kClose || kind == StepKind::kJoin;
  return !(repeats && done_before(reading, step)) && !reading.disturbed_before(ended) &&
         !reading.hit_before(ended) && !reading.callback_failed_before(ended) &&
         !reading.task_failed_before(ended) && !reading.callback_ended_before(ended) &&
         !an_end_has_failed_before(reading, step);
}

}  // namespace

Verdict submit_after_close_is_refused(const Evidence& evidence) {
  const Reading reading(evidence);
  Verdicts verdicts;
  for (int step = 1; step <= reading.steps(); ++step) {
    const auto& asked = reading.step(step);
    if (entry(asked.kind).makes != harness::Makes::kTask || !reading.run(step).begun) continue;
    const auto model = reading.before(step);
    if (model.call(asked) != Model::Call::kIllegal || may_be_ended_before(reading, step)) continue;
    const bool closed = model.state() == Model::State::kClosed;
    judge_refusal(reading, step, closed ? " after close" : " after terminate", verdicts);
    judge_not_run(reading, step, closed ? " after close" : " after terminate", verdicts);
  }
  return verdicts.verdict();
}

Verdict join_before_close_is_refused(const Evidence& evidence) {
  if (!evidence.contract.join_needs_close) return NotApplicable{"join closes the pool by contract"};
  const Reading reading(evidence);
  Verdicts verdicts;
  for (int step = 1; step <= reading.steps(); ++step) {
    const auto& asked = reading.step(step);
    if (asked.kind != StepKind::kJoin || !reading.run(step).begun) continue;
    if (reading.before(step).call(asked) != Model::Call::kIllegal ||
        may_be_ended_before(reading, step))
      continue;
    judge_refusal(reading, step, " on a running pool", verdicts);
  }
  return verdicts.verdict();
}

Verdict bad_count_is_refused(const Evidence& evidence) {
  const Reading reading(evidence);
  Verdicts verdicts;
  for (int step = 1; step <= reading.steps(); ++step) {
    const auto& asked = reading.step(step);
    if (!has_bad_count(asked) || !reading.run(step).begun) continue;
    judge_refusal(reading, step, fmt::format(" with {} workers", *asked.workers), verdicts);
  }
  return verdicts.verdict();
}

Verdict legal_calls_are_taken(const Evidence& evidence) {
  const Reading reading(evidence);
  Verdicts verdicts;
  for (int step = 1; step <= reading.steps(); ++step) {
    const auto& run = reading.run(step);
    if (!run.ended || !must_be_taken(reading, step)) continue;
    if (run.is(Kind::kOk)) {
      verdicts.held();
    } else {
      verdicts.violated(
          fmt::format("{} {}, though the pool may take it and nothing has gone wrong before",
                      reading.name(step), answer(*run.result)),
          {run.begun->event, run.ended->event});
    }
  }
  return verdicts.verdict();
}

Verdict endings_are_idempotent(const Evidence& evidence) {
  const Reading reading(evidence);
  Verdicts verdicts;
  for (int step = 1; step <= reading.steps(); ++step) {
    const auto& run = reading.run(step);
    if (!run.begun || !is_repetition(reading, step)) continue;
    const auto before = done_before(reading, step);
    const std::string what = before ? fmt::format(", repeated after step {},", *before)
                                    : std::string(" by two threads at once");
    if (!run.ended) {
      judge_pending(reading, step, what, verdicts);
    } else if (run.is(Kind::kOk)) {
      verdicts.held();
    } else if (!reading.calls_failed_before(*run.ended) && !reading.stillborn() &&
               (before || !may_fail_alone(reading, *run.ended))) {
      verdicts.violated(fmt::format("{}{} {}", reading.name(step), what, answer(*run.result)),
                        {run.ended->event});
    }
  }
  return verdicts.verdict();
}

Verdict terminate_is_prompt(const Evidence& evidence) {
  const Reading reading(evidence);
  Verdicts verdicts;
  for (int step = 1; step <= reading.steps(); ++step) {
    if (!reading.run(step).begun || !must_be_prompt(reading, step)) continue;
    judge_promptness(reading, step, verdicts);
    judge_survivors(reading, step, verdicts);
  }
  return verdicts.verdict();
}

Verdict close_drains(const Evidence& evidence) {
  if (!evidence.contract.join_waits) return NotApplicable{"join does not wait by contract"};
  const Reading reading(evidence);
  Verdicts verdicts;
  if (const auto drained = properties::drained(reading))
    judge_drained_tasks(reading, *drained, verdicts);
  return verdicts.verdict();
}

Verdict dropped_pool_is_released(const Evidence& evidence) {
  if (!evidence.contract.drop_ends_pool)
    return NotApplicable{"a pool that was dropped lives on by contract"};
  const Reading reading(evidence);
  Verdicts verdicts;
  for (int create = 1; create <= reading.steps(); ++create) {
    const auto& run = reading.run(create);
    const bool made = reading.step(create).kind == StepKind::kCreate && run.is(Kind::kOk);
    if (reading.step(create).kind == StepKind::kCreate && run.ended && !made)
      judge_failed_creation(reading, create, verdicts);
  }
  for (int drop = 1; drop <= reading.steps(); ++drop) {
    if (is_farewell(reading, drop, /*by_scope=*/false)) judge_farewell(reading, drop, verdicts);
  }
  return verdicts.verdict();
}

Verdict scope_ends_the_pool(const Evidence& evidence) {
  const Reading reading(evidence);
  Verdicts verdicts;
  for (int leave = 1; leave <= reading.steps(); ++leave) {
    if (!is_farewell(reading, leave, /*by_scope=*/true)) continue;
    judge_farewell(reading, leave, verdicts);
    judge_arrival(reading, leave, verdicts);
    const bool drains = evidence.contract.scope == Contract::Scope::kDrains;
    if (drains && reading.run(leave).is(Kind::kOk))
      judge_drained_tasks(reading, {.closed = leave, .joined = leave}, verdicts);
  }
  return verdicts.verdict();
}

}  // namespace poolproof::properties
