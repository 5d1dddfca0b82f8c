#include "properties/selftest_command.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "properties/campaign.h"
#include "properties/command.h"
#include "properties/console.h"
#include "properties/generated.h"
#include "properties/generated_report.h"
#include "properties/mutants.h"
#include "properties/selftest.h"
#include "properties/selftest_report.h"
#include "properties/text.h"

namespace poolproof::properties {
namespace {

/// The same in each run, unless another is asked for: what is tested is the harness.
constexpr std::uint64_t kSeed = 0x5e1f;

/// For a generated mutant, unless the user says how long all may take; most take a tenth of it, and
/// leave the rest to those that survive.
constexpr std::chrono::seconds kForEachGenerated{60};

/// Mutants mostly sleep, until a hang is proved or a grace is over: on two processors 8, 16 and 24
/// jobs judge 46, 92 and 135 cases a second.
constexpr int kJobsPerDefault = 6;

/// What is wrong, with the exit code that stands for it.
struct Refusal {
  ExitCode code;
  std::string what;
};

/// The mutants that `names` mean, in the table's order.
std::optional<Refusal> choose(const std::vector<std::string>& names, std::vector<Mutant>& mutants) {
  for (const auto& name : names) {
    const bool known = std::any_of(mutants.begin(), mutants.end(),
                                   [&](const Mutant& mutant) { return mutant.name == name; });
    if (!known)
      return Refusal{kExitUsage,
                     fmt::format("no mutant is named '{}'; share/poolproof/mutants.json "
                                 "beside poolproof's bin lists them",
                                 printable(name))};
  }
  if (names.empty()) return std::nullopt;
  std::erase_if(mutants, [&](const Mutant& mutant) {
    return std::find(names.begin(), names.end(), mutant.name) == names.end();
  });
  return std::nullopt;
}

std::optional<Refusal> find_pools(const std::vector<Mutant>& mutants, Pools& pools) {
  PoolPlaces places;
  places.share = default_share();
  std::vector<std::string> names;
  for (const auto& mutant : mutants) names.push_back("mutant:" + mutant.name);
  names.emplace_back("reference");
  pools = PoolFinder(places).find(names);
  for (const auto& absent : pools.absent) {
    return Refusal{kExitHarness, fmt::format("{} is absent: {}", absent.adapter, absent.why)};
  }
  if (!pools.unmatched.empty()) {
    return Refusal{kExitHarness, fmt::format("{} is not here", pools.unmatched.front())};
  }
  return std::nullopt;
}

/// Mutants in the table's order, then the unmutated pool in each start method.
std::vector<SelftestRow> rows_of(const std::vector<Mutant>& mutants, const Pools& pools) {
  std::vector<SelftestRow> rows;
  const auto add = [&](std::string_view label, const Rule* rule) {
    for (const auto& pool : pools.found) {
      if (rule == nullptr ? pool.name.implementation == label : pool.label() == label)
        rows.push_back({.pool = &pool, .rule = rule});
    }
  };
  for (const auto& mutant : mutants) add("mutant:" + mutant.name, mutant.rule);
  add("reference", nullptr);
  return rows;
}

SelftestOptions options_of(const SelftestCommand& command) {
  SelftestOptions options;
  options.seed = command.seed.value_or(kSeed);
  if (command.seconds)
    options.time = std::chrono::milliseconds(std::llround(*command.seconds * 1000.0));
  options.case_options = CaseOptions::of_environment();
  return options;
}

int jobs_of(const SelftestCommand& command) {
  return command.jobs > 0 ? command.jobs : kJobsPerDefault * default_jobs();
}

int exit_code(const SelftestResult& result) {
  if (result.interrupted) return kExitInterrupted;
  if (!result.troubled().empty()) return kExitHarness;
  return result.failed() ? kExitViolated : kExitKept;
}

GeneratedOptions generated_options(const SelftestCommand& command) {
  const auto common = options_of(command);
  GeneratedOptions options;
  options.mutants = command.generated;
  options.time = command.seconds ? common.time : kForEachGenerated * command.generated;
  options.seed = common.seed;
  options.case_options = common.case_options;
  return options;
}

int run_generated(const SelftestCommand& command) {
  if (!command.mutants.empty())
    return failed_with(kExitUsage, "--generated takes no names of mutants");
  const auto recipe = mutant_recipe_of(default_share());
  if (!recipe) return failed_with(kExitHarness, recipe.error().message());
  Pools pools;
  if (const auto wrong = find_pools({}, pools)) return failed_with(wrong->code, wrong->what);
  const auto runner = start_runner(jobs_of(command), command.rung);
  if (runner == nullptr) return kExitHarness;

  const auto options = generated_options(command);
  auto console = Console::of_this_process();
  if (!command.json) {
    console.print(fmt::format("{} of pool/src, seed {:x}, {}\n",
                              counted(options.mutants, "generated mutant"), options.seed,
                              runner->containment().name));
  }
  MutantMaker maker(*recipe);
  const auto tell = [&](const GeneratedMutant& mutant) {
    if (!command.json) console.print(generated_line(mutant, console));
  };
  GeneratedSelftest selftest(*runner, options, mixed_source(options.seed), maker,
                             std::move(pools.found), tell, finish_on_interrupt());
  const auto result = selftest.run();
  if (!result) return failed_with(kExitHarness, result.error().message());
  console.print(command.json ? generated_as_json_lines(*result, options.seed)
                             : generated_summary(*result, console));
  if (result->interrupted) return kExitInterrupted;
  return result->counted() > 0 ? kExitKept : kExitHarness;  // no mutant, no proof
}

}  // namespace

int run_selftest(const SelftestCommand& command) {
  if (command.generated > 0) return run_generated(command);
  auto mutants = mutants_of(default_share());
  if (!mutants) return failed_with(kExitHarness, mutants.error().message() + " (build them)");
  if (const auto wrong = choose(command.mutants, *mutants))
    return failed_with(wrong->code, wrong->what);
  Pools pools;
  if (const auto wrong = find_pools(*mutants, pools)) return failed_with(wrong->code, wrong->what);
  const auto runner = start_runner(jobs_of(command), command.rung);
  if (runner == nullptr) return kExitHarness;

  const auto options = options_of(command);
  auto console = Console::of_this_process();
  if (!command.json) {
    console.print(fmt::format("{} and the unmutated pool, seed {:x}, {}\n",
                              counted(static_cast<std::int64_t>(mutants->size()), "mutant"),
                              options.seed, runner->containment().name));
  }
  Selftest selftest(
      *runner, options, mixed_source(options.seed),
      [&](const SelftestRow& row) {
        console.progress(fmt::format("{}: case {}", row.pool->label(), row.cases));
      },
      finish_on_interrupt());
  auto result = selftest.run(rows_of(*mutants, pools));
  result.complete = command.mutants.empty();
  console.print(command.json ? selftest_as_json_lines(result, options)
                             : selftest_matrix(result, console));
  return exit_code(result);
}

}  // namespace poolproof::properties
