#include <gtest/gtest.h>

#include <rapidcheck.h>

#include <algorithm>

#include "properties/campaign.h"
#include "properties/coverage.h"
#include "properties/generate.h"
#include "properties/test_traces.h"

namespace poolproof::properties {
namespace {

using harness::Scenario;

std::vector<Scenario> many(const ScenarioSource& source, const Pool& pool, int number) {
  std::vector<Scenario> scenarios;
  scenarios.reserve(static_cast<std::size_t>(number));
  for (int n = 0; n < number; ++n) scenarios.push_back(*source.generate(pool, n));
  return scenarios;
}

TEST(RandomSource, AScenarioIsAFunctionOfSeedPoolAndNumberAlone) {
  const auto pool = executor_pool();
  auto other = executor_pool();
  other.name.variant = "spawn";
  const auto expected = many(random_source(7, true), pool, 50);
  const auto source = random_source(7, true);
  EXPECT_EQ(source.generate(pool, 30), expected[30]);  // whatever was asked for before
  many(source, other, 10);                             // and for whom
  EXPECT_EQ(source.generate(pool, 49), expected[49]);
  EXPECT_EQ(source.generate(pool, 3), expected[3]);
  EXPECT_NE(many(random_source(8, true), pool, 50), expected);
}

TEST(RandomSource, PairsThatWereNotReachedAreSoughtOut) {
  const auto pool = executor_pool();
  std::vector<std::size_t> sought;
  for (std::uint64_t seed = 1; seed <= 11; ++seed) {
    Coverage reached;
    for (const auto& scenario : many(random_source(seed), pool, 150))
      reached.add(scenario, pool.contract);
    sought.push_back(reached.pairs().size());
  }
  std::sort(sought.begin(), sought.end());
  Coverage met;
  const auto plain = scenarios(pool.abilities, pool.contract, pool.start_method);
  for (int n = 0; n < 150; ++n) {
    met.add(plain(rc::Random(static_cast<std::uint64_t>(n)), 5 + n % 96).value(), pool.contract);
  }
  EXPECT_GT(sought[sought.size() / 2], met.pairs().size() * 11 / 10)
      << "from " << sought.front() << " to " << sought.back();
}

TEST(RandomSource, FaultsAreSpreadOverSteps) {
  const auto pool = executor_pool();
  Coverage reached;
  for (const auto& scenario : many(random_source(7, true), pool, 300))
    reached.add(scenario, pool.contract);
  EXPECT_GT(reached.with_faults().size(), 60U);
  int at_calls = 0;
  for (const auto& scenario : many(random_source(7, true), pool, 300)) {
    const auto& fault = scenario.fault;
    at_calls += fault && fault->trigger == harness::Fault::Trigger::kCall;
  }
  EXPECT_GT(at_calls, 40);
}

}  // namespace
}  // namespace poolproof::properties
