#include "properties/exhaustive.h"

#include <gtest/gtest.h>

#include <vector>

namespace poolproof::properties {
namespace {

using harness::Scenario;

Abilities few() {
  Abilities abilities;
  abilities.steps = {harness::StepKind::kCreate, harness::StepKind::kClose};
  abilities.endings = {harness::EndingKind::kReturn};
  return abilities;
}

ExhaustiveSearch search(std::optional<int> most_steps = std::nullopt) {
  return ExhaustiveSearch(Enumerator(few(), Contract{}, ""), most_steps);
}

const auto kAlways = [](std::int64_t) { return true; };

TEST(Exhaustive, GivesEachLengthInFullTheShortestFirst) {
  auto all = search(3);
  std::vector<int> lengths;
  while (const auto scenario = all.next(kAlways)) lengths.push_back(scenario->length());
  EXPECT_EQ(lengths, (std::vector<int>{1, 1, 2, 2, 3, 3}));
}

TEST(Exhaustive, ClaimsWhatWasRunAndNothingElse) {
  auto all = search();
  std::vector<Scenario> given;
  given.reserve(5);
  for (int i = 0; i < 5; ++i) given.push_back(*all.next(kAlways));
  EXPECT_EQ(in_words(all.extent()), "complete to no length yet");
  all.ran(given[4]);  // they end in any order
  EXPECT_EQ(in_words(all.extent()), "complete to no length yet");
  all.ran(given[1]);
  EXPECT_EQ(in_words(all.extent()), "complete to no length yet; 1 of 2 with 1 step");
  all.ran(given[0]);
  all.ran(given[2]);
  EXPECT_EQ(all.extent(), (Extent{2, 1, 2, 1, 2}));
  EXPECT_EQ(in_words(all.extent()),
            "complete to 1 step, 2 workers: 2 scenarios; 1 of 2 with 2 steps");
  all.ran(given[3]);
  EXPECT_EQ(all.extent(), (Extent{2, 2, 4, 1, 2}));
}

TEST(Exhaustive, BeginsALengthOnlyWhereAllOfItFits) {
  auto all = search();
  const auto small = [](std::int64_t number) { return number <= 1; };
  EXPECT_FALSE(all.next(small));
  EXPECT_TRUE(all.next(kAlways));  // it may be asked again
}

TEST(Exhaustive, SaysHowManyScenariosThereAre) {
  EXPECT_EQ(in_words({2, 3, 5120, 0, std::nullopt}),
            "complete to 3 steps, 2 workers: 5,120 scenarios");
  EXPECT_EQ(in_words({2, 7, 2'000'123, 9, std::nullopt}),
            "complete to 7 steps, 2 workers: 2,000,123 scenarios; 9 of more than 2,000,000 with 8 "
            "steps");
  EXPECT_EQ(with_commas(999), "999");
  EXPECT_EQ(with_commas(1'000), "1,000");
}

TEST(Exhaustive, TheClaimSaysHowManyWereUnclear) {
  ExhaustiveSearch all(Enumerator(few(), Contract{}, ""));
  const auto first = all.next(kAlways);
  ASSERT_TRUE(first);
  all.ran(*first, true);
  EXPECT_EQ(in_words(all.extent()), "complete to no length yet; 1 of 2 with 1 step; 1 unclear");
}

TEST(Exhaustive, EndsWhereTheAlphabetDoes) {
  auto none = few();
  none.steps.clear();
  ExhaustiveSearch all(Enumerator(none, Contract{}, ""));
  EXPECT_FALSE(all.next(kAlways));
  EXPECT_EQ(in_words(all.extent()), "complete to no length yet");
}

TEST(Exhaustive, ALengthWithoutAnyScenarioIsNoEnd) {
  Contract contract;  // a pool that is not closed keeps main for ever
  contract.exit = Contract::Exit::kWaitsForClose;
  ExhaustiveSearch all(Enumerator(few(), contract, ""));
  EXPECT_EQ(all.next(kAlways)->length(), 2);  // create, close
}

}  // namespace
}  // namespace poolproof::properties
