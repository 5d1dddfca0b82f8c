#pragma once

#include <sys/types.h>

#include <cstdint>
#include <vector>

/// What /proc tells of a process's memory and work.
namespace poolproof::bench {

/// Bytes; 0 where /proc does not tell.
struct Memory {
  std::uint64_t now = 0;   ///< resident, mapped files included
  std::uint64_t peak = 0;  ///< its highest since `forget_peak`
};
Memory memory_of_this_process();
void forget_peak();

/// Of all threads of all `pids` but the calling one.
struct Work {
  std::uint64_t run_ns = 0;
  std::uint64_t times_run = 0;  ///< how often one was given a processor
};
Work work_of(const std::vector<pid_t>& pids);

/// The parent of a process; 0 if there is none.
pid_t parent_of(pid_t pid);

}  // namespace poolproof::bench
