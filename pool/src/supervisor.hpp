#pragma once

#include <sys/types.h>

#include <cstddef>
#include <poolproof/start_method.hpp>

namespace poolproof::detail {

/// A pool can grow to so many workers, or keep what it began with if that is more: nothing is
/// allocated after fork, so there is room for all from the beginning.
inline constexpr std::size_t kRoomForWorkers = 1024;
constexpr std::size_t room_for(std::size_t workers) {
  return workers > kRoomForWorkers ? workers : kRoomForWorkers;
}

/// What main prepares for its supervisor before it starts it.
struct SupervisorSetup {
  struct Worker {
    pid_t pid = 0;  // 0: no worker in this slot
  };

  int control = -1;           ///< the supervisor's end
  int main_pidfd = -1;        ///< becomes readable at main's death
  int null = -1;              ///< /dev/null, the workers' standard input
  Worker* workers = nullptr;  ///< room_for(slots), allocated by main: none is made after fork
  std::size_t slots = 0;      ///< used by now
  StartMethod method = StartMethod::fork;
  bool contained = false;       ///< workers in a PID namespace of their own
  bool same_program = true;     ///< false: what was started is not the program that main is
  bool forgets_output = false;  ///< main holds some that it will print itself
  int children = -1;            ///< children::open_list, opened by the supervisor itself
};

/// The life of the supervisor: single-threaded, in its own process group,
/// adopts orphans below it, starts workers on command, reports and reaps the
/// dead, and kills all below it when main is gone or asks for it.
[[noreturn]] void run_supervisor(const SupervisorSetup& setup);

}  // namespace poolproof::detail
