#include <gtest/gtest.h>

#include "properties/rules/made_trace.h"

namespace poolproof::properties {
namespace {

using harness::End;
using harness::LeftOver;
using namespace std::chrono_literals;

Story with_a_pool() {
  Story story({create(1)});
  story.trace.rung = 1;
  return story.begins(1).born(3).ends(1).exits();
}

TEST(NothingIsLeft, IsHeldWhenAllAreGoneAndSoIsTheirs) {
  EXPECT_EQ(with_a_pool().outcome("R2"), "held");
  EXPECT_EQ(with_a_pool().outcome("R3"), "held");
}

TEST(NothingIsLeft, IsNotExercisedWithoutAPool) {
  Story story({});
  story.trace.rung = 1;
  EXPECT_EQ(story.exits().add(LeftOver{"/tmp", 1}).outcome("R3"), "not exercised");
}

TEST(NothingIsLeft, MindsACreationThatWasNeverOver) {
  Story story({create(1)});
  story.trace.rung = 1;
  story.begins(1).dies(Story::kMain, sys::Killed{9}).add(LeftOver{"/dev/shm", 1});
  EXPECT_EQ(story.outcome("R2"), "violated");
}

TEST(NothingIsLeft, IsViolatedByEachPlaceForItself) {
  for (const char* place : {"/dev/shm", "System V IPC", "POSIX message queues"}) {
    auto story = with_a_pool().add(LeftOver{place, 2});
    EXPECT_EQ(story.violated(), std::vector<std::string>{"R2"});
    EXPECT_EQ(story.says("R2"),
              std::string("everybody is gone, but 2 objects are left in ") + place);
  }
  auto story = with_a_pool().add(LeftOver{"/tmp", 1});
  EXPECT_EQ(story.violated(), std::vector<std::string>{"R3"});
  EXPECT_EQ(story.says("R3"), "everybody is gone, but 1 object is left in /tmp");
}

/// Who was killed by the warden might have cleared up.
TEST(NothingIsLeft, BlamesNobodyWhomTheWardenKilled) {
  Story story({create(1)});
  story.trace.rung = 1;
  story.begins(1).born(3).ends(1).ending().dies(Story::kMain).at_rest().over(End::kAtRest);
  EXPECT_EQ(story.add(LeftOver{"/dev/shm", 1}).outcome("R2"), "not exercised");
}

TEST(NothingIsLeft, IsUnclearWhereOthersHaveTheSameFolders) {
  auto story = with_a_pool().add(LeftOver{"/tmp", 1});
  story.trace.rung = 2;
  EXPECT_EQ(story.outcome("R3"), "inconclusive");
}

// ---- R4 -----------------------------------------------------------------------------------------

/// The pool has a thread in main, 21, and main goes on after the join.
Story with_a_thread() {
  Story story({create(1), close(), join(), sleep_for(1500ms)});
  story.begins(1).born(3).add(harness::ThreadBorn{Story::kMain, 21}).ends(1).step(2).begins(3);
  return story.dies(3);
}

TEST(NoThreadLeft, IsHeldWhenTheThreadsEnd) {
  auto story = with_a_thread().add(harness::ThreadDead{Story::kMain, 21}).ends(3).begins(4).ends(4);
  EXPECT_EQ(story.exits().outcome("R4"), "held");
  auto soon = with_a_thread().ends(3).begins(4).add(harness::ThreadDead{Story::kMain, 21}).ends(4);
  EXPECT_EQ(soon.exits().outcome("R4"), "held");
}

TEST(NoThreadLeft, IsViolatedByOneThatStays) {
  auto story = with_a_thread().ends(3).begins(4).after(1500ms).ends(4).exits();
  EXPECT_EQ(story.outcome("R4"), "violated");
  EXPECT_NE(story.says("R4").find("main still has 1 of the pool's threads: 21"), std::string::npos)
      << story.says("R4");
}

TEST(NoThreadLeft, GivesThemTheGrace) {
  EXPECT_EQ(with_a_thread().ends(3).begins(4).ends(4).exits().outcome("R4"), "not exercised");
}

TEST(NoThreadLeft, CountsNoThreadsFromBeforeThePool) {
  Story story({create(1), close(), join(), sleep_for(1500ms)});
  story.add(harness::ThreadBorn{Story::kMain, 20})
      .begins(1)
      .born(3)
      .ends(1)
      .step(2)
      .begins(3)
      .dies(3);
  EXPECT_EQ(story.ends(3).begins(4).after(1500ms).ends(4).exits().outcome("R4"), "held");
}

}  // namespace
}  // namespace poolproof::properties
