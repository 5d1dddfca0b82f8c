#pragma once

#include <chrono>

namespace poolproof::sys {

/// CLOCK_MONOTONIC, which std::chrono::steady_clock is on Linux, as nanoseconds since boot. Claims
/// use the same clock, so that facts and claims share one time axis.
std::chrono::nanoseconds monotonic_now();

}  // namespace poolproof::sys
