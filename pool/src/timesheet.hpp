#pragma once

#include <chrono>
#include <cstdint>

#include "worker_status.hpp"

namespace poolproof::detail {

/// A worker's account of its time, kept in its ring where main reads it. Thread: the worker's loop.
class Timesheet {
 public:
  Timesheet() = default;
  /// From now on the worker waits for tasks.
  explicit Timesheet(WorkerStatus& status) : status_(&status), since_(now()) {
    status.ready_ns.store(since_, std::memory_order_relaxed);
  }

  /// The task `number` begins, or the pool's initializer.
  void begin(std::uint64_t number) {
    const std::int64_t at = now();
    add(status_->waiting_ns, at - since_);
    since_ = at;
    status_->began_ns.store(at, std::memory_order_relaxed);
    status_->started.store(number, std::memory_order_release);
  }

  /// Within a chunk: the next item, which has a time limit of its own.
  void begin_item() { status_->began_ns.store(now(), std::memory_order_release); }

  /// The task has ended, well or badly.
  void end(bool initializer) {
    const std::int64_t at = now();
    const std::int64_t took = at - since_;
    add(initializer ? status_->initialising_ns : status_->working_ns, took);
    since_ = at;
    if (initializer) return;
    add(status_->tasks, 1);
    const std::int64_t usual = status_->usual_ns.load(std::memory_order_relaxed);
    add(status_->usual_ns, (took - usual) / kMemory);
  }

 private:
  /// So many tasks it takes for a change of what is usual to show.
  static constexpr std::int64_t kMemory = 8;

  static std::int64_t now() {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(
               std::chrono::steady_clock::now().time_since_epoch())
        .count();
  }

  /// One writer only: no locked instruction.
  template <class T>
  static void add(std::atomic<T>& sum, std::int64_t term) {
    sum.store(sum.load(std::memory_order_relaxed) + static_cast<T>(term),
              std::memory_order_relaxed);
  }

  WorkerStatus* status_ = nullptr;
  std::int64_t since_ = 0;
};

}  // namespace poolproof::detail
