#include "spin.hpp"

#include <gtest/gtest.h>

namespace poolproof::detail {
namespace {

using namespace std::chrono_literals;

/// As many waits as it takes to learn, and what the next one is worth then.
template <class Wait>
SpinBudget::Duration learned(SpinBudget& budget, Wait wait) {
  for (int i = 0; i < 40; ++i) wait();
  return std::min(budget.budget(), budget.budget());  // one of two may be a trial
}

TEST(SpinBudget, LooksNoLongerWhereWaitsAreLong) {
  SpinBudget budget;
  EXPECT_EQ(learned(budget, [&] { budget.slept(1s, 1s); }), 1us);
}

TEST(SpinBudget, LooksNoLongerWhereTheOtherSideNeedsTheProcessor) {
  SpinBudget budget;
  EXPECT_EQ(learned(budget, [&] { budget.slept(30us, 5us); }), 1us);
}

TEST(SpinBudget, LooksLongerWhereThatWouldHavePaid) {
  SpinBudget budget;
  learned(budget, [&] { budget.slept(1s, 1s); });
  EXPECT_EQ(learned(budget, [&] { budget.slept(40us, 30us); }), 50us);
}

TEST(SpinBudget, LooksLongerWhereItPaid) {
  SpinBudget budget;
  learned(budget, [&] { budget.slept(1s, 1s); });
  EXPECT_EQ(learned(budget, [&] { budget.paid(); }), 50us);
}

TEST(SpinBudget, TriesTheLongestNowAndThen) {
  SpinBudget budget;
  learned(budget, [&] { budget.slept(1s, 1s); });
  int tries = 0;
  for (int i = 0; i < 320; ++i) tries += budget.budget() == 50us;
  EXPECT_EQ(tries, 10);
}

}  // namespace
}  // namespace poolproof::detail
