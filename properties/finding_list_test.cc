#include "properties/finding_list.h"

#include <gtest/gtest.h>

#include "properties/test_traces.h"

namespace poolproof::properties {
namespace {

constexpr const char* kCode =
    "https://github.com/python/cpython/blob/v3.11.7/Lib/multiprocessing/util.py#L353";

Finding finding_of(const Pool& pool, const char* rule, const char* folder, const char* link = "") {
  Finding finding;
  finding.pool = &pool;
  finding.rule = rule_named(rule);
  finding.known_link = link;
  finding.folder = folder;
  finding.simplest = {pool.name.text(), orphan_scenario(), {}, 1};
  finding.failed = finding.repeated = 10;
  return finding;
}

CampaignResult of(const std::vector<Pool>& pools, std::vector<Finding> findings) {
  CampaignResult result;
  for (const auto& pool : pools)
    result.tallies.emplace_back(pool, std::vector<const Rule*>{}, true);
  result.findings = std::move(findings);
  return result;
}

TEST(FindingList, IsEmptyWhereNothingWasFound) {
  const std::vector<Pool> pools{executor_pool()};
  EXPECT_EQ(finding_list(of(pools, {}), Console()), "");
}

TEST(FindingList, TellsRulesThatBreakInTheSameCaseInOneLine) {
  const std::vector<Pool> pools{executor_pool()};
  auto other = finding_of(pools[0], "P1", "P1-2");
  other.simplest.scenario.steps.pop_back();
  const auto result =
      of(pools, {finding_of(pools[0], "E1", "E1-2"), finding_of(pools[0], "P1", "P1-1"), other});
  EXPECT_EQ(finding_list(result, Console()),
            "ProcessPoolExecutor:fork\n"
            "  F E1 ProcessExits, P1                4 steps  E1-2/ P1-1/\n"
            "  F P1 NoDeadlock                      3 steps  P1-2/\n");
}

/// It fails the run, and whoever replays it may see it not fail.
TEST(FindingList, TellsTheRateOfAReliableOneThatDoesNotAlwaysFail) {
  const std::vector<Pool> pools{executor_pool()};
  auto finding = finding_of(pools[0], "E1", "E1-1");
  finding.failed = 28;
  finding.repeated = 30;
  EXPECT_EQ(finding_list(of(pools, {finding}), Console()),
            "ProcessPoolExecutor:fork\n"
            "  F E1 ProcessExits                    4 steps  E1-1/  28 of 30\n");
}

TEST(FindingList, KeepsApartWhatIsKnownByAnotherLinkOrFailsAtAnotherRate) {
  const std::vector<Pool> pools{executor_pool()};
  auto seldom = finding_of(pools[0], "P1", "P1-1", kCode);
  seldom.failed = 1;
  seldom.repeated = 3;
  const auto result = of(pools, {seldom, finding_of(pools[0], "E1", "E1-1", kCode),
                                 finding_of(pools[0], "S8", "S8-1")});
  EXPECT_EQ(finding_list(result, Console()),
            "ProcessPoolExecutor:fork\n"
            "  F S8 ForkedChildDoesNoHarm           4 steps  S8-1/\n"
            "  x P1 NoDeadlock                      4 steps  util.py#L353  1 of 3\n"
            "  x E1 ProcessExits                    4 steps  util.py#L353\n");
}

}  // namespace
}  // namespace poolproof::properties
