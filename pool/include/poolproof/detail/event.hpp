#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>

namespace poolproof::detail {

using Deadline = std::chrono::steady_clock::time_point;

/// No deadline at all.
inline constexpr Deadline kNever = Deadline::max();

/// The instant `timeout` after `start`; never overflows, whatever the units.
template <class Rep, class Period>
Deadline deadline_after(Deadline start, std::chrono::duration<Rep, Period> timeout) {
  // Compared as floating point: the common unit of two integers may be too fine for either.
  constexpr std::chrono::duration<double> kCentury{std::chrono::hours{24 * 36525}};
  if (!(timeout > timeout.zero())) return start;
  if (std::chrono::duration<double>(timeout) > kCentury) return kNever;
  return start + std::chrono::duration_cast<std::chrono::steady_clock::duration>(timeout);
}

/// The instant `timeout` from now.
template <class Rep, class Period>
Deadline deadline_after(std::chrono::duration<Rep, Period> timeout) {
  return deadline_after(std::chrono::steady_clock::now(), timeout);
}

/// A flag that is set once and can be waited for.
/// Not a condition variable: those hang in their destructor when a process
/// forked in the middle of a wait destroys its copy. Thread safe.
class Event {
 public:
  [[nodiscard]] bool is_set() const { return word_.load(std::memory_order_acquire) == kSet; }

  /// Everything that happened before is visible to who sees it set.
  void set();

  /// True once set; false if `deadline` came first. A past deadline polls.
  /// Source: futex(2), FUTEX_WAIT_BITSET takes an absolute monotonic time.
  bool wait_until(Deadline deadline);

 private:
  static constexpr std::uint32_t kClear = 0;
  static constexpr std::uint32_t kAwaited = 1;
  static constexpr std::uint32_t kSet = 2;
  std::atomic<std::uint32_t> word_{kClear};
};

/// Counts what has happened, and can be waited for to count on: look at the
/// count, look at what it stands for, and wait if there was nothing. Thread
/// safe.
class Signal {
 public:
  [[nodiscard]] std::uint32_t count() const { return count_.load(std::memory_order_acquire); }

  /// Everything that happened before is visible to who sees the new count.
  void raise();

  /// False if the count is still `seen` at `deadline`.
  bool wait_until(std::uint32_t seen, Deadline deadline);

 private:
  std::atomic<std::uint32_t> count_{0};
};

}  // namespace poolproof::detail
