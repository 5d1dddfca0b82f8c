#include <gtest/gtest.h>

#include "properties/rules/made_trace.h"

namespace poolproof::properties {
namespace {

using namespace std::chrono_literals;
using harness::BodyKind;
using harness::End;
using harness::Victim;
using Kind = harness::StepResult::Kind;

TEST(NoDeadlock, IsHeldWhenMainComesToItsEnd) {
  Story story({create(1)});
  EXPECT_EQ(story.step(1).exits().outcome("P1"), "held");
}

TEST(NoDeadlock, IsNotExercisedWithoutAPool) {
  EXPECT_EQ(Story({}).exits().outcome("P1"), "not exercised");
}

TEST(NoDeadlock, IsViolatedWhereNobodyCanWakeMain) {
  Story story({create(1), submit(1), get(1)});
  story.begins(1).born(3).ends(1).step(2).begins(3).at_rest().over(End::kAtRest);
  EXPECT_EQ(story.outcome("P1"), "violated");
  EXPECT_EQ(story.says("P1"),
            "get (step 3) waits for ever: the whole tree is blocked: main 2 and process 3 "
            "wait in read(pipe:[7])");
}

TEST(NoDeadlock, IsViolatedWhereAKilledWorkersTaskIsWaitedFor) {
  Story story({create(2), submit(1, BodyKind::kNever), kill(Victim::kBusy), get(1)});
  story.begins(1).born(3).ends(1).step(2).begins_task(1, 3).begins(3).dies(3, sys::Killed{9});
  story.ends(3, killed(3)).begins(4).at_rest().over(End::kAtRest);
  EXPECT_EQ(story.outcome("P1"), "violated");
}

TEST(NoDeadlock, DoesNotBlameAWaitThatWasAskedFor) {
  Story story({create(1), submit(1, BodyKind::kNever), get(1)});
  story.step(1).step(2).begins(3).at_rest().over(End::kAtRest);
  EXPECT_EQ(story.outcome("P1"), "not exercised");
}

TEST(NoDeadlock, DoesNotBlameAWaitAfterAKillThatDidNotFire) {
  Story story({create(1), submit(1, BodyKind::kNever), kill(Victim::kBusy), get(1)});
  story.step(1).step(2).step(3, result(Kind::kNotFired)).begins(4).at_rest().over(End::kAtRest);
  EXPECT_EQ(story.outcome("P1"), "not exercised");
}

TEST(NoDeadlock, DoesNotBlameAGetAfterDrop) {
  Story story({create(1), submit(1), drop(), get(1)});
  story.step(1).step(2).step(3).begins(4).at_rest().over(End::kAtRest);
  EXPECT_EQ(story.outcome("P1"), "not exercised");
}

TEST(NoDeadlock, IsInconclusiveWithoutProof) {
  Story story({create(1), submit(1), get(1)});
  story.step(1).step(2).begins(3).at_rest(false).over(End::kFuse);
  EXPECT_EQ(story.outcome("P1"), "inconclusive");
}

TEST(NoDeadlock, IsInconclusiveWhereAStrangerMayWakeMain) {
  Story story({create(1), submit(1), get(1)});
  story.step(1).step(2).begins(3).at_rest().add(harness::Foreign{9}).over(End::kAtRest);
  EXPECT_EQ(story.outcome("P1"), "inconclusive");
}

TEST(NoDeadlock, LeavesSurvivorsToW1) {
  Story story({create(1)});
  story.begins(1).born(3).ends(1).ending().dies(Story::kMain).at_rest().over(End::kAtRest);
  EXPECT_EQ(story.outcome("P1"), "held");
}

}  // namespace
}  // namespace poolproof::properties
