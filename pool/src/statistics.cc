#include <poolproof/statistics.hpp>

#include <algorithm>

#include "core.hpp"

namespace poolproof::detail {
namespace {

using std::chrono::nanoseconds;
using Instant = std::chrono::steady_clock::time_point;

/// A task may have written anything there; `most` is what is possible.
nanoseconds read(const std::atomic<std::int64_t>& duration, nanoseconds most) {
  return std::clamp(nanoseconds(duration.load(std::memory_order_relaxed)), nanoseconds(0), most);
}

}  // namespace

/// Without the name, for which there may be no memory.
WorkerStatistics Crew::statistics_of(std::size_t index) const {
  const Slot& slot = slots_[index];
  const WorkerStatus& status = slot.channel.status();
  WorkerStatistics statistics;
  statistics.pid = slot.pid;
  statistics.started = slot.hired_at;
  const Instant now = std::chrono::steady_clock::now();
  const nanoseconds age = now - slot.hired_at;
  if (const nanoseconds ready = read(status.ready_ns, now.time_since_epoch()); ready.count() > 0) {
    statistics.start_up = Instant(ready) - slot.hired_at;
  }
  statistics.initialising = read(status.initialising_ns, age);
  statistics.waiting = read(status.waiting_ns, age);
  statistics.working = read(status.working_ns, age);
  statistics.tasks = status.tasks.load(std::memory_order_relaxed);
  return statistics;
}

void Crew::add_departed(std::size_t index) {
  if (slots_[index].life != Slot::Life::alive) return;  // nobody was there
  const WorkerStatistics last = statistics_of(index);
  ++departed_.workers;
  departed_.tasks += last.tasks;
  departed_.initialising += last.initialising;
  departed_.waiting += last.waiting;
  departed_.working += last.working;
}

PoolStatistics Crew::statistics() {
  PoolStatistics statistics;
  statistics.departed = departed_;
  for (std::size_t i = 0; i < size(); ++i) {
    if (slots_[i].life != Slot::Life::alive) continue;
    statistics.workers.push_back(statistics_of(i));
    statistics.workers.back().name = slots_[i].name;
  }
  return statistics;
}

PoolStatistics Core::statistics() {
  require_own_process();
  const std::lock_guard lock(mutex_);
  PoolStatistics statistics = crew_.statistics();
  const auto waits = [](const Task& task) { return task.result && !task.result->claimed(); };
  const auto waiting = [&](auto begin, auto end) {
    return static_cast<std::size_t>(std::count_if(begin, end, waits));
  };
  statistics.queued = waiting(queue_.begin(), queue_.end());
  for (const Slot& slot : crew_.slots()) {
    if (slot.in_hands.empty()) continue;
    statistics.queued += waiting(std::next(slot.in_hands.begin()), slot.in_hands.end());
  }
  return statistics;
}

}  // namespace poolproof::detail
