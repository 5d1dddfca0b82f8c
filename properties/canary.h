#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>

#include "harness/runner.h"
#include "properties/desk.h"
#include "properties/plan.h"
#include "properties/pools.h"

namespace poolproof::properties {

/// What a run looks for before all else: a mutant of the reference pool whose workers outlive main.
/// Where the harness does not see these, all that it says afterwards is worth nothing: a warden
/// that records nothing, a rule that judges nothing and a generator without endings look healthy
/// alike.
struct Canary {
  enum class Fate { kCaught, kMissed, kSkipped };

  Fate fate = Fate::kSkipped;
  std::string mutant;  // "workers_outlive_main"
  std::string rule;    // "W1"
  int cases = 0;       // that were judged
  std::chrono::milliseconds took{0};
  std::string why;  // skipped: one clause; missed: what came in between, if anything

  /// "caught by W1 in 3 cases", "skipped: the run is short".
  std::string in_words() const;
};

/// Bounds: so many cases, and a wall-clock time that a busy machine does not exceed.
struct CanaryOptions {
  int cases = 200;
  std::chrono::milliseconds time{10'000};  // times POOLPROOF_TIME_SCALE
};

/// The mutant's pool; nullopt, and why, where it is not installed.
std::optional<Pool> canary_pool(const PoolPlaces& places, std::string& why);

/// Runs random cases of the mutant until its rule is violated. Leaves nothing on the runner.
/// stopped: asked several times a second; then the canary is skipped.
Canary try_canary(harness::Runner& runner, const Pool& mutant, const ScenarioSource& source,
                  const CaseOptions& case_options, const CanaryOptions& options,
                  std::function<bool()> stopped);

/// A canary that is not let out, and why.
Canary skipped_canary(const std::string& why);

}  // namespace poolproof::properties
