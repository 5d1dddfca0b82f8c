#pragma once

#include <algorithm>
#include <chrono>

#if defined(__x86_64__) || defined(__i386__)
#include <immintrin.h>
#endif

namespace poolproof::detail {

/// A hint to the processor that this is a loop that waits.
inline void pause_briefly() {
#if defined(__x86_64__) || defined(__i386__)
  _mm_pause();
#elif defined(__aarch64__)
  asm volatile("isb" ::: "memory");
#endif
}

/// How long to look before sleeping. Learns from each wait: one that would have paid makes it
/// longer, one that would not shorter. Bounded, so who has nothing to do sleeps soon. Now and then
/// it tries the longest, since a look that is too short cannot tell what a longer one would bring.
/// Thread: any one at a time.
class SpinBudget {
 public:
  using Duration = std::chrono::nanoseconds;

  /// For the wait that begins.
  [[nodiscard]] Duration budget() { return ++waits_ % kTries == 0 ? kMost : budget_; }

  /// It was over before the budget was.
  void paid() { budget_ = std::min(2 * budget_, kMost); }
  /// It was not. waited: in all; asleep: after the looking. A sleep that is over sooner than a
  /// wake-up on another processor takes tells that the other side was waiting for this one.
  void slept(Duration waited, Duration asleep) {
    const bool in_vain = waited > kMost || asleep < kWakeUpElsewhere;
    budget_ = in_vain ? std::max(budget_ / 2, kLeast) : std::min(2 * budget_, kMost);
  }

 private:
  /// What two wake-ups of a processor at rest cost here, so that in the worst case a wait costs
  /// twice what it must.
  static constexpr Duration kMost{50'000};
  static constexpr Duration kLeast{1'000};
  static constexpr Duration kWakeUpElsewhere{15'000};
  static constexpr unsigned kTries = 32;
  Duration budget_ = kMost;
  unsigned waits_ = 0;
};

}  // namespace poolproof::detail
