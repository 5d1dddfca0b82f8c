#pragma once

#include <array>
#include <csignal>
#include <optional>

#include "harness/sys/result.h"

namespace poolproof::warden {

/// ptrace(2) as the observer uses it. A tracee may be killed at any time, so that any of these may
/// find it gone: that shows as false or nullopt and is followed by its death in wait.
namespace trace {

/// Attaches without stopping, with every event that the observer lives on; the tracee and all that
/// it makes die with the tracer (EXITKILL).
sys::Result<void> seize(int pid);
bool go_on(int tid, int signal = 0);
/// The same, but the tracee stops at the entry or exit of its next system call.
bool go_on_to_call(int tid, int signal = 0);
/// Leaves a group-stopped tracee stopped, but lets SIGCONT reach it.
bool keep_stopped(int tid);
std::optional<unsigned long> message(int tid);
std::optional<siginfo_t> signal_info(int tid);
/// Leaves a stopped tracee to itself; a `signal` that it was about to get is delivered.
void detach(int tid, int signal = 0);
/// Stops a running tracee: wait will tell.
bool interrupt(int tid);

/// A tracee at a system call: at its entry or exit (go_on_to_call), or where a seccomp filter
/// traces it. Source: ptrace(2), PTRACE_GET_SYSCALL_INFO; Linux 5.3 or later.
struct CallStop {
  enum class At { kEntry, kExit, kFilter };
  At at = At::kExit;
  bool foreign = false;  // of another architecture, whose numbers mean other calls
  long number = 0;       // not at the exit, as the arguments
  std::array<unsigned long, 2> arguments{};  // its first ones
};
std::optional<CallStop> call_stop(int tid);
/// At a call's entry or filter: the kernel will not make it, but go on as if it had.
bool skip_call(int tid);
/// At its exit, or at its filter once it was skipped: what the caller gets.
bool set_result(int tid, long result);
/// Whether the stop of this status is one at a system call.
bool is_call_stop(int wait_status);

/// The event of a stop, 0 for a signal about to be delivered.
int event_of(int wait_status);

}  // namespace trace
}  // namespace poolproof::warden
