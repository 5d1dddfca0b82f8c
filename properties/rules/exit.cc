#include <fmt/format.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>

#include "properties/rules/reading.h"
#include "properties/rules/rules.h"
#include "properties/rules/verdicts.h"
#include "properties/wait_graph.h"

namespace poolproof::properties {
namespace {

using harness::EndingKind;
using sys::Exited;
using sys::ExitStatus;
using sys::Killed;
using Fate = Reading::Fate;

/// Python's own handlers make 120 of an error while it flushes its streams at exit.
constexpr int kPythonFlushFailed = 120;

bool exit_may_take_its_time(const Reading& reading) {
  return reading.contract().exit != Contract::Exit::kTerminates &&
         entry(reading.scenario().ending.kind).runs_cleanup;
}

/// "CPython 3.11.7" is at least 3.8; another runtime is not known.
std::optional<bool> is_at_least(std::string_view runtime, int major, int minor) {
  constexpr std::string_view kCPython = "CPython ";
  if (!runtime.starts_with(kCPython)) return std::nullopt;
  const std::string version(runtime.substr(kCPython.size()));
  const auto dot = version.find('.');
  if (dot == version.npos) return std::nullopt;
  const int is_major = std::atoi(version.c_str());
  const int is_minor = std::atoi(version.c_str() + dot + 1);
  return is_major > major || (is_major == major && is_minor >= minor);
}

/// What the ending stands for in main's language; several where that is not known exactly, none
/// where nothing is.
std::vector<ExitStatus> meanings(const harness::Ending& ending, const Evidence& evidence) {
  const bool python = evidence.language == "python";
  const bool cpp = evidence.language == "c++";
  switch (ending.kind) {
    case EndingKind::kReturn:
    case EndingKind::kWithThread:
    case EndingKind::kExec:
      return {Exited{0}};
    case EndingKind::kExit:
    case EndingKind::kOsExit:
      return {Exited{ending.code}};
    case EndingKind::kAbort:
      return {Killed{SIGABRT}};
    case EndingKind::kSigterm:
      return {Killed{SIGTERM}};
    case EndingKind::kSighup:
      return {Killed{SIGHUP}};
    case EndingKind::kSigkill:
      return {Killed{SIGKILL}};
    case EndingKind::kSegfault:
      return {Killed{SIGSEGV}};
    case EndingKind::kRaise:
      if (python) return {Exited{1}};
      return cpp ? std::vector<ExitStatus>{Killed{SIGABRT}} : std::vector<ExitStatus>{};
    case EndingKind::kSigint:
    case EndingKind::kCtrlC: {
      if (cpp) return {Killed{SIGINT}};
      if (!python) return {};
      const auto by_signal = is_at_least(evidence.runtime, 3, 8);
      if (!by_signal) return {Killed{SIGINT}, Exited{1}};
      return *by_signal ? std::vector<ExitStatus>{Killed{SIGINT}}
                        : std::vector<ExitStatus>{Exited{1}};
    }
  }
  return {};
}

Verdict judge_early_death(const Reading& reading) {
  const auto& main = *reading.main();
  const bool started = std::any_of(
      reading.trace().events.begin(), reading.trace().events.end(),
      [](const auto& event) { return std::holds_alternative<harness::Started>(event.kind); });
  if (!started || may_be_the_machines(*main.status)) {
    return Inconclusive{fmt::format("main {} before its ending", reading.how_died(main))};
  }
  return Violated{fmt::format("main {} and never reached its ending, {}", reading.how_died(main),
                              entry(reading.scenario().ending.kind).name),
                  {main.dying->event},
                  ""};
}

std::string survivors_in_words(const Reading& reading) {
  std::string names;
  int count = 0;
  for (const auto& process : reading.processes()) {
    if (!process.killed_by_warden || process.role == Reading::Role::kMain) continue;
    if (++count <= 3) names += (names.empty() ? "" : ", ") + reading.name(process);
  }
  return count > 3 ? fmt::format("{} and {} more", names, count - 3) : names;
}

/// EOF that came by itself, not because the warden killed who held the stream.
Reading::Maybe eof_of(const Reading& reading, std::string_view stream) {
  const auto& events = reading.trace().events;
  for (std::size_t i = 0; i < events.size(); ++i) {
    const auto* eof = std::get_if<harness::OutputEof>(&events[i].kind);
    if (eof == nullptr || eof->stream != stream) continue;
    return reading.over_at(i) ? std::nullopt : Reading::Maybe({events[i].at, i});
  }
  return std::nullopt;
}

/// The case's fault took away who reads main's stdout: whether it reaches its end nobody knows.
bool reader_went_away(const Reading& reading) {
  return reading.hit() && reading.hit()->fault.action == harness::Fault::Action::kCloseStdout;
}

/// Whether a child that a task left running, and that may live on by contract, has the stream too.
bool task_child_may_hold_it(const Reading& reading) {
  const auto& all = reading.processes();
  return !reading.contract().ends_task_children &&
         std::any_of(all.begin(), all.end(), [&](const Reading::Process& process) {
           return process.role == Reading::Role::kTaskChild &&
                  reading.was_there_at_mains_death(process);
         });
}

void judge_eof(const Reading& reading, std::string_view stream, Verdicts& verdicts) {
  const auto dead = *reading.main_dead();
  const auto eof = eof_of(reading, stream);
  if (eof && reading.within_grace(dead, *eof)) {
    // With nobody left the kernel alone closes the stream.
    return reading.anybody_at_mains_death() ? verdicts.held() : void();
  }
  const std::string holders = survivors_in_words(reading);
  const auto rest = reading.proved_at_rest(dead);
  if (eof) {
    verdicts.violated(fmt::format("main's {} reached its end only {} after main was gone", stream,
                                  in_words(reading.tree_time(dead, *eof))),
                      {dead.event, eof->event});
  } else if (!holders.empty() && rest) {
    const auto waits = waits_in_words(reading.trace(), rest->event);
    verdicts.violated(fmt::format("main is gone, but its {} never ends: {} can never wake{}{}",
                                  stream, holders, waits.empty() ? "" : ": ", waits),
                      {dead.event, rest->event});
  } else if (!holders.empty() && !reading.within_grace(dead, reading.end())) {
    verdicts.violated(
        fmt::format("{} after main was gone its {} had not ended: {} still there",
                    in_words(reading.tree_time(dead, reading.end())), stream, holders),
        {dead.event, reading.end().event});
  } else {
    verdicts.doubtful(fmt::format("main's {} did not end: {}", stream, reading.why_unclear()));
  }
}

Verdict hanging_exit(const Reading& reading, const std::string& ending) {
  const auto begun = *reading.ending_begun();
  const auto rest = *reading.proved_at_rest(begun);
  const auto waits = waits_in_words(reading.trace(), rest.event);
  return Violated{fmt::format("main began to end ({}) and hangs: nothing can wake it{}{}", ending,
                              waits.empty() ? "" : ": ", waits),
                  {begun.event, rest.event},
                  ""};
}

}  // namespace

Verdict process_exits(const Evidence& evidence) {
  const Reading reading(evidence);
  if (!reading.ending_begun()) return NotExercised{};
  const auto begun = *reading.ending_begun();
  const bool any_pool = reading.before(reading.steps() + 1).state() != Model::State::kNone;
  if (reading.main_died()) return any_pool ? Verdict(Held{}) : Verdict(NotExercised{});
  if (!reading.may_have_a_pool() || is_deaf_to_its_ending(evidence.scenario)) return NotExercised{};
  if (reading.asked_to_wait(0)) {
    return NotApplicable{"exit waits for the pool by contract, and this one never finishes"};
  }
  const std::string ending(entry(reading.scenario().ending.kind).name);
  switch (reading.exit_fate()) {
    case Fate::kHangs:
      return hanging_exit(reading, ending);
    case Fate::kLate:
      if (exit_may_take_its_time(reading)) break;
      return Violated{fmt::format("main began to end ({}) and was still there {} later", ending,
                                  in_words(reading.tree_time(begun, reading.end()))),
                      {begun.event, reading.end().event},
                      ""};
    default:
      break;
  }
  return Inconclusive{"main had not exited: " + reading.why_unclear()};
}

Verdict exit_status_is_true(const Evidence& evidence) {
  const Reading reading(evidence);
  if (!reading.main_died()) return NotExercised{};
  const auto& main = *reading.main();
  if (reading.harmed_by_fault(main) || reading.main_is_in_a_body()) return NotExercised{};
  if (!reading.ending_begun()) return judge_early_death(reading);
  const auto expected = meanings(evidence.scenario.ending, evidence);
  if (expected.empty()) return NotExercised{};
  if (std::find(expected.begin(), expected.end(), *main.status) != expected.end()) return Held{};
  const bool cleaned = entry(evidence.scenario.ending.kind).runs_cleanup;
  if (cleaned && evidence.language == "python" &&
      main.status == ExitStatus(Exited{kPythonFlushFailed})) {
    return Inconclusive{"main could not flush its output at exit (status 120)"};
  }
  if (may_be_the_machines(*main.status)) {
    return Inconclusive{fmt::format("main {}, by whom is not recorded", reading.how_died(main))};
  }
  return Violated{
      fmt::format("main's ending was {}, which stands for \"{}\", but its status was \"{}\"",
                  entry(evidence.scenario.ending.kind).name, sys::to_string(expected.front()),
                  sys::to_string(*main.status)),
      {reading.ending_begun()->event, main.dying->event},
      ""};
}

Verdict output_reaches_eof(const Evidence& evidence) {
  const Reading reading(evidence);
  if (!reading.main_died() || task_child_may_hold_it(reading)) return NotExercised{};
  Verdicts verdicts;
  if (!reader_went_away(reading)) judge_eof(reading, "stdout", verdicts);
  judge_eof(reading, "stderr", verdicts);
  return verdicts.verdict();
}

}  // namespace poolproof::properties
