#pragma once

#include <chrono>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "harness/sys/exit_status.h"
#include "harness/sys/fd.h"
#include "harness/sys/result.h"

namespace poolproof::harness {

/// A child process with pipes to its stdin and stdout. Its stderr is ours.
struct Child {
  int pid = 0;
  sys::Fd to;    // writes to its stdin
  sys::Fd from;  // reads its stdout
};

/// Starts `argv[0]` (a path) with its pipes, killed by the kernel when the calling *thread* ends
/// (PR_SET_PDEATHSIG), so call it from the thread that lives longest, before others exist.
/// The caller waits for the pid.
/// Errors: what exec said. Source: Boost.Process v2, prctl(2).
sys::Result<Child> launch(std::span<const std::string> argv);

struct CommandOutput {
  sys::ExitStatus status;
  std::string out;
  std::string err;
};

/// Runs a command to its end and collects what it prints (at most 1 MiB each). Its stdin is
/// /dev/null; a bare name is looked for in PATH. When `timeout` passes it is killed, with an error
/// that says so. Not for subjects: nothing contains what this starts.
sys::Result<CommandOutput> run_command(std::span<const std::string> argv,
                                       std::chrono::milliseconds timeout);

/// The same for a command that may leave processes behind: whoever descends from it and is there
/// at its end is ended, in whatever session: by SIGTERM, and who is still there after a second, by
/// SIGKILL. It is ended, too, as soon as `stopped` says so.
/// Nothing else may start children of this process meanwhile. Source: PR_SET_CHILD_SUBREAPER in
/// prctl(2).
sys::Result<CommandOutput> run_contained_command(std::span<const std::string> argv,
                                                 std::chrono::milliseconds timeout,
                                                 const std::function<bool()>& stopped);

}  // namespace poolproof::harness
