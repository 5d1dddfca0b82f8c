#pragma once

#include <sys/types.h>

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "fd.hpp"

namespace poolproof::detail {

/// What a worker tells about itself without sending anything. Written by that
/// worker only, read by main only. Instants are those of CLOCK_MONOTONIC, which
/// is the same in all processes.
struct WorkerStatus {
  std::atomic<std::uint64_t> ready;    ///< 1 once it has reached its loop
  std::atomic<std::uint64_t> started;  ///< number of the last task begun
  std::atomic<std::int64_t> began_ns;  ///< when that task, or its last item, began

  std::atomic<std::uint64_t> tasks;           ///< ended, well or badly
  std::atomic<std::int64_t> ready_ns;         ///< when it reached its loop
  std::atomic<std::int64_t> initialising_ns;  ///< spent in the initializer
  std::atomic<std::int64_t> working_ns;       ///< spent in tasks that have ended
  std::atomic<std::int64_t> waiting_ns;       ///< spent between tasks

  /// For the next worker in this slot. By main, while nobody is there.
  void clear();
};
static_assert(std::atomic<std::uint64_t>::is_always_lock_free);

/// One page per worker in a memfd. A worker maps its own page and no other:
/// nothing mutable is shared between workers.
class StatusBoard {
 public:
  /// Errors: std::system_error.
  explicit StatusBoard(std::size_t slots);
  ~StatusBoard();
  StatusBoard(const StatusBoard&) = delete;
  StatusBoard& operator=(const StatusBoard&) = delete;

  [[nodiscard]] WorkerStatus& slot(std::size_t index);

  /// For the supervisor, which hands it on to workers; main closes its own
  /// once the supervisor has started.
  [[nodiscard]] Fd& file() { return file_; }

  /// In a worker: its page; null if it cannot be had. Closes `file`.
  static WorkerStatus* map_slot(int file, std::size_t index);

 private:
  Fd file_;
  std::size_t bytes_;
  char* pages_;
};

}  // namespace poolproof::detail
