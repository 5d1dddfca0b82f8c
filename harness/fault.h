#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "harness/sys/result.h"

namespace poolproof::harness {

/// What goes wrong in a case from outside: who, when, what. Its text, the token, is what cases,
/// traces and the command line have:
///
///   main:read(pipe):2=SIGKILL   main gets SIGKILL as it enters its second read of a pipe
///   main.1.2:*:17=SIGTERM       the second child of main's first child, at its 17th system call
///   main:clone:1=EAGAIN         the call is not made and fails with EAGAIN
///   main.1:*:3=stop:200         stopped there by SIGSTOP, and let go on 200 ms later
///
/// A named call keeps its meaning when another one is added before it; a bare number does not, and
/// is for counting through all of them (a sweep).
struct Fault {
  enum class Action { kSignal, kErrno, kStop };

  /// By birth: "main", "main.2" for its second child. Threads count as their process.
  std::string who = "main";
  std::string call = "*";  // a system call's name; "*": any
  std::string target;      // what its descriptor is: "pipe", "socket" ...; empty: whatever
  /// Which of them, from 1. Main's calls count from its first step on, those of others from their
  /// birth.
  int nth = 1;
  Action action = Action::kSignal;
  int number = 9;  // the signal, or the error
  std::chrono::milliseconds pause{0};
  bool operator==(const Fault&) const = default;
};

/// The token, and its part before "=".
std::string to_string(const Fault& fault);
std::string trigger_text(const Fault& fault);

/// Errors: one line that says which part is wrong. Untrusted input.
sys::Result<Fault> fault_from_string(std::string_view token);

}  // namespace poolproof::harness
