#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "properties/rules/reading.h"
#include "properties/rules/rules.h"
#include "properties/rules/verdicts.h"
#include "properties/wait_graph.h"

namespace poolproof::properties {
namespace {

std::string where(const Reading& reading, std::optional<int> pending) {
  return pending ? reading.name(*pending) : std::string("no step");
}

/// In a pool of threads a task that stops its process stops main, in whatever step.
bool stopped_by_a_task(const Reading& reading) {
  return reading.main_is_in_a_body(harness::BodyKind::kStopSelf);
}

/// Whether main waits because the scenario asked for it: for a time, or for what never comes.
bool waits_as_told(const Reading& reading, int pending) {
  if (reading.asked_to_wait(pending)) return true;
  return pending != 0 && takes_a_time(reading.step(pending));
}

/// Somebody who still runs a task: it may be what everybody waits for.
std::optional<std::string> task_at_work(const Reading& reading) {
  for (const auto& [task, step] : reading.accepted()) {
    for (const auto& run : reading.runs(task)) {
      const auto* worker = reading.worker_of(run);
      if (!run.ended && worker != nullptr && !worker->dying)
        return fmt::format("task {} still runs in {}", task, reading.name(*worker));
    }
  }
  return std::nullopt;
}

/// Whether another rule says what a late end of this step or exit means: E1, S4, S6, T8, T10.
bool has_a_rule_for_lateness(const Reading& reading, int pending) {
  if (pending == 0) return true;
  const auto& step = reading.step(pending);
  return step.timeout || step.kind == harness::StepKind::kTerminate || reading.lets_go(pending) ||
         step.kind == harness::StepKind::kReady ||
         (step.kind == harness::StepKind::kJoin &&
          reading.before(pending).state() == Model::State::kTerminated);
}

/// Another rule has found the wait too long, and a task is at work in it: that, not an end that
/// never comes, may be what main waits for, so that the case says nothing about a wait in vain.
bool is_late_for_a_task(const Reading& reading) {
  const auto pending = reading.pending();
  return reading.trace().end == harness::End::kDeadline && pending &&
         has_a_rule_for_lateness(reading, *pending) && task_at_work(reading);
}

/// After this event nothing but a process's or thread's coming and going can have happened in
/// main's wait.
bool is_progress(const harness::Event::Kind& kind) {
  using namespace harness;
  return std::holds_alternative<Started>(kind) || std::holds_alternative<StepBegun>(kind) ||
         std::holds_alternative<StepEnded>(kind) || std::holds_alternative<TaskBegun>(kind) ||
         std::holds_alternative<TaskEnded>(kind) || std::holds_alternative<EndingBegun>(kind) ||
         std::holds_alternative<OutputEof>(kind);
}

/// Processes that one and the same made and that died by themselves, one after the other, with
/// nothing else in between.
struct Replaced {
  int deaths = 0;
  harness::Pid maker = 0;
  std::size_t first = 0;
  std::size_t last = 0;
};
Replaced replaced_between(const Reading& reading, std::size_t begin, std::size_t end) {
  std::map<harness::Pid, Replaced> by_maker;
  for (const auto& process : reading.processes()) {
    if (!process.born || process.born->event < begin) continue;
    if (!process.dying || process.dying->event >= end) continue;
    auto& replaced = by_maker[process.parent];
    if (replaced.deaths++ == 0) replaced.first = process.born->event;
    replaced.maker = process.parent;
    replaced.last = process.dying->event;
  }
  Replaced most;
  for (const auto& [maker, replaced] : by_maker) {
    if (replaced.deaths > most.deaths) most = replaced;
  }
  return most;
}

/// Where each span without progress begins; the last one goes on up to the case's end.
std::vector<std::size_t> spans_without_progress(const Reading& reading) {
  const auto& events = reading.trace().events;
  std::vector<std::size_t> begins{0};
  for (std::size_t i = 0; i < events.size() && !reading.over_at(i); ++i) {
    if (is_progress(events[i].kind)) begins.push_back(i);
  }
  return begins;
}

Replaced replaced_at_the_end(const Reading& reading) {
  return replaced_between(reading, spans_without_progress(reading).back(), SIZE_MAX);
}

/// In whatever span, also one in which main slept.
Replaced most_replaced(const Reading& reading) {
  const auto begins = spans_without_progress(reading);
  Replaced most;
  for (std::size_t i = 0; i < begins.size(); ++i) {
    const auto end = i + 1 < begins.size() ? begins[i + 1] : SIZE_MAX;
    const auto replaced = replaced_between(reading, begins[i], end);
    if (replaced.deaths > most.deaths) most = replaced;
  }
  return most;
}

/// The last proof that the tree polls, if nothing has happened since.
Reading::Maybe polling_at_the_end(const Reading& reading) {
  const auto& events = reading.trace().events;
  Reading::Maybe found;
  for (std::size_t i = 0; i < events.size() && !reading.over_at(i); ++i) {
    if (is_progress(events[i].kind)) found.reset();
    if (std::holds_alternative<harness::Polling>(events[i].kind))
      found = Reading::Moment{events[i].at, i};
  }
  return found;
}

std::string pollers_in_words(const Reading& reading, const harness::Polling& polling) {
  std::string text;
  for (const auto& poller : polling.pollers) {
    const auto* process = reading.process(poller.pid);
    const auto who = process == nullptr ? std::to_string(poller.pid) : reading.name(*process);
    text += fmt::format("{}{}{} woke {} times in {}", text.empty() ? "" : ", ",
                        poller.tid == poller.pid ? "" : fmt::format("thread {} of ", poller.tid),
                        who, poller.wakes, poller.call);
  }
  return text;
}

Verdict judge_polling(const Reading& reading, int pending, const Reading::Moment& moment) {
  const auto& polling = std::get<harness::Polling>(reading.trace().events[moment.event].kind);
  const auto what = fmt::format("{} is waited for in vain: in {} {}", where(reading, pending),
                                in_words(reading.trace().tree_time(polling.since, moment.at)),
                                pollers_in_words(reading, polling));
  if (!polling.doubt.empty()) return Inconclusive{what + "; " + polling.doubt};
  if (const auto task = task_at_work(reading)) return Inconclusive{what + "; " + *task};
  // Where a case's time is over it says what was seen so far.
  if (reading.trace().tree_time(polling.since, moment.at) <= reading.contract().grace)
    return Inconclusive{what + "; a pool may poll for as long as its grace"};
  return Violated{what + ", and nothing else happened", {moment.event}, ""};
}

std::string replacing_in_words(const Reading& reading, const Replaced& replaced) {
  const auto* maker = reading.process(replaced.maker);
  return fmt::format("{} made {} processes that died at once",
                     maker == nullptr ? std::to_string(replaced.maker) : reading.name(*maker),
                     replaced.deaths);
}

Verdict judge_replacing(const Reading& reading, int pending, const Replaced& replaced) {
  const auto what = fmt::format("{} is waited for in vain: {}", where(reading, pending),
                                replacing_in_words(reading, replaced));
  if (const auto task = task_at_work(reading)) return Inconclusive{what + "; " + *task};
  return Violated{what + ", and nothing else happened", {replaced.first, replaced.last}, ""};
}

/// Whether a call of main's was told so: anything but a return, a time-out or a lawful refusal.
bool told_of_failure(const Reading& reading) {
  using Kind = Reading::Kind;
  for (int step = 1; step <= reading.steps(); ++step) {
    const auto& run = reading.run(step);
    const bool told =
        run.ended && !run.is(Kind::kOk) && !run.is(Kind::kTimeout) && !run.is(Kind::kNotFired);
    const bool lawful = run.is(Kind::kRefused) &&
                        reading.before(step).call(reading.step(step)) == Model::Call::kIllegal;
    if (told && !lawful) return true;
  }
  return false;
}

}  // namespace

/// A pool that gives up has done so long before (the reference pool: after 11 deaths).
constexpr int kManyReplaced = 50;

Verdict no_respawn_storm(const Evidence& evidence) {
  const Reading reading(evidence);
  const auto replaced = most_replaced(reading);
  if (replaced.deaths >= kManyReplaced) {
    return Violated{replacing_in_words(reading, replaced) + ", and nothing else happened",
                    {replaced.first, replaced.last},
                    ""};
  }
  return reading.stillborn() && told_of_failure(reading) ? Verdict(Held{})
                                                         : Verdict(NotExercised{});
}

Verdict no_deadlock(const Evidence& evidence) {
  const Reading reading(evidence);
  const auto* main = reading.main();
  if (main == nullptr || !main->born) return NotExercised{};
  const bool created = reading.before(reading.steps() + 1).state() != Model::State::kNone;
  if (reading.main_died()) return created ? Verdict(Held{}) : Verdict(NotExercised{});
  if (!reading.may_have_a_pool()) return NotExercised{};
  const auto pending = reading.pending();
  if (pending && (reading.asked_to_wait(*pending) || stopped_by_a_task(reading)))
    return NotExercised{};
  const auto rest = reading.proved_at_rest(*main->born);
  if (!rest && is_late_for_a_task(reading)) return NotExercised{};
  if (!rest)
    return Inconclusive{where(reading, pending) + " was not over: " + reading.why_unclear()};
  if (!pending) return Inconclusive{"at rest before the first step or between two"};
  const auto waits = waits_in_words(evidence.trace, rest->event);
  return Violated{fmt::format("{} waits for ever: the whole tree is blocked{}{}",
                              where(reading, pending), waits.empty() ? "" : ": ", waits),
                  {rest->event},
                  ""};
}

Verdict no_livelock(const Evidence& evidence) {
  const Reading reading(evidence);
  const auto* main = reading.main();
  if (main == nullptr || !main->born) return NotExercised{};
  const bool created = reading.before(reading.steps() + 1).state() != Model::State::kNone;
  if (reading.main_died()) return created ? Verdict(Held{}) : Verdict(NotExercised{});
  if (!reading.may_have_a_pool()) return NotExercised{};
  const auto pending = reading.pending();
  if (pending && waits_as_told(reading, *pending)) return NotExercised{};
  if (reading.proved_at_rest(*main->born)) return Held{};  // asleep: P1 has its say
  if (pending) {
    if (const auto moment = polling_at_the_end(reading))
      return judge_polling(reading, *pending, *moment);
    const auto replaced = replaced_at_the_end(reading);
    if (replaced.deaths >= kManyReplaced) return judge_replacing(reading, *pending, replaced);
  }
  if (is_late_for_a_task(reading)) return NotExercised{};
  return Inconclusive{where(reading, pending) + " was not over: " + reading.why_unclear()};
}

/// What the rules about endings say, taken together, where a fault has fired.
Verdict recoverable_from_anywhere(const Evidence& evidence) {
  const Reading reading(evidence);
  if (!reading.hit()) return NotExercised{};
  constexpr std::array kAboutEndings{process_exits,       no_worker_outlives_parent,
                                     terminate_is_prompt, dropped_pool_is_released,
                                     scope_ends_the_pool, no_deadlock,
                                     no_livelock};
  Verdicts verdicts;
  for (const auto judge : kAboutEndings) {
    const Verdict verdict = judge(evidence);
    if (const auto* violated = std::get_if<Violated>(&verdict))
      verdicts.violated(violated->evidence, violated->events);
    if (const auto* doubt = std::get_if<Inconclusive>(&verdict)) verdicts.doubtful(doubt->why);
  }
  if (reading.main_died() && reading.trace().end == harness::End::kAllDead) verdicts.held();
  return verdicts.verdict();
}

}  // namespace poolproof::properties
