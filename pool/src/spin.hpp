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
/// longer, one that would not shorter. Bounded, so who has nothing to do sleeps soon.
/// Thread: any one at a time.
class SpinBudget {
 public:
  using Duration = std::chrono::nanoseconds;

  [[nodiscard]] Duration budget() const { return budget_; }

  /// waited: from the beginning of the wait to its end, asleep or not.
  void learn(Duration waited) {
    budget_ = waited <= kMost ? std::min(2 * budget_, kMost) : std::max(budget_ / 2, kLeast);
  }

 private:
  /// What two wake-ups of a processor at rest cost here, so that in the worst case a wait costs
  /// twice what it must.
  static constexpr Duration kMost{50'000};
  static constexpr Duration kLeast{1'000};
  Duration budget_ = kMost;
};

}  // namespace poolproof::detail
