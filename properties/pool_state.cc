#include "properties/pool_state.h"

namespace poolproof::properties {

const PoolState::Task* PoolState::task(int number) const {
  const auto found = tasks.find(number);
  return found == tasks.end() ? nullptr : &found->second;
}

bool PoolState::never_ends(const Task& task) const {
  if (!task.accepted || task.finished || stillborn || task.width() == 0) return false;
  const bool again = contract.worker_death == Contract::WorkerDeath::kRetried;
  return entry(task.body.kind).never_ends || (again && entry(task.body.kind).kills_worker);
}

int PoolState::endless() const {
  int held = 0;
  for (const auto& [number, task] : tasks) held += never_ends(task) ? task.width() : 0;
  return held;
}

bool PoolState::has_place(int task) const {
  int held = 0;
  for (const auto& [number, earlier] : tasks) {
    if (number < task && never_ends(earlier) && !earlier.perhaps_killed) held += earlier.width();
  }
  return workers == 0 || held < workers;
}

bool PoolState::may_be_held() const {
  const int lost = contract.replaces_workers ? 0 : deaths;
  const int held = endless();
  return held > 0 && held + lost >= capacity();
}

bool PoolState::busy_worker_is_plausible() const {
  return std::any_of(tasks.begin(), tasks.end(), [&](const auto& entry) {
    const auto& [number, task] = entry;
    if (!task.accepted || task.finished || task.perhaps_killed || !has_place(number)) return false;
    if (task.width() == 0) return false;
    return harness::entry(task.body.kind).never_ends || task.fresh;
  });
}

bool PoolState::idle_worker_is_plausible() const {
  int occupied = 0;
  for (const auto& [number, task] : tasks) {
    const bool lasts = harness::entry(task.body.kind).never_ends || task.fresh;
    if (task.accepted && !task.finished && lasts) occupied += task.width();
  }
  int there = capacity();
  if (contract.starts_workers_late) there = std::min(there, static_cast<int>(tasks.size()));
  if (!contract.replaces_workers) there -= deaths;
  return occupied < there;
}

void PoolState::finish_all() {
  for (auto& [number, task] : tasks) task.finished = true;
}

}  // namespace poolproof::properties
