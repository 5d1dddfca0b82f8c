#include <algorithm>
#include <new>

#include "completions.hpp"
#include "core.hpp"

// How a task is ended before its time: cancelled, or overdue. Its worker is killed with the lock
// held and the task in its books. What else it had been given and not begun is taken back first,
// then nobody is killed who has come to another task meanwhile, and nothing can be given before the
// death has been noticed: so a kill never hits another task.
namespace poolproof::detail {

bool Core::cancel(Results results) {
  require_own_process();
  Completions answers(undelivered_);
  Completions done(undelivered_);
  {
    const std::lock_guard lock(mutex_);
    for (const Result& result : results) {
      // What has been answered already is not cancelled any more.
      try {
        if (result->holder() != ResultState::kNobody) read_answers(result->holder(), answers);
      } catch (const std::bad_alloc&) {  // nor what may have been
        continue;
      }
      if (!done.add(result, outcome::Cancelled{})) continue;
      abandon(result);
      ++cancelled_;
    }
    // What stands behind one that waits would keep its arguments until that one's turn comes. Now
    // and then, since it takes a walk through the queue.
    if (cancelled_ > queue_.size() / 2) {
      std::erase_if(queue_, [](const Task& task) { return task.result->claimed(); });
      cancelled_ = 0;
    }
  }
  answers.deliver();
  const bool any = done.deliver();
  wake_dispatcher();  // there may be nothing left to wait for
  return any;
}

void Core::abandon(const Result& result) {
  const std::uint32_t index = result->holder();
  if (index == ResultState::kNobody) return;
  take_back(index, kMostInHands);
  if (result->holder() != ResultState::kNobody) kill_for_its_task(index, result);
}

/// It has an outcome already.
void Core::kill_for_its_task(std::size_t index, const Result& result) {
  Slot& slot = crew_.slots()[index];
  take_back(index, kMostInHands);
  if (slot.in_hands.back().result != result) return;  // it is done, its answer on the way
  slot.leaving = true;
  crew_.kill_worker(index);
  for (Task& task : slot.in_hands) {
    if (!task.result || !task.result->claimed()) continue;
    task.result->set_holder(ResultState::kNobody);
    task.result.reset();
  }
  // Who sleeps for its answer would sleep until its death is noticed.
  slot.rouse_caller();
}

void Core::drop_cancelled() {
  while (!queue_.empty() && queue_.front().result->claimed()) queue_.pop_front();
}

Deadline Core::due(std::size_t index) {
  const Slot& slot = crew_.slots()[index];
  if (slot.in_hands.empty()) return kNever;
  const Task& task = slot.in_hands.front();
  if (!task.result || task.limit.count() == 0) return kNever;
  // One that has not begun yet has all its time before it.
  const auto now = std::chrono::steady_clock::now();
  if (!crew_.had_started(index)) return deadline_after(now, task.limit);
  // A task may have written anything into what its worker tells.
  const auto began = std::clamp(crew_.began(index), std::min(slot.hired_at, now), now);
  return deadline_after(began, task.limit);
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
    read_answers(i, done);  // it may have ended in time
    if (due(i) > now) continue;
    const Slot& slot = crew_.slots()[i];
    const Task& task = slot.in_hands.front();
    const Result result = task.result;
    if (done.add(result, outcome::Overdue{slot.pid, task.limit})) kill_for_its_task(i, result);
  }
}

}  // namespace poolproof::detail
