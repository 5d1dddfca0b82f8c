#include <poolproof/detail/event.hpp>

#include "futex.hpp"

namespace poolproof::detail {

void Event::set() {
  const std::uint32_t before = word_.exchange(kSet, std::memory_order_acq_rel);
  if (before == kAwaited) futex::wake(word_, futex::Scope::in_process);
}

bool Event::wait_until(Deadline deadline) {
  for (;;) {
    std::uint32_t seen = kClear;
    // Announce the wait before sleeping, so that `set` knows whether to wake.
    if (!word_.compare_exchange_strong(seen, kAwaited, std::memory_order_acq_rel) && seen == kSet) {
      return true;
    }
    if (!futex::wait(word_, kAwaited, deadline, futex::Scope::in_process)) return is_set();
  }
}

void Signal::raise() {
  count_.fetch_add(1, std::memory_order_acq_rel);
  futex::wake(count_, futex::Scope::in_process);
}

bool Signal::wait_until(std::uint32_t seen, Deadline deadline) {
  while (count() == seen) {
    if (!futex::wait(count_, seen, deadline, futex::Scope::in_process)) return count() != seen;
  }
  return true;
}

}  // namespace poolproof::detail
