#include "properties/rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>

#include "properties/conditions.h"
#include "properties/rules/rules.h"

namespace poolproof::properties {
namespace {

using harness::Trace;
using sys::Exited;
using sys::ExitStatus;

constexpr int kAdapterFailed = 99;  // harness/protocol/README.md

/// Rule::of_any_pool.
constexpr bool kOfAnyPool = true;

constexpr std::array kRules{
    Rule{"E1", "ProcessExits",
         "Once main has reached its ending (return, uncaught error, exit, _exit, abort, signal), "
         "the process "
         "exits, whatever pools are open, closed, broken or forgotten, unless the contract says "
         "that exit "
         "drains and a task never ends.",
         Level::kMust, "", process_exits, Needs::kClaims, kOfAnyPool},
    Rule{"E2", "ExitStatusIsTrue",
         "The exit status is the one that the ending stands for in main's language: 0 for a "
         "return, n for "
         "exit n, 1 (Python) or SIGABRT (C++) for an uncaught error, the signal for a signal (an "
         "unhandled "
         "Ctrl-C in Python: 1 before 3.8, SIGINT from 3.8).",
         Level::kMust, "", exit_status_is_true, Needs::kClaims, kOfAnyPool},
    Rule{"E3", "OutputReachesEof",
         "Whoever reads main's stdout or stderr gets EOF within the grace after main has exited: "
         "no survivor "
         "holds them.",
         Level::kMust, "W1", output_reaches_eof, Needs::kClaims, kOfAnyPool},
    Rule{"W1", "NoWorkerOutlivesParent",
         "After main's death, of whatever cause, every process of its tree dies within the grace "
         "that the contract names (default 1 s). One of which it is proved that nothing can wake "
         "it is not waited for: it counts as left behind at once.",
         Level::kMust, "", no_worker_outlives_parent, Needs::kBirthsAndDeaths, kOfAnyPool},
    Rule{"W2", "WorkersAreDaemons",
         "Live workers, idle or busy, do not delay main's exit, and the pool reports them as "
         "daemons where it "
         "can report.",
         Level::kMust, "E1", workers_are_daemons, Needs::kBirthsAndDeaths},
    Rule{"W3", "NoZombieLeft",
         "After join has returned no worker is alive, and neither then nor whenever the tree is at "
         "rest is a worker or helper of the pool dead and unreaped.",
         Level::kMust, "P1", no_zombie_left, Needs::kBirthsAndDeaths},
    Rule{"W4", "WorkerCountIsBounded",
         "Never more than N workers are alive at once; one that was lost, or has reached its "
         "quota, is replaced within the grace, and so long has a pool that is resized to become "
         "what it is to be, but for whoever has a task in hand.",
         Level::kMust, "", worker_count_is_bounded, Needs::kBirthsAndDeaths},
    Rule{
        "W5", "DefaultWorkerCount",
        "Without a number, N is the count of processors that main may use (its affinity). More are "
        "a violation; fewer may be a quota's doing.",
        Level::kShould, "", default_worker_count, Needs::kBirthsAndDeaths},
    Rule{"W6", "TaskQuotaIsKept", "With a task quota per worker no worker runs more.", Level::kMust,
         "", task_quota_is_kept, Needs::kClaims},
    Rule{"W7", "DaemonsHaveNoChildren",
         "A worker that tries to start a child of its own is refused, or that child dies with it, "
         "as the contract says.",
         Level::kMust, "", daemons_have_no_children, Needs::kBirthsAndDeaths},
    Rule{"W8", "NoRespawnStorm",
         "Workers that die at once (failing initializer, exec failure) are not replaced without "
         "bound, 50 deaths and nothing else; the caller is told.",
         Level::kShould, "", no_respawn_storm, Needs::kBirthsAndDeaths},
    Rule{"W9", "ActiveChildrenAreTrue",
         "The workers that the pool lists (pid, name, daemon, alive) are those that the kernel "
         "shows.",
         Level::kMust, "", active_children_are_true, Needs::kBirthsAndDeaths},
    Rule{"T1", "NoTaskLost", "After close and join, every accepted task has an outcome.",
         Level::kMust, "", no_task_lost, Needs::kClaims},
    Rule{"T2", "NoTaskRunsTwice",
         "No task body runs twice, unless its worker died and the contract promises another try.",
         Level::kMust, "", no_task_runs_twice, Needs::kClaims, kOfAnyPool},
    Rule{"T3", "OutcomeIsTrue",
         "The outcome is that of the body: value intact at any size, error of the same kind and "
         "message.",
         Level::kMust, "", outcome_is_true, Needs::kClaims},
    Rule{"T4", "OrderIsKept",
         "map, starmap and imap give results in the order of their inputs; imap_unordered gives "
         "each exactly once.",
         Level::kMust, "", order_is_kept, Needs::kClaims},
    Rule{"T5", "NothingStartsAfterTerminate", "No task body starts after terminate has returned.",
         Level::kMust, "", nothing_starts_after_terminate, Needs::kClaims},
    Rule{"T6", "WorkerDeathIsReported",
         "A task whose worker died gets an outcome (an error, or a retry where promised) instead "
         "of waiting "
         "for ever.",
         Level::kShould, "", worker_death_is_reported, Needs::kBirthsAndDeaths},
    Rule{"T7", "ErrorsLeaveThePoolUsable",
         "After a task failed in any way that leaves its worker alive, the pool still accepts and "
         "runs tasks.",
         Level::kMust, "", errors_leave_the_pool_usable, Needs::kClaims},
    Rule{"T8", "TimeoutsAreKept",
         "get, wait and next with a timeout return or raise in time, at the latest after the grace "
         "or twice the timeout, and the task still may finish.",
         Level::kMust, "", timeouts_are_kept, Needs::kClaims},
    Rule{"T9", "CallbacksRunOnce",
         "Each result's callback or error callback is called exactly once, and an error in it does "
         "no harm. It may come within the grace after the result; join waits for it.",
         Level::kMust, "", callbacks_run_once, Needs::kClaims, kOfAnyPool},
    Rule{"T10", "ReadinessIsTrue",
         "ready, and wait and get with a timeout, say that there is an outcome exactly when there "
         "is one, and ready does not wait.",
         Level::kMust, "", readiness_is_true, Needs::kClaims},
    Rule{"T11", "CancelIsTrue",
         "A cancel that says yes is the end of its task: the body does not begin any more, nor run "
         "to its end, and the outcome says so. One that says no leaves the task its own outcome.",
         Level::kMust, "", cancel_is_true, Needs::kClaims},
    Rule{"T12", "OutputIsWritten",
         "What a task has printed is written, once, when main has the task's outcome, whatever "
         "becomes of its worker then.",
         Level::kShould, "", output_is_written, Needs::kClaims, kOfAnyPool},
    Rule{
        "S1", "SubmitAfterCloseIsRefused",
        "After close or terminate, a submission fails with the documented error, and nothing runs.",
        Level::kMust, "", submit_after_close_is_refused, Needs::kClaims},
    Rule{"S2", "JoinBeforeCloseIsRefused",
         "join on a running pool fails with the documented error instead of waiting.", Level::kMust,
         "", join_before_close_is_refused, Needs::kClaims},
    Rule{"S3", "EndingsAreIdempotent",
         "close, terminate and join may be repeated, also from several threads, with no error and "
         "no hang.",
         Level::kMust, "P1", endings_are_idempotent, Needs::kClaims},
    Rule{"S4", "TerminateIsPrompt",
         "terminate + join end within the grace, whatever is queued or running, and no worker is "
         "alive then.",
         Level::kMust, "", terminate_is_prompt, Needs::kClaims, kOfAnyPool},
    Rule{"S5", "CloseDrains", "After close everything accepted still runs.", Level::kMust, "",
         close_drains, Needs::kBirthsAndDeaths},
    Rule{"S6", "DroppedPoolIsReleased",
         "When the last reference goes, the pool's workers end within the grace after its last "
         "task, and main goes on; so do all that a pool had started which could not be made.",
         Level::kMust, "", dropped_pool_is_released, Needs::kBirthsAndDeaths},
    Rule{"S7", "ScopeEndsThePool",
         "Leaving a with block or scope, normally or by an error, ends the pool, at once or, where "
         "the contract says so, once all that it accepted has run; and the error still arrives.",
         Level::kMust, "S6", scope_ends_the_pool, Needs::kBirthsAndDeaths},
    Rule{"S8", "ForkedChildDoesNoHarm",
         "A child that main forks while a pool lives can exit, or die, or ask its copy of the pool "
         "for something, without touching the parent's pool; and the pool hangs neither its exit "
         "nor such a call.",
         Level::kShould, "", forked_child_does_no_harm, Needs::kBirthsAndDeaths},
    Rule{
        "S9", "RunningPoolKeepsItsWorkers",
        "While a pool is in use, its workers die of their tasks, of a quota, or by what comes from "
        "outside, never by the pool.",
        Level::kMust, "", running_pool_keeps_its_workers, Needs::kBirthsAndDeaths},
    Rule{"S10", "BadCountIsRefused",
         "A pool that is to have no workers, or fewer than none, is refused with the documented "
         "error, when it is made and when it is resized.",
         Level::kMust, "", bad_count_is_refused, Needs::kClaims},
    Rule{"S11", "LegalCallsAreTaken",
         "What a pool may be asked for in its state, to take a task, to close, to be joined, to "
         "have another number of workers, it does, where nothing has gone wrong before.",
         Level::kMust, "", legal_calls_are_taken, Needs::kClaims},
    Rule{"I1", "ForeignProcessesAreLeftAlone",
         "Processes that main started without the pool are neither signalled nor reaped by it, and "
         "another pool of main's works as before.",
         Level::kMust, "", foreign_processes_are_left_alone, Needs::kBirthsAndDeaths},
    Rule{"I2", "MainIsLeftAsItWas",
         "A pool changes no process-wide state of main for good: signal dispositions and mask, "
         "umask, "
         "working and root folder, limits, nice value, process group and session, descriptors 0 to "
         "2. "
         "(The environment is main's memory, and not looked at.)",
         Level::kMust, "", main_is_left_as_it_was, Needs::kBirthsAndDeaths, kOfAnyPool},
    Rule{"I3", "InputStaysMains",
         "A worker that reads standard input gets end of file, never a byte of main's input.",
         Level::kShould, "", input_stays_mains, Needs::kClaims},
    Rule{"R1", "NoDescriptorLeft",
         "After a pool's end main has the descriptors that it had before, number and file; over "
         "many "
         "pools the count is flat. What the first pool of a process opens for good its contract "
         "names.",
         Level::kMust, "S6 S7", no_descriptor_left, Needs::kBirthsAndDeaths},
    Rule{"R2", "NoSharedMemoryLeft",
         "After main's exit nothing of it is left in /dev/shm, System V IPC or POSIX message "
         "queues.",
         Level::kMust, "", no_shared_memory_left, Needs::kBirthsAndDeaths, kOfAnyPool},
    Rule{"R3", "NoFileLeft", "After main's exit nothing of it is left in the temporary folder.",
         Level::kMust, "", no_file_left, Needs::kBirthsAndDeaths, kOfAnyPool},
    Rule{"R4", "NoThreadLeft",
         "After a pool's end, main has the threads that it had before, at the latest after the "
         "grace.",
         Level::kMust, "S6 S7", no_thread_left, Needs::kBirthsAndDeaths},
    Rule{"P1", "NoDeadlock",
         "At no time is the whole tree blocked with nobody left to wake it, except where the "
         "scenario itself "
         "asked to wait for what never comes.",
         Level::kMust, "", no_deadlock, Needs::kClaims, kOfAnyPool},
    Rule{"P2", "NoLivelock",
         "The tree does not poll for ever, nor replace workers that die at once for ever, without "
         "progress while main waits for what should come by itself: 500 wake-ups, or 50 deaths, "
         "and nothing else.",
         Level::kMust, "W8", no_livelock, Needs::kBirthsAndDeaths, kOfAnyPool},
    Rule{
        "P3", "RecoverableFromAnywhere",
        "After any prefix and any single fault, each ending (close and join, terminate and join, a "
        "block's end, a drop, main's exit, main's death) still reaches a clean end: E1, W1, S4, "
        "S6, "
        "S7, P1 and P2 are kept in a case in which a fault has fired.",
        Level::kMust, "E1 W1 S4 S6 S7 P1 P2", recoverable_from_anywhere, Needs::kBirthsAndDeaths},
};

template <class Kind>
const Kind* first(const Trace& trace) {
  for (const auto& event : trace.events) {
    if (const auto* found = std::get_if<Kind>(&event.kind)) return found;
  }
  return nullptr;
}

bool adapter_failed(const Evidence& evidence) {
  const harness::Pid main = evidence.trace.main();
  if (evidence.scenario.ending.code == kAdapterFailed) return false;
  return std::any_of(evidence.trace.events.begin(), evidence.trace.events.end(),
                     [&](const auto& event) {
                       const auto* dead = std::get_if<harness::Dead>(&event.kind);
                       return dead != nullptr && dead->pid == main &&
                              dead->status == ExitStatus(Exited{kAdapterFailed});
                     });
}

/// Why no rule can be judged by this recording.
std::optional<std::string> why_void(const Evidence& evidence) {
  const Trace& trace = evidence.trace;
  if (trace.main() == 0) return "main was never born";
  if (const auto* lost = first<harness::Lost>(trace)) return "the record has a hole: " + lost->why;
  if (first<harness::Garbage>(trace) != nullptr)
    return "the claims file has a line that is no claim";
  if (adapter_failed(evidence)) return "the adapter itself failed (exit status 99)";
  return std::nullopt;
}

/// Why births and deaths are not known exactly.
std::optional<std::string> why_inexact(const Trace& trace) {
  if (!trace.exact)
    return fmt::format("births and deaths are not recorded exactly on rung {}", trace.rung);
  if (const auto* foreign = first<harness::Foreign>(trace)) {
    return fmt::format("process {} appeared without a birth", foreign->pid);
  }
  return std::nullopt;
}

/// A verdict that the recording cannot bear.
Verdict doubted(Verdict verdict, const std::string& why) {
  const bool sure =
      std::holds_alternative<Held>(verdict) || std::holds_alternative<Violated>(verdict);
  return sure ? Inconclusive{why} : verdict;
}

/// A callback of main's terminates the pool, and nobody knows when.
bool may_end_at_any_time(const harness::Scenario& scenario) {
  return std::any_of(scenario.steps.begin(), scenario.steps.end(), [](const harness::Step& step) {
    return step.callback == harness::Callback::kTerminates;
  });
}

Verdict judge_one(const Rule& rule, const Evidence& evidence) {
  if (may_end_at_any_time(evidence.scenario) && !rule.of_any_pool) return NotExercised{};
  Verdict verdict = rule.judge(evidence);
  if (const auto why = why_void(evidence)) return doubted(std::move(verdict), *why);
  const auto inexact = why_inexact(evidence.trace);
  if (inexact && rule.needs == Needs::kBirthsAndDeaths)
    return doubted(std::move(verdict), *inexact);
  // Who was not announced may also be who wakes a sleeper.
  const bool foreign = first<harness::Foreign>(evidence.trace) != nullptr;
  const bool violated = std::holds_alternative<Violated>(verdict);
  if (foreign && violated && first<harness::AtRest>(evidence.trace) != nullptr) {
    return doubted(std::move(verdict), *inexact);
  }
  return verdict;
}

/// What was on record when the violation showed: what comes later is no excuse for it.
Trace until(const Trace& trace, const Violated& violated) {
  Trace seen = trace;
  const auto& events = violated.events;
  if (events.empty()) return seen;  // what is left behind is told at the very end
  const auto last = *std::max_element(events.begin(), events.end());
  if (last < seen.events.size())
    seen.events.erase(seen.events.begin() + static_cast<std::ptrdiff_t>(last) + 1,
                      seen.events.end());
  return seen;
}

std::string known_link(const Rule& rule, const Evidence& evidence, const Violated& violated) {
  std::optional<Trace> seen;
  for (const auto& known : evidence.contract.known) {
    if (known.rule != rule.id) continue;
    if (!seen) seen = until(evidence.trace, violated);
    if (all_hold(known.condition, evidence.scenario, *seen)) return known.link;
  }
  return "";
}

}  // namespace

std::span<const Rule> rule_table() {
  return kRules;
}

/// As it is typed: "w1" too.
const Rule* rule_named(std::string_view id_or_name) {
  const auto lower = [](unsigned char c) { return std::tolower(c); };
  const auto is_same = [&](std::string_view name) {
    return std::equal(name.begin(), name.end(), id_or_name.begin(), id_or_name.end(),
                      [&](char one, char other) { return lower(one) == lower(other); });
  };
  const auto found = std::find_if(kRules.begin(), kRules.end(), [&](const Rule& rule) {
    return is_same(rule.id) || is_same(rule.name);
  });
  return found == kRules.end() ? nullptr : &*found;
}

std::vector<const Rule*> causes(const Rule& rule) {
  std::vector<const Rule*> found;
  for (std::size_t at = 0; at < rule.implied_by.size();) {
    const auto end = std::min(rule.implied_by.find(' ', at), rule.implied_by.size());
    found.push_back(rule_named(rule.implied_by.substr(at, end - at)));
    at = end + 1;
  }
  return found;
}

bool is_implied_by(const Rule& rule, const Rule& cause) {
  const auto all = causes(rule);
  return std::find(all.begin(), all.end(), &cause) != all.end();
}

std::vector<Judgement> judge(const Evidence& evidence, bool use_known) {
  std::vector<Judgement> judgements;
  judgements.reserve(kRules.size());
  for (const Rule& rule : kRules) {
    judgements.push_back({&rule, judge_one(rule, evidence)});
    auto* violated = std::get_if<Violated>(&judgements.back().verdict);
    if (violated != nullptr && use_known)
      violated->known_link = known_link(rule, evidence, *violated);
  }
  return judgements;
}

}  // namespace poolproof::properties
