#include "properties/check_sweep.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "properties/console.h"
#include "properties/desk.h"
#include "properties/sweep.h"
#include "properties/sweep_report.h"

namespace poolproof::properties {
namespace {

using std::chrono::milliseconds;

SweepOptions sweep_options(const CheckCommand& command, const harness::Fault& fault) {
  SweepOptions options;
  options.fault = fault;
  if (command.role == "worker") options.role = SweepRole::kWorker;
  if (command.role == "helper") options.role = SweepRole::kHelper;
  options.use_known = !command.no_known;
  if (command.seconds) {
    options.deadline = Clock::now() + milliseconds(std::llround(*command.seconds * 1000.0));
  }
  options.case_options = CaseOptions::of_environment();
  return options;
}

int sweep_exit_code(const SweepResult& result, const CheckCommand& command) {
  for (const auto& line : result.troubles) failed_with(kExitHarness, line);
  if (result.interrupted) return kExitInterrupted;
  if (has_violation(result)) return kExitViolated;
  if (!result.troubles.empty()) return kExitHarness;
  const auto& rows = result.rows;
  const bool none_met =
      std::all_of(rows.begin(), rows.end(), [](const SweepRow& row) { return row.points == 0; });
  const bool no_calls = std::any_of(rows.begin(), rows.end(), [](const SweepRow& row) {
    return row.extent == SweepExtent::kComplete && row.points == 0;
  });
  if (none_met || no_calls) {
    return failed_with(kExitHarness,
                       "the sweep met no system call of such a process in some scenario");
  }
  const bool unclear = std::any_of(rows.begin(), rows.end(), [](const SweepRow& row) {
    return is_incomplete(row) || row.outcomes[static_cast<std::size_t>(PointOutcome::kUnclear)] > 0;
  });
  return command.strict && unclear ? kExitViolated : kExitKept;
}

}  // namespace

int run_sweep(const CheckCommand& command, const harness::Fault& fault,
              const std::vector<Pool>& pools, harness::Runner& runner, const Results& results) {
  const auto options = sweep_options(command, fault);
  auto console = Console::of_this_process();
  if (!command.json) {
    console.print(fmt::format("{} gets {} at each of its system calls\n{}\n", name(options.role),
                              sweep_in_words(fault), runner.containment().name));
  }
  const auto stopped = finish_on_interrupt();
  Desk desk(runner, options.case_options, stopped);
  Sweep sweep(desk, options, [&](const SweepRow& row, int nth) {
    console.progress(fmt::format("{} {}: call {}", row.pool->label(), row.who, nth));
  });
  SweepResult result;
  for (const auto& pool : pools) sweep.run(pool, result);
  result.interrupted = stopped();
  int number = 0;
  for (auto& group : result.groups) {
    group.first.folder = fmt::format("{}-{}", group.rule->id, ++number);
    if (auto saved = results.save(group.first); !saved)
      result.troubles.push_back(saved.error().message());
  }
  const auto lines = sweep_as_json_lines(result);
  if (auto saved = results.save_verdicts(lines); !saved)
    result.troubles.push_back(saved.error().message());
  console.print(command.json ? lines
                             : sweep_table(result, console) +
                                   fmt::format("results in {}/\n", results.name()));
  return sweep_exit_code(result, command);
}

}  // namespace poolproof::properties
