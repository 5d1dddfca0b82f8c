#include <algorithm>

#include "core.hpp"
#include "reexec.hpp"

// How long a worker may take until it can take tasks. One that is forked runs no code but the
// pool's until then; one that is a fresh copy of the program may wait before `init` for ever. With
// the lock held.
namespace poolproof::detail {

Deadline Core::start_due(std::size_t index) const {
  const Slot& slot = crew_.slots()[index];
  if (slot.life != Slot::Life::alive || slot.leaving || slot.channel.ready()) return kNever;
  return deadline_after(slot.hired_at, reexec::patience());
}

Deadline Core::next_start_due() const {
  Deadline next = kNever;
  if (method_ != StartMethod::spawn) return next;
  for (std::size_t i = 0; i < crew_.size(); ++i) next = std::min(next, start_due(i));
  return next;
}

void Core::kill_overdue_starts() {
  const auto now = std::chrono::steady_clock::now();
  if (next_start_due() > now) return;
  for (std::size_t i = 0; i < crew_.size(); ++i) {
    if (start_due(i) > now) continue;
    Slot& slot = crew_.slots()[i];
    slot.never_came = true;
    slot.leaving = true;
    crew_.kill_worker(i);
  }
}

}  // namespace poolproof::detail
