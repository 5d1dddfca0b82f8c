#include <gtest/gtest.h>

#include "properties/rules/made_trace.h"

namespace poolproof::properties {
namespace {

using harness::BodyKind;
using harness::Inherited;
using harness::TaskEnded;

/// A pool of one worker, 3, whose task has read so many bytes.
Story reading(int bytes, harness::Pid worker = 3, BodyKind body = BodyKind::kReadInput) {
  Story story({create(1), submit(1, body), get(1)});
  story.scenario.inherits = {Inherited::kInput};
  story.begins(1).born(3).ends(1).step(2).begins(3).begins_task(1, worker);
  story.add(TaskEnded{worker, 1, "returned", 0, bytes}).ends(3, value("none")).exits();
  return story;
}

TEST(InputStaysMains, IsHeldByEndOfFile) {
  const auto story = reading(0);
  EXPECT_EQ(story.outcome("I3"), "held");
  EXPECT_TRUE(story.violated().empty());
}

TEST(InputStaysMains, IsViolatedByAByte) {
  const auto story = reading(1);
  EXPECT_EQ(story.says("I3"), "task 1 in worker 3 read what stands in main's standard input");
  EXPECT_EQ(story.violated(), std::vector<std::string>{"I3"});
}

TEST(InputStaysMains, AThreadOfMainsReadsItsOwn) {
  EXPECT_EQ(reading(1, Story::kMain).outcome("I3"), "not exercised");
}

TEST(InputStaysMains, IsNotExercisedWhereThereIsNothingToRead) {
  auto none = reading(0);
  none.scenario.inherits = {};
  EXPECT_EQ(none.outcome("I3"), "not exercised");
  auto closed = reading(0);
  closed.scenario.inherits.insert(Inherited::kStdinClosed);
  EXPECT_EQ(closed.outcome("I3"), "not exercised");
  EXPECT_EQ(reading(0, 3, BodyKind::kNothing).outcome("I3"), "not exercised");
}

TEST(InputStaysMains, ATaskThatNeverCameToTellSaysNothing) {
  Story story({create(1), submit(1, BodyKind::kReadInput)});
  story.scenario.inherits = {Inherited::kInput};
  story.begins(1).born(3).ends(1).step(2).begins_task(1, 3).exits();
  EXPECT_EQ(story.outcome("I3"), "not exercised");
}

}  // namespace
}  // namespace poolproof::properties
