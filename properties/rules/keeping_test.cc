#include <gtest/gtest.h>

#include <csignal>

#include "properties/rules/made_trace.h"

namespace poolproof::properties {
namespace {

using namespace std::chrono_literals;

using harness::BodyKind;
using harness::OwnChild;
using harness::Signalled;
using harness::Victim;
using sys::Exited;
using sys::Killed;

/// A worker, 3, that has done a task, and main that goes on.
Story working(BodyKind body = BodyKind::kNothing) {
  Story story({create(2), submit(1, body), submit(2)});
  return story.begins(1).born(3).born(4).ends(1).step(2).task(1, 3).task(2, 4);
}
Story& goes_on(Story& story) {
  return story.step(3).exits();
}

TEST(RunningPoolKeepsItsWorkers, IsHeldWhileTheyLive) {
  auto story = working();
  EXPECT_EQ(goes_on(story).outcome("S9"), "held");
}

TEST(RunningPoolKeepsItsWorkers, IsViolatedByADeathThatNobodyElseBrought) {
  for (const auto& status : {sys::ExitStatus(Killed{SIGKILL}), sys::ExitStatus(Killed{SIGSEGV}),
                             sys::ExitStatus(Exited{1})}) {
    auto story = working();
    story.dies(3, status);
    EXPECT_EQ(goes_on(story).outcome("S9"), "violated") << sys::to_string(status);
  }
}

TEST(RunningPoolKeepsItsWorkers, SaysNothingWhereATaskMayHaveKilledIt) {
  auto story = working(BodyKind::kKillSelf);
  story.dies(3, Killed{SIGKILL});
  EXPECT_NE(goes_on(story).outcome("S9"), "violated");
}

TEST(RunningPoolKeepsItsWorkers, SaysNothingOfWhatFollowsADeath) {
  auto story = working();
  story.scenario.steps.push_back(kill(Victim::kIdle));
  story.step(3).begins(4).dies(3, Killed{SIGKILL}).ends(4, killed(3)).dies(4, Killed{SIGTERM});
  EXPECT_NE(story.exits().outcome("S9"), "violated");
}

/// Nor is it a reason for the workers' deaths: nobody else brought it.
TEST(RunningPoolKeepsItsWorkers, IsViolatedByTheDeathOfThePoolsHelper) {
  Story story({create(1), submit(1), get(1), sleep_for(10ms)});
  story.begins(1).born(3).born(4, 3).ends(1).step(2).task(1, 4).step(3, value("none"));
  story.begins(4).dies(3, Killed{SIGKILL}).dies(4, Killed{SIGKILL}).ends(4);
  EXPECT_EQ(story.exits().outcome("S9"), "violated");
}

/// Killed at main's end, unseen: its record begins where it was last known to live.
TEST(RunningPoolKeepsItsWorkers, ADeathThatWasSeenLateCountsFromThen) {
  auto story = working();
  story.add(harness::Dying{3, Killed{SIGKILL}}).step(3).ending().dies(Story::kMain);
  story.add(harness::Dead{3, Killed{SIGKILL}}).dies(4, Killed{SIGKILL}).eof();
  EXPECT_EQ(story.outcome("S9"), "held");
}

TEST(RunningPoolKeepsItsWorkers, LetsAWorkerLeave) {
  auto story = working();
  story.dies(3, Exited{0});
  EXPECT_EQ(goes_on(story).outcome("S9"), "held");
}

TEST(RunningPoolKeepsItsWorkers, EndsWithThePool) {
  auto story = working();
  story.scenario.steps.push_back(terminate());
  story.step(3).begins(4).dies(3, Killed{SIGTERM}).dies(4, Killed{SIGTERM}).ends(4).exits();
  EXPECT_EQ(story.outcome("S9"), "held");
  auto at_exit = working();
  at_exit.step(3).ending().dies(3, Killed{SIGTERM}).dies(4, Killed{SIGTERM}).dies(Story::kMain);
  EXPECT_EQ(at_exit.eof().outcome("S9"), "held");
}

TEST(RunningPoolKeepsItsWorkers, AFaultOrAForkedChildIsNotThePool) {
  auto hit = working();
  hit.hit("main:before-step:3=SIGTERM").dies(3, Killed{SIGKILL});
  EXPECT_NE(goes_on(hit).outcome("S9"), "violated");
  auto child = working();
  child.born(9).add(OwnChild{Story::kMain, 9}).add(Signalled{3, SIGTERM, 9});
  child.dies(3, Killed{SIGTERM});
  EXPECT_NE(goes_on(child).outcome("S9"), "violated");
}

TEST(RunningPoolKeepsItsWorkers, IsNotExercisedWithoutAWorkerThatIsKnown) {
  Story story({create(1)});
  EXPECT_EQ(story.begins(1).born(3).ends(1).exits().outcome("S9"), "not exercised");
}

TEST(RunningPoolKeepsItsWorkers, LetsAPoolThatIsToShrinkEndWhoIsIdle) {
  const auto resized = [](int workers, bool busy) {
    auto resize = of_kind(harness::StepKind::kResize);
    resize.workers = workers;
    Story story({create(2), submit(1), submit(2, BodyKind::kSleep, 10), resize, submit(3)});
    story.begins(1).born(3).born(4).ends(1).step(2).task(1, 4).step(3).begins_task(2, 3);
    if (!busy) story.ends_task(2, 3);
    story.step(4).dies(3, Killed{SIGTERM}).step(5).task(3, 4);
    return story.exits().outcome("S9");
  };
  EXPECT_NE(resized(1, false), "violated");
  EXPECT_EQ(resized(1, true), "violated");
  EXPECT_EQ(resized(3, false), "violated");
}

/// One that replaces its workers has come over an earlier death after the grace.
TEST(RunningPoolKeepsItsWorkers, AnOldDeathIsNoExcuse) {
  for (const auto time : {500ms, 1500ms}) {
    Story story({create(2), submit(1, BodyKind::kOsExit), submit(2), sleep_for(time), submit(3)});
    story.begins(1).born(3).born(4).ends(1).step(2).begins_task(1, 3).dies(3).born(5);
    story.step(3).task(2, 4).begins(4).after(time).ends(4).begins(5).dies(4, Killed{9}).ends(5);
    EXPECT_EQ(Story(story).exits().outcome("S9"), time > 1s ? "violated" : "not exercised");
    story.contract.replaces_workers = false;
    EXPECT_EQ(story.exits().outcome("S9"), "not exercised");
  }
}

/// A refused join has ended nothing.
TEST(RunningPoolKeepsItsWorkers, AlsoBehindARefusedJoin) {
  Story story({create(1), join(), submit(1), sleep_for(5ms)});
  story.begins(1).born(3).ends(1).step(2, result(harness::StepResult::Kind::kRefused)).step(3);
  story.task(1, 3).begins(4).dies(3, Killed{9}).ends(4).exits();
  EXPECT_EQ(story.outcome("S9"), "violated");
}

}  // namespace
}  // namespace poolproof::properties
