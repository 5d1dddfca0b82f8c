#include <algorithm>

#include "completions.hpp"
#include "core.hpp"

// How a task is ended before its time: cancelled, or overdue. Its worker is killed with the lock
// held and the task in its books. Nothing else is in that worker's hands, nor can be given to it
// before its death has been noticed: so a kill never hits another task.
namespace poolproof::detail {

bool Core::cancel(Results results) {
  require_own_process();
  Completions done;
  {
    const std::lock_guard lock(mutex_);
    for (const Result& result : results) {
      if (done.add(result, outcome::Cancelled{})) abandon(result);
    }
  }
  const bool any = done.deliver();
  wake_dispatcher();  // there may be nothing left to wait for
  return any;
}

void Core::abandon(const Result& result) {
  for (std::size_t i = 0; i < crew_.size(); ++i) {
    std::optional<Task>& task = crew_.slots()[i].task;
    if (!task || task->result != result) continue;
    task->result.reset();
    return crew_.kill_worker(i);
  }
}

void Core::drop_cancelled() {
  while (!queue_.empty() && queue_.front().result->claimed()) queue_.pop_front();
}

Deadline Core::due(std::size_t index) {
  const std::optional<Task>& task = crew_.slots()[index].task;
  if (!task || !task->result || task->limit.count() == 0) return kNever;
  // One that has not begun yet has all its time before it.
  const auto now = std::chrono::steady_clock::now();
  return crew_.had_started(index) ? crew_.began(index) + task->limit : now + task->limit;
}

Deadline Core::next_task_due() {
  Deadline next = kNever;
  for (std::size_t i = 0; i < crew_.size(); ++i) next = std::min(next, due(i));
  return next;
}

void Core::kill_overdue_tasks(Completions& done) {
  const auto now = std::chrono::steady_clock::now();
  for (std::size_t i = 0; i < crew_.size(); ++i) {
    if (due(i) > now) continue;
    Slot& slot = crew_.slots()[i];
    done.add(std::move(slot.task->result), outcome::Overdue{slot.pid, slot.task->limit});
    slot.task->result.reset();
    crew_.kill_worker(i);
  }
}

}  // namespace poolproof::detail
