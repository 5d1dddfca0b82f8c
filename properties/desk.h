#pragma once

#include <chrono>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <set>

#include "harness/runner.h"
#include "properties/pools.h"

namespace poolproof::properties {

using Clock = std::chrono::steady_clock;

/// A run that was made.
struct Ran {
  std::uint64_t id = 0;
  const Pool* pool = nullptr;
  harness::Scenario scenario;
  sys::Result<harness::Trace> trace;
};

/// What every case of a run has in common.
struct CaseOptions {
  std::optional<std::chrono::milliseconds> grace;  // instead of the contract's
  std::chrono::milliseconds fuse{10'000};          // as cases keep it, whatever the machine
  bool hold = false;                               // see Job
  double time_scale = 1.0;                         // POOLPROOF_TIME_SCALE; the runner applies it

  static CaseOptions of_environment();

  /// How long a case may take here.
  std::chrono::milliseconds fuse_here() const;
};

/// Hands scenarios to the runner and keeps apart who asked for which result. One thread.
class Desk {
 public:
  /// `stopped` is asked several times a second; once true, no result comes any more.
  Desk(harness::Runner& runner, CaseOptions options, std::function<bool()> stopped)
      : runner_(runner), options_(options), stopped_(std::move(stopped)) {}

  std::uint64_t submit(const Pool& pool, const harness::Scenario& scenario);

  /// Any result that nobody has got yet; nullopt when the deadline passes, the run is stopped or
  /// nothing is on its way.
  std::optional<Ran> next(Clock::time_point deadline);

  /// One of these; results of others are kept for next().
  std::optional<Ran> next_of(const std::set<std::uint64_t>& ids, Clock::time_point deadline);

  /// What wardens have in hand comes soon, as far as it went.
  void end_under_way() { runner_.end_under_way(); }

  /// Nobody will ask for it.
  void forget(std::uint64_t id);
  void forget_all();

  /// Those that a warden has in hand, and that somebody may still ask for.
  std::set<std::uint64_t> under_way() const;

  bool stopped() const { return stopped_ && stopped_(); }
  int jobs() const { return runner_.jobs(); }

  /// The whole case, as it is saved.
  harness::Settings settings(const Pool& pool) const;

 private:
  struct Sent {
    const Pool* pool = nullptr;
    harness::Scenario scenario;
  };
  std::optional<Ran> receive(Clock::time_point deadline);

  harness::Runner& runner_;
  CaseOptions options_;
  std::function<bool()> stopped_;
  std::uint64_t last_id_ = 0;
  std::map<std::uint64_t, Sent> sent_;
  std::deque<Ran> kept_;
};

}  // namespace poolproof::properties
