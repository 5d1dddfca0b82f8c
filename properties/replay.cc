#include "properties/replay.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <map>

#include "properties/case_file.h"
#include "properties/case_pool.h"
#include "properties/console.h"
#include "properties/desk.h"
#include "properties/family.h"
#include "properties/held.h"
#include "properties/judging.h"
#include "properties/report.h"
#include "properties/short_link.h"
#include "properties/text.h"

namespace poolproof::properties {
namespace {

using harness::Case;

constexpr std::size_t kMostTimelineLines = 40;

/// What several runs of one case came to.
class Record {
 public:
  Record(const Pool& pool, bool use_known) : pool_(pool), use_known_(use_known) {}

  void add(const Ran& ran) {
    ++runs_;
    if (!ran.trace) return add_unclear({ran.trace.error().message()});
    if (auto failure = adapter_failure(pool_, ran.scenario, *ran.trace))
      return add_unclear({*failure});
    const auto judged = judge_case(pool_, ran.scenario, *ran.trace, {}, use_known_);
    std::vector<std::string> unclear;
    for (const auto& judgement : judged.judgements) {
      if (const auto* doubt = std::get_if<Inconclusive>(&judgement.verdict)) {
        unclear.push_back(
            fmt::format("{} {}: {}", judgement.rule->id, judgement.rule->name, doubt->why));
      }
    }
    for (auto& reason : not_come_to_be(ran.scenario, *ran.trace))
      unclear.push_back(std::move(reason));
    if (judged.violations.empty() && unclear.empty() && !main_has_ended(*ran.trace))
      unclear.emplace_back("main had not ended, and may wait so long by the pool's contract");
    if (!unclear.empty()) add_unclear(unclear);
    bool violated = false;
    for (const auto& violation : judged.violations) {
      note(violation);
      violated |= violation.known_link.empty();
    }
    if (violated) ++violated_;
    if (!shown_ || (violated && !shown_violated_)) shown_ = *ran.trace;
    shown_violated_ |= violated;
  }

  int exit_code() const {
    if (violated_ > 0) return kExitViolated;
    return runs_ == 0 || unclear_ > 0 ? kExitCannotJudge : kExitKept;
  }

  std::string text(const Case& failing) const {
    std::string text;
    if (shown_) {
      text +=
          report_case(pool_, failing.scenario, *shown_, kMostTimelineLines) + report_waits(*shown_);
    }
    for (const auto& [what, seen] : lines_) {
      const auto times = runs_ > 1 ? fmt::format(", {} of {}", seen.times, runs_) : "";
      text += hanging(
          fmt::format("{}{}{}", what, times, seen.detail.empty() ? "" : ": " + seen.detail));
    }
    return text + fmt::format("{}: {}\n", counted(runs_, "run"), summary());
  }

 private:
  /// One line of the report: how often, and how it was the first time.
  struct Seen {
    int times = 0;
    std::string detail;
  };

  static bool main_has_ended(const harness::Trace& trace) {
    const Family family(trace);
    const auto* main = family.main();
    return main == nullptr || main->status.has_value();
  }

  void note(const Violation& violation) {
    const bool known = !violation.known_link.empty();
    auto& seen = lines_[fmt::format("{} {} {}{}", known ? "known   " : "violated",
                                    violation.rule->id, violation.rule->name,
                                    known ? " (" + short_link(violation.known_link) + ")" : "")];
    if (seen.times++ == 0) seen.detail = violation.evidence;
    known_ |= known;
  }

  void add_unclear(const std::vector<std::string>& reasons) {
    ++unclear_;
    for (const auto& reason : reasons) ++lines_["unclear  " + reason].times;
  }

  std::string summary() const {
    if (violated_ > 0) return fmt::format("violated in {}", violated_);
    if (unclear_ > 0) return fmt::format("could not be judged in {}", unclear_);
    return known_ ? "kept, but for known deviations (--no-known counts them)" : "every rule kept";
  }

  const Pool& pool_;
  bool use_known_;
  int runs_ = 0;
  int violated_ = 0;
  int unclear_ = 0;
  bool known_ = false;
  std::map<std::string, Seen> lines_;
  std::optional<harness::Trace> shown_;
  bool shown_violated_ = false;
};

/// Until Enter, the end of input, or Ctrl-C. The runner's end, which is the caller's, cleans up.
void hold(Console& console, const harness::Trace& trace, std::string_view language,
          const std::function<bool()>& stopped) {
  constexpr int kStandardInput = 0;
  const auto lines = debugger_lines(trace, language);
  if (lines.empty()) return console.print("nothing is left that could be held\n");
  console.print("\nheld, alive and untraced, until Enter or Ctrl-C:\n");
  for (const auto& line : lines) console.print("  " + line + "\n");
  while (!stopped() && !sys::await_readable(kStandardInput, std::chrono::seconds(1))) {
  }
  char key = 0;
  if (!stopped() && ::read(kStandardInput, &key, 1) <= 0) {
    console.print(
        "held no longer: standard input is at its end (without a terminal, keep it open)\n");
  }
}

/// Whoever is held was not killed, though its recording ends as if it were: a case's end is the
/// warden's first kill.
std::string as_held(std::string text) {
  constexpr std::string_view kKilled = "killed by the warden";
  for (auto at = text.find(kKilled); at != text.npos; at = text.find(kKilled, at))
    text.replace(at, kKilled.size(), "alive at the end");
  return text;
}

int run_on(const Pool& pool, const Case& failing, const ReplayCommand& command,
           harness::Runner& runner) {
  auto options = CaseOptions::of_environment();
  options.grace = failing.settings.grace;
  options.fuse = failing.settings.fuse;
  options.hold = command.hold;
  Desk desk(runner, options, finish_on_interrupt());
  Record record(pool, !command.no_known);
  for (int i = 0; i < command.times; ++i) desk.submit(pool, failing.scenario);
  const auto deadline = Clock::now() + 4 * options.fuse_here() * command.times;
  std::optional<harness::Trace> last;
  while (auto ran = desk.next(deadline)) {
    record.add(*ran);
    if (ran->trace) last = *std::move(ran->trace);
  }

  auto console = Console::of_this_process();
  console.print(hanging(fmt::format("{}, {}, {}", pool.name.text(), pool.abilities.runtime,
                                    runner.containment().name)));
  if (pool.name.text() != failing.pool) {
    console.print(fmt::format("the case was recorded with {}\n", printable(failing.pool)));
  }
  console.print(command.hold ? as_held(record.text(failing)) : record.text(failing));
  if (command.hold && last && !desk.stopped()) {
    hold(console, *last, pool.abilities.language, finish_on_interrupt());
    return record.exit_code();
  }
  return desk.stopped() ? kExitInterrupted : record.exit_code();
}

}  // namespace

int run_replay(const ReplayCommand& command) {
  auto failing = read_case(command.case_file);
  if (!failing) return failed_with(kExitUsage, failing.error().message());
  if (!command.fault.empty()) {
    failing->scenario.fault.reset();
    if (command.fault != "none") {
      auto fault = harness::fault_from_string(command.fault);
      if (!fault) return failed_with(kExitUsage, fault.error().message());
      failing->scenario.fault = *std::move(fault);
    }
  }
  if (command.hold && command.times > 1) return failed_with(kExitUsage, "--hold is for one run");
  if (const auto wrong = misuse(command.places)) return failed_with(kExitUsage, *wrong);
  const int jobs = command.jobs > 0 ? command.jobs : std::min(default_jobs(), command.times);
  const auto runner = start_runner(jobs, command.rung);
  if (runner == nullptr) return kExitCannotJudge;
  const auto found = pool_of_case(*failing, command.places);
  if (!found) return failed_with(kExitCannotJudge, found.error().message());
  return run_on(*found, *failing, command, *runner);
}

}  // namespace poolproof::properties
