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
  // Before anything: without memory the report is taken in again.
  if (!done.make_room(slot.in_hands.size())) throw std::bad_alloc();
  ahead_ -= slot.in_hands.size() - 1;
  const std::size_t begun = slot.channel.begun();
  while (slot.in_hands.size() > begun) {
    const auto task = std::prev(slot.in_hands.end());
    task->set_holder(ResultState::kNobody);
    if (task->result) {
      queue_.splice(queue_.begin(), slot.in_hands, task);
    } else {
      slot.in_hands.pop_back();
    }
  }
  for (Task& task : slot.in_hands) {
    task.set_holder(ResultState::kNobody);
    if (task.result) done.add(task.result, outcome::Died{death.pid, status_of(death)});
  }
  slot.in_hands.clear();
}

}  // namespace poolproof::detail
