#pragma once

#include <optional>
#include <vector>

#include "properties/rules/reading.h"

namespace poolproof::properties {

/// What main has of SIGTERM by steps of its own that were over at a moment.
struct MainsSigterm {
  enum class Disposition { kAsBefore, kCaught, kIgnored };
  Disposition disposition = Disposition::kAsBefore;
  bool is_blocked = false;
};
MainsSigterm mains_sigterm(const Reading& reading, const Reading::Moment& moment);

/// Main before its first step and when it is about to end, where all that main had of the pool was
/// given back in between (R1, I2).
struct MainAfter {
  const harness::MainState& before;
  const harness::MainState& after;
  MainsSigterm sigterm;
  Reading::Moment looked_before;
  Reading::Moment looked_after;
  int ended_by = 0;    // the step: a join, or a drop
  bool final = false;  // nobody is left who might still clear up: no thread of the pool's, or the
                       // grace is over
};

/// nullopt where the recording does not show both, no pool was made or it is not over, or something
/// else may be why main is another: main was hit by the case's fault, or the fault made calls fail.
std::optional<MainAfter> main_after_pool(const Reading& reading);

/// The first step after which nothing of the pool may go on: a join, or a drop once nothing is
/// pending.
std::optional<int> end_of_pool(const Reading& reading);

/// Whether main has begun to make another pool whose only worker is busy for ever.
bool has_a_busy_neighbour(const Reading& reading);

/// Main's threads that began while the pool was made or in use, until `ended`, and have not ended
/// before `moment`.
std::vector<harness::Pid> threads_of_pool(const Reading& reading, const Reading::Moment& ended,
                                          const Reading::Moment& moment);

}  // namespace poolproof::properties
