#include "properties/canary.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "properties/test_traces.h"

namespace poolproof::properties {
namespace {

using harness::Job;
using harness::Trace;
using ::testing::HasSubstr;

class CanaryTest : public ::testing::Test {
 protected:
  CanaryTest() {
    source_.generate = [](const Pool&, int n) -> std::optional<harness::Scenario> {
      auto scenario = orphan_scenario();
      if (n % 4 != 3) scenario.ending = {};
      return scenario;
    };
  }

  Canary let_out(FakeRunner::Answer answer) {
    FakeRunner runner(std::move(answer));
    auto canary =
        try_canary(runner, executor_pool(), source_, {}, options_, [this] { return stopped_; });
    EXPECT_EQ(runner.pending(), 0);
    return canary;
  }

  ScenarioSource source_;
  CanaryOptions options_{.cases = 50, .time = std::chrono::seconds(30)};
  bool stopped_ = false;
};

TEST_F(CanaryTest, IsCaughtByTheFirstCaseInWhichAWorkerStays) {
  const auto canary = let_out([](const Job& job) -> sys::Result<Trace> {
    return job.scenario.ending.kind == harness::EndingKind::kOsExit ? orphan_trace()
                                                                    : healthy_trace(job.scenario);
  });
  EXPECT_EQ(canary.fate, Canary::Fate::kCaught);
  EXPECT_EQ(canary.cases, 4);
  EXPECT_EQ(canary.in_words(), "mutant:workers_outlive_main caught by W1 in 4 cases");
}

TEST_F(CanaryTest, IsMissedByAHarnessThatSeesNothing) {
  const auto canary = let_out([](const Job& job) { return healthy_trace(job.scenario); });
  EXPECT_EQ(canary.fate, Canary::Fate::kMissed);
  EXPECT_EQ(canary.cases, 50);
  EXPECT_THAT(canary.in_words(), HasSubstr("W1 did not catch mutant:workers_outlive_main in 50"));
}

TEST_F(CanaryTest, IsMissedWhereNoCaseCanBeRunAndSaysWhy) {
  const auto canary = let_out([](const Job&) { return sys::Error("start the warden: gone"); });
  EXPECT_EQ(canary.fate, Canary::Fate::kMissed);
  EXPECT_EQ(canary.cases, 0);
  EXPECT_THAT(canary.in_words(), HasSubstr("in 0 cases (start the warden: gone)"));
}

TEST_F(CanaryTest, EndsWithItsTime) {
  options_.time = std::chrono::milliseconds(0);
  EXPECT_EQ(let_out([](const Job& job) { return healthy_trace(job.scenario); }).fate,
            Canary::Fate::kMissed);
}

TEST_F(CanaryTest, IsSkippedOnCtrlC) {
  stopped_ = true;
  EXPECT_EQ(let_out([](const Job& job) { return healthy_trace(job.scenario); }).in_words(),
            "skipped, interrupted");
}

TEST(CanaryPool, ThatIsNotInstalledIsNoError) {
  std::string why;
  EXPECT_FALSE(canary_pool({.share = "/nowhere"}, why));
  EXPECT_EQ(skipped_canary(why).in_words(),
            "skipped, mutant:workers_outlive_main is not installed");
}

}  // namespace
}  // namespace poolproof::properties
