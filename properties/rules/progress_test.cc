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

/// E1 has its say; whether the exit waits for the task or for nothing at all cannot be told.
TEST(NoDeadlock, IsNotExercisedWhereALateExitMayWaitForATask) {
  for (const auto end : {End::kDeadline, End::kFuse}) {
    Story story({create(1), submit(1, BodyKind::kNever)});
    story.begins(1).born(3).ends(1).step(2).begins_task(1, 3).ending().after(1100ms).over(end);
    const auto* expected = end == End::kDeadline ? "not exercised" : "inconclusive";
    EXPECT_EQ(story.outcome("P1"), expected);
    EXPECT_EQ(story.outcome("P2"), expected);
    EXPECT_EQ(story.outcome("E1"), "violated");
  }
  Story idle({create(1)});
  idle.begins(1).born(3).ends(1).ending().after(1100ms).over(End::kDeadline);
  EXPECT_EQ(idle.outcome("P1"), "inconclusive");
}

/// Nobody else would say a word about it.
TEST(NoDeadlock, IsInconclusiveWhereALateGetMayWaitForATask) {
  Story story({create(1), submit(1, BodyKind::kNever), terminate(), get(1)});
  story.begins(1).born(3).ends(1).step(2).begins_task(1, 3).step(3).begins(4).after(1100ms);
  story.over(End::kDeadline);
  EXPECT_EQ(story.outcome("P1"), "inconclusive");
  EXPECT_EQ(story.outcome("P2"), "inconclusive");
}

TEST(NoDeadlock, IsInconclusiveWhereAStrangerMayWakeMain) {
  Story story({create(1), submit(1), get(1)});
  story.step(1).step(2).begins(3).at_rest().add(harness::Foreign{9}).over(End::kAtRest);
  EXPECT_EQ(story.outcome("P1"), "inconclusive");
}

/// In a pool of threads, be it before main has learnt that the task was accepted.
TEST(NoDeadlock, DoesNotBlameAPoolWhoseTaskStopsMain) {
  Story story({create(1), submit(1, harness::BodyKind::kStopSelf)});
  story.step(1).begins(2).begins_task(1, Story::kMain).at_rest().over(End::kAtRest);
  EXPECT_NE(story.outcome("P1"), "violated");
}

TEST(NoDeadlock, LeavesSurvivorsToW1) {
  Story story({create(1)});
  story.begins(1).born(3).ends(1).ending().dies(Story::kMain).at_rest().over(End::kAtRest);
  EXPECT_EQ(story.outcome("P1"), "held");
}

// ---- W8 -----------------------------------------------------------------------------------------

/// Main waits for a task of a pool whose workers all fail at once; the first so many do.
Story with_failing_workers(int deaths) {
  auto made = create(1);
  made.initializer = harness::Initializer::kRaises;
  Story story({made, submit(1), get(1)});
  story.step(1).step(2).begins(3);
  for (int i = 0; i < deaths; ++i) story.born(10 + i).dies(10 + i, sys::Exited{1});
  return story;
}

TEST(NoRespawnStorm, IsHeldWhereTheCallerIsTold) {
  auto story = with_failing_workers(3).ends(3, result(Kind::kError)).exits();
  EXPECT_EQ(story.outcome("W8"), "held");
  EXPECT_EQ(story.outcome("T3"), "not exercised");
}

TEST(NoRespawnStorm, IsViolatedByWorkersWithoutEnd) {
  auto story = with_failing_workers(50).over(End::kLimit);
  EXPECT_EQ(story.outcome("W8"), "violated");
  EXPECT_EQ(story.outcome("P2"), "violated");
  EXPECT_EQ(with_failing_workers(49).over(End::kLimit).outcome("W8"), "not exercised");
}

/// Whatever main does afterwards.
TEST(NoRespawnStorm, IsNotForgottenWhenMainGoesOn) {
  auto made = create(1);
  made.initializer = harness::Initializer::kRaises;
  Story story({made, sleep_for(4000ms), terminate(), join()});
  story.step(1).begins(2);
  for (int i = 0; i < 50; ++i) story.born(10 + i).dies(10 + i, sys::Exited{1});
  story.ends(2).step(3).step(4).exits();
  EXPECT_EQ(story.outcome("W8"), "violated");
  EXPECT_NE(story.outcome("P2"), "violated");
}

TEST(NoRespawnStorm, IsNotHeldByALawfulRefusal) {
  auto made = create(1);
  made.initializer = harness::Initializer::kRaises;
  Story story({made, close(), submit(1)});
  story.step(1).step(2).step(3, result(Kind::kRefused));
  EXPECT_EQ(story.exits().outcome("W8"), "not exercised");
}

// ---- P2 -----------------------------------------------------------------------------------------

harness::Polling polling(std::string doubt = "") {
  return {.since = 5ms, .pollers = {{Story::kMain, Story::kMain, "sleep", 612}}, .doubt = doubt};
}

/// Main stands in the join of a closed pool that has done its task.
Story joining() {
  Story story({create(1), submit(1), close(), join()});
  story.begins(1).born(3).ends(1).step(2).task(1, 3).step(3).begins(4);
  return story;
}

TEST(NoLivelock, IsHeldWhenMainComesToItsEnd) {
  Story story({create(1)});
  EXPECT_EQ(story.step(1).exits().outcome("P2"), "held");
}

TEST(NoLivelock, IsNotExercisedWithoutAPool) {
  EXPECT_EQ(Story({}).exits().outcome("P2"), "not exercised");
}

TEST(NoLivelock, IsViolatedWhereMainPollsInVain) {
  auto story = joining();
  story.after(1200ms).add(polling()).over(End::kPolling);
  EXPECT_EQ(story.violated(), std::vector<std::string>{"P2"});
  EXPECT_EQ(story.says("P2"),
            "join (step 4) is waited for in vain: in 1.2 s main 2 woke 612 times in sleep, and "
            "nothing else happened");
}

/// A case may end before its time, with what was seen so far.
TEST(NoLivelock, IsInconclusiveWithinTheGrace) {
  auto story = joining();
  EXPECT_EQ(story.after(600ms).add(polling()).over(End::kTimeOver).outcome("P2"), "inconclusive");
}

TEST(NoLivelock, IsHeldWhereTheTreeSleepsForEver) {
  EXPECT_EQ(joining().at_rest().over(End::kAtRest).outcome("P2"), "held");
}

TEST(NoLivelock, IsInconclusiveWhereSomebodyOutsideMayEndIt) {
  auto story = joining();
  story.add(polling("a network socket")).over(End::kFuse);
  EXPECT_EQ(story.outcome("P2"), "inconclusive");
}

TEST(NoLivelock, IsInconclusiveWhileATaskRuns) {
  Story story({create(1), submit(1, BodyKind::kSleep, 50), close(), join()});
  story.begins(1).born(3).ends(1).step(2).begins_task(1, 3).step(3).begins(4);
  story.add(polling()).over(End::kPolling);
  EXPECT_EQ(story.outcome("P2"), "inconclusive");
  EXPECT_NE(story.says("P2").find("task 1 still runs in worker 3"), std::string::npos);
}

TEST(NoLivelock, IsInconclusiveWhereSomethingHappenedSince) {
  Story story({create(1), submit(1), get(1), close(), join()});
  story.begins(1).born(3).ends(1).step(2).begins(3).add(polling()).ends(3).step(4).begins(5);
  EXPECT_EQ(story.over(End::kFuse).outcome("P2"), "inconclusive");
}

TEST(NoLivelock, DoesNotBlameAWaitThatWasAskedFor) {
  Story story({create(1), submit(1, BodyKind::kNever), get(1)});
  story.step(1).step(2).begins(3).add(polling()).over(End::kPolling);
  EXPECT_EQ(story.outcome("P2"), "not exercised");
}

TEST(NoLivelock, DoesNotBlameAWaitForATime) {
  Story story({create(1), submit(1), get_for(1, 9s)});
  story.step(1).step(2).begins(3).add(polling()).over(End::kFuse);
  EXPECT_EQ(story.outcome("P2"), "not exercised");
}

TEST(NoLivelock, IsInconclusiveByTheFuseAlone) {
  EXPECT_EQ(joining().over(End::kFuse).outcome("P2"), "inconclusive");
}

/// As joining(), while a worker after the other dies as soon as it is made.
Story replacing(int times) {
  auto story = joining();
  for (int i = 0; i < times; ++i) story.born(10 + i).dies(10 + i, sys::Exited{1});
  return story;
}

TEST(NoLivelock, IsViolatedByWorkersThatDieAtOnceAndAreReplaced) {
  auto story = replacing(150);
  story.over(End::kLimit);
  EXPECT_EQ(story.outcome("P2"), "violated");
  EXPECT_EQ(story.says("P2"),
            "join (step 4) is waited for in vain: main 2 made 150 processes that died at once, and "
            "nothing else happened");
}

TEST(NoLivelock, IsInconclusiveWhereFewWereReplaced) {
  EXPECT_EQ(replacing(30).over(End::kFuse).outcome("P2"), "inconclusive");
}

TEST(NoLivelock, IsInconclusiveWhereTheReplacedRanTasks) {
  auto story = joining();
  for (int i = 0; i < 150; ++i) {
    story.born(10 + i).task(1, 10 + i).dies(10 + i, sys::Exited{1});
  }
  EXPECT_EQ(story.over(End::kLimit).outcome("P2"), "inconclusive");
}

TEST(NoLivelock, IsInconclusiveWhereBirthsAreNotKnownExactly) {
  auto story = replacing(150);
  story.trace.exact = false;
  EXPECT_EQ(story.over(End::kLimit).outcome("P2"), "inconclusive");
}

}  // namespace
}  // namespace poolproof::properties
