#include "properties/repro.h"

#include <fmt/format.h>

#include <filesystem>

#include "properties/case_file.h"
#include "properties/case_pool.h"
#include "properties/console.h"
#include "properties/desk.h"
#include "properties/judging.h"
#include "properties/program_text.h"
#include "properties/report.h"
#include "properties/repro_script.h"
#include "properties/results.h"
#include "properties/text.h"

namespace poolproof::properties {
namespace {

using harness::Case;

/// A violation that does not always come is waited for so many runs.
constexpr int kMostRuns = 20;
/// Ten seconds for the program, two for what it leaves, and a busy machine.
constexpr auto kPatience = std::chrono::seconds(60);

struct Shown {
  const Rule* rule = nullptr;
  Violated violated;
  harness::Trace trace;
};

/// The first violated rule, or the one that was asked for; known deviations count.
std::optional<Shown> violation_in(const Pool& pool, const Ran& ran, const Rule* wanted) {
  if (!ran.trace || adapter_failure(pool, ran.scenario, *ran.trace)) return std::nullopt;
  const auto judged = judge_case(pool, ran.scenario, *ran.trace, {}, true);
  const auto takes = [&](const Rule* rule) -> std::optional<Shown> {
    for (const auto& judgement : judged.judgements) {
      const auto* violated = std::get_if<Violated>(&judgement.verdict);
      if (judgement.rule == rule && violated != nullptr) return Shown{rule, *violated, *ran.trace};
    }
    return std::nullopt;
  };
  if (wanted != nullptr) return takes(wanted);
  for (const auto& violation : judged.violations) {
    if (violation.cause == nullptr) return takes(violation.rule);
  }
  return std::nullopt;
}

std::optional<Shown> run_until_violated(const Pool& pool, const Case& saved, const Rule* wanted,
                                        harness::Runner& runner,
                                        const std::function<bool()>& stopped) {
  auto options = CaseOptions::of_environment();
  options.grace = saved.settings.grace;
  options.fuse = saved.settings.fuse;
  Desk desk(runner, options, stopped);
  for (int i = 0; i < kMostRuns && !desk.stopped(); ++i) {
    desk.submit(pool, saved.scenario);
    const auto ran = desk.next(Clock::now() + 4 * options.fuse_here());
    if (!ran) return std::nullopt;
    if (auto shown = violation_in(pool, *ran, wanted)) return shown;
  }
  return std::nullopt;
}

/// How often the script failed as it should; an error where it did anything else.
sys::Result<int> run_script(const std::vector<std::string>& command, int times,
                            const std::function<bool()>& stopped) {
  int failed = 0;
  for (int i = 0; i < times && !stopped(); ++i) {
    const auto output = harness::run_contained_command(command, kPatience, stopped);
    if (stopped()) return failed;
    if (!output) return output.error();
    // Python's own status for an error of the script is 1 as well, but then it tells nothing.
    const bool tells = output->out.find("appened:") != std::string::npos;
    if (output->status == sys::ExitStatus(sys::Exited{1}) && tells) {
      ++failed;
    } else if (output->status != sys::ExitStatus(sys::Exited{0})) {
      const auto lines = lines_of(output->err);
      return sys::Error(fmt::format("the script {}: {}", sys::to_string(output->status),
                                    lines.empty() ? "it said nothing" : printable(lines.back())));
    }
  }
  return failed;
}

/// The interpreter that runs the pool's adapter.
std::vector<std::string> interpreter_of(const Pool& pool) {
  if (pool.command.size() < 2) return {"python3"};  // the adapter is a program by itself
  return {pool.command.begin(), pool.command.end() - 1};
}

std::filesystem::path path_of(const ReproCommand& command) {
  if (!command.output.empty()) return command.output;
  return std::filesystem::path(command.case_file).parent_path() / "repro.py";
}

int write_and_try(const ReproCommand& command, const Pool& pool, const Case& saved,
                  const Shown& shown, const std::function<bool()>& stopped) {
  const Evidence evidence{saved.scenario, shown.trace, pool.contract, pool.abilities.language,
                          pool.abilities.runtime};
  const auto symptom = symptom_of(evidence, *shown.rule, shown.violated);
  if (!symptom) {
    return failed_with(kExitCannotJudge,
                       fmt::format("{} {} does not show without the harness ({}); replay shows it",
                                   shown.rule->id, shown.rule->name, shown.violated.evidence));
  }
  const auto script = repro_script({pool, saved.scenario, *shown.rule, *symptom,
                                    shown.violated.known_link, raising_steps(shown.trace)});
  if (!script) return failed_with(kExitCannotJudge, script.error().message());
  const auto path = path_of(command);
  if (const auto written = write_file(path, *script); !written)
    return failed_with(kExitHarness, written.error().message());
  Console::of_this_process().print(fmt::format(
      "{} is tried {}, at most {} s each\n", path.string(),
      command.times == 1 ? "once" : fmt::format("{} times", command.times), kPatience.count()));
  auto argv = interpreter_of(pool);
  argv.push_back(path.string());
  const auto failed = run_script(argv, command.times, stopped);
  if (!failed || *failed == 0 || stopped()) {
    std::error_code ignored;
    std::filesystem::remove(path, ignored);
    if (stopped()) return kExitInterrupted;
    return failed_with(kExitCannotJudge,
                       failed ? fmt::format("the script never failed in {}; it was not kept",
                                            counted(command.times, "run"))
                              : failed.error().message());
  }
  Console::of_this_process().print(
      fmt::format("{}    {}, fails {} of {}\n", path.string(),
                  counted(static_cast<std::int64_t>(lines_of(*script).size()), "line"), *failed,
                  command.times));
  return kExitKept;
}

}  // namespace

int run_repro(const ReproCommand& command) {
  const auto saved = read_case(command.case_file);
  if (!saved) return failed_with(kExitUsage, saved.error().message());
  const Rule* wanted = command.rule.empty() ? nullptr : rule_named(command.rule);
  if (wanted == nullptr && !command.rule.empty()) {
    return failed_with(kExitUsage,
                       fmt::format("no rule is named '{}'; 'poolproof rules' lists them",
                                   printable(command.rule)));
  }
  if (const auto wrong = misuse(command.places)) return failed_with(kExitUsage, *wrong);
  const auto folder = std::filesystem::absolute(path_of(command)).parent_path();
  if (std::error_code ignored; !std::filesystem::is_directory(folder, ignored))
    return failed_with(kExitUsage, fmt::format("--output {}: there is no folder {}", command.output,
                                               folder.string()));
  const auto runner = start_runner(1, command.rung);
  if (runner == nullptr) return kExitCannotJudge;
  const auto pool = pool_of_case(*saved, command.places);
  if (!pool) return failed_with(kExitCannotJudge, pool.error().message());
  const auto stopped = finish_on_interrupt();
  const auto shown = run_until_violated(*pool, *saved, wanted, *runner, stopped);
  if (stopped()) return kExitInterrupted;
  if (!shown) {
    const auto what = wanted == nullptr
                          ? std::string("broke no rule")
                          : fmt::format("did not break {} {}", wanted->id, wanted->name);
    return failed_with(kExitCannotJudge,
                       fmt::format("the case {} in {} here", what, counted(kMostRuns, "run")));
  }
  return write_and_try(command, *pool, *saved, *shown, stopped);
}

}  // namespace poolproof::properties
