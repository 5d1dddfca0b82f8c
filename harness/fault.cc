#include "harness/fault.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <csignal>
#include <cstring>
#include <optional>

#include "harness/sys/call_names.h"

namespace poolproof::harness {
namespace {

using Action = Fault::Action;
using Trigger = Fault::Trigger;

constexpr std::size_t kLongestToken = 200;
constexpr int kMostCalls = 1'000'000;
constexpr int kLongestPause = 60'000;
constexpr int kLastErrno = 133;  // Linux, on every architecture that we know

/// Triggers that are no call have names that no system call has.
struct TriggerName {
  Trigger trigger;
  std::string_view name;
};
constexpr std::array kTriggers{TriggerName{Trigger::kBeforeStep, "before-step"},
                               TriggerName{Trigger::kAfterStep, "after-step"},
                               TriggerName{Trigger::kTask, "task"}};

struct ActionName {
  Action action;
  std::string_view name;
};
constexpr std::array kPlainActions{ActionName{Action::kTypicalError, "errno"},
                                   ActionName{Action::kLimitFiles, "limit:files"},
                                   ActionName{Action::kLimitMemory, "limit:memory"},
                                   ActionName{Action::kLimitProcesses, "limit:processes"},
                                   ActionName{Action::kReusePids, "reuse:pids"},
                                   ActionName{Action::kCloseStdout, "close-stdout"}};
constexpr std::array kPauses{ActionName{Action::kStop, "stop:"},
                             ActionName{Action::kDelay, "delay:"}};

std::optional<int> number(std::string_view text, int most) {
  int value = 0;
  const auto end = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool whole = end.ec == std::errc() && end.ptr == text.data() + text.size();
  if (!whole || value < 1 || value > most) return std::nullopt;
  return value;
}

bool is_word(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '_';
  });
}

/// "main", "main.1.12".
bool is_path(std::string_view text) {
  constexpr std::string_view kMain = "main";
  if (!text.starts_with(kMain)) return false;
  text.remove_prefix(kMain.size());
  while (!text.empty()) {
    const auto end = std::min(text.find('.', 1), text.size());
    if (text.front() != '.' || !number(text.substr(1, end - 1), kMostCalls)) return false;
    text.remove_prefix(end);
  }
  return true;
}

/// "worker2", "worker", "group".
bool is_role(std::string_view text) {
  constexpr std::string_view kWorker = "worker";
  if (text == "group") return true;
  if (!text.starts_with(kWorker)) return false;
  text.remove_prefix(kWorker.size());
  return text.empty() || number(text, kMostCalls).has_value();
}

std::string signal_name(int signal) {
  const char* name = ::sigabbrev_np(signal);
  return name != nullptr ? std::string("SIG") + name : std::to_string(signal);
}

std::string errno_name(int error) {
  const char* name = ::strerrorname_np(error);
  return name != nullptr ? name : std::to_string(error);
}

template <class Name>
std::optional<int> named(std::string_view text, int last, Name name) {
  for (int value = 1; value <= last; ++value) {
    if (name(value) == text) return value;
  }
  return std::nullopt;
}

bool read_pause(std::string_view text, Fault& fault) {
  for (const auto& [action, name] : kPauses) {
    if (!text.starts_with(name)) continue;
    const auto pause = number(text.substr(name.size()), kLongestPause);
    fault.action = action;
    fault.number = action == Action::kStop ? SIGSTOP : 0;
    fault.pause = std::chrono::milliseconds(pause.value_or(0));
    return pause.has_value();
  }
  return false;
}

bool read_action(std::string_view text, Fault& fault) {
  fault.number = 0;
  for (const auto& [action, name] : kPlainActions) {
    fault.action = action;
    if (text == name) return true;
  }
  if (read_pause(text, fault)) return true;
  if (const auto signal = named(text, SIGSYS, signal_name)) {
    fault.action = Action::kSignal;
    fault.number = *signal;
    return true;
  }
  const auto error = named(text, kLastErrno, errno_name);
  fault.action = Action::kErrno;
  fault.number = error.value_or(0);
  return error.has_value();
}

/// "read(pipe)", "read", "*", "before-step".
bool read_trigger(std::string_view text, Fault& fault) {
  for (const auto& [trigger, name] : kTriggers) {
    fault.trigger = trigger;
    if (text == name) return true;
  }
  fault.trigger = Trigger::kCall;
  const auto open = text.find('(');
  fault.call = text.substr(0, open);
  if (open != text.npos) {
    if (text.back() != ')') return false;
    fault.target = text.substr(open + 1, text.size() - open - 2);
    if (!is_word(fault.target)) return false;
  }
  return is_word(fault.call) || (fault.call == "*" && fault.target.empty());
}

bool read_number(std::string_view text, Fault& fault) {
  fault.lasting = text.ends_with('+');
  if (fault.lasting) text.remove_suffix(1);
  const auto nth = number(text, kMostCalls);
  fault.nth = nth.value_or(1);
  return nth.has_value();
}

bool fails_a_call(Action action) {
  return action == Action::kErrno || action == Action::kTypicalError;
}

/// What the parts do not say by themselves; empty where they fit together.
std::string_view misfit(const Fault& fault) {
  const bool at_call = fault.trigger == Trigger::kCall;
  if (at_call && fault.call != "*" && !sys::call_number(fault.call))
    return "no system call has that name here";
  if (!at_call && fails_a_call(fault.action)) return "an error is for a system call";
  if (fault.lasting && !fails_a_call(fault.action)) return "only an error lasts ('+')";
  if (fault.who == "worker" && fault.trigger != Trigger::kTask)
    return "'worker' is who began a task; number it (worker1), or use a task as trigger";
  if (fault.who == "group" && (at_call || fault.action != Action::kSignal))
    return "a group gets signals, at a step or a task";
  const char* one_who_stands_there = fault.trigger == Trigger::kTask ? "worker" : "main";
  if (fault.action == Action::kDelay && !at_call && fault.who != one_who_stands_there)
    return "a delay at a step is main's, one at a task is 'worker's";
  return {};
}

}  // namespace

std::string trigger_text(const Fault& fault) {
  const std::string number = std::to_string(fault.nth) + (fault.lasting ? "+" : "");
  for (const auto& [trigger, name] : kTriggers) {
    if (fault.trigger == trigger) return fault.who + ":" + std::string(name) + ":" + number;
  }
  const std::string target = fault.target.empty() ? "" : "(" + fault.target + ")";
  return fault.who + ":" + fault.call + target + ":" + number;
}

std::string action_text(const Fault& fault) {
  for (const auto& [action, name] : kPlainActions) {
    if (fault.action == action) return std::string(name);
  }
  for (const auto& [action, name] : kPauses) {
    if (fault.action == action) return std::string(name) + std::to_string(fault.pause.count());
  }
  return fault.action == Action::kSignal ? signal_name(fault.number) : errno_name(fault.number);
}

std::string to_string(const Fault& fault) {
  return trigger_text(fault) + "=" + action_text(fault);
}

sys::Result<Fault> fault_from_string(std::string_view token) {
  const auto wrong = [](std::string_view what) {
    return sys::Error("fault: " + std::string(what) + "; for example main:read(pipe):2=SIGKILL");
  };
  if (token.size() > kLongestToken) return wrong("too long");
  const auto who_end = token.find(':');
  const auto action_begin = token.find('=');
  const auto call_end = token.substr(0, action_begin).rfind(':');
  if (who_end == token.npos || action_begin == token.npos || call_end <= who_end)
    return wrong("expected WHO:CALL:NUMBER=ACTION");
  Fault fault;
  fault.who = token.substr(0, who_end);
  if (!is_path(fault.who) && !is_role(fault.who))
    return wrong("who is main, a child by birth as main.1.2, worker1 and so on, worker or group");
  if (!read_trigger(token.substr(who_end + 1, call_end - who_end - 1), fault))
    return wrong(
        "the call is a system call's name, name(target), *, before-step, after-step, task");
  if (!read_number(token.substr(call_end + 1, action_begin - call_end - 1), fault))
    return wrong("which call, step or task is a number from 1");
  if (!read_action(token.substr(action_begin + 1), fault))
    return wrong(
        "the action is a signal, an errno, stop:MS, delay:MS, limit:files, limit:memory, "
        "limit:processes, reuse:pids or close-stdout");
  if (const auto why = misfit(fault); !why.empty()) return wrong(why);
  return fault;
}

}  // namespace poolproof::harness
