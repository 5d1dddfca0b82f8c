// Each mutant of the reference pool is caught by the rule that it names, and the pool itself is not
// blamed in the same run. Cases come from the general generators: nothing there knows a mutant.
#include <gtest/gtest.h>

#include <chrono>
#include <ostream>
#include <stdexcept>
#include <string>
#include <vector>

#include "harness/runner.h"
#include "properties/campaign.h"
#include "properties/pools.h"

namespace poolproof::properties {
namespace {

using namespace std::chrono_literals;

struct Mutant {
  const char* name;
  const char* rule;
};

void PrintTo(const Mutant& mutant, std::ostream* out) {
  *out << mutant.name << " by " << mutant.rule;
}

constexpr Mutant kMutants[] = {
#include "poolproof/mutants.inc"
};

class Mutants : public testing::TestWithParam<Mutant> {
 protected:
  /// A campaign that ends at the first violation of `rule`.
  static CampaignResult search(const std::string& pool, const Rule& rule, int cases,
                               std::chrono::milliseconds time) {
    PoolPlaces places;
    places.share = default_share();
    const std::vector<std::string> names{pool};
    const auto pools = PoolFinder(places).find(names);
    EXPECT_EQ(pools.found.size(), 1U) << pool << " was not found";
    const auto runner = harness::Runner::start({.jobs = 2});
    if (!runner) throw std::runtime_error(runner.error().message());
    CampaignOptions options;
    options.seed = 0x7f3a21;
    options.cases = cases;
    options.time = time;
    options.rules = {&rule};
    options.stop_at_first = true;
    CampaignListener nobody;
    return Campaign(**runner, pools.found, options, random_source(options.seed), nobody,
                    [] { return false; })
        .run();
  }
};

TEST_P(Mutants, AreCaughtByTheRuleTheyNameAndThePoolIsNotBlamed) {
  const Rule* rule = rule_named(GetParam().rule);
  ASSERT_NE(rule, nullptr);
  const auto caught = search(std::string("mutant:") + GetParam().name, *rule, 0, 60s);
  ASSERT_EQ(caught.findings.size(), 1U) << "not caught in " << caught.cases() << " cases";
  const auto& finding = caught.findings.front();
  EXPECT_EQ(finding.rule->id, rule->id);
  EXPECT_FALSE(finding.is_known());
  EXPECT_TRUE(finding.is_stable()) << finding.failed << " of " << finding.repeated;

  const auto healthy = search("reference:fork", *rule, std::max(caught.cases(), 50), 60s);
  EXPECT_GE(healthy.cases(), 50);
  EXPECT_TRUE(healthy.findings.empty()) << healthy.findings.front().evidence;
}

INSTANTIATE_TEST_SUITE_P(Each, Mutants, testing::ValuesIn(kMutants),
                         [](const auto& mutant) { return std::string(mutant.param.name); });

}  // namespace
}  // namespace poolproof::properties
