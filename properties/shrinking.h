#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "properties/desk.h"
#include "properties/judging.h"

namespace poolproof::properties {

/// What a simpler case must still show.
struct Target {
  const Pool* pool = nullptr;
  const Rule* rule = nullptr;
  std::string known_link;
};

struct ShrinkOptions {
  int runs = 200;    // at most, repeats not counted
  int confirm = 2;   // more times that a simpler case must fail to be taken; in doubt more
  int repeats = 10;  // of the final case
  Clock::time_point deadline;
};

/// A case that failed, with the recording of one time when it did.
struct Failing {
  harness::Scenario scenario;
  harness::Trace trace;
  Violation violation;
};

struct Shrunk {
  Failing best;
  int runs = 0;    // made while looking for simpler cases
  int failed = 0;  // of `repeated`
  int repeated = 0;

  bool stable() const { return failed == repeated; }
};

/// Looks for the simplest scenario that still violates the target's rule in the target's way:
/// greedily, siblings in flight side by side, the first that fails in sibling order is taken, if it
/// does so each time; where the case itself fails now and then, if it does so about as often. Where
/// one failed once and then not, those that did not fail are tried again, a few times.
class Shrinker {
 public:
  using Simpler = std::function<std::vector<harness::Scenario>(const harness::Scenario&)>;
  using Judge = std::function<Judged(const harness::Scenario&, const harness::Trace&)>;

  Shrinker(Desk& desk, Target target, Simpler simpler, Judge judge, ShrinkOptions options)
      : desk_(desk),
        target_(std::move(target)),
        simpler_(std::move(simpler)),
        judge_(std::move(judge)),
        options_(options) {}

  /// The simplest, with its rate; but one that fails each time, or twice as often, is preferred.
  Shrunk shrink(Failing first);

 private:
  /// How often one failed, of how many runs.
  struct Rate {
    int failed = 0;
    int made = 0;
    bool is_steady() const { return failed == made; }
    /// Never none nor all: a few runs leave doubt.
    double estimate() const { return (failed + 1.0) / (made + 2.0); }
    Rate& operator+=(Rate other) {
      failed += other.failed;
      made += other.made;
      return *this;
    }
  };

  std::optional<Failing> simpler_failing(const harness::Scenario& scenario);
  /// Whether, at the speed so far, the time will be over before the runs are.
  bool is_in_haste() const;
  /// Whether there is reason to try again all that did not fail.
  bool try_again(const harness::Scenario& simplest);
  Shrunk preferred(std::vector<Failing>& chain);
  /// Of a case that has failed once.
  bool is_confirmed(const harness::Scenario& scenario);
  Rate rate_of(const harness::Scenario& scenario, int times);
  std::optional<Failing> failing(Ran&& ran) const;
  /// What is found last is to be confirmed, too.
  bool is_over() const {
    return runs_ + kMostConfirms * options_.confirm >= options_.runs || is_late();
  }
  bool is_late() const { return desk_.stopped() || Clock::now() >= options_.deadline; }

  static constexpr int kMostConfirms = 3;

  Desk& desk_;
  Target target_;
  Simpler simpler_;
  Judge judge_;
  ShrinkOptions options_;
  Clock::time_point start_;
  int runs_ = 0;
  Rate rate_;                    // of the simplest so far
  std::optional<Rate> repeats_;  // its final ones, once they are made
  int rounds_ = 0;               // so often all that is simpler than that was tried again
  bool is_racy_ = false;         // a case failed once, and then did not
  std::set<std::string> tried_;  // scenarios with their faults, as text: not to be run again
};

}  // namespace poolproof::properties
