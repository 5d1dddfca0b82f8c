#include "harness/fault.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <csignal>
#include <cstring>
#include <optional>

namespace poolproof::harness {
namespace {

constexpr std::size_t kLongestToken = 200;
constexpr int kMostCalls = 1'000'000;
constexpr int kLongestPause = 60'000;
constexpr int kLastErrno = 133;  // Linux, on every architecture that we know

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
bool is_who(std::string_view text) {
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

bool read_action(std::string_view text, Fault& fault) {
  constexpr std::string_view kStop = "stop:";
  if (text.starts_with(kStop)) {
    const auto pause = number(text.substr(kStop.size()), kLongestPause);
    fault.action = Fault::Action::kStop;
    fault.number = SIGSTOP;
    fault.pause = std::chrono::milliseconds(pause.value_or(0));
    return pause.has_value();
  }
  if (const auto signal = named(text, SIGSYS, signal_name)) {
    fault.action = Fault::Action::kSignal;
    fault.number = *signal;
    return true;
  }
  const auto error = named(text, kLastErrno, errno_name);
  fault.action = Fault::Action::kErrno;
  fault.number = error.value_or(0);
  return error.has_value();
}

/// "read(pipe)", "read", "*".
bool read_call(std::string_view text, Fault& fault) {
  const auto open = text.find('(');
  fault.call = text.substr(0, open);
  if (open != text.npos) {
    if (text.back() != ')') return false;
    fault.target = text.substr(open + 1, text.size() - open - 2);
    if (!is_word(fault.target)) return false;
  }
  return is_word(fault.call) || (fault.call == "*" && fault.target.empty());
}

}  // namespace

std::string trigger_text(const Fault& fault) {
  const std::string target = fault.target.empty() ? "" : "(" + fault.target + ")";
  return fault.who + ":" + fault.call + target + ":" + std::to_string(fault.nth);
}

std::string to_string(const Fault& fault) {
  std::string text = trigger_text(fault) + "=";
  switch (fault.action) {
    case Fault::Action::kSignal:
      return text + signal_name(fault.number);
    case Fault::Action::kErrno:
      return text + errno_name(fault.number);
    case Fault::Action::kStop:
      return text + "stop:" + std::to_string(fault.pause.count());
  }
  return text;
}

sys::Result<Fault> fault_from_string(std::string_view token) {
  const auto wrong = [](std::string_view what) {
    return sys::Error("fault: " + std::string(what) + "; one reads main:read(pipe):2=SIGKILL");
  };
  if (token.size() > kLongestToken) return wrong("too long");
  const auto who_end = token.find(':');
  const auto action_begin = token.find('=');
  const auto call_end = token.substr(0, action_begin).rfind(':');
  if (who_end == token.npos || action_begin == token.npos || call_end <= who_end)
    return wrong("expected WHO:CALL:NUMBER=ACTION");
  Fault fault;
  fault.who = token.substr(0, who_end);
  if (!is_who(fault.who)) return wrong("who is main, or a child by birth as main.1.2");
  if (!read_call(token.substr(who_end + 1, call_end - who_end - 1), fault))
    return wrong("the call is a system call's name, name(target), or *");
  const auto nth = number(token.substr(call_end + 1, action_begin - call_end - 1), kMostCalls);
  if (!nth) return wrong("which call is a number from 1");
  fault.nth = *nth;
  if (!read_action(token.substr(action_begin + 1), fault))
    return wrong("the action is a signal, an errno, or stop:MS");
  return fault;
}

}  // namespace poolproof::harness
