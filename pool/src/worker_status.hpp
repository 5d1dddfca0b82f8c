#pragma once

#include <atomic>
#include <cstdint>

namespace poolproof::detail {

/// What a worker tells about itself without sending anything. Written by that
/// worker only, read by main only; zero when it starts. Instants are those of CLOCK_MONOTONIC,
/// which is the same in all processes.
struct WorkerStatus {
  std::atomic<std::uint64_t> ready;    ///< 1 once it has reached its loop
  std::atomic<std::uint64_t> started;  ///< number of the last task begun
  std::atomic<std::int64_t> began_ns;  ///< when that task, or its last item, began

  std::atomic<std::uint64_t> tasks;           ///< ended, well or badly
  std::atomic<std::int64_t> ready_ns;         ///< when it reached its loop
  std::atomic<std::int64_t> initialising_ns;  ///< spent in the initializer
  std::atomic<std::int64_t> working_ns;       ///< spent in tasks that have ended
  std::atomic<std::int64_t> waiting_ns;       ///< spent between tasks
  std::atomic<std::int64_t> usual_ns;         ///< what a task takes; later ones count more
};
static_assert(std::atomic<std::uint64_t>::is_always_lock_free);

}  // namespace poolproof::detail
