#include <gtest/gtest.h>

#include "properties/rules/made_trace.h"

namespace poolproof::properties {
namespace {

using harness::End;
using harness::LeftOver;

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

}  // namespace
}  // namespace poolproof::properties
