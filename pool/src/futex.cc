#include "futex.hpp"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <ctime>

namespace poolproof::detail::futex {
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

int operation(int what, Scope scope) {
  return scope == Scope::in_process ? what | FUTEX_PRIVATE_FLAG : what;
}

}  // namespace

bool wait(const std::atomic<std::uint32_t>& word, std::uint32_t expected, Deadline deadline,
          Scope scope) {
  // FUTEX_WAIT_BITSET takes an absolute monotonic time.
  const timespec limit = to_timespec(deadline);
  const long rc = ::syscall(SYS_futex, &word, operation(FUTEX_WAIT_BITSET, scope), expected,
                            deadline == kNever ? nullptr : &limit, nullptr, FUTEX_BITSET_MATCH_ANY);
  return rc == 0 || errno != ETIMEDOUT;
}

void wake(const std::atomic<std::uint32_t>& word, Scope scope) {
  ::syscall(SYS_futex, &word, operation(FUTEX_WAKE, scope), INT_MAX, nullptr, nullptr, 0);
}

}  // namespace poolproof::detail::futex
