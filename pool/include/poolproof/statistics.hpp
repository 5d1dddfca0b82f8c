#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace poolproof {

/// How a living worker has spent its time. Durations are of what has ended: a
/// task counts once it is done.
struct WorkerStatistics {
  std::string name;
  pid_t pid = 0;
  std::chrono::steady_clock::time_point started;  ///< when main asked for it
  std::chrono::nanoseconds start_up{0};           ///< from then until it could work
  std::chrono::nanoseconds initialising{0};       ///< in the pool's initializer
  std::chrono::nanoseconds waiting{0};            ///< between tasks
  std::chrono::nanoseconds working{0};            ///< in tasks
  std::uint64_t tasks = 0;                        ///< done, well or badly; a chunk is one; none
                                                  ///< that its worker's death has ended
};

/// What a pool has done so far.
/// Source: mpire's insights: start-up, initialisation, waiting and working time
/// of each worker.
struct PoolStatistics {
  struct Totals {
    std::uint64_t workers = 0;
    std::uint64_t tasks = 0;
    std::chrono::nanoseconds initialising{0};
    std::chrono::nanoseconds waiting{0};
    std::chrono::nanoseconds working{0};
  };

  std::vector<WorkerStatistics> workers;  ///< the living
  Totals departed;                        ///< those that have left or died
  std::size_t queued = 0;                 ///< tasks that wait for a worker to be free
};

}  // namespace poolproof
