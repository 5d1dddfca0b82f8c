#include "properties/rules/outcome.h"

#include <gtest/gtest.h>

#include "properties/rules/made_trace.h"

namespace poolproof::properties {
namespace {

using harness::Body;
using harness::BodyKind;
using Kind = harness::StepResult::Kind;

TEST(OutcomeOfABody, IsItsValueOrItsOwnError) {
  EXPECT_TRUE(is_made_by_body(1, Body{BodyKind::kSleep, 5}, value("none")));
  EXPECT_FALSE(is_made_by_body(1, Body{BodyKind::kSleep, 5}, value("other")));
  EXPECT_FALSE(is_made_by_body(1, Body{BodyKind::kNever, 0}, value("none")));
  EXPECT_TRUE(is_made_by_body(1, Body{BodyKind::kRaise, 0}, result(Kind::kTaskError, "task 1")));
  EXPECT_FALSE(is_made_by_body(1, Body{BodyKind::kRaise, 0}, result(Kind::kTaskError, "task 2")));
  EXPECT_FALSE(is_made_by_body(1, Body{BodyKind::kRaise, 0}, result(Kind::kWorkerDied, "task 1")));
}

struct Seen {
  bool doubt_about_runs;
  bool any_run;
  bool operator==(const Seen&) const = default;
};
Seen seen(const Story& story) {
  const Evidence evidence{story.scenario, story.trace, story.contract, "python", ""};
  const Reading reading(evidence);
  return {doubt_about_runs(reading).has_value(), any_claimed_to_run(reading)};
}

Story two_tasks() {
  return Story({create(1), submit(1), submit(2), get(1)}).step(1).step(2).step(3);
}

TEST(DoubtAboutRuns, IsThereWhereAnOutcomeCameFromNowhere) {
  EXPECT_EQ(seen(two_tasks().step(4, value("none"))), (Seen{true, false}));
  EXPECT_EQ(seen(two_tasks().task(2, 3).step(4, value("none"))), (Seen{true, true}));
}

TEST(DoubtAboutRuns, IsGoneWhereTheRunIsClaimed) {
  EXPECT_EQ(seen(two_tasks().task(1, 3).step(4, value("none"))), (Seen{false, true}));
}

TEST(DoubtAboutRuns, IsNotRaisedByTheInputsOwnError) {
  const auto told = [](const std::string& message) {
    auto raising = map(1, harness::Form::kImap, 2, BodyKind::kRaise);
    raising.raises_at = 1;
    Story story({create(1), raising, next(1)});
    return seen(story.step(1).step(2).step(3, result(Kind::kTaskError, message)));
  };
  EXPECT_EQ(told("input 1 of task 1"), (Seen{false, false}));
  EXPECT_EQ(told("task 1"), (Seen{true, false}));
}

TEST(DoubtAboutRuns, IsNotRaisedByAnErrorThatNeedsNoRun) {
  const auto dead = result(Kind::kWorkerDied);
  EXPECT_EQ(seen(two_tasks().step(4, dead)), (Seen{false, false}));
  EXPECT_EQ(seen(two_tasks().task(1, 3).step(4, dead)), (Seen{false, true}));
}

}  // namespace
}  // namespace poolproof::properties
