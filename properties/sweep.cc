#include "properties/sweep.h"

#include <fmt/format.h>

#include <algorithm>
#include <csignal>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "properties/rules/reading.h"
#include "properties/shrink.h"
#include "properties/shrinking.h"
#include "properties/text.h"
#include "properties/wait_graph.h"

namespace poolproof::properties {
namespace {

using harness::Fault;
using harness::Scenario;
using harness::Step;
using harness::StepKind;
using std::chrono::milliseconds;

constexpr int kQuietRuns = 3;
constexpr int kMostPoints = 100'000;
constexpr int kProbes = 5;
/// For all the groups of a pool; those it does not reach stay as they were found.
constexpr std::chrono::seconds kShrinkTime{15};

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

/// The fault came upon the kit itself: that says nothing about the pool.
void count_unclear(SweepRow& row, const std::string& why) {
  ++row.points;
  ++row.outcomes[static_cast<std::size_t>(PointOutcome::kUnclear)];
  if (row.reason.empty()) row.reason = why;
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

void Sweep::run(const Pool& pool, SweepResult& result) {
  for (const auto& scenario : scenarios_for(pool)) {
    for (const auto& who : processes(pool, scenario, result)) {
      if (desk_.stopped() || Clock::now() >= options_.deadline) return;
      sweep(pool, scenario, who, result);
    }
  }
  shrink(pool, result);
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
    desk_.submit(pool, probe);
    const auto ran = desk_.next(Clock::time_point::max());
    if (!ran) return {};
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
  std::map<std::uint64_t, int> sent;
  std::map<int, bool> quiet;  // by point: whether the fault did not fire
  int next = 1;
  bool over = false;
  const auto send = [&] {
    Scenario with_fault = scenario;
    with_fault.fault = options_.fault;
    with_fault.fault->who = who;
    with_fault.fault->nth = next;
    sent[desk_.submit(pool, with_fault)] = next++;
  };
  while (!over || !sent.empty()) {
    while (!over && next <= kMostPoints && std::cmp_less(sent.size(), 2 * desk_.jobs())) send();
    auto ran = desk_.next(options_.deadline);
    if (!ran) break;
    const int nth = sent.at(ran->id);
    sent.erase(ran->id);
    quiet[nth] = !take(row, nth, std::move(*ran), result);
    int in_a_row = 0;
    for (const auto& [point, was_quiet] : quiet) {
      in_a_row = was_quiet ? in_a_row + 1 : 0;
      if (in_a_row == kQuietRuns) row.complete = over = true;
    }
    if (!result.troubles.empty()) break;
    on_point_(row, nth);
  }
  desk_.forget_all();
  row.took = std::chrono::duration_cast<milliseconds>(Clock::now() - start);
}

/// True when the fault fired.
bool Sweep::take(SweepRow& row, int nth, Ran&& ran, SweepResult& result) {
  if (!ran.trace) {
    result.troubles.push_back(ran.trace.error().message());
    return true;
  }
  const auto* met = fired(*ran.trace);
  if (auto failure = adapter_failure(*row.pool, ran.scenario, *ran.trace)) {
    if (met == nullptr) result.troubles.push_back(*failure);
    if (met != nullptr) count_unclear(row, *failure);
    return true;
  }
  if (met == nullptr) return ran.trace->end == harness::End::kFuse;
  const auto fault = harness::fault_from_string(met->token);
  if (fault) count(row, nth, ran, *fault, result);
  return true;
}

void Sweep::count(SweepRow& row, int nth, const Ran& ran, const Fault& fault, SweepResult& result) {
  ++row.points;
  const auto judged = judge_case(*row.pool, ran.scenario, *ran.trace, {}, options_.use_known);
  auto outcome = PointOutcome::kKept;
  if (judged.in_doubt()) {
    outcome = PointOutcome::kUnclear;
    if (row.reason.empty()) row.reason = doubt(judged);
  }
  for (const auto& violation : judged.violations) {
    if (violation.cause != nullptr) continue;
    if (outcome != PointOutcome::kViolated) {
      outcome = violation.known_link.empty() ? PointOutcome::kViolated : PointOutcome::kKnown;
    }
    group(row, nth, ran, fault, violation, result);
  }
  ++row.outcomes[static_cast<std::size_t>(outcome)];
}

void Sweep::group(const SweepRow& row, int nth, const Ran& ran, const Fault& fault,
                  const Violation& violation, SweepResult& result) {
  const std::string call = call_of(fault);
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
  first.original.scenario.fault = fault;  // by its call's name, which keeps its meaning
  first.original_trace = first.trace = *ran.trace;
  first.simplest = first.original;
  first.evidence = violation.evidence;
}

/// One representative for each group.
void Sweep::shrink(const Pool& pool, SweepResult& result) {
  const auto end = Clock::now() + kShrinkTime;
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
        [&](const Scenario& scenario) { return simpler(scenario, pool.abilities, pool.contract); },
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
    first.failed = shrunk.failed;
    first.repeated = shrunk.repeated;
    desk_.forget_all();
  }
}

namespace {

std::string row_text(const SweepRow& row) {
  return fmt::format("  {:<43} {:>6} {:>5} {:>4} {:>4} {:>4} {:>6.1f}{}\n",
                     clipped(fmt::format("{}: {}", row.who, row.scenario), 43), row.points,
                     row.outcomes[0], row.outcomes[1], row.outcomes[2], row.outcomes[3],
                     static_cast<double>(row.took.count()) / 1000.0,
                     row.complete ? "" : "  cut short");
}

std::string group_text(const SweepGroup& group, const Console& console) {
  std::string text = fmt::format("\n{} {} {} at {}: {}, first {}\n",
                                 group.known_link.empty() ? console.bad("F") : "x", group.rule->id,
                                 group.rule->name, group.call, counted(group.points, "point"),
                                 to_string(*group.first.original.scenario.fault));
  text += wrapped(group.first.evidence, 2);
  if (!group.first.folder.empty()) text += fmt::format("  {}/\n", group.first.folder);
  return text;
}

nlohmann::json row_as_json(const SweepRow& row) {
  return {{"type", "sweep"},
          {"pool", row.pool->name.text()},
          {"scenario", row.scenario},
          {"who", row.who},
          {"points", row.points},
          {"kept", row.outcomes[0]},
          {"violated", row.outcomes[1]},
          {"known", row.outcomes[2]},
          {"inconclusive", row.outcomes[3]},
          {"complete", row.complete},
          {"ms", row.took.count()}};
}

nlohmann::json group_as_json(const SweepGroup& group) {
  return {{"type", "sweep-group"},
          {"pool", group.pool->name.text()},
          {"rule", group.rule->id},
          {"call", group.call},
          {"points", group.points},
          {"known", group.known_link},
          {"first", to_string(*group.first.original.scenario.fault)},
          {"case", group.first.folder}};
}

}  // namespace

std::string sweep_table(const SweepResult& result, const Console& console) {
  std::string text = fmt::format("{:<45} {:>6} {:>5} {:>4} {:>4} {:>4} {:>6}\n", "", "points",
                                 "kept", "F", "x", "?", "s");
  const Pool* pool = nullptr;
  for (const auto& row : result.rows) {
    if (row.pool != pool) text += row.pool->label() + "\n";
    pool = row.pool;
    text += row_text(row);
  }
  text += "F violated  x known  ? unclear\n";
  for (const auto& group : result.groups) text += group_text(group, console);
  for (const auto& row : result.rows) {
    if (row.reason.empty()) continue;
    text += fmt::format("\n? {}: {}\n", row.who, row.scenario) + wrapped(row.reason, 2);
  }
  return text;
}

std::string sweep_as_json_lines(const SweepResult& result) {
  std::string text;
  for (const auto& row : result.rows) text += row_as_json(row).dump() + "\n";
  for (const auto& group : result.groups) text += group_as_json(group).dump() + "\n";
  return text;
}

bool has_violation(const SweepResult& result) {
  return std::any_of(result.rows.begin(), result.rows.end(), [](const SweepRow& row) {
    return row.outcomes[static_cast<std::size_t>(PointOutcome::kViolated)] > 0;
  });
}

}  // namespace poolproof::properties
