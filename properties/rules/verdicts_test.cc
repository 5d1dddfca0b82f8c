#include "properties/rules/verdicts.h"

#include <gtest/gtest.h>

namespace poolproof::properties {
namespace {

TEST(Verdicts, ViolationComesBeforeDoubtAndDoubtBeforeHeld) {
  Verdicts verdicts;
  EXPECT_TRUE(std::holds_alternative<NotExercised>(verdicts.verdict()));
  verdicts.held();
  EXPECT_TRUE(std::holds_alternative<Held>(verdicts.verdict()));
  verdicts.doubtful("first");
  verdicts.doubtful("second");
  EXPECT_EQ(std::get<Inconclusive>(verdicts.verdict()).why, "first");
  verdicts.violated("one", {1});
  verdicts.violated("two", {2});
  EXPECT_EQ(std::get<Violated>(verdicts.verdict()).evidence, "one");
}

}  // namespace
}  // namespace poolproof::properties
