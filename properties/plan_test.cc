#include "properties/plan.h"

#include <gtest/gtest.h>

#include "properties/test_traces.h"

namespace poolproof::properties {
namespace {

using harness::Scenario;

/// Random scenarios are told by their number of steps: more than any short one has.
constexpr std::size_t kRandomSteps = 50;

class PlanTest : public ::testing::Test {
 protected:
  PlanTest() {
    source_.generate = [](const Pool&, int n) -> std::optional<Scenario> {
      Scenario scenario;
      scenario.steps.resize(kRandomSteps + static_cast<std::size_t>(n), create_step(1));
      return scenario;
    };
    source_.enumerate = [](const Pool& pool) {
      return Enumerator(pool.abilities, pool.contract, pool.start_method);
    };
    source_.regressions = [](const Pool&) { return std::vector<Scenario>{orphan_scenario()}; };
  }

  Plan plan(PlanOptions options) const { return Plan(pool_, options, source_); }

  Pool pool_ = executor_pool();
  ScenarioSource source_;
};

const auto kFits = [](std::int64_t) { return true; };
const auto kNoTime = [](std::int64_t) { return false; };

TEST_F(PlanTest, RegressionsComeFirstThenShortScenariosThenRandomOnes) {
  auto plan = this->plan({.cases = 30});
  std::vector<Origin> origins;
  while (const auto next = plan.next(kFits)) {
    origins.push_back(next->origin);
    EXPECT_EQ(next->number, static_cast<int>(origins.size()));
  }
  ASSERT_EQ(origins.size(), 31U);  // a regression does not count
  EXPECT_EQ(origins[0], Origin::kRegression);
  for (int at = 1; at <= 2; ++at) EXPECT_EQ(origins[at], Origin::kExhaustive);  // to 1 step
  for (int at = 3; at <= 30; ++at) EXPECT_EQ(origins[at], Origin::kRandom);
}

TEST_F(PlanTest, ALengthForWhichThereIsNoTimeIsNotBegun) {
  auto plan = this->plan({});
  EXPECT_EQ(plan.next(kNoTime)->origin, Origin::kRegression);
  EXPECT_EQ(plan.next(kNoTime)->origin, Origin::kRandom);
  EXPECT_EQ(plan.next(kFits)->origin, Origin::kExhaustive);
}

TEST_F(PlanTest, RandomCasesDoNotDependOnHowManyShortOnesWereRun) {
  auto all = plan({});
  auto random = plan({.part = Part::kRandom});
  for (int i = 0; i < 100; ++i) {
    const auto next = all.next([](std::int64_t number) { return number < 30; });
    if (next->origin == Origin::kRandom) {
      EXPECT_EQ(next->scenario, random.next(kFits)->scenario);
    }
  }
  EXPECT_EQ(all.next(kNoTime)->scenario, random.next(kNoTime)->scenario);
}

TEST_F(PlanTest, TheExhaustivePartAloneGoesOnToItsBound) {
  auto plan = this->plan({.part = Part::kExhaustive, .most_steps = 2});
  int cases = 0;
  while (const auto next = plan.next(kNoTime)) {
    EXPECT_EQ(next->origin, Origin::kExhaustive);
    plan.ran(*next);
    ++cases;
  }
  EXPECT_EQ(plan.extent()->steps, 2);
  EXPECT_EQ(plan.extent()->scenarios, cases);
  EXPECT_EQ(plan.extent()->beyond, 0);
}

TEST_F(PlanTest, RegressionsAloneAreRunOnceEach) {
  auto plan = this->plan({.part = Part::kRegressions});
  EXPECT_EQ(plan.next(kFits)->scenario, orphan_scenario());
  EXPECT_FALSE(plan.next(kFits));
  EXPECT_FALSE(plan.extent());
}

TEST_F(PlanTest, WhatNobodyBeganComesAgainUnderItsNumber) {
  auto plan = this->plan({.cases = 1});
  plan.next(kFits);
  auto planned = *plan.next(kFits);
  const auto scenario = planned.scenario;
  EXPECT_FALSE(plan.next(kFits));
  plan.put_back(std::move(planned));
  const auto again = plan.next(kFits);
  ASSERT_TRUE(again);
  EXPECT_EQ(again->number, 2);
  EXPECT_EQ(again->scenario, scenario);
}

}  // namespace
}  // namespace poolproof::properties
