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
  int confirm = 2;   // more times that a simpler case must fail to be taken
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
/// greedily, siblings in flight side by side, the first that fails in sibling order is taken. Where
/// one fails now and then only, those that did not fail are tried again.
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

  /// The simplest that fails as often as it is repeated, if any does; else the first, with its
  /// rate.
  Shrunk shrink(Failing first);

 private:
  std::optional<Failing> simpler_failing(const harness::Scenario& scenario);
  bool is_confirmed(const harness::Scenario& scenario);
  int failures_of(const harness::Scenario& scenario, int times, int& made);
  std::optional<Failing> failing(Ran&& ran) const;
  /// What is found last is to be confirmed, too.
  bool is_over() const { return runs_ + options_.confirm >= options_.runs || is_late(); }
  bool is_late() const { return desk_.stopped() || Clock::now() >= options_.deadline; }

  Desk& desk_;
  Target target_;
  Simpler simpler_;
  Judge judge_;
  ShrinkOptions options_;
  int runs_ = 0;
  bool is_racy_ = false;         // a case failed once, and then did not
  std::set<std::string> tried_;  // scenarios with their faults, as text: not to be run again
};

}  // namespace poolproof::properties
