#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <vector>

#include "harness/case.h"
#include "properties/exhaustive.h"
#include "properties/pools.h"
#include "properties/shrink.h"

namespace poolproof::properties {

/// Where cases come from and how they get simpler.
struct ScenarioSource {
  /// The n-th random scenario of a pool (from 0), or none.
  std::function<std::optional<harness::Scenario>(const Pool&, int n)> generate;
  std::function<Passes(const Pool&, const harness::Scenario&)> simpler;
  /// Those with less left to chance; empty: there are none.
  std::function<std::vector<harness::Scenario>(const Pool&, const harness::Scenario&)> surer;
  /// All short scenarios of a pool; empty: they are not tried.
  std::function<Enumerator(const Pool&)> enumerate;
  /// Scenarios that are run first, in this order; empty: none.
  std::function<std::vector<harness::Scenario>(const Pool&)> regressions;
};

/// Which part of a campaign is wanted.
enum class Part { kAll, kRegressions, kExhaustive, kRandom };

struct PlanOptions {
  Part part = Part::kAll;
  int cases = 0;                  // beside the regressions; 0: no end
  std::optional<int> most_steps;  // of the exhaustive part; nullopt: no bound
};

enum class Origin { kRegression, kExhaustive, kRandom };

/// A case that is to be run, or is being run.
struct Planned {
  harness::Scenario scenario;
  Origin origin = Origin::kRandom;
  int number = 0;  // of its pool, from 1
};

/// Which cases a campaign runs with one pool, in which order: kept regressions, then every short
/// scenario, length by length, as long as a whole length fits into a fifth of all, then random
/// ones.
class Plan {
 public:
  Plan(const Pool& pool, const PlanOptions& options, const ScenarioSource& source);

  /// The next case; nullopt when there are no more. fits: whether there is time for so many short
  /// scenarios, asked before each length of them.
  std::optional<Planned> next(const ExhaustiveSearch::Fits& fits);

  /// A case that nobody began: it comes again, before all others.
  void put_back(Planned&& planned) { returned_.push_back(std::move(planned)); }

  /// A case was run, and its recording was judged; unclear: not by every rule.
  void ran(const Planned& planned, bool unclear = false);

  /// Those that were not run, or whose recording was not judged.
  int regressions_left() const { return regressions_left_; }

  /// What the exhaustive part may claim; nullopt where there is none.
  std::optional<Extent> extent() const;

 private:
  std::optional<Planned> next_short(const ExhaustiveSearch::Fits& fits);
  std::optional<Planned> next_random();
  bool fits_into_cases(std::int64_t number) const;
  Planned numbered(harness::Scenario&& scenario, Origin origin);

  const Pool* pool_;
  PlanOptions options_;
  const ScenarioSource* source_;
  std::deque<Planned> returned_;
  std::deque<harness::Scenario> regressions_;
  int regressions_left_ = 0;
  std::optional<ExhaustiveSearch> exhaustive_;
  int numbers_ = 0;  // given out
  int counted_ = 0;  // cases that `options_.cases` limits
  int random_ = 0;   // random ones
};

}  // namespace poolproof::properties
