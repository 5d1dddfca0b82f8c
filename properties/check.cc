#include "properties/check.h"

#include <fmt/format.h>

#include <cmath>
#include <filesystem>
#include <random>

#include "properties/campaign.h"
#include "properties/check_sweep.h"
#include "properties/console.h"
#include "properties/junit.h"
#include "properties/matrix.h"
#include "properties/regressions.h"
#include "properties/report.h"
#include "properties/reporter.h"
#include "properties/results.h"
#include "properties/surroundings.h"
#include "properties/sweep.h"
#include "properties/text.h"

namespace poolproof::properties {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;

/// Short enough to be typed again.
std::uint64_t random_seed() {
  return std::random_device{}() & 0xffffff;
}

/// Rules by id or name; the exit code of usage after one line for an unknown one.
std::optional<int> read_rules(const std::vector<std::string>& names, CampaignOptions& options) {
  for (const auto& name : names) {
    const auto* rule = rule_named(name);
    if (rule == nullptr) {
      return failed_with(
          kExitUsage,
          fmt::format("no rule is named '{}'; 'poolproof rules' lists them", printable(name)));
    }
    options.rules.push_back(rule);
  }
  return std::nullopt;
}

CampaignOptions options_of(const CheckCommand& command) {
  CampaignOptions options;
  options.seed = command.seed.value_or(random_seed());
  options.cases = command.cases;
  if (command.seconds) {
    options.time = milliseconds(std::llround(*command.seconds * 1000.0));
  } else if (command.cases > 0 || command.steps > 0) {
    options.time = std::nullopt;  // so many cases were asked for, however long they take
  }
  if (command.only == "exhaustive") options.part = Part::kExhaustive;
  if (command.only == "regressions") options.part = Part::kRegressions;
  if (command.only == "random") options.part = Part::kRandom;
  if (command.steps > 0) options.most_steps = command.steps;
  options.stop_at_first = command.stop_at_first;
  options.use_known = !command.no_known;
  options.faults = command.faults;
  options.case_options = CaseOptions::of_environment();
  return options;
}

/// One pool without anything odd is told by its findings and the summary; else a matrix helps.
bool needs_matrix(const CampaignResult& result) {
  if (result.tallies.size() != 1) return true;
  for (const auto& rule : result.tallies.front().rules()) {
    const auto outcome = rule.outcome();
    if (outcome != Outcome::kHeld && outcome != Outcome::kViolated &&
        outcome != Outcome::kNotApplicable) {
      return true;
    }
  }
  return false;
}

std::string regressions_folder(const CheckCommand& command) {
  return command.regressions.empty() ? std::string(kRegressionsFolder) : command.regressions;
}

std::string why_no_case(const CheckCommand& command) {
  if (command.only != "regressions")
    return ": no case was run in its share of the time; give it more by --time";
  return fmt::format(
      ": no case of it is kept in {}; a run with --keep-regressions keeps what it finds",
      regressions_folder(command));
}

/// What kept the harness from doing its work, a line each; `others`: what came up beside the cases.
std::vector<std::string> troubles_of(const CampaignResult& result, const CheckCommand& command,
                                     const std::vector<std::string>& others) {
  auto troubles = result.troubles;
  troubles.insert(troubles.end(), others.begin(), others.end());
  for (const auto& tally : result.tallies) {
    if (tally.cases() == 0 && troubles.empty() && !result.interrupted) {
      troubles.push_back(tally.pool().label() + why_no_case(command));
    }
  }
  for (const auto& tally : result.tallies) {
    if (const auto why = tally.why_nothing_judged(); why && !result.interrupted) {
      troubles.push_back(fmt::format("{}: {} judged nothing: {}", tally.pool().label(),
                                     counted(tally.cases(), "case"), *why));
    }
  }
  return troubles;
}

int exit_code(const CampaignResult& result, const CheckCommand& command,
              const std::vector<std::string>& troubles) {
  for (const auto& line : troubles) failed_with(kExitHarness, line);
  if (result.interrupted) return kExitInterrupted;
  if (result.has_violation()) return kExitViolated;
  if (!troubles.empty() || result.cases() == 0) return kExitHarness;
  return command.strict && result.has_doubt() ? kExitViolated : kExitKept;
}

/// What replay must be told to find the same pools and to judge alike.
std::string replay_flags(const CheckCommand& command) {
  std::string flags;
  const auto add = [&](const char* flag, const std::string& value) {
    const auto* quote = value.find(' ') == std::string::npos ? "" : "'";
    if (!value.empty()) flags += fmt::format(" {} {}{}{}", flag, quote, value, quote);
  };
  for (const auto& python : command.places.pythons) add("--python", python);
  add("--adapter", command.places.adapter);
  add("--contract", command.places.contract);
  return flags + (command.no_known ? " --no-known" : "");
}

std::string absent_lines(const Pools& pools) {
  std::string text;
  for (const auto& absent : pools.absent) {
    text += wrapped(fmt::format("{} is absent: {}", absent.implementation, absent.why), 0);
  }
  return text;
}

/// The kept cases; none where there is no folder yet.
Regressions kept_before(const CheckCommand& command) {
  std::error_code ignored;
  const fs::path folder = regressions_folder(command);
  return fs::is_directory(folder, ignored) ? read_regressions(folder) : Regressions();
}

/// Options that exclude each other, and a file that could not be written at the end of the run.
std::optional<std::string> misuse(const CheckCommand& command) {
  const bool sweep = !command.sweep.empty();
  if (command.faults && sweep)
    return "--faults is for random cases, --sweep puts its own: choose one";
  if (!command.only.empty() && sweep) return "--only is for campaigns, not for --sweep";
  if (command.only == "exhaustive" && command.faults)
    return "--only exhaustive has no faults: leave --faults out";
  if (!command.role.empty() && !sweep) return "--role goes with --sweep";
  if (command.steps > 0 && command.only != "exhaustive")
    return "--steps goes with --only exhaustive";
  if (sweep && (!command.regressions.empty() || command.keep_regressions))
    return "--regressions and --keep-regressions are for campaigns, not for --sweep";
  std::error_code ignored;
  const auto kept = fs::status(regressions_folder(command), ignored);
  const bool must_exist = !command.regressions.empty() && !command.keep_regressions;
  if (!fs::is_directory(kept) && (must_exist || fs::exists(kept)))
    return fmt::format("--regressions {}: not a folder", regressions_folder(command));
  if (command.junit.empty()) return std::nullopt;
  if (sweep) return "--junit tells of rules, --sweep counts points: choose one";
  const auto folder = fs::path(command.junit).parent_path();
  if (fs::is_directory(command.junit, ignored) ||
      (!folder.empty() && !fs::is_directory(folder, ignored))) {
    return fmt::format("--junit {}: not a file in a folder that exists", command.junit);
  }
  return std::nullopt;
}

/// What the run leaves in files; what cannot be written is added to `others`.
void save_result(const CampaignResult& result, const CampaignOptions& options,
                 const CheckCommand& command, const Results& results, const std::string& lines,
                 std::vector<std::string>& others) {
  if (auto saved = results.save_verdicts(lines); !saved) others.push_back(saved.error().message());
  if (command.junit.empty()) return;
  const auto text =
      as_junit(result, troubles_of(result, command, others), options, results.again());
  if (auto saved = write_file(command.junit, text); !saved)
    others.push_back(saved.error().message());
}

void print_result(const CampaignResult& result, const Results& results, Console& console) {
  if (result.cases() > 0 && needs_matrix(result)) console.print(matrix(result, console) + "\n");
  for (const auto& limit : result.limits) {
    console.print(report_limit(limit, results.again(limit.folder), console));
  }
  console.print(summary(result) + extents(result) + coverage_in_words(result) +
                regressions_in_words(result.regressions) +
                fmt::format("results in {}/\n", results.name()));
}

/// Too short for the canary's second to be worth it.
constexpr milliseconds kShortTime{10'000};
constexpr std::size_t kFewCases = 100;

bool is_short(const CampaignOptions& options, std::size_t pools) {
  if (options.time) return *options.time < kShortTime;
  return options.cases > 0 && static_cast<std::size_t>(options.cases) * pools < kFewCases;
}

Canary canary_of(const CheckCommand& command, const CampaignOptions& options,
                 const ScenarioSource& source, std::size_t pools, harness::Runner& runner) {
  if (is_short(options, pools)) return skipped_canary("the run is short");
  if (runner.containment().rung > 2) return skipped_canary("this rung sees nothing exactly");
  std::string why;
  const auto mutant = canary_pool(command.places.places(), why);
  if (!mutant) return skipped_canary(why);
  return try_canary(runner, *mutant, source, options.case_options, {}, finish_on_interrupt());
}

/// The campaign, unless the harness is blind.
CampaignResult result_of(const CheckCommand& command, const CampaignOptions& options,
                         const Regressions& kept, const Pools& chosen, harness::Runner& runner,
                         Reporter& reporter, Console& console) {
  const auto& pools = chosen.found;
  auto source = random_source(options.seed, options.faults);
  console.progress("looking whether the harness sees what it must");
  const auto canary = canary_of(command, options, source, pools.size(), runner);
  if (!command.json) {
    console.print(absent_lines(chosen) + report_head(pools, options, runner, canary));
  }
  CampaignResult result;
  if (canary.fate == Canary::Fate::kMissed) {
    result.troubles.push_back(canary.in_words());
  } else {
    source.regressions = [&](const Pool& pool) { return kept.of(pool); };
    result = Campaign(runner, pools, options, source, reporter, finish_on_interrupt()).run();
  }
  result.canary = canary;
  if (command.keep_regressions || !kept.cases.empty() || !kept.troubles.empty())
    result.regressions.folder = regressions_folder(command);
  result.regressions.unfit = kept.of_none(pools);
  result.regressions.unrunnable = kept.runnable_by_none(pools) - result.regressions.unfit;
  result.regressions.kept = reporter.kept();
  return result;
}

int run_campaign(const CheckCommand& command, const CampaignOptions& options, const Pools& chosen,
                 harness::Runner& runner, const Results& results) {
  const auto& pools = chosen.found;
  const auto kept = kept_before(command);
  auto console = Console::of_this_process();
  Reporter reporter(console, results,
                    {.case_options = options.case_options,
                     .json = command.json,
                     .known_too = pools.size() == 1,
                     .keep_in = command.keep_regressions ? regressions_folder(command) : ""});
  const auto result = result_of(command, options, kept, chosen, runner, reporter, console);
  for (const auto& limit : result.limits) reporter.keep(limit);

  const auto lines = as_json_line(Surroundings::of_this_process(command.arguments), pools, runner) +
                     verdicts_as_json_lines(result, options, results.name());
  auto others = reporter.troubles();
  others.insert(others.end(), kept.troubles.begin(), kept.troubles.end());
  save_result(result, options, command, results, lines, others);
  if (command.json) {
    console.print(lines);
  } else {
    print_result(result, results, console);
  }
  return exit_code(result, command, troubles_of(result, command, others));
}

}  // namespace

int run_check(const CheckCommand& command) {
  auto options = options_of(command);
  if (const auto usage = read_rules(command.rules, options)) return *usage;
  if (const auto wrong = misuse(command)) return failed_with(kExitUsage, *wrong);
  const auto fault = sweep_fault(command.sweep.empty() ? "kill" : command.sweep);
  if (!fault) return failed_with(kExitUsage, fault.error().message());
  const auto chosen = choose_pools(command.places, command.pools);
  if (chosen.exit_code) return *chosen.exit_code;
  const auto runner = start_runner(command.jobs > 0 ? command.jobs : default_jobs(), command.rung);
  if (runner == nullptr) return kExitHarness;
  const auto results = Results::create(command.results, replay_flags(command));
  if (!results) {
    return failed_with(kExitHarness, results.error().message() + " (choose a folder by --results)");
  }
  if (!command.sweep.empty()) {
    return run_sweep(command, *fault, chosen.pools.found, *runner, *results);
  }
  return run_campaign(command, options, chosen.pools, *runner, *results);
}

}  // namespace poolproof::properties
