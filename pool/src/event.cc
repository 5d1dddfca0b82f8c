#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <ctime>
#include <poolproof/detail/event.hpp>

namespace poolproof::detail {
namespace {

static_assert(std::atomic<std::uint32_t>::is_always_lock_free);

timespec to_timespec(Deadline deadline) {
  using std::chrono::duration_cast;
  using std::chrono::nanoseconds;
  using std::chrono::seconds;
  auto since_boot = deadline.time_since_epoch();
  if (since_boot < since_boot.zero()) since_boot = since_boot.zero();
  const auto whole = duration_cast<seconds>(since_boot);
  return {static_cast<time_t>(whole.count()),
          static_cast<long>(nanoseconds(since_boot - whole).count())};
}

}  // namespace

void Event::set() {
  const std::uint32_t before = word_.exchange(kSet, std::memory_order_acq_rel);
  if (before == kAwaited) {
    ::syscall(SYS_futex, &word_, FUTEX_WAKE_PRIVATE, INT_MAX, nullptr, nullptr, 0);
  }
}

bool Event::wait_until(Deadline deadline) {
  const timespec limit = to_timespec(deadline);
  for (;;) {
    std::uint32_t seen = kClear;
    // Announce the wait before sleeping, so that `set` knows whether to wake.
    if (!word_.compare_exchange_strong(seen, kAwaited, std::memory_order_acq_rel) && seen == kSet) {
      return true;
    }
    const long rc =
        ::syscall(SYS_futex, &word_, FUTEX_WAIT_BITSET_PRIVATE, kAwaited,
                  deadline == kNever ? nullptr : &limit, nullptr, FUTEX_BITSET_MATCH_ANY);
    if (rc == -1 && errno == ETIMEDOUT) return is_set();
  }
}

}  // namespace poolproof::detail
