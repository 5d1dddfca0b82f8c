#include "properties/guides/guides.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace poolproof::properties {
namespace {

bool has(const Guide& guide, std::string_view outcome) {
  return std::any_of(guide.examples.begin(), guide.examples.end(),
                     [&](const Example& example) { return example.outcome == outcome; });
}

class Guides : public testing::TestWithParam<Rule> {};

TEST_P(Guides, TellARuleWithItsSourcesAndAnExampleOfEachOutcome) {
  const auto id = std::string(GetParam().id);
  const auto* guide = guide_of(id);
  ASSERT_NE(guide, nullptr) << id << " has no guide: add one to its family's file in "
                            << "properties/guides/, with its sources, what exercises it, and an "
                               "example that is held, one violated and one not exercised";
  EXPECT_FALSE(guide->exercised_by.empty()) << id << ": say what it takes to exercise the rule";
  EXPECT_FALSE(guide->sources.empty()) << id << ": name what the rule rests on";
  for (const auto source : guide->sources) EXPECT_TRUE(source.starts_with("https://")) << source;
  for (const auto* outcome : {"held", "violated", "not exercised"})
    EXPECT_TRUE(has(*guide, outcome)) << id << ": add an example that is " << outcome;
  EXPECT_EQ(guide->examples.front().outcome, "held") << id << ": the others are told beside it";
}

TEST_P(Guides, HaveExamplesThatTheRuleJudgesAsTheySay) {
  const auto* guide = guide_of(GetParam().id);
  ASSERT_NE(guide, nullptr);
  for (const Example& example : guide->examples) {
    const auto story = example.story();
    EXPECT_EQ(story.outcome(guide->rule), example.outcome)
        << guide->rule << ": " << story.says(guide->rule);
  }
}

/// Between held and violated lies what the rule asks for, not whether it was asked at all.
TEST_P(Guides, ShowWhatAContractTakesOutOfForce) {
  const auto* guide = guide_of(GetParam().id);
  ASSERT_NE(guide, nullptr);
  for (const Example& example : guide->examples) {
    if (example.outcome != "not applicable") continue;
    auto story = example.story();
    story.contract = {};
    EXPECT_NE(story.outcome(guide->rule), "not applicable") << guide->rule;
  }
}

INSTANTIATE_TEST_SUITE_P(Rules, Guides, testing::ValuesIn(rule_table()),
                         [](const auto& rule) { return std::string(rule.param.id); });

TEST(GuidesAsAWhole, AreOfRulesThatThereAre) {
  for (const Guide& guide : guides()) EXPECT_NE(rule_named(guide.rule), nullptr) << guide.rule;
  EXPECT_EQ(guides().size(), rule_table().size());
}

}  // namespace
}  // namespace poolproof::properties
