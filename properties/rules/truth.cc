#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "properties/rules/outcome.h"
#include "properties/rules/reading.h"
#include "properties/rules/rules.h"
#include "properties/rules/verdicts.h"

// T3: is what a get was told what the task's body came to?
namespace poolproof::properties {
namespace {

using harness::BodyKind;
using harness::StepKind;
using Kind = Reading::Kind;

/// What went on around a get, which decides what its outcome may be.
struct Around {
  int step = 0;
  int task = 0;
  const harness::Step& handed_over;
  const harness::Body& body;
  const harness::StepResult& result;
  bool ended_by_main = false;  // terminate or drop came first
  bool cancelled = false;      // main has taken the task back, as far as it was told
  bool timed = false;
  bool next = false;          // of an imap
  bool any_death = false;     // of any process but main
  bool death_asked = false;   // the scenario may have ended a worker
  bool death_unsure = false;  // the machine or a fault may have, or deaths are not known exactly
  bool calls_failed = false;  // by the case's fault
  bool stillborn = false;     // no worker ever gets as far as a task
  bool unbegun = false;       // no worker has come to it, or not to each of its items
  bool only_births_fail = false;    // of all calls
  bool input_is_hushed_up = false;  // it raised, and no earlier next has said so
  bool lives_on = false;            // the task ran once, in a worker that was still alive
  bool body_raised = false;         // whatever it should have come to
};

bool ends_the_pool(const Reading& reading, int step) {
  const StepKind kind = reading.step(step).kind;
  return reading.run(step).begun && (kind == StepKind::kTerminate || kind == StepKind::kDrop);
}

/// Whether the step may have ended a worker: a kill, a body that does, the pool's end.
bool may_end_a_worker(const Reading& reading, int step) {
  const auto& asked = reading.step(step);
  const auto& run = reading.run(step);
  if (!run.begun) return false;
  switch (asked.kind) {
    case StepKind::kKill:
      return !run.is(Kind::kNotFired);
    case StepKind::kSubmit:
    case StepKind::kMap:
      return entry(asked.body.kind).kills_worker && !run.is(Kind::kRefused);
    default:
      return ends_the_pool(reading, step);
  }
}

/// Whether a worker may be on its way out that no fact shows yet: the language's exit closes what
/// the pool listens to before the process makes its exit's stop.
bool is_any_leaving(const Reading& reading, const Reading::Moment& moment) {
  const auto& accepted = reading.accepted();
  return std::any_of(accepted.begin(), accepted.end(), [&](const auto& task) {
    const auto& runs = reading.runs(task.first);
    return reading.body(task.first).kind == BodyKind::kExit &&
           std::any_of(runs.begin(), runs.end(), [&](const Reading::Run& run) {
             return run.begun < moment && !(run.ended && *run.ended < moment);
           });
  });
}

/// Whether somebody complained that the machine has no more memory or processes to give: whom that
/// hits dies in the way of its language, by exit status 1 or by abort.
bool ran_short(const harness::Trace& trace) {
  constexpr std::array<std::string_view, 6> kComplaints{
      "MemoryError",     "bad_alloc",
      "out of memory",   "Cannot allocate memory",
      "can't start new", "Resource temporarily unavailable"};
  return std::any_of(kComplaints.begin(), kComplaints.end(), [&](std::string_view complaint) {
    return trace.err.text.find(complaint) != std::string::npos;
  });
}

/// Whether one of those who died may have been the machine's victim.
bool is_death_unsure(const Reading& reading, const Reading::Moment& moment) {
  const auto deaths = reading.deaths_before(moment);
  const bool killed = std::any_of(deaths.begin(), deaths.end(), [](const auto* dead) {
    return !dead->status || may_be_the_machines(*dead->status);
  });
  return killed || !reading.trace().exact || ran_short(reading.trace());
}

Around around(const Reading& reading, int step, int task) {
  const auto& ended = *reading.run(step).ended;
  const auto& runs = reading.runs(task);
  Around result{.step = step,
                .task = task,
                .handed_over = reading.handed_over(task),
                .body = reading.body(task),
                .result = *reading.run(step).result};
  result.next = reading.step(step).kind == StepKind::kNext;
  result.timed = reading.step(step).timeout.has_value();
  result.any_death = reading.any_death_before(ended) || is_any_leaving(reading, ended);
  result.death_unsure = is_death_unsure(reading, ended) || reading.harmed_before(ended);
  result.calls_failed = reading.calls_failed_before(ended);
  result.stillborn = reading.stillborn();
  result.cancelled = reading.cancelled_before(task, ended).has_value();
  result.unbegun =
      std::cmp_less(runs.size(), reading.is_map(task) ? items_of(result.handed_over) : 1);
  result.only_births_fail =
      reading.hit() && reading.hit()->fault.action == harness::Fault::Action::kLimitProcesses;
  const auto& raises_at = result.handed_over.raises_at;
  result.input_is_hushed_up = raises_at && *raises_at <= result.handed_over.items;
  for (const int earlier : reading.gets(task)) {
    const auto& told = reading.run(earlier).result;
    if (earlier < step && told != nullptr && told->kind == Kind::kTaskError)
      result.input_is_hushed_up = false;
  }
  for (int earlier = 1; earlier < step; ++earlier) {
    result.ended_by_main = result.ended_by_main || ends_the_pool(reading, earlier);
    result.death_asked = result.death_asked || may_end_a_worker(reading, earlier);
  }
  result.body_raised = std::any_of(runs.begin(), runs.end(),
                                   [](const Reading::Run& run) { return run.how == "raised"; });
  if (reading.trace().exact && runs.size() == 1 && !reading.is_map(task)) {
    const auto* worker = reading.worker_of(runs.front());
    result.lives_on = worker != nullptr && worker->born && !worker->gone_before(ended);
  }
  return result;
}

enum class Truth { kTrue, kFalse, kUnknown };

/// Each of them is one of the items': how many there are, and in which order, is T4's affair.
Truth truth_of_items(const Around& get) {
  const auto values = item_values(get.handed_over);
  const auto told = values_in(get.result.value);
  const bool all = std::all_of(told.begin(), told.end(), [&](const std::string& value) {
    return std::find(values.begin(), values.end(), value) != values.end();
  });
  return all ? Truth::kTrue : Truth::kFalse;
}

Truth truth_of_value(const Around& get) {
  if (get.handed_over.kind == StepKind::kMap) return truth_of_items(get);
  const auto value = value_of(get.task, get.body);
  return value && get.result.value == *value ? Truth::kTrue : Truth::kFalse;
}

Truth truth_of_task_error(const Around& get) {
  if (tells_input(get.result.message, get.handed_over)) return Truth::kTrue;
  switch (entry(get.body.kind).comes) {
    case harness::Comes::kToAnError:
      return Truth::kTrue;
    case harness::Comes::kToItsMessage:
      if (tells_task(get.result.message, get.task)) return Truth::kTrue;
      // Main lacked what it takes to read the error: no task's is told, but that.
      if (get.calls_failed && !tells_any_task(get.result.message)) return Truth::kUnknown;
      return Truth::kFalse;
    case harness::Comes::kToItsValue:
      break;
  }
  // A language's exit is an error to some pools; what a dying worker leaves behind may look like
  // one; and where the body could not do what it should, its error is what it came to.
  const bool disturbed = get.any_death || get.ended_by_main || get.calls_failed;
  if (entry(get.body.kind).kills_worker || disturbed || get.body_raised) return Truth::kUnknown;
  return Truth::kFalse;
}

/// A worker's death must be seen, and have a cause outside the pool: that the pool's own workers
/// crash is no outcome of the body either.
Truth truth_of_worker_died(const Around& get, const Contract& contract) {
  using WorkerDeath = Contract::WorkerDeath;
  // Where calls fail, no worker may have come to life for it, or the pool may not hear its workers
  // any more, which to some is the same as their death.
  const bool as_if_dead = get.calls_failed && (get.unbegun || !get.only_births_fail);
  if (!get.any_death) return as_if_dead ? Truth::kUnknown : Truth::kFalse;
  if (!get.death_asked) return get.death_unsure ? Truth::kUnknown : Truth::kFalse;
  const bool alone = contract.worker_death == WorkerDeath::kReported;
  const bool leaving = get.body.kind == BodyKind::kExit;
  if (alone && get.lives_on && !leaving && !get.ended_by_main) return Truth::kFalse;
  const bool tried_again =
      contract.worker_death == WorkerDeath::kRetried && !entry(get.body.kind).kills_worker;
  return get.lives_on || tried_again ? Truth::kUnknown : Truth::kTrue;  // T6 judges the latter
}

Truth truth(const Around& get, const Contract& contract) {
  const bool undisturbed = !get.any_death && !get.ended_by_main && !get.calls_failed;
  if (get.stillborn && get.result.kind != Kind::kOk) return Truth::kUnknown;  // W8 has its say
  switch (get.result.kind) {
    case Kind::kOk:
      // All at once: there is no later call that could tell of the input's error.
      if (!get.next && get.input_is_hushed_up && undisturbed) return Truth::kFalse;
      return truth_of_value(get);
    case Kind::kTaskError:
      return truth_of_task_error(get);
    case Kind::kWorkerDied:
      return truth_of_worker_died(get, contract);
    case Kind::kCancelled:
      if (get.ended_by_main || get.cancelled) return Truth::kTrue;
      return undisturbed ? Truth::kFalse : Truth::kUnknown;
    case Kind::kTimeout:
      if (get.timed) return Truth::kUnknown;
      return undisturbed ? Truth::kFalse : Truth::kUnknown;
    case Kind::kExhausted:
      if (get.input_is_hushed_up && undisturbed) return Truth::kFalse;
      if (get.next) return Truth::kUnknown;  // T4 counts
      [[fallthrough]];
    case Kind::kRefused:
    case Kind::kNotFired:
    case Kind::kError:
      return undisturbed ? Truth::kFalse : Truth::kUnknown;
  }
  return Truth::kUnknown;
}

/// "bytes:3:..., not bytes:4:...", "a task error \"...\""
std::string told(const Around& get) {
  const auto& result = get.result;
  if (result.kind == Kind::kOk) return fmt::format("the value {}", result.value.substr(0, 60));
  std::string text(name(result.kind));
  if (!result.error.empty()) text += " " + result.error.substr(0, 60);
  if (!result.message.empty()) text += fmt::format(" \"{}\"", result.message.substr(0, 100));
  return text;
}

void judge_truth(const Reading& reading, int step, int task, Verdicts& verdicts) {
  if (!reading.run(step).ended) return;
  const Around get = around(reading, step, task);
  const Truth truth = properties::truth(get, reading.contract());
  if (truth == Truth::kTrue) verdicts.held();
  if (truth != Truth::kFalse) return;
  const auto value = reading.is_map(task) ? std::nullopt : value_of(task, get.body);
  std::vector<std::size_t> events;
  for (const auto& run : reading.runs(task)) events.push_back(run.begun.event);
  events.push_back(reading.run(step).ended->event);
  const bool is_the_end =
      get.result.kind == Kind::kExhausted || (get.result.kind == Kind::kOk && !get.next);
  verdicts.violated(
      fmt::format(
          "{} of task {} ({}) gives {}{}{}", reading.name(step), task, entry(get.body.kind).name,
          told(get), value ? ", not " + *value : "",
          is_the_end && get.input_is_hushed_up
              ? fmt::format(", though its input raises at item {}", *get.handed_over.raises_at)
              : ""),
      std::move(events));
}

}  // namespace

Verdict outcome_is_true(const Evidence& evidence) {
  const Reading reading(evidence);
  Verdicts verdicts;
  for (const auto& [task, submitted] : reading.accepted()) {
    for (const int step : reading.gets(task)) judge_truth(reading, step, task, verdicts);
  }
  return verdicts.verdict();
}

}  // namespace poolproof::properties
