#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>

namespace poolproof::detail {

struct WorkerSetup {
  pid_t supervisor = 0;
  int channel = -1;
  int output = -1;  ///< main's descriptor 1 as of now; -1: it has none
  int error = -1;   ///< likewise 2
  int ring = -1;    ///< a memfd, the worker's alone
  std::uint64_t serial = 0;
  bool is_copy_of_main = true;  ///< and functions lie where main has them
};

/// The life of a worker, from just after fork or exec, all signals blocked. Ends by
/// _exit only: what main registered with atexit is main's.
[[noreturn]] void run_worker(const WorkerSetup& setup);

/// A pidfd of a child that only the caller reaps, or -1. Close-on-exec.
int open_pidfd(pid_t pid);

}  // namespace poolproof::detail
