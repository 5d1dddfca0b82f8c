#include "properties/sweep.h"

#include <fmt/format.h>

#include <algorithm>
#include <csignal>
#include <optional>
#include <utility>

#include "properties/rules/reading.h"
#include "properties/shrink.h"
#include "properties/shrinking.h"
#include "properties/sweep_points.h"
#include "properties/text.h"
#include "properties/wait_graph.h"

namespace poolproof::properties {
namespace {

using harness::Fault;
using harness::Scenario;
using harness::Step;
using harness::StepKind;
using std::chrono::milliseconds;

constexpr int kMostPoints = 100'000;
constexpr int kProbes = 5;
/// For all the groups of a pool, but not so long after the run's end; those that it does not reach
/// stay as they were found.
constexpr std::chrono::seconds kShrinkTime{15};
constexpr std::chrono::seconds kShrinkLate{5};

bool can(const Pool& pool, const Scenario& scenario) {
  return std::all_of(scenario.steps.begin(), scenario.steps.end(), [&](const Step& step) {
    const auto& steps = pool.abilities.steps;
    return std::find(steps.begin(), steps.end(), step.kind) != steps.end();
  });
}

std::vector<Scenario> scenarios_for(const Pool& pool) {
  const Step create{.kind = StepKind::kCreate, .workers = 2};
  const auto submit = [](int task) { return Step{.kind = StepKind::kSubmit, .task = task}; };
  std::vector<std::vector<Step>> lists{
      {create, submit(1), Step{.kind = StepKind::kGet, .task = 1}, Step{.kind = StepKind::kClose},
       Step{.kind = StepKind::kJoin}},
      {create, submit(1), submit(2), submit(3), Step{.kind = StepKind::kTerminate},
       Step{.kind = StepKind::kJoin}},
      {create}};
  std::vector<Scenario> fitting;
  for (auto& steps : lists) {
    Scenario scenario{pool.start_method, std::move(steps), {}, {}};
    if (can(pool, scenario)) fitting.push_back(std::move(scenario));
  }
  return fitting;
}

std::string in_words(const Scenario& scenario) {
  std::string text;
  std::string last;
  for (const Step& step : scenario.steps) {
    const std::string name(entry(step.kind).name);
    if (name != last) text += (text.empty() ? "" : ", ") + name;
    last = name;
  }
  return text + ", " + std::string(entry(scenario.ending.kind).name);
}

const harness::FaultFired* fired(const harness::Trace& trace) {
  for (const auto& event : trace.events) {
    if (const auto* found = std::get_if<harness::FaultFired>(&event.kind)) return found;
  }
  return nullptr;
}

/// Each process's name by birth, as faults have it. Numbers are not used twice in so short a life.
std::map<harness::Pid, std::string> names_by_birth(const harness::Trace& trace) {
  std::map<harness::Pid, std::string> names;
  std::map<harness::Pid, int> children;
  for (const auto& event : trace.events) {
    const auto* born = std::get_if<harness::Born>(&event.kind);
    if (born == nullptr) continue;
    names[born->pid] = born->parent == 0
                           ? "main"
                           : fmt::format("{}.{}", names[born->parent], ++children[born->parent]);
  }
  return names;
}

std::string call_of(const Fault& fault) {
  return fault.target.empty() ? fault.call : fault.call + "(" + fault.target + ")";
}

/// Why no rule can be judged that matters: the first that is unclear.
std::string doubt(const Judged& judged) {
  for (const auto& judgement : judged.judgements) {
    if (const auto* unclear = std::get_if<Inconclusive>(&judgement.verdict))
      return fmt::format("{}: {}", judgement.rule->id, unclear->why);
  }
  return "";
}

void count_point(SweepRow& row, PointOutcome outcome, const std::string& why_unclear = "") {
  ++row.points;
  ++row.outcomes[static_cast<std::size_t>(outcome)];
  if (row.reason.empty()) row.reason = why_unclear;
}

}  // namespace

sys::Result<Fault> sweep_fault(const std::string& action) {
  const std::string plain = action == "kill" ? "SIGKILL" : action == "stop" ? "stop:50" : action;
  auto fault = harness::fault_from_string("main:*:1=" + plain);
  // One error at every call would be put where it cannot happen, and blame who trusts the kernel.
  if (!fault || fault->action == Fault::Action::kErrno) {
    return sys::Error(fmt::format(
        "--sweep takes kill, stop, errno, a signal such as SIGTERM, delay:MS or a limit "
        "such as limit:files, not '{}'",
        printable(action)));
  }
  return fault;
}

std::string sweep_in_words(const Fault& fault) {
  switch (fault.action) {
    case Fault::Action::kTypicalError:
      return "the error that suits it";
    case Fault::Action::kStop:
      return fmt::format("SIGSTOP, {} ms later SIGCONT,", fault.pause.count());
    default:
      return action_text(fault);
  }
}

std::string_view name(SweepRole role) {
  constexpr std::array<std::string_view, 3> kNames{"main", "worker", "helper"};
  return kNames[static_cast<std::size_t>(role)];
}

bool Sweep::over(const SweepResult& result) const {
  return desk_.stopped() || Clock::now() >= options_.deadline || !result.troubles.empty();
}

void Sweep::run(const Pool& pool, SweepResult& result) {
  for (const auto& scenario : scenarios_for(pool)) sweep_all(pool, scenario, result);
  if (result.troubles.empty()) shrink(pool, result);
}

/// A row for each process of the role; one that says so where there is none, or no time to look.
void Sweep::sweep_all(const Pool& pool, const Scenario& scenario, SweepResult& result) {
  const auto found = over(result) ? std::vector<std::string>() : processes(pool, scenario, result);
  if (found.empty()) {
    result.rows.push_back({.pool = &pool,
                           .scenario = in_words(scenario),
                           .who = std::string(name(options_.role)),
                           .extent = over(result) ? SweepExtent::kCutShort : SweepExtent::kNobody});
  }
  for (const auto& who : found) sweep(pool, scenario, who, result);
}

/// The processes of the role, in a run without a fault: all helpers, and one worker for all, since
/// they are alike. Such a run also tells who is a worker: where the pool can list them it does.
std::vector<std::string> Sweep::processes(const Pool& pool, const Scenario& scenario,
                                          SweepResult& result) {
  if (options_.role == SweepRole::kMain) return {"main"};
  Scenario probe = scenario;
  const auto& known = pool.abilities.steps;
  if (std::find(known.begin(), known.end(), StepKind::kWorkers) != known.end())
    probe.steps.insert(probe.steps.begin() + 1, Step{.kind = StepKind::kWorkers});
  const auto wanted =
      options_.role == SweepRole::kWorker ? Reading::Role::kWorker : Reading::Role::kHelper;
  for (int i = 0; i < kProbes; ++i) {
    const auto id = desk_.submit(pool, probe);
    const auto ran = desk_.next(options_.deadline);
    if (!ran) {
      desk_.forget(id);
      return {};
    }
    if (!ran->trace) {
      result.troubles.push_back(ran->trace.error().message());
      return {};
    }
    const auto names = names_by_birth(*ran->trace);
    const Reading reading(
        {probe, *ran->trace, pool.contract, pool.abilities.language, pool.abilities.runtime});
    std::vector<std::string> found;
    for (const auto& process : reading.processes()) {
      if (process.role == wanted && names.contains(process.pid))
        found.push_back(names.at(process.pid));
    }
    if (found.empty()) continue;
    if (options_.role == SweepRole::kWorker) found.resize(1);
    return found;
  }
  return {};
}

void Sweep::sweep(const Pool& pool, const Scenario& scenario, const std::string& who,
                  SweepResult& result) {
  SweepRow& row = result.rows.emplace_back();
  row.pool = &pool;
  row.scenario = in_words(scenario);
  row.who = who;
  const auto start = Clock::now();
  SweepPoints points;
  while (!over(result) && (!points.end() || points.any_sent())) {
    while (!points.end() && points.next() <= kMostPoints &&
           std::cmp_less(points.sent(), 2 * desk_.jobs())) {
      Scenario with_fault = scenario;
      with_fault.fault = options_.fault;
      with_fault.fault->who = who;
      with_fault.fault->nth = points.next();
      points.send(desk_.submit(pool, with_fault));
    }
    const auto ran = desk_.next(options_.deadline);
    if (!ran) break;
    const int nth = points.take(ran->id);
    points.note(nth, take(row, nth, *ran, result));
    on_point_(row, nth);
  }
  if (points.complete() && result.troubles.empty()) row.extent = SweepExtent::kComplete;
  desk_.forget_all();
  row.took = std::chrono::duration_cast<milliseconds>(Clock::now() - start);
}

/// True when the fault fired.
bool Sweep::take(SweepRow& row, int nth, const Ran& ran, SweepResult& result) {
  if (!ran.trace) {
    result.troubles.push_back(ran.trace.error().message());
    return true;
  }
  const auto* met = fired(*ran.trace);
  if (auto failure = adapter_failure(*row.pool, ran.scenario, *ran.trace)) {
    // Where the fault came upon the kit itself, that says nothing about the pool.
    if (met == nullptr) result.troubles.push_back(*failure);
    if (met != nullptr) count_point(row, PointOutcome::kUnclear, *failure);
    return true;
  }
  if (met == nullptr) {
    count(row, nth, ran, nullptr, result);
    return ran.trace->end == harness::End::kFuse;  // it may have been still to come
  }
  const auto fault = harness::fault_from_string(met->token);
  if (fault) {
    count(row, nth, ran, &*fault, result);
  } else {
    count_point(row, PointOutcome::kUnclear, fault.error().message());
  }
  return true;
}

/// A run in which the fault did not fire (null) is a point only if something is to be told of it.
void Sweep::count(SweepRow& row, int nth, const Ran& ran, const Fault* fault, SweepResult& result) {
  const auto judged = judge_case(*row.pool, ran.scenario, *ran.trace, {}, options_.use_known);
  auto outcome = judged.in_doubt() ? PointOutcome::kUnclear : PointOutcome::kKept;
  for (const auto& violation : judged.violations) {
    if (violation.cause != nullptr) continue;
    if (fault == nullptr && !violation.known_link.empty()) continue;
    if (outcome != PointOutcome::kViolated) {
      outcome = violation.known_link.empty() ? PointOutcome::kViolated : PointOutcome::kKnown;
    }
    group(row, nth, ran, fault, violation, result);
  }
  if (fault == nullptr && outcome == PointOutcome::kKept) return;
  count_point(row, outcome, doubt(judged));
}

void Sweep::group(const SweepRow& row, int nth, const Ran& ran, const Fault* fault,
                  const Violation& violation, SweepResult& result) {
  const std::string call = fault != nullptr ? call_of(*fault) : "";
  const std::string waits = wait_signature(*ran.trace);
  auto group =
      std::find_if(result.groups.begin(), result.groups.end(), [&](const SweepGroup& other) {
        return other.pool == row.pool && other.rule == violation.rule &&
               other.known_link == violation.known_link && other.call == call &&
               wait_signature(other.first.trace) == waits;
      });
  const int row_number = static_cast<int>(result.rows.size());
  if (group == result.groups.end()) {
    result.groups.push_back(
        {row.pool, violation.rule, call, violation.known_link, 0, {}, row_number});
    group = result.groups.end() - 1;
    group->first.case_number = INT32_MAX;
  }
  ++group->points;
  if (row_number != group->row || nth >= group->first.case_number) return;
  Finding& first = group->first;
  first.pool = row.pool;
  first.rule = violation.rule;
  first.known_link = violation.known_link;
  first.case_number = nth;
  first.original = {row.pool->name.text(), ran.scenario, desk_.settings(*row.pool), options_.seed};
  // By its call's name, which keeps its meaning.
  first.original.scenario.fault = fault != nullptr ? std::optional(*fault) : std::nullopt;
  first.original_trace = first.trace = *ran.trace;
  first.simplest = first.original;
  first.evidence = violation.evidence;
}

/// One representative for each group.
void Sweep::shrink(const Pool& pool, SweepResult& result) {
  auto end = Clock::now() + kShrinkTime;
  if (options_.deadline != Clock::time_point::max())
    end = std::min(end, options_.deadline + kShrinkLate);
  for (auto& group : result.groups) {
    if (group.pool != &pool) continue;
    if (desk_.stopped() || Clock::now() >= end) return;
    Finding& first = group.first;
    ShrinkOptions options;
    options.runs = 40;
    options.repeats = 5;
    options.deadline = end;
    Shrinker shrinker(
        desk_, {.pool = &pool, .rule = group.rule, .known_link = group.known_link},
        {.simpler =
             [&](const Scenario& scenario) {
               return simpler_by_pass(scenario, pool.abilities, pool.contract);
             },
         .surer = {}},
        [&](const Scenario& scenario, const harness::Trace& trace) {
          return judge_case(pool, scenario, trace, {}, options_.use_known);
        },
        options);
    auto shrunk = shrinker.shrink({first.simplest.scenario,
                                   first.trace,
                                   {group.rule, first.evidence, group.known_link, nullptr}});
    first.simplest.scenario = shrunk.best.scenario;
    first.trace = std::move(shrunk.best.trace);
    first.evidence = shrunk.best.violation.evidence;
    first.runs = shrunk.runs;
    first.failed = shrunk.rate.failed;
    first.repeated = shrunk.rate.made;
    desk_.forget_all();
  }
}

bool has_violation(const SweepResult& result) {
  return std::any_of(result.rows.begin(), result.rows.end(), [](const SweepRow& row) {
    return row.outcomes[static_cast<std::size_t>(PointOutcome::kViolated)] > 0;
  });
}

bool is_incomplete(const SweepRow& row) {
  if (row.extent == SweepExtent::kNobody) return false;
  return row.extent == SweepExtent::kCutShort || row.points == 0;
}

}  // namespace poolproof::properties
