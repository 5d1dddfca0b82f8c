#include "properties/cli.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <exception>

#include "poolproof/version.h"
#include "properties/case_file.h"
#include "properties/check.h"
#include "properties/cli_words.h"
#include "properties/console.h"
#include "properties/contract_command.h"
#include "properties/endings.h"
#include "properties/explain.h"
#include "properties/replay.h"
#include "properties/repro.h"
#include "properties/selftest_command.h"
#include "properties/text.h"

namespace poolproof::properties {
namespace {

/// Everything that can be typed; each subcommand fills its own part.
struct CommandLine {
  CheckCommand check;
  std::string seed;
  EndingsCommand endings;
  ReplayCommand replay;
  ReproCommand repro;
  ContractCommand contract;
  SelftestCommand selftest;
  PoolOptions pools;
  std::string rule;
  bool markdown = false;  // rules
};

constexpr const char* kExitCodes =
    "exit status: 0 nothing violated, 1 violated, 2 usage, 3 the harness could not\n"
    "do its work or ran no case, 130 after Ctrl-C";
constexpr const char* kReplayExitCodes =
    "exit status: 0 every rule kept (but for known deviations), 1 violated, 2 usage,\n"
    "125 could not be judged, or the pool is not here: git bisect run skips these";
constexpr const char* kReproExitCodes =
    "exit status: 0 a script was written, which fails; 2 usage, 125 there is none:\n"
    "the case breaks no rule here, or only the harness can show it";
constexpr const char* kSelftestExitCodes =
    "exit status: 0 each mutant is caught by the rule that it names, no start method\n"
    "of the unmutated pool is blamed, and each rule is needed (all mutants are run);\n"
    "1 not so, 2 usage, 3 the harness could not do its work, 130 after Ctrl-C";

void add_places(CLI::App& app, PoolOptions& places) {
  app.add_option("--python", places.pythons,
                 "instead of python3 of PATH: an interpreter, also a\n"
                 "build tree's; may be repeated")
      ->type_name("CMD")
      ->allow_extra_args(false);
  app.add_option("--adapter", places.adapter,
                 "a pool of your own: the command of its adapter, or its\n"
                 "file")
      ->type_name("CMD");
  app.add_option("--contract", places.contract, "what that pool promises; without: every MUST rule")
      ->type_name("FILE");
}

void add_machinery(CLI::App& app, int& jobs, int& rung, const char* default_text) {
  app.add_option("-j,--jobs", jobs, default_text)->type_name("N")->check(between(1, 256));
  app.add_option("--rung", rung, "containment: 1 to 3, for tests of poolproof itself")
      ->check(between(1, 3))
      ->group("");
}

void add_plan(CLI::App& app, CheckCommand& command) {
  app.add_option("--only", command.only,
                 "exhaustive: all short scenarios, one length after the\n"
                 "other; random: none of these; regressions: kept cases")
      ->type_name("PART")
      ->check(one_of({"exhaustive", "random", "regressions"}));
  app.add_option("--steps", command.steps,
                 "with --only exhaustive: up to so many steps, however\n"
                 "long it takes (default: as many as time allows)")
      ->type_name("N")
      ->check(between(1, harness::kMaxSteps));
}

void add_faults(CLI::App& app, CheckCommand& command) {
  app.add_flag("--faults", command.faults,
               "something goes wrong from outside in most cases: a\n"
               "signal, an error, a stop, a limit, at a random point");
  app.add_option("--sweep", command.sweep,
                 "a fault at every system call: kill, stop, errno (the\n"
                 "error that suits the call), SIGTERM, limit:files ...")
      ->type_name("FAULT");
  app.add_option("--role", command.role, "whom it hits: main (default), worker, helper")
      ->type_name("ROLE")
      ->check(one_of({"main", "worker", "helper"}));
}

void add_verdicts(CLI::App& app, CheckCommand& command) {
  app.add_flag("--strict", command.strict,
               "fail on not exercised, unclear, unstable, no longer seen");
  app.add_flag("--no-known", command.no_known, "known deviations count as violations");
  app.add_flag("--json", command.json, "for machines: one JSON object a line");
}

void add_results(CLI::App& app, CheckCommand& command) {
  app.add_option("--regressions", command.regressions,
                 "cases of earlier runs, run first (default:\n"
                 "poolproof-regressions, where it is there)")
      ->type_name("DIR");
  app.add_flag("--keep-regressions", command.keep_regressions,
               "keep each new finding there, shrunk, to be committed");
  app.add_option("--junit", command.junit, "JUnit XML for CI too: a suite a pool, a case a rule")
      ->type_name("FILE");
  app.add_option("--results", command.results, "folder (default poolproof-results/TIME)")
      ->type_name("DIR");
}

/// Those between commas, empty ones too: who reads them says that no rule is named so.
void add_names(const std::string& list, std::vector<std::string>& names) {
  for (std::size_t at = 0;;) {
    const auto end = list.find(',', at);
    names.push_back(list.substr(at, end == list.npos ? end : end - at));
    if (end == list.npos) return;
    at = end + 1;
  }
}

void add_check(CLI::App& root, CommandLine& line) {
  auto& command = line.check;
  auto& app = *root.add_subcommand("check", "look for violated rules in random life cycles");
  app.footer(kExitCodes);
  app.add_option("pools", command.pools, "name:variant@version (default: all)")->type_name("POOL");
  add_places(app, command.places);
  app.add_option("--time", command.seconds, "seconds for the whole run (default 60)")
      ->type_name("S")
      ->check(between(0.1, 1e6));
  app.add_option("--cases", command.cases, "this many cases for each pool, then stop")
      ->type_name("N")
      ->check(between(1, 100'000'000));
  app.add_option("--seed", line.seed, "hexadecimal, as the first line prints it")->type_name("HEX");
  add_plan(app, command);
  // CLI11's own delimiter passes over empty names, and then takes the next argument for one.
  app.add_option_function<std::vector<std::string>>(
         "--rules",
         [&command](const std::vector<std::string>& lists) {
           for (const auto& list : lists) add_names(list, command.rules);
         },
         "judge these rules only: W1,E3")
      ->type_name("LIST")
      ->allow_extra_args(false);
  app.add_flag("-x", command.stop_at_first, "stop at the first finding that repeats");
  add_faults(app, command);
  add_verdicts(app, command);
  add_results(app, command);
  add_machinery(app, command.jobs, command.rung, "cases side by side (default: two a processor)");
}

void add_endings(CLI::App& root, CommandLine& line) {
  auto& command = line.endings;
  auto& app = *root.add_subcommand("endings", "what each ending of main leaves behind");
  app.add_option("pools", command.pools, "default: each implementation in its first variant")
      ->type_name("POOL");
  add_places(app, command.places);
  app.add_flag("--json", command.json, "for machines: one JSON object a line");
  add_machinery(app, command.jobs, command.rung, "cases side by side (default: 16 or more)");
}

void add_replay(CLI::App& root, CommandLine& line) {
  auto& command = line.replay;
  auto& app = *root.add_subcommand("replay", "run a saved case again");
  app.footer(kReplayExitCodes);
  app.add_option("case", command.case_file, "case.json of a finding, or its folder")
      ->required()
      ->type_name("CASE");
  app.add_option("--fault", command.fault,
                 "what goes wrong from outside, instead of the case's\n"
                 "own: main:read(pipe):2=SIGKILL; none")
      ->type_name("TOKEN");
  app.add_option("--times", command.times, "how often (default 1)")
      ->type_name("N")
      ->check(between(1, 100'000));
  app.add_flag("--no-known", command.no_known, "known deviations count as violations");
  app.add_flag("--hold", command.hold,
               "stop at the verdict with all that lives alive and\n"
               "untraced, for gdb and py-spy; Enter or Ctrl-C goes on");
  add_places(app, command.places);
  add_machinery(app, command.jobs, command.rung, "runs side by side (default: two a processor)");
}

void add_repro(CLI::App& root, CommandLine& line) {
  auto& command = line.repro;
  auto& app = *root.add_subcommand("repro", "write a saved case as a script of its own");
  app.footer(kReproExitCodes);
  app.add_option("case", command.case_file, "case.json of a finding, or its folder")
      ->required()
      ->type_name("CASE");
  app.add_option("--rule", command.rule, "what it shows (default: the first that is violated)")
      ->type_name("RULE");
  app.add_option("-o,--output", command.output, "default: repro.py beside the case")
      ->type_name("FILE");
  app.add_option("--times", command.times, "how often it is tried (default 10); kept if it fails")
      ->type_name("N")
      ->check(between(1, 1000));
  add_places(app, command.places);
  app.add_option("--rung", command.rung, "")->check(between(1, 3))->group("");
}

void add_selftest(CLI::App& root, CommandLine& line) {
  auto& command = line.selftest;
  auto& app = *root.add_subcommand("selftest", "whether every rule catches its mutants");
  app.footer(kSelftestExitCodes);
  app.add_option("mutants", command.mutants, "names, as the matrix has them (default: all)")
      ->type_name("MUTANT");
  app.add_option("--generated", command.generated,
                 "instead: so many mutants that a machine makes of\n"
                 "pool/src (a call dropped, a condition negated, a\n"
                 "literal one off, two statements swapped); prints\n"
                 "the share caught, and the survivors, which do not\n"
                 "fail the run; --time: 30 s for each by default")
      ->type_name("N")
      ->check(between(1, 100'000));
  app.add_option("--time", command.seconds, "seconds for the whole run at most (default 590)")
      ->type_name("S")
      ->check(between(0.1, 1e6));
  app.add_option("--seed", line.seed, "hexadecimal, as the first line prints it")->type_name("HEX");
  app.add_flag("--json", command.json, "for machines: one JSON object a line");
  add_machinery(app, command.jobs, command.rung,
                "cases side by side (default: twelve a processor)");
}

void add_contract(CLI::App& root, CommandLine& line) {
  auto& command = line.contract;
  auto& app = *root.add_subcommand("contract", "what a pool promises, or seems to");
  app.add_option("pool", command.pool, "name:variant@version; not needed with --adapter")
      ->type_name("POOL");
  app.add_flag("--infer", command.infer,
               "run random cases and propose the contract that the\n"
               "pool keeps, each key with what speaks for it");
  app.add_option("--time", command.seconds, "seconds for these cases (default 60)")
      ->type_name("S")
      ->check(between(0.1, 1e6));
  app.add_option("--cases", command.cases, "this many cases, then stop")
      ->type_name("N")
      ->check(between(1, 1'000'000));
  app.add_option("--seed", line.seed, "hexadecimal, as the first line prints it")->type_name("HEX");
  add_places(app, command.places);
  add_machinery(app, command.jobs, command.rung, "cases side by side (default: two a processor)");
}

void add_rest(CLI::App& root, CommandLine& line) {
  auto& pools =
      *root.add_subcommand("pools", "list the pools that are here, and why others are not");
  add_places(pools, line.pools);
  auto& rules = *root.add_subcommand("rules", "list the rules");
  rules.add_flag("--markdown", line.markdown,
                 "in full, with the alphabet and the conditions of\n"
                 "known deviations: docs/rules.md");
  auto& explain = *root.add_subcommand("explain", "tell one rule in full");
  explain.add_option("rule", line.rule, "id or name, such as W1")->required()->type_name("RULE");
}

std::optional<std::uint64_t> seed_from(const std::string& text) {
  std::uint64_t seed = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seed, 16);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return seed;
}

int run_pools(const PoolOptions& options) {
  if (const auto wrong = misuse(options)) return failed_with(kExitUsage, *wrong);
  auto console = Console::of_this_process();
  const auto pools = PoolFinder(options.places()).find({});
  console.print(pools_in_words(pools));
  return pools.found.empty() ? kExitHarness : kExitKept;
}

int run_explain(const std::string& name) {
  const auto* rule = rule_named(name);
  if (rule == nullptr) {
    return failed_with(
        kExitUsage,
        fmt::format("no rule is named '{}'; 'poolproof rules' lists them", printable(name)));
  }
  Console::of_this_process().print(explained(*rule));
  return kExitKept;
}

/// An option that was given an empty word, as by a variable that is not set. (Of arguments whoever
/// reads them says more.)
std::optional<std::string> given_nothing(const CLI::App& app) {
  for (const auto* command : app.get_subcommands()) {
    for (const auto* option : command->get_options()) {
      const auto& words = option->results();
      const bool takes_words = !option->get_positional() && option->get_items_expected_max() > 0;
      if (takes_words && std::find(words.begin(), words.end(), "") != words.end())
        return fmt::format("{}: it takes a word, not ''", option->get_name());
    }
  }
  return std::nullopt;
}

int run_chosen(const CLI::App& app, CommandLine& line) {
  if (const auto wrong = given_nothing(app)) return failed_with(kExitUsage, *wrong);
  if (!line.seed.empty()) {
    const auto seed = seed_from(line.seed);
    if (!seed) return failed_with(kExitUsage, "--seed is hexadecimal, such as 7f3a21");
    line.check.seed = line.selftest.seed = line.contract.seed = seed;
  }
  line.replay.case_file = case_path(line.replay.case_file);
  line.repro.case_file = case_path(line.repro.case_file);
  if (app.got_subcommand("check")) return run_check(line.check);
  if (app.got_subcommand("selftest")) return run_selftest(line.selftest);
  if (app.got_subcommand("endings")) return run_endings(line.endings);
  if (app.got_subcommand("replay")) return run_replay(line.replay);
  if (app.got_subcommand("contract")) return run_contract(line.contract);
  if (app.got_subcommand("repro")) return run_repro(line.repro);
  if (app.got_subcommand("pools")) return run_pools(line.pools);
  if (app.got_subcommand("explain")) return run_explain(line.rule);
  Console::of_this_process().print(line.markdown ? rules_as_markdown() : rules_in_words());
  return kExitKept;
}

}  // namespace

int run_cli(int argc, const char* const* argv) {
  CommandLine line;
  line.check.arguments.assign(argv + std::min(argc, 1), argv + argc);
  CLI::App app("poolproof verifies the life cycle of worker pools", "poolproof");
  app.set_version_flag("--version", fmt::format("poolproof {}", kVersion));
  app.require_subcommand(1);
  app.get_formatter()->column_width(24);
  add_check(app, line);
  add_endings(app, line);
  add_replay(app, line);
  add_repro(app, line);
  add_selftest(app, line);
  add_contract(app, line);
  add_rest(app, line);
  if (const auto wrong = wrong_command(app, argc, argv); !wrong.empty())
    return failed_with(kExitUsage, wrong);
  try {
    app.parse(argc, argv);
    const int code = run_chosen(app, line);
    const auto unwritten = Console::write_error();
    return unwritten.empty() ? code : failed_with(kExitHarness, "standard output: " + unwritten);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);
    return failed_with(kExitUsage, usage_in_words(app, error));
  } catch (const std::exception& error) {
    return failed_with(kExitHarness, error.what());
  }
}

}  // namespace poolproof::properties
