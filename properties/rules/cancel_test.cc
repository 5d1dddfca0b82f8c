#include <gtest/gtest.h>

#include <csignal>

#include "properties/rules/made_trace.h"

namespace poolproof::properties {
namespace {

using namespace std::chrono_literals;

using harness::BodyKind;
using harness::Step;
using harness::StepKind;
using harness::StepResult;
using Kind = StepResult::Kind;

Step cancel(int task) {
  auto step = of_kind(StepKind::kCancel);
  step.task = task;
  return step;
}

/// A pool of one worker, 3, in which task 1 runs; step 3 takes it back.
Story running(std::vector<Step> then = {get(1)}, BodyKind body = BodyKind::kNever) {
  std::vector<Step> steps{create(1), submit(1, body), cancel(1)};
  steps.insert(steps.end(), then.begin(), then.end());
  Story story(steps);
  story.begins(1).born(3).ends(1).step(2).begins_task(1, 3);
  return story;
}

TEST(CancelIsTrue, IsHeldByATaskThatIsTakenBack) {
  auto story = running();
  story.begins(3).dies(3, sys::Killed{SIGKILL}).ends(3, value("true"));
  story.step(4, result(Kind::kCancelled)).exits();
  EXPECT_EQ(story.outcome("T11"), "held");
  EXPECT_TRUE(story.violated().empty());  // S9, T3 and T6 among them
}

TEST(CancelIsTrue, IsHeldByATaskThatIsNot) {
  auto story = running({get(1)}, BodyKind::kSleep);
  story.step(3, value("false")).begins(4).ends_task(1, 3).ends(4, value("none")).exits();
  EXPECT_EQ(story.outcome("T11"), "held");
}

TEST(CancelIsTrue, IsViolatedByAnotherOutcome) {
  for (const auto& outcome : {value("none"), result(Kind::kTaskError, "task 1")}) {
    auto story = running({get(1)}, BodyKind::kSleep);
    story.step(3, value("true")).step(4, outcome).exits();
    EXPECT_EQ(story.outcome("T11"), "violated");
  }
}

TEST(CancelIsTrue, IsViolatedWhereTheOutcomeWasKnown) {
  Story story({create(1), submit(1), get(1), cancel(1)});
  story.begins(1).born(3).ends(1).step(2).begins(3).task(1, 3).ends(3, value("none"));
  EXPECT_EQ(story.step(4, value("true")).exits().says("T11"),
            "cancel (step 4) says that task 1 is taken back, but get (step 3) gives ok");
}

TEST(CancelIsTrue, IsViolatedByABodyThatBeginsAfterwards) {
  Story story({create(1), submit(1), cancel(1)});
  story.begins(1).born(3).ends(1).step(2).step(3, value("true")).task(1, 3).exits();
  EXPECT_EQ(story.says("T11"),
            "cancel (step 3) says that task 1 is taken back, but it began in process 3");
}

/// A worker that was at work on another processor may come to the body before the kill does.
TEST(CancelIsTrue, ABodyThatTheKillCutsShortHasMetTheCancel) {
  Story story({create(1), submit(1), cancel(1)});
  story.begins(1).born(3).ends(1).step(2).step(3, value("true")).begins_task(1, 3);
  story.dies(3, sys::Killed{SIGKILL}).exits();
  EXPECT_EQ(story.outcome("T11"), "held");
}

TEST(CancelIsTrue, IsViolatedByATaskThatIsTakenBackAllTheSame) {
  auto story = running();
  story.step(3, value("false")).step(4, result(Kind::kCancelled)).exits();
  EXPECT_EQ(
      story.says("T11"),
      "cancel (step 3) says that task 1 is not taken back, but get (step 4) finds that it is");
}

TEST(CancelIsTrue, AnEarlierCancelOrThePoolsEndExplainsThat) {
  auto twice = running({cancel(1), get(1)});
  twice.step(3, value("true")).step(4, value("false")).step(5, result(Kind::kCancelled)).exits();
  EXPECT_EQ(twice.outcome("T11"), "held");
  auto ended = running({terminate(), get(1)});
  ended.step(3, value("false")).step(4).step(5, result(Kind::kCancelled)).exits();
  EXPECT_EQ(ended.outcome("T11"), "not exercised");
}

TEST(CancelIsTrue, SaysNothingWithoutACancelThatReturned) {
  auto story = running();
  story.begins(3).exits();
  EXPECT_EQ(story.outcome("T11"), "not exercised");
}

/// S5 asks for what was accepted, and T3 for an outcome of the body's.
TEST(CancelIsTrue, WhatIsTakenBackNeedNotRun) {
  Story story(
      {create(1), submit(1, BodyKind::kSleep), submit(2), cancel(2), get(2), close(), join()});
  story.begins(1).born(3).ends(1).step(2).begins_task(1, 3).step(3).step(4, value("true"));
  story.step(5, result(Kind::kCancelled)).step(6).begins(7).ends_task(1, 3).dies(3).ends(7).exits();
  EXPECT_NE(story.outcome("S5"), "violated");
  EXPECT_EQ(story.outcome("T3"), "held");
}

/// A cancel excuses its own task, and no other.
TEST(CancelIsTrue, AnotherTaskIsNotTakenBackWithIt) {
  Story story({create(1), submit(1, BodyKind::kNever), submit(2), cancel(1), get(2)});
  story.begins(1).born(3).ends(1).step(2).begins_task(1, 3).step(3);
  story.begins(4).dies(3, sys::Killed{SIGKILL}).ends(4, value("true"));
  story.step(5, result(Kind::kCancelled)).exits();
  EXPECT_NE(story.outcome("T3"), "held");
}

TEST(CancelIsTrue, IsViolatedByABodyThatRunsToItsEnd) {
  for (const auto time : {5ms, 250ms}) {
    auto story = running({cancel(1), get(1)});
    story.step(3, value("true")).after(time).ends_task(1, 3);
    story.step(4, result(Kind::kCancelled)).exits();
    EXPECT_EQ(story.outcome("T11"), time > 20ms ? "violated" : "held");
  }
}

}  // namespace
}  // namespace poolproof::properties
