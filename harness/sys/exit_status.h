#pragma once

#include <compare>
#include <optional>
#include <string>
#include <variant>

namespace poolproof::sys {

/// Left by returning from main, exit or _exit, with this code (0-255).
struct Exited {
  int code = 0;
  auto operator<=>(const Exited&) const = default;
};

/// Ended by this signal number.
struct Killed {
  int signal = 0;
  auto operator<=>(const Killed&) const = default;
};

/// How a process ended. Never the shell's 128+n: that loses the difference (exit 137 and SIGKILL).
using ExitStatus = std::variant<Exited, Killed>;

/// From what wait(2) and PTRACE_EVENT_EXIT hand out ("wait status", not a code).
ExitStatus exit_status_from_wait(int wait_status);

/// How the process behind a pidfd ended, whoever has waited for it; nullopt while it lives, and
/// where the kernel does not tell. The pidfd must be older than the process's end. Source:
/// PIDFD_GET_INFO with PIDFD_INFO_EXIT; Linux 6.15 or later.
std::optional<ExitStatus> exit_status_of(int pidfd);

/// "exited 7" or "killed by SIGTERM".
std::string to_string(const ExitStatus& status);

/// "SIGTERM" for 15; "signal 71" for one without a name.
std::string signal_name(int signal);

}  // namespace poolproof::sys
