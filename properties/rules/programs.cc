#include <fmt/format.h>

#include <algorithm>
#include <csignal>
#include <variant>
#include <vector>

#include "properties/rules/reading.h"
#include "properties/rules/rules.h"
#include "properties/rules/verdicts.h"

// I1: what a pool does to a program that main started beside it, and to another pool.
namespace poolproof::properties {
namespace {

using harness::StepKind;
using Kind = Reading::Kind;
using Moment = Reading::Moment;
using Process = Reading::Process;

/// What the kit says where main's own wait for its program found nobody (protocol/README.md).
constexpr std::string_view kNoChild = "no child";

/// A program, and the time in which main leaves it alone.
struct Program {
  const Process* process = nullptr;
  int launch = 0;
  int reap = 0;  // 0: main never came to it
  Moment until;  // main ends it from here on, or dies, or the case is over
};

int reap_after(const Reading& reading, int launch) {
  for (int step = launch + 1; step <= reading.steps(); ++step) {
    if (reading.step(step).kind == StepKind::kReap) return reading.run(step).begun ? step : 0;
  }
  return 0;
}

std::vector<Program> programs(const Reading& reading) {
  std::vector<Program> found;
  for (const auto& process : reading.processes()) {
    const int launch = process.launched_in;
    if (launch == 0 || !process.born || !reading.run(launch).is(Kind::kOk)) continue;
    Program program{&process, launch, reap_after(reading, launch), reading.end()};
    if (reading.main_died()) program.until = *reading.main()->dying;
    if (program.reap != 0) program.until = *reading.run(program.reap).begun;
    found.push_back(program);
  }
  return found;
}

/// Whether a pool was about while main left its program alone.
bool met_a_pool(const Reading& reading, const Program& program) {
  return reading.is_within_the_pools_life(program.until);
}

/// Whether main ends by a signal to its whole process group, in which its program is.
bool may_be_mains_end(const Reading& reading, const harness::Signalled& sent, std::size_t event) {
  if (reading.scenario().ending.kind != harness::EndingKind::kCtrlC) return false;
  const auto& last = reading.run(reading.steps());
  const auto* main = reading.main();
  return main != nullptr && sent.sender == main->pid && sent.signal == SIGINT && last.ended &&
         last.ended->event < event;
}

/// A signal to it of which somebody in the tree was the sender: main ends it in no other step.
void judge_signals(const Reading& reading, const Program& program, Verdicts& verdicts) {
  const auto& events = reading.trace().events;
  for (std::size_t i = program.process->born->event; i < program.until.event; ++i) {
    const auto* sent = std::get_if<harness::Signalled>(&events[i].kind);
    if (sent == nullptr || sent->pid != program.process->pid) continue;
    const auto* sender = reading.process(sent->sender);
    if (sender == nullptr || sender == program.process) continue;
    if (may_be_mains_end(reading, *sent, i)) continue;
    verdicts.violated(fmt::format("{} sent {} to {}", reading.name(*sender),
                                  sys::signal_name(sent->signal), reading.name(*program.process)),
                      {program.process->born->event, i});
  }
}

/// By the record's order and by the clock: who is killed in a stop is recorded before main's claim
/// to begin what kills it is read.
bool lies_before(const Moment& moment, const Moment& until) {
  return moment < until && moment.at < until.at;
}

/// Whether main's first thread was alone in it when it left by its language's exit: then the end of
/// the thread is main's.
bool leaves_as_a_whole(const Reading& reading) {
  const auto ending = reading.scenario().ending.kind;
  const bool by_exit = ending == harness::EndingKind::kReturn ||
                       ending == harness::EndingKind::kRaise ||
                       ending == harness::EndingKind::kExit;
  const auto& main = *reading.main();
  if (!by_exit || !reading.trace().exact || !main.status ||
      !std::holds_alternative<sys::Exited>(*main.status))
    return false;
  int others = 0;
  const auto& events = reading.trace().events;
  for (std::size_t i = 0; i < reading.ending_begun()->event; ++i) {
    const auto* born = std::get_if<harness::ThreadBorn>(&events[i].kind);
    const auto* dead = std::get_if<harness::ThreadDead>(&events[i].kind);
    others += born != nullptr && born->pid == main.pid ? 1 : 0;
    others -= dead != nullptr && dead->pid == main.pid ? 1 : 0;
  }
  for (std::size_t i = reading.ending_begun()->event; i < main.dying->event; ++i)
    others += std::holds_alternative<harness::ThreadBorn>(events[i].kind) ? 1 : 0;
  return others == 0;
}

/// Up to here main lives for sure, and has not ended the program: that dies with main's first
/// thread, which may end before the others do, or of the signal by which main ends them all.
Moment mains_last_word(const Reading& reading) {
  const bool ends_all = reading.scenario().ending.kind == harness::EndingKind::kCtrlC;
  if (ends_all && reading.ending_begun()) return *reading.ending_begun();
  if (!reading.main_died()) return reading.end();
  if (reading.ending_begun() && leaves_as_a_whole(reading)) return *reading.main()->dying;
  if (reading.ending_begun()) return *reading.ending_begun();
  Moment last;
  for (int step = 1; step <= reading.steps(); ++step) {
    const auto& run = reading.run(step);
    for (const auto& word : {run.begun, run.ended}) last = word ? std::max(last, *word) : last;
  }
  return last;
}

/// SIGKILL is delivered unseen; nobody but the pool has a reason for it.
void judge_death(const Reading& reading, const Program& program, Verdicts& verdicts) {
  const auto& process = *program.process;
  const auto* killed = process.status ? std::get_if<sys::Killed>(&*process.status) : nullptr;
  const auto until = std::min(program.until, mains_last_word(reading));
  // `dying` is when it was last known to live, which may be long before.
  if (killed == nullptr || !process.dead || !lies_before(*process.dead, until)) return;
  verdicts.violated(
      fmt::format("{} {}, and not by main", reading.name(process), reading.how_died(process)),
      {process.born->event, process.dead->event});
}

/// Where nobody may count on zombies the kernel reaps whoever ends, at once.
bool kernel_reaps(const Reading& reading) {
  return reading.scenario().inherits.contains(harness::Inherited::kSigchldIgnored);
}

/// A zombie that is not there any more, though main has not waited for it.
void judge_zombie(const Reading& reading, const Program& program, Verdicts& verdicts) {
  const auto& events = reading.trace().events;
  if (!program.process->dead) return;
  for (std::size_t i = program.process->dead->event; i < program.until.event; ++i) {
    const auto* seen = std::get_if<harness::Snapshot>(&events[i].kind);
    if (seen == nullptr) continue;
    const bool there =
        std::any_of(seen->processes.begin(), seen->processes.end(),
                    [&](const auto& process) { return process.pid == program.process->pid; });
    if (there) continue;
    return verdicts.violated(fmt::format("{} has ended, and was reaped by somebody else than main",
                                         reading.name(*program.process)),
                             {program.process->dead->event, i});
  }
}

/// What main's own wait in the step says.
void judge_wait(const Reading& reading, const Program& program, int step, Verdicts& verdicts) {
  if (step == 0) return;
  const auto& run = reading.run(step);
  if (!run.is(Kind::kOk) || run.result->value != kNoChild) return;
  if (reading.calls_failed_before(*run.ended)) return;
  verdicts.violated(fmt::format("{} was reaped by somebody else: {} finds no such child",
                                reading.name(*program.process), reading.name(step)),
                    {run.begun->event, run.ended->event});
}

// ---- Another pool -------------------------------------------------------------------------------

/// Main's own child may have ended one of the other's workers.
bool a_child_of_mains_killed(const Reading& reading, const Moment& until) {
  const auto& all = reading.processes();
  return std::any_of(all.begin(), all.end(), [&](const Process& process) {
    const auto* killer = process.gone_before(until) ? reading.killer_of(process) : nullptr;
    return killer != nullptr && killer->role == Reading::Role::kOwn;
  });
}

bool a_pool_was_made_before(const Reading& reading, const Moment& moment) {
  for (int step = 1; step <= reading.steps(); ++step) {
    const auto& begun = reading.run(step).begun;
    if (reading.step(step).kind == StepKind::kCreate && begun && *begun < moment) return true;
  }
  return false;
}

/// It was made and used: what keeps it from working later is the first pool's doing, or its own.
void judge_neighbour(const Reading& reading, int step, Verdicts& verdicts) {
  const auto& run = reading.run(step);
  const bool asks = reading.step(step).kind == StepKind::kNeighbour &&
                    reading.step(step).neighbour == harness::Neighbour::kWorks;
  if (!asks || !run.ended || run.is(Kind::kRefused)) return;
  if (!a_pool_was_made_before(reading, *run.begun)) return;
  if (run.is(Kind::kOk)) return verdicts.held();
  if (reading.hit_before(*run.ended) || a_child_of_mains_killed(reading, *run.ended)) return;
  verdicts.violated(
      fmt::format("another pool of main's does not work any more: {} fails with {} {}",
                  reading.name(step), run.result->error.substr(0, 60),
                  run.result->message.substr(0, 100)),
      {run.begun->event, run.ended->event});
}

}  // namespace

Verdict foreign_processes_are_left_alone(const Evidence& evidence) {
  const Reading reading(evidence);
  Verdicts verdicts;
  for (const auto& program : programs(reading)) {
    if (!met_a_pool(reading, program) || reading.harmed_by_fault(*program.process)) continue;
    verdicts.held();
    judge_signals(reading, program, verdicts);
    judge_death(reading, program, verdicts);
    if (kernel_reaps(reading)) continue;
    judge_zombie(reading, program, verdicts);
    judge_wait(reading, program, program.launch, verdicts);
    judge_wait(reading, program, program.reap, verdicts);
  }
  for (int step = 1; step <= reading.steps(); ++step) judge_neighbour(reading, step, verdicts);
  return verdicts.verdict();
}

}  // namespace poolproof::properties
