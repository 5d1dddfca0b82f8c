#include "properties/selftest.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "properties/selftest_report.h"
#include "properties/test_traces.h"
#include "properties/text.h"

namespace poolproof::properties {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

std::size_t index_of(const char* id) {
  return static_cast<std::size_t>(rule_named(id) - rule_table().data());
}

/// A mutant that breaks these rules in a run of 20 cases, named for the first.
SelftestRow mutant(const Pool& pool, const std::vector<const char*>& violated) {
  SelftestRow row{.pool = &pool, .rule = rule_named(violated.front())};
  row.marks.assign(rule_table().size(), Mark::kHeld);
  for (const char* id : violated) row.marks[index_of(id)] = Mark::kViolated;
  row.cases = 20;
  row.caught = {7, milliseconds(1234)};
  return row;
}

/// For each rule that is derived from no other one mutant that needs it.
SelftestResult complete_result(const Pool& pool) {
  SelftestResult result;
  for (const Rule& rule : rule_table()) {
    if (rule.implied_by.empty()) result.rows.push_back(mutant(pool, {rule.id.data()}));
  }
  return result;
}

const Pool& stays() {
  static const Pool pool{.name = {"mutant", "stays", ""}};
  return pool;
}

TEST(Selftest, ARuleIsDerivedFromWhatImpliesIt) {
  EXPECT_TRUE(is_derived_from(*rule_named("E3"), *rule_named("W1")));
  EXPECT_FALSE(is_derived_from(*rule_named("W1"), *rule_named("E3")));
  EXPECT_FALSE(is_derived_from(*rule_named("W1"), *rule_named("W1")));
}

TEST(Selftest, AMutantNeedsTheRuleWithoutWhichItWouldSurvive) {
  EXPECT_EQ(needed_by(mutant(stays(), {"S1"})), rule_named("S1"));
  // What is derived from the rule goes with it.
  EXPECT_EQ(needed_by(mutant(stays(), {"W1", "E3"})), rule_named("W1"));
  EXPECT_EQ(needed_by(mutant(stays(), {"E3"})), rule_named("E3"));
  // Each of the two catches it.
  EXPECT_EQ(needed_by(mutant(stays(), {"S1", "T1"})), nullptr);
}

TEST(Selftest, AConsequenceAloneIsNoReasonToNeedARule) {
  auto row = mutant(stays(), {"W1"});
  row.marks[index_of("W1")] = Mark::kConsequence;
  EXPECT_EQ(needed_by(row), nullptr);
}

TEST(Selftest, EveryRuleThatIsDerivedFromNoOtherMustBeNeeded) {
  auto result = complete_result(stays());
  EXPECT_THAT(result.unneeded(), IsEmpty());
  EXPECT_FALSE(result.failed());
  for (auto& row : result.rows) {
    if (row.rule == rule_named("S1")) row.marks[index_of("T1")] = Mark::kViolated;
  }
  EXPECT_THAT(result.unneeded(), ElementsAre(rule_named("S1")));
  EXPECT_TRUE(result.failed());
  // Of a choice of mutants nobody can tell.
  result.complete = false;
  EXPECT_FALSE(result.failed());
}

TEST(Selftest, ASurvivorFailsTheRunAndIsNamed) {
  auto result = complete_result(stays());
  result.rows.front().caught.reset();
  EXPECT_TRUE(result.failed());
  EXPECT_THAT(selftest_matrix(result, Console()),
              HasSubstr("survivor: stays survived E1 of 20 cases"));
}

TEST(Selftest, AHealthyPoolThatIsBlamedFailsTheRunAndTheCaseIsTold) {
  auto result = complete_result(stays());
  static const Pool healthy{.name = {"reference", "fork", ""}};
  SelftestRow row{.pool = &healthy};
  row.marks.assign(rule_table().size(), Mark::kHeld);
  row.marks[index_of("W1")] = Mark::kViolated;
  row.cases = 3;
  row.blames.push_back({rule_named("W1"), "worker 3 outlived main by 2 s", {}});
  result.rows.push_back(row);
  EXPECT_TRUE(result.failed());
  const auto text = selftest_matrix(result, Console());
  EXPECT_THAT(text, HasSubstr("blamed: reference:fork breaks W1 NoWorkerOutlivesParent"));
  EXPECT_THAT(text, HasSubstr("\"steps\""));
}

TEST(Selftest, MatrixHasALetterForEachRuleInEightyColumns) {
  auto result = complete_result(stays());
  auto row = mutant(stays(), {"W1", "P2"});
  row.marks[index_of("E3")] = Mark::kConsequence;
  row.marks[index_of("R2")] = Mark::kNotExercised;
  result.rows = {row};
  result.complete = false;
  const auto text = selftest_matrix(result, Console());
  const auto lines = lines_of(text);
  ASSERT_GE(lines.size(), 3U);
  EXPECT_THAT(lines[2], HasSubstr("  stays  ..c K"));
  EXPECT_THAT(lines[2], HasSubstr("x"));
  EXPECT_THAT(lines[2], HasSubstr("     7   1.2"));
  EXPECT_THAT(text, HasSubstr("1 of 1 mutant caught in 20 cases"));
  EXPECT_THAT(text, Not(HasSubstr("unneeded:")));
  for (const auto& line : lines) EXPECT_LE(line.size(), kLineWidth) << line;
}

TEST(Selftest, JsonTellsEachRowAndThenTheWhole) {
  auto result = complete_result(stays());
  result.rows.front().caught.reset();
  const auto lines = lines_of(selftest_as_json_lines(result, {}));
  ASSERT_EQ(lines.size(), result.rows.size() + 1);
  EXPECT_THAT(lines.front(), HasSubstr("\"caught\":false"));
  EXPECT_THAT(lines[1], HasSubstr("\"caught_after_cases\":7"));
  EXPECT_THAT(lines[1], HasSubstr("\"needs\":\"E2\""));
  EXPECT_THAT(lines.back(), HasSubstr("\"failed\":true"));
  EXPECT_THAT(lines.back(), HasSubstr("\"survivors\":[\"mutant:stays\"]"));
}

}  // namespace
}  // namespace poolproof::properties
