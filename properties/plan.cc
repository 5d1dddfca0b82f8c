#include "properties/plan.h"

#include <utility>

namespace poolproof::properties {
namespace {

/// What the short scenarios may take of a bounded number of cases.
constexpr int kShortShare = 5;  // one in so many

}  // namespace

Plan::Plan(const Pool& pool, const PlanOptions& options, const ScenarioSource& source)
    : pool_(&pool), options_(options), source_(&source) {
  const auto wants = [&](Part part) {
    return options_.part == Part::kAll || options_.part == part;
  };
  if (wants(Part::kRegressions) && source.regressions) {
    for (auto& scenario : source.regressions(pool)) regressions_.push_back(std::move(scenario));
    regressions_left_ = static_cast<int>(regressions_.size());
  }
  if (wants(Part::kExhaustive) && source.enumerate) {
    exhaustive_.emplace(source.enumerate(pool), options_.most_steps);
  }
}

std::optional<Planned> Plan::next(const ExhaustiveSearch::Fits& fits) {
  if (!returned_.empty()) {
    auto planned = std::move(returned_.front());
    returned_.pop_front();
    return planned;
  }
  if (!regressions_.empty()) {
    auto scenario = std::move(regressions_.front());
    regressions_.pop_front();
    return numbered(std::move(scenario), Origin::kRegression);
  }
  if (options_.cases > 0 && counted_ >= options_.cases) return std::nullopt;
  if (auto planned = next_short(fits)) return planned;
  return next_random();
}

bool Plan::fits_into_cases(std::int64_t number) const {
  return options_.cases == 0 || counted_ + number <= options_.cases / kShortShare;
}

std::optional<Planned> Plan::next_short(const ExhaustiveSearch::Fits& fits) {
  if (!exhaustive_) return std::nullopt;
  auto scenario = exhaustive_->next([&](std::int64_t number) {
    return options_.part == Part::kExhaustive || (fits_into_cases(number) && fits(number));
  });
  if (!scenario) return std::nullopt;
  ++counted_;
  return numbered(std::move(*scenario), Origin::kExhaustive);
}

std::optional<Planned> Plan::next_random() {
  if (options_.part != Part::kAll && options_.part != Part::kRandom) return std::nullopt;
  auto scenario = source_->generate(*pool_, random_);
  if (!scenario) return std::nullopt;
  ++random_;
  ++counted_;
  return numbered(std::move(*scenario), Origin::kRandom);
}

Planned Plan::numbered(harness::Scenario&& scenario, Origin origin) {
  return {std::move(scenario), origin, ++numbers_};
}

void Plan::ran(const Planned& planned, bool unclear) {
  if (planned.origin == Origin::kRegression) --regressions_left_;
  if (planned.origin == Origin::kExhaustive && exhaustive_)
    exhaustive_->ran(planned.scenario, unclear);
}

std::optional<Extent> Plan::extent() const {
  if (!exhaustive_) return std::nullopt;
  return exhaustive_->extent();
}

}  // namespace poolproof::properties
