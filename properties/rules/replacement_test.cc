#include <gtest/gtest.h>

#include <csignal>

#include "properties/rules/made_trace.h"

namespace poolproof::properties {
namespace {

using namespace std::chrono_literals;
using harness::BodyKind;
using sys::Exited;
using sys::Killed;

/// A pool of two, 3 and 4; 3 dies of its task in step 2; then main sleeps.
Story losing(std::chrono::milliseconds sleep = 1500ms) {
  Story story({create(2), submit(1, BodyKind::kKillSelf), sleep_for(sleep)});
  story.begins(1).born(3).born(4).ends(1).step(2).begins_task(1, 3).begins(3);
  return story.dies(3, Killed{SIGKILL});
}

TEST(ReplacementOfLostWorkers, HoldsWhereSomebodyIsBorn) {
  auto story = losing().born(5).after(1500ms).ends(3).exits();
  EXPECT_EQ(story.outcome("W4"), "held");
}

TEST(ReplacementOfLostWorkers, IsMissedWhereNobodyIs) {
  auto story = losing().after(1500ms).ends(3).exits();
  EXPECT_EQ(story.outcome("W4"), "violated");
  EXPECT_NE(story.says("W4").find("worker 3 died, and 1.5 s later none has been started"),
            std::string::npos)
      << story.says("W4");
}

/// Another pool has one worker at least, which is nobody's successor.
TEST(ReplacementOfLostWorkers, IsNotANeighboursWorker) {
  Story story({create(2), submit(1, BodyKind::kKillSelf), of_kind(harness::StepKind::kNeighbour),
               sleep_for(1500ms)});
  story.begins(1).born(3).born(4).ends(1).step(2).begins_task(1, 3).dies(3, Killed{SIGKILL});
  story.begins(3).born(9);
  auto replaced = story;
  EXPECT_EQ(story.ends(3).begins(4).after(1500ms).ends(4).exits().outcome("W4"), "violated");
  replaced.born(5).ends(3).begins(4).after(1500ms).ends(4).exits();
  EXPECT_EQ(replaced.outcome("W4"), "held");
}

/// One that is there already brings nobody.
TEST(ReplacementOfLostWorkers, IsNotTakenForThatOfANeighbourThatOnlyWorks) {
  const harness::Step works{.kind = harness::StepKind::kNeighbour,
                            .neighbour = harness::Neighbour::kWorks};
  Story story({create(2), submit(1, BodyKind::kKillSelf), works, sleep_for(1500ms)});
  story.begins(1).born(3).born(4).ends(1).step(2).begins_task(1, 3).dies(3, Killed{SIGKILL});
  story.begins(3).born(5).ends(3).begins(4).after(1500ms).ends(4).exits();
  EXPECT_EQ(story.outcome("W4"), "held");
}

TEST(ReplacementOfLostWorkers, AsksForAsManyAsWereLost) {
  Story story({create(2), submit(1, BodyKind::kKillSelf), submit(2, BodyKind::kKillSelf),
               sleep_for(1500ms)});
  story.begins(1).born(3).born(4).ends(1).step(2).begins_task(1, 3).step(3).begins_task(2, 4);
  story.begins(4).dies(3, Killed{SIGKILL}).dies(4, Killed{SIGKILL}).born(5);
  auto both = story;
  story.after(1500ms).ends(4).exits();
  EXPECT_EQ(story.outcome("W4"), "violated");
  EXPECT_EQ(both.born(6).after(1500ms).ends(4).exits().outcome("W4"), "held");
}

TEST(ReplacementOfLostWorkers, HasTheGrace) {
  auto story = losing(500ms).after(500ms).ends(3).exits();
  EXPECT_EQ(story.outcome("W4"), "held");  // never more than two at once
}

/// A death by SIGKILL may be recorded from when the worker was last known to live.
TEST(ReplacementOfLostWorkers, TheGraceBeginsWhenADeathIsSeen) {
  Story story({create(2), submit(1, BodyKind::kKillSelf), sleep_for(1500ms)});
  story.begins(1).born(3).born(4).ends(1).step(2).begins_task(1, 3).begins(3);
  story.add(harness::Dying{3, Killed{SIGKILL}}).after(1400ms);
  story.add(harness::Dead{3, Killed{SIGKILL}}).after(100ms).ends(3).ending().dies(Story::kMain);
  story.dies(4).eof();
  EXPECT_NE(story.outcome("W4"), "violated");
}

TEST(ReplacementOfLostWorkers, AClosedPoolNeedsNobody) {
  Story story({create(1), submit(1, BodyKind::kKillSelf), close(), sleep_for(1500ms)});
  story.begins(1).born(3).ends(1).step(2).begins_task(1, 3).dies(3, Killed{SIGKILL}).step(3);
  EXPECT_NE(story.begins(4).after(1500ms).ends(4).exits().outcome("W4"), "violated");
}

TEST(ReplacementOfLostWorkers, IsNotAskedForWhereTheContractSaysSo) {
  auto story = losing().after(1500ms).ends(3).exits();
  story.contract.replaces_workers = false;
  EXPECT_NE(story.outcome("W4"), "violated");
  story.contract = {};
  story.contract.starts_workers_late = true;
  EXPECT_NE(story.outcome("W4"), "violated");
}

TEST(ReplacementOfLostWorkers, AFaultThatBreaksThePoolExcusesIt) {
  auto hit = losing().hit("main:clone:1=EAGAIN").after(1500ms).ends(3).exits();
  EXPECT_NE(hit.outcome("W4"), "violated");
  // A worker that the fault killed is to be replaced like any other.
  Story story({create(1), submit(1), sleep_for(1500ms)});
  story.begins(1).born(3).ends(1).step(2).begins_task(1, 3).begins(3);
  story.hit("worker:task:1=SIGKILL", 3).dies(3, Killed{SIGKILL}).after(1500ms).ends(3).exits();
  EXPECT_EQ(story.outcome("W4"), "violated");
}

/// For a quota or for no reason.
TEST(ReplacementOfLostWorkers, TakesWhoLeavesForALoss) {
  for (const bool quota : {false, true}) {
    Story story({create(1), submit(1), sleep_for(1500ms)});
    if (quota) story.scenario.steps[0].quota = 1;
    story.begins(1).born(3).ends(1).step(2).task(1, 3).begins(3).dies(3, Exited{0});
    auto replaced = story;
    EXPECT_EQ(story.after(1500ms).ends(3).exits().outcome("W4"), "violated");
    EXPECT_EQ(replaced.born(4).after(1500ms).ends(3).exits().outcome("W4"), "held");
  }
}

/// Whoever main, or a task, has started is no worker.
TEST(ReplacementOfLostWorkers, DoesNotCountStrangers) {
  auto story = losing().born(9).add(harness::OwnChild{Story::kMain, 9}).after(1500ms);
  EXPECT_EQ(story.ends(3).exits().outcome("W4"), "violated");
}

}  // namespace
}  // namespace poolproof::properties
