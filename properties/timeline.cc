#include "properties/timeline.h"

#include <fmt/format.h>

#include <algorithm>
#include <csignal>
#include <map>
#include <set>

#include "properties/family.h"
#include "properties/text.h"

namespace poolproof::properties {
namespace {

using harness::Event;
using harness::Nanoseconds;
using harness::Pid;
using harness::Scenario;
using harness::StepResult;
using harness::Trace;

constexpr std::size_t kTextColumn = 32;
constexpr std::size_t kLastColumn = 76;

std::string pid_in_words(const Family& family, Pid pid) {
  const auto* member = family.member(pid);
  if (member == nullptr) return std::to_string(pid);
  if (member->role == Role::kMain) return "main";
  return fmt::format("{} {}", name(member->role), pid);
}

class Timeline {
 public:
  Timeline(const Scenario& scenario, const Trace& trace, Detail detail)
      : scenario_(scenario), trace_(trace), detail_(detail), family_(trace) {}

  std::vector<std::string> lines() {
    note_start_up();
    for (const auto& event : trace_.events) {
      now_ = event.at;
      std::visit([this](const auto& kind) { on(kind); }, event.kind);
    }
    return std::move(lines_);
  }

 private:
  // What has no line of its own.
  template <class Kind>
  void on(const Kind&) {}

  void on(const harness::Born& born) {
    if (born.pid == trace_.main()) return add(born.pid, "born");
    std::string how = born.how == "vfork" ? "born: vforked by " : "born: forked by ";
    how += pid_in_words(family_, born.parent);
    if (step_ > 0) how += fmt::format(" in step {}", step_);
    add(born.pid, how);
  }
  void on(const harness::Execed& execed) {
    // Main's first exec is its own start.
    if (execed.pid == trace_.main() && !ending_) return;
    add(execed.pid, "becomes " + printable(execed.path.substr(execed.path.rfind('/') + 1)));
  }
  void on(const harness::StepBegun& begun) {
    step_ = begun.step;
    if (!is_ended(begun.step)) {
      add(begun.pid, fmt::format("step {} begun: {}, which does not return", begun.step,
                                 step_name(begun.step)));
    }
  }
  void on(const harness::StepEnded& ended) {
    step_ = 0;
    const auto& result = ended.result;
    const bool went_well = result.kind == StepResult::Kind::kOk && result.killed == 0;
    if (went_well && detail_ == Detail::kWhatMatters) return;
    auto text = fmt::format("step {} {}: ", ended.step, step_name(ended.step));
    if (result.killed != 0) {
      text += "killed " + pid_in_words(family_, result.killed);
    } else {
      text += name(result.kind);
      for (const auto& said : {result.value, result.error}) {
        if (!said.empty()) text += ", " + printable(said);
      }
    }
    add(ended.pid, text);
  }
  static std::string of_item(int item) {
    return item > 0 ? fmt::format(" item {}", item) : std::string();
  }
  void on(const harness::TaskBegun& begun) {
    if (!is_quick(begun))
      add(begun.pid, fmt::format("task {}{} begun", begun.task, of_item(begun.item)));
  }
  void on(const harness::TaskEnded& ended) {
    add(ended.pid, fmt::format("task {}{} {}", ended.task, of_item(ended.item),
                               ended.how == "returned" ? "ran" : ended.how));
  }
  void on(const harness::CalledBack& call) {
    add(call.pid,
        fmt::format("callback of task {} called with its {}", call.task, printable(call.with)));
  }
  void on(const harness::EndingBegun& begun) {
    ending_ = true;
    if (!is_dead(begun.pid)) {
      add(begun.pid, fmt::format("ending begun: {}", harness::entry(scenario_.ending.kind).name));
    }
  }
  void on(const harness::Signalled& signalled) {
    if (signalled.signal == SIGURG || signalled.signal == SIGCHLD) return;  // ours, and noise
    auto text = sys::signal_name(signalled.signal) + " arrives";
    if (signalled.sender != 0) text += " from " + pid_in_words(family_, signalled.sender);
    add(signalled.pid, text);
  }
  void on(const harness::Dead& dead) {
    if (killed_by_warden_.contains(dead.pid)) return;
    auto text = sys::to_string(dead.status);
    if (dead.pid != trace_.main()) return add(dead.pid, text);
    static constexpr std::string_view kGone = " main is gone";
    text += "  ";
    const auto used = kTextColumn + text.size() + kGone.size();
    if (used < kLastColumn) text += std::string(kLastColumn - used, '-');
    add(dead.pid, text + std::string(kGone));
    for (const auto* left : family_.survivors()) {
      if (left->killed_by_warden && left->born <= now_) add(left->pid, "alive, its parent is gone");
    }
  }
  void on(const harness::AtRest& rest) {
    std::string doubt;
    std::set<Pid> pids;
    for (const auto& wait : rest.waits) {
      pids.insert(wait.pid);
      if (doubt.empty()) doubt = wait.doubt;
    }
    for (const auto pid : pids) {
      add(pid, rest.proved ? "asleep for ever: two looks, nothing can wake it"
                           : "asleep, perhaps not for ever: " + printable(doubt));
    }
  }
  void on(const harness::Polling& polling) {
    for (const auto& poller : polling.pollers) {
      add(poller.pid, fmt::format("woke {} times since {:+.1f} ms and did nothing", poller.wakes,
                                  static_cast<double>(polling.since.count()) / 1e6));
    }
  }
  void on(const harness::KilledByWarden& killed) {
    killed_by_warden_.insert(killed.pid);
    add(killed.pid, "killed by the warden");
  }
  void on(const harness::Foreign& foreign) {
    add(foreign.pid, "came from nowhere: no birth was seen");
  }
  void on(const harness::LimitHit& limit) {
    add(trace_.main(), "limit hit: " + printable(limit.what));
  }
  void on(const harness::LeftOver& left) {
    add(trace_.main(), fmt::format("left over: {} in {}", left.count, printable(left.where)));
  }
  void on(const harness::FaultFired& fault) { add(fault.pid, "fault: " + printable(fault.token)); }
  void on(const harness::Lost& lost) { add(trace_.main(), "lost: " + printable(lost.why)); }
  void on(const harness::Garbage& garbage) {
    add(trace_.main(), "no claim: " + printable(garbage.text));
  }

  // What is looked at beside the events; of interest where every step is.
  void on(const harness::MainState& state) {
    if (detail_ == Detail::kWhatMatters) return;
    std::vector<std::string> open;
    for (const auto& descriptor : state.descriptors) open.push_back(std::to_string(descriptor.fd));
    add(trace_.main(), fmt::format("{}: open {}, umask {}, cpus {}", state.at, joined(open, " "),
                                   state.umask, state.processors));
  }
  void on(const harness::Snapshot& snapshot) {
    if (detail_ == Detail::kWhatMatters) return;
    std::vector<std::string> states;
    for (const auto& process : snapshot.processes)
      states.push_back(fmt::format("{} {}", process.pid, process.state));
    add(trace_.main(), "process table: " + joined(states, ", "));
  }
  void on(const harness::ThreadBorn& born) {
    if (detail_ == Detail::kEveryStep) add(born.pid, fmt::format("thread {} begins", born.tid));
  }
  void on(const harness::ThreadDead& dead) {
    if (detail_ == Detail::kEveryStep) add(dead.pid, fmt::format("thread {} ends", dead.tid));
  }

  /// Who came and went before main was ready: a wrapper that looks for the interpreter, mostly.
  void note_start_up() {
    std::set<Pid> gone;
    for (const auto& event : trace_.events) {
      if (std::holds_alternative<harness::Started>(event.kind)) {
        before_start_ = std::move(gone);
        return;
      }
      if (const auto* dead = std::get_if<harness::Dead>(&event.kind)) gone.insert(dead->pid);
    }
  }

  void add(Pid pid, const std::string& text) {
    if (pid != trace_.main() && before_start_.contains(pid)) return;
    const bool is_main = pid == trace_.main();
    const auto who = is_main ? fmt::format("main {}", pid) : "  " + pid_in_words(family_, pid);
    const auto at = fmt::format("{:+.1f} ms", static_cast<double>(now_.count()) / 1e6);
    lines_.push_back(clipped(fmt::format("{:>12}  {:<17} {}", at, who, text), kLineWidth));
  }

  std::string_view step_name(int step) const {
    const auto index = static_cast<std::size_t>(step) - 1;
    if (step < 1 || index >= scenario_.steps.size()) return "?";
    return harness::entry(scenario_.steps[index].kind).name;
  }
  template <class Kind, class Wanted>
  bool any(Wanted wanted) const {
    return std::any_of(trace_.events.begin(), trace_.events.end(), [&](const Event& event) {
      const auto* kind = std::get_if<Kind>(&event.kind);
      return kind != nullptr && wanted(*kind, event.at);
    });
  }
  bool is_ended(int step) const {
    return any<harness::StepEnded>([&](const auto& ended, auto) { return ended.step == step; });
  }
  /// Its end follows within 5 ms: one line says it all.
  bool is_quick(const harness::TaskBegun& begun) const {
    return any<harness::TaskEnded>([&](const auto& ended, Nanoseconds at) {
      return ended.task == begun.task && ended.pid == begun.pid && at >= now_ &&
             at - now_ < std::chrono::milliseconds(5);
    });
  }
  bool is_dead(Pid pid) const {
    const auto* member = family_.member(pid);
    return member != nullptr && member->dead.has_value();
  }

  const Scenario& scenario_;
  const Trace& trace_;
  Detail detail_;
  Family family_;
  Nanoseconds now_{0};
  int step_ = 0;
  bool ending_ = false;
  std::set<Pid> killed_by_warden_;
  std::set<Pid> before_start_;
  std::vector<std::string> lines_;
};

}  // namespace

std::vector<std::string> timeline(const Scenario& scenario, const Trace& trace, Detail detail) {
  return Timeline(scenario, trace, detail).lines();
}

std::vector<std::string> shortened(std::vector<std::string> lines, std::size_t most,
                                   std::string_view rest) {
  if (lines.size() <= most) return lines;
  const auto first = static_cast<std::ptrdiff_t>(most / 4);
  const auto missing = lines.size() - most + 1;
  lines.erase(lines.begin() + first, lines.begin() + first + static_cast<std::ptrdiff_t>(missing));
  lines.insert(lines.begin() + first,
               fmt::format("{:>12}  {} more{}", "...",
                           counted(static_cast<std::int64_t>(missing), "line"), rest));
  return lines;
}

}  // namespace poolproof::properties
