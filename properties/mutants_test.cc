#include "properties/mutants.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace poolproof::properties {
namespace {

using testing::HasSubstr;

std::string refusal_of(const std::string& text) {
  const auto read = mutants_from_json(text, "mutants.json");
  return read ? "taken" : read.error().message();
}

TEST(Mutants, TableGivesNamesAndRulesInItsOrder) {
  const auto mutants = mutants_from_json(
      R"([{"name": "stays", "rule": "W1"}, {"name": "hangs", "rule": "NoDeadlock"}])", "t.json");
  ASSERT_TRUE(mutants);
  ASSERT_EQ(mutants->size(), 2U);
  EXPECT_EQ(mutants->front().name, "stays");
  EXPECT_EQ(mutants->front().rule, rule_named("W1"));
  EXPECT_EQ(mutants->back().rule, rule_named("P1"));
}

TEST(Mutants, TableWithoutSenseIsRefusedByOneLineThatNamesIt) {
  EXPECT_THAT(refusal_of("{"), HasSubstr("mutants.json: not a table"));
  EXPECT_THAT(refusal_of("{}"), HasSubstr("not a table"));
  EXPECT_THAT(refusal_of("[3]"), HasSubstr("a name and a rule"));
  EXPECT_THAT(refusal_of(R"([{"name": "x"}])"), HasSubstr("a name and a rule"));
  EXPECT_THAT(refusal_of(R"([{"name": "x", "rule": 1}])"), HasSubstr("a name and a rule"));
  EXPECT_THAT(refusal_of(R"([{"name": "x", "rule": "Z9"}])"),
              HasSubstr("mutant 'x' names rule 'Z9', which there is not"));
}

TEST(Mutants, WithoutATableTheErrorSaysWhichFileIsMissing) {
  const auto mutants = mutants_of("/nowhere");
  ASSERT_FALSE(mutants);
  EXPECT_THAT(mutants.error().message(), HasSubstr("/nowhere/mutants.json"));
}

}  // namespace
}  // namespace poolproof::properties
