#include "properties/random_fault.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <string_view>
#include <vector>

#include "harness/sys/call_names.h"
#include "properties/dice.h"

namespace poolproof::properties {
namespace {

using harness::Fault;
using Action = Fault::Action;
using Trigger = Fault::Trigger;
using std::chrono::milliseconds;

constexpr int kHealthyPercent = 30;
constexpr int kFarthestCall = 12;
constexpr int kReusePercent = 60;  // where main makes a process of its own

/// What pools live on. Those that this architecture does not have are left out.
constexpr std::array<std::string_view, 14> kCalls{"clone",  "clone3",   "mmap",  "read",    "write",
                                                  "futex",  "sendmsg",  "close", "recvmsg", "pipe2",
                                                  "openat", "eventfd2", "poll",  "wait4"};

constexpr std::array kSignals{SIGKILL, SIGKILL, SIGKILL, SIGTERM, SIGHUP, SIGINT};
constexpr std::array kPauses{milliseconds(1), milliseconds(20), milliseconds(100)};

/// In the order of the weights in action_for().
constexpr std::array kActions{Action::kSignal,         Action::kTypicalError, Action::kStop,
                              Action::kDelay,          Action::kLimitFiles,   Action::kLimitMemory,
                              Action::kLimitProcesses, Action::kCloseStdout,  Action::kReusePids};

int tasks_of(const harness::Scenario& scenario) {
  return static_cast<int>(std::count_if(
      scenario.steps.begin(), scenario.steps.end(),
      [](const harness::Step& step) { return step.kind == harness::StepKind::kSubmit; }));
}

std::vector<std::string_view> calls_here() {
  std::vector<std::string_view> here;
  std::copy_if(kCalls.begin(), kCalls.end(), std::back_inserter(here),
               [](std::string_view name) { return sys::call_number(name).has_value(); });
  return here;
}

Trigger trigger_for(Dice& dice, int tasks) {
  const auto index = dice.weighted({40, 25, 15, tasks > 0 ? 40 : 0});
  return std::array{Trigger::kCall, Trigger::kBeforeStep, Trigger::kAfterStep,
                    Trigger::kTask}[static_cast<std::size_t>(index)];
}

/// Whether main is there for long enough to see what is left of something.
bool lingers(const harness::Scenario& scenario) {
  constexpr milliseconds kLong{1000};
  return std::any_of(scenario.steps.begin(), scenario.steps.end(),
                     [&](const harness::Step& step) { return step.duration > kLong; });
}

/// The steps in which main makes a process of its own that lives on, from 1.
std::vector<int> makings(const harness::Scenario& scenario) {
  std::vector<int> found;
  for (std::size_t i = 0; i < scenario.steps.size(); ++i) {
    const auto& step = scenario.steps[i];
    const bool forks =
        step.kind == harness::StepKind::kFork && step.child_end == harness::ChildEnd::kStays;
    if (forks || step.kind == harness::StepKind::kLaunch) found.push_back(static_cast<int>(i) + 1);
  }
  return found;
}

/// Where pids have come round, what main makes for itself has that of a worker that is gone.
Fault reuse_of_pids(Dice& dice, const std::vector<int>& steps) {
  return {.trigger = Trigger::kBeforeStep,
          .nth = dice.pick(steps),
          .action = Action::kReusePids,
          .number = 0};
}

/// A pool is made by births, and may fail half way.
void place_at_a_birth(Dice& dice, Fault& fault) {
  fault.trigger = Trigger::kCall;
  fault.who = dice.pick(std::array{"main", "main.1", "main.1"});
  fault.call = dice.pick(std::array{"clone", "clone", "clone3"});  // glibc's fork, its threads
  fault.nth = dice.pick(std::array{1, 2, 2, 3});
}

void place(Dice& dice, const harness::Scenario& scenario, Fault& fault) {
  const int tasks = tasks_of(scenario);
  if (dice.percent(lingers(scenario) ? 50 : 5)) return place_at_a_birth(dice, fault);
  const int steps = static_cast<int>(scenario.steps.size());
  fault.trigger = trigger_for(dice, tasks);
  switch (fault.trigger) {
    case Trigger::kCall:
      fault.who = dice.pick(std::array{"main", "main", "main.1", "main.1.1", "worker1", "worker2"});
      fault.call = dice.pick(calls_here());
      fault.nth = 1 + dice.below(kFarthestCall);
      return;
    case Trigger::kBeforeStep:
    case Trigger::kAfterStep:
      fault.who = dice.pick(std::array{"main", "main", "worker1", "main.1", "group"});
      fault.nth = 1 + dice.below(steps);
      return;
    case Trigger::kTask:
      fault.who = dice.pick(std::array{"worker", "worker", "worker", "main", "main.1", "group"});
      fault.nth = 1 + dice.below(tasks);
      return;
  }
}

/// Errors are left to calls, and there to those that may meet one. For ever only births fail: who
/// is interrupted, or finds no memory for a message, may by rights try again until it works.
Action action_for(Dice& dice, const Fault& fault) {
  if (fault.who == "group") return Action::kSignal;
  const bool at_call = fault.trigger == Trigger::kCall;
  const char* one_who_stands_there = fault.trigger == Trigger::kTask ? "worker" : "main";
  const bool can_be_held = at_call || fault.who == one_who_stands_there;
  const auto index = dice.weighted({45, at_call ? 60 : 0, 12, can_be_held ? 10 : 0, 5, 5, 5, 3, 2});
  return kActions[static_cast<std::size_t>(index)];
}

/// Who gathers what tasks have left running cannot once it is killed: nothing but a PID namespace
/// could, and no pool promises one.
bool asks_too_much(const Fault& fault, const harness::Scenario& scenario) {
  const bool left_child =
      std::any_of(scenario.steps.begin(), scenario.steps.end(), [](const harness::Step& step) {
        return step.kind == harness::StepKind::kSubmit && entry(step.body.kind).leaves_process;
      });
  const bool is_killed = fault.action == Action::kSignal && fault.number == SIGKILL;
  return left_child && is_killed && fault.who == "main.1";
}

}  // namespace

std::vector<Action> random_fault_kinds() {
  return {kActions.begin(), kActions.end()};
}

std::optional<Fault> random_fault(const rc::Random& random, const harness::Scenario& scenario) {
  Dice dice(random);
  if (scenario.steps.empty() || dice.percent(kHealthyPercent)) return std::nullopt;
  const bool usual =
      scenario.inherits.empty() || scenario.inherits == std::set{harness::Inherited::kInput};
  if (!usual) return std::nullopt;  // strange enough
  const auto made = makings(scenario);
  if (!made.empty() && dice.percent(kReusePercent)) return reuse_of_pids(dice, made);
  Fault fault;
  place(dice, scenario, fault);
  fault.action = action_for(dice, fault);
  fault.number = fault.action == Action::kSignal ? dice.pick(kSignals)
                 : fault.action == Action::kStop ? SIGSTOP
                                                 : 0;
  if (asks_too_much(fault, scenario)) return std::nullopt;
  const bool may_last = fault.call == "clone" || fault.call == "clone3";
  fault.lasting = may_last && fault.action == Action::kTypicalError && dice.percent(30);
  const bool pauses = fault.action == Action::kStop || fault.action == Action::kDelay;
  if (pauses) fault.pause = dice.pick(kPauses);
  return fault;
}

}  // namespace poolproof::properties
