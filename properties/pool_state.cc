#include "properties/pool_state.h"

namespace poolproof::properties {

const PoolState::Task* PoolState::task(int number) const {
  const auto found = tasks.find(number);
  return found == tasks.end() ? nullptr : &found->second;
}

bool PoolState::never_ends(const Task& task) const {
  if (!task.accepted || task.finished || stillborn) return false;
  const bool again = contract.worker_death == Contract::WorkerDeath::kRetried;
  return entry(task.body.kind).never_ends || (again && entry(task.body.kind).kills_worker);
}

int PoolState::endless() const {
  return static_cast<int>(std::count_if(
      tasks.begin(), tasks.end(), [&](const auto& entry) { return never_ends(entry.second); }));
}

bool PoolState::has_place(int task) const {
  int held = 0;
  for (const auto& [number, earlier] : tasks) {
    if (number < task && never_ends(earlier) && !earlier.perhaps_killed) ++held;
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
    return harness::entry(task.body.kind).never_ends || task.fresh;
  });
}

bool PoolState::idle_worker_is_plausible() const {
  const auto occupied = std::count_if(tasks.begin(), tasks.end(), [&](const auto& entry) {
    return entry.second.accepted && !entry.second.finished &&
           (harness::entry(entry.second.body.kind).never_ends || entry.second.fresh);
  });
  int there = capacity();
  if (contract.starts_workers_late) there = std::min(there, static_cast<int>(tasks.size()));
  if (!contract.replaces_workers) there -= deaths;
  return occupied < there;
}

void PoolState::finish_all() {
  for (auto& [number, task] : tasks) task.finished = true;
}

}  // namespace poolproof::properties
