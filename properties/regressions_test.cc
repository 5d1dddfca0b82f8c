#include "properties/regressions.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

#include "properties/test_traces.h"

namespace poolproof::properties {
namespace {

namespace fs = std::filesystem;
using harness::Case;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class RegressionsTest : public ::testing::Test {
 protected:
  ~RegressionsTest() override { fs::remove_all(folder_); }

  Finding finding(const char* rule) const {
    Finding finding;
    finding.pool = &pool_;
    finding.rule = rule_named(rule);
    finding.simplest = {pool_.name.text(), orphan_scenario(), {}, 7};
    finding.failed = finding.repeated = 10;
    return finding;
  }

  void write(const std::string& name, const std::string& text) const {
    fs::create_directories(folder_);
    std::ofstream(folder_ / name) << text;
  }

  std::vector<std::string> files() const {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(folder_)) {
      names.push_back(entry.path().filename().string());
    }
    return names;
  }

  Pool pool_ = executor_pool();
  fs::path folder_ =
      fs::path(::testing::TempDir()) / ("poolproof-regressions-test-" + std::to_string(::getpid()));
};

TEST_F(RegressionsTest, AKeptFindingIsReadAgain) {
  ASSERT_TRUE(keep_regression(folder_, finding("W1")));
  const auto read = read_regressions(folder_);
  EXPECT_TRUE(read.troubles.empty());
  ASSERT_EQ(read.cases.size(), 1U);
  EXPECT_EQ(read.cases[0], finding("W1").simplest);
  EXPECT_THAT(read.of(pool_), ElementsAre(orphan_scenario()));
}

TEST_F(RegressionsTest, ItsNameIsThatOfPoolRuleAndScenarioAlone) {
  const auto name = regression_name(finding("W1"));
  EXPECT_THAT(name, ::testing::StartsWith("ProcessPoolExecutor_fork-W1-"));
  auto later = finding("W1");
  later.simplest.seed = 8;
  auto newer = executor_pool();
  newer.name.version = "3.14.0";
  later.pool = &newer;
  EXPECT_EQ(regression_name(later), name);
  EXPECT_NE(regression_name(finding("E3")), name);
  auto other = finding("W1");
  other.simplest.scenario.steps.pop_back();
  EXPECT_NE(regression_name(other), name);
  auto faulty = finding("W1");
  faulty.simplest.scenario.fault = *harness::fault_from_string("main:read:2=SIGKILL");
  EXPECT_NE(regression_name(faulty), name);
}

TEST_F(RegressionsTest, WhatIsKeptStaysAsItIs) {
  const auto first = keep_regression(folder_, finding("W1"));
  ASSERT_TRUE(first);
  EXPECT_TRUE(*first) << "it is new";
  auto again = finding("W1");
  again.simplest.seed = 8;
  const auto second = keep_regression(folder_, again);
  ASSERT_TRUE(second);
  EXPECT_FALSE(*second) << "it is there";
  EXPECT_THAT(files(), ElementsAre(regression_name(again)));
  EXPECT_EQ(read_regressions(folder_).cases[0].seed, 7U);
}

TEST_F(RegressionsTest, OnlyNewReliableFindingsAreWorthIt) {
  EXPECT_TRUE(is_worth_keeping(finding("W1")));
  auto known = finding("W1");
  known.known_link = "https://example.org/1";
  EXPECT_FALSE(is_worth_keeping(known));
  auto unstable = finding("W1");
  unstable.failed = 9;
  EXPECT_FALSE(is_worth_keeping(unstable));
  auto reliable = finding("W1");
  reliable.failed = 28;
  reliable.repeated = 30;
  EXPECT_TRUE(is_worth_keeping(reliable));
  auto unrepeated = finding("W1");
  unrepeated.failed = unrepeated.repeated = 0;
  EXPECT_FALSE(is_worth_keeping(unrepeated));
}

TEST_F(RegressionsTest, ShortCasesComeFirstAndEachOnce) {
  auto longer = finding("W1");
  longer.simplest.scenario.steps.push_back(get_step(1));
  ASSERT_TRUE(keep_regression(folder_, longer));
  ASSERT_TRUE(keep_regression(folder_, finding("W1")));
  ASSERT_TRUE(keep_regression(folder_, finding("E3")));
  const auto scenarios = read_regressions(folder_).of(pool_);
  EXPECT_THAT(scenarios, ElementsAre(orphan_scenario(), longer.simplest.scenario));
}

TEST_F(RegressionsTest, ABadFileIsOneClearLine) {
  write("a.json", "garbage");
  write("b.json", R"({"format": 99})");
  write("README.md", "not a case, and none of our business");
  fs::create_directories(folder_ / "c.json");
  const auto read = read_regressions(folder_);
  EXPECT_TRUE(read.cases.empty());
  ASSERT_EQ(read.troubles.size(), 3U);
  for (const auto& line : read.troubles) {
    EXPECT_THAT(line, HasSubstr(folder_.string()));
    EXPECT_EQ(line.find('\n'), std::string::npos) << line;
  }
  EXPECT_EQ(read_regressions(folder_ / "nowhere").troubles.size(), 1U);
}

TEST_F(RegressionsTest, AnotherVersionIsTriedAndAnotherPoolIsNot) {
  Regressions kept;
  kept.cases = {finding("W1").simplest};
  auto newer = executor_pool();
  newer.name.version = "3.14.0";
  EXPECT_EQ(kept.of(newer).size(), 1U);
  auto spawn = executor_pool();
  spawn.name.variant = spawn.start_method = "spawn";
  EXPECT_TRUE(kept.of(spawn).empty());
  auto without_get = executor_pool();
  std::erase(without_get.abilities.steps, harness::StepKind::kGet);
  EXPECT_TRUE(kept.of(without_get).empty());
  EXPECT_EQ(kept.of_none({spawn}), 1);
  EXPECT_EQ(kept.of_none({spawn, without_get}), 0) << "it is this pool's";
  EXPECT_EQ(kept.runnable_by_none({spawn, without_get}), 1);
  auto with_quota = kept;
  with_quota.cases[0].scenario.steps[0].quota = 1;
  EXPECT_TRUE(with_quota.of(newer).empty());  // it has no such setting
  EXPECT_EQ(kept.runnable_by_none({spawn, newer}), 0);
}

TEST_F(RegressionsTest, WhatAHealthyPoolMayNotEndIsNotRun) {
  Regressions kept;
  kept.cases = {finding("P1").simplest};
  kept.cases[0].scenario.steps[1].body.kind = harness::BodyKind::kNever;
  EXPECT_TRUE(kept.of(pool_).empty());
}

}  // namespace
}  // namespace poolproof::properties
