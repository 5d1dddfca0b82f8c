#include <algorithm>
#include <iterator>
#include <new>

#include "completions.hpp"
#include "core.hpp"

// What becomes of a dead worker's tasks, and nothing else (its mutants replace this file). With the
// lock held.
namespace poolproof::detail {

void Core::on_death(const Report& report, Completions& done) {
  const auto index = static_cast<std::size_t>(report.slot);
  // Everything it sent is here by now: read it before the task is given up.
  read_answers(index, done);
  if (crew_.slots()[index].initialising) return on_initializer_death(report, done);
  settle_hands(index, report, done);
  vacate_after(report);
}

/// The worker is dead, and what it had sent is read: what it had begun failed with it, what it had
/// not begun is another's.
void Core::settle_hands(std::size_t index, const Report& death, Completions& done) {
  Slot& slot = crew_.slots()[index];
  if (slot.in_hands.empty()) return;
  const std::size_t begun = std::min<std::size_t>(slot.channel.begun(), slot.in_hands.size());
  const auto failed = std::count_if(slot.in_hands.begin(), std::next(slot.in_hands.begin(), begun),
                                    [](const Task& task) { return task.result != nullptr; });
  // Before anything: without memory the report is taken in again.
  if (!done.make_room(failed)) throw std::bad_alloc();
  ahead_ -= slot.in_hands.size() - 1;
  while (slot.in_hands.size() > begun) requeue_last(slot);
  for (Task& task : slot.in_hands) {
    task.set_holder(ResultState::kNobody);
    if (task.result) done.add(task.result, outcome::Died{death.pid, status_of(death)});
  }
  slot.in_hands.clear();
}

}  // namespace poolproof::detail
