#include <chrono>

#include "lifeline.hpp"
#include "worker_channel.hpp"
#include "worker_sleep.hpp"

// How a worker with nothing to do waits for a task, and nothing else (its mutants replace this
// file).
namespace poolproof::detail {
namespace {

using Clock = std::chrono::steady_clock;

/// Looks between two at the clock.
constexpr int kLooks = 16;

}  // namespace

void WorkerChannel::await_task(Record& record) {
  const bool looks = ring_.may_spin.load(std::memory_order_relaxed) != 0;
  const auto start = Clock::now();
  Clock::duration asleep{};
  do {
    if (tasks_.torn()) lifeline::channel_lost();
    if (spin()) continue;
    const auto lay_down = Clock::now();
    sleep_until(ring_.for_tasks, [this] { return tasks_.available(); });
    asleep += Clock::now() - lay_down;
  } while (!tasks_.begin(record));
  if (asleep.count() == 0) {
    spinning_.paid();
  } else if (looks) {
    spinning_.slept(Clock::now() - start, asleep);
  }
}

/// True if there is a task.
bool WorkerChannel::spin() {
  const auto end = Clock::now() + spinning_.budget();
  while (ring_.may_spin.load(std::memory_order_relaxed) != 0) {
    for (int i = 0; i < kLooks; ++i) {
      if (tasks_.available()) return true;
      pause_briefly();
    }
    if (Clock::now() >= end) break;
  }
  return tasks_.available();
}

}  // namespace poolproof::detail
