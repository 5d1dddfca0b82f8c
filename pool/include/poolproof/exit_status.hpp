#pragma once

#include <string>
#include <variant>

namespace poolproof {

/// Left by exit, _exit or a return from main.
struct Exited {
  int code = 0;
  friend bool operator==(const Exited&, const Exited&) = default;
};

/// Ended by a signal.
struct Killed {
  int signal = 0;
  bool dumped_core = false;
  friend bool operator==(const Killed&, const Killed&) = default;
};

/// How a process ended, as waitid(2) tells it.
using ExitStatus = std::variant<Exited, Killed>;

/// "exit status 3", "signal 9 (Killed)".
std::string to_string(const ExitStatus& status);

}  // namespace poolproof
