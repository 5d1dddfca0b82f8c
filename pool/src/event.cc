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

}  // namespace poolproof::detail
