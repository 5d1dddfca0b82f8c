#include <gtest/gtest.h>

#include <csignal>

#include "properties/rules/made_trace.h"

namespace poolproof::properties {
namespace {

using namespace std::chrono_literals;
using harness::BodyKind;
using harness::End;
using harness::Form;
using harness::Step;
using harness::StepKind;
using harness::StepResult;
using Kind = StepResult::Kind;

Step ready(int task) {
  auto step = of_kind(StepKind::kReady);
  step.task = task;
  return step;
}
Step wait_for(int task, std::optional<std::chrono::milliseconds> timeout = 20ms) {
  auto step = of_kind(StepKind::kWait);
  step.task = task;
  step.timeout = timeout;
  return step;
}

/// A pool of one worker, 3, which has begun task 1.
Story begun(std::vector<Step> more, BodyKind body = BodyKind::kSleep) {
  std::vector<Step> steps{create(1), submit(1, body, 10)};
  steps.insert(steps.end(), more.begin(), more.end());
  Story story(steps);
  story.begins(1).born(3).ends(1).step(2).begins_task(1, 3);
  return story;
}

TEST(ReadinessIsTrue, IsHeldByNoWhileItRunsAndYesAfterwards) {
  auto story = begun({ready(1), get(1), ready(1)});
  story.step(3, value("false")).begins(4).ends_task(1, 3).ends(4, value("none"));
  story.step(5, value("true")).exits();
  EXPECT_EQ(story.outcome("T10"), "held");
  EXPECT_TRUE(story.violated().empty());
}

TEST(ReadinessIsTrue, IsViolatedByYesWhileItRuns) {
  auto story = begun({ready(1)});
  EXPECT_EQ(
      story.step(3, value("true")).exits().says("T10"),
      "ready (step 3) says that there is an outcome of task 1, which still runs in process 3");
  auto waiting = begun({wait_for(1)});
  EXPECT_EQ(waiting.step(3).exits().outcome("T10"), "violated");
}

TEST(ReadinessIsTrue, IsViolatedByYesBeforeItBegins) {
  Story story({create(1), submit(1), ready(1), get(1)});
  story.begins(1).born(3).ends(1).step(2).step(3, value("true"));
  story.begins(4).task(1, 3).ends(4, value("none")).exits();
  EXPECT_EQ(story.outcome("T10"), "violated");
}

TEST(ReadinessIsTrue, SaysNothingOfATaskThatNeverClaimedToRun) {
  Story story({create(1), submit(1), ready(1)});
  story.begins(1).born(3).ends(1).step(2).step(3, value("true")).exits();
  EXPECT_EQ(story.outcome("T10"), "not exercised") << "it may have failed before";
}

/// The body ends while main asks: both answers are true.
TEST(ReadinessIsTrue, AllowsBothWhileItEnds) {
  for (const std::string answer : {"true", "false"}) {
    auto story = begun({ready(1)});
    story.begins(3).ends_task(1, 3).ends(3, value(answer)).exits();
    EXPECT_NE(story.outcome("T10"), "violated") << answer;
  }
}

TEST(ReadinessIsTrue, IsViolatedByNoOfWhatMainHasFound) {
  for (const auto& asks : {ready(1), wait_for(1)}) {
    for (const auto& finds : {get(1), wait_for(1, std::nullopt), ready(1)}) {
      auto story = begun({finds, asks});
      story.begins(3).ends_task(1, 3).ends(3, value("true"));
      const bool says_no_by_value = asks.kind == StepKind::kReady;
      story.step(4, says_no_by_value ? value("false") : result(Kind::kTimeout)).exits();
      EXPECT_EQ(story.outcome("T10"), "violated") << story.says("T10");
    }
  }
}

TEST(ReadinessIsTrue, AnErrorIsAnOutcomeToo) {
  auto story = begun({get(1), ready(1)}, BodyKind::kRaise);
  story.begins(3).ends_task(1, 3, "raised").ends(3, result(Kind::kTaskError, "task 1"));
  EXPECT_EQ(story.step(4, value("false")).exits().outcome("T10"), "violated");
}

/// terminate, a death, a fault bring an outcome without the body.
TEST(ReadinessIsTrue, AllowsYesWhereSomethingElseBroughtTheOutcome) {
  auto ended = begun({terminate(), ready(1)}, BodyKind::kNever);
  EXPECT_NE(ended.step(3).step(4, value("true")).exits().outcome("T10"), "violated");
  auto died = begun({ready(1)}, BodyKind::kNever);
  died.dies(3, sys::Killed{SIGKILL}).step(3, value("true"));
  EXPECT_NE(died.exits().outcome("T10"), "violated");
  auto failing = begun({ready(1)}, BodyKind::kNever);
  failing.hit("main:before-step:2=limit:memory").step(3, value("true"));
  EXPECT_NE(failing.exits().outcome("T10"), "violated");
}

/// To some pools a language's exit is an error of the task, and its worker lives on.
TEST(ReadinessIsTrue, SaysNothingOfABodyThatLeaves) {
  auto story = begun({ready(1)}, BodyKind::kExit);
  EXPECT_EQ(story.step(3, value("true")).exits().outcome("T10"), "not exercised");
}

/// Some maps are over with the first error, though other items still run.
TEST(ReadinessIsTrue, AsksForAllItemsOfAMapThatDoesNotFail) {
  for (const auto body : {BodyKind::kNothing, BodyKind::kRaise}) {
    Story story({create(2), map(1, Form::kMap, 2, body), ready(1)});
    story.begins(1).born(3).born(4).ends(1).step(2).item(1, 1, 3).begins_item(1, 2, 4);
    story.step(3, value("true")).exits();
    EXPECT_EQ(story.outcome("T10"), body == BodyKind::kNothing ? "violated" : "not exercised");
  }
}

TEST(ReadinessIsTrue, IsViolatedByAReadyThatWaits) {
  auto story = begun({ready(1)}, BodyKind::kNever);
  EXPECT_EQ(story.begins(3).at_rest().over(End::kAtRest).says("T10"),
            "ready (step 3) of task 1 does not return");
  auto late = begun({ready(1)}, BodyKind::kNever);
  EXPECT_EQ(late.begins(3).after(1500ms).over(End::kDeadline).outcome("T10"), "violated");
  auto unclear = begun({ready(1)}, BodyKind::kNever);
  EXPECT_EQ(unclear.begins(3).over(End::kFuse).outcome("T10"), "inconclusive");
}

/// wait and its timeout are T8's, as those of get.
TEST(ReadinessIsTrue, AWaitThatTakesTooLongIsT8s) {
  auto story = begun({wait_for(1)}, BodyKind::kNever);
  story.begins(3).after(1500ms).ends(3, result(Kind::kTimeout)).exits();
  EXPECT_EQ(story.outcome("T8"), "violated");
  EXPECT_EQ(story.outcome("T10"), "held");
}

TEST(ReadinessIsTrue, AMapMayBeOverWithTheErrorOfItsInput) {
  const auto said = [](std::optional<int> raises_at) {
    auto asked = map(1, Form::kMap, 2);
    asked.raises_at = raises_at;
    Story story({create(1), asked, ready(1)});
    story.begins(1).born(3).ends(1).step(2).begins_item(1, 1, 3);
    return story.step(3, value("true")).exits().outcome("T10");
  };
  EXPECT_EQ(said(std::nullopt), "violated");
  EXPECT_EQ(said(2), "not exercised");
}

/// The body was over long before, and nothing was in the way of its outcome.
TEST(ReadinessIsTrue, IsViolatedByAnOutcomeThatNeverComes) {
  using harness::Callback;
  const auto told = [](const harness::Step& asks, std::chrono::milliseconds time,
                       Callback callback) {
    Story story({create(1), submit(1), sleep_for(time), asks});
    story.scenario.steps[1].callback = callback;
    story.begins(1).born(3).ends(1).step(2).task(1, 3);
    if (callback != Callback::kNone) story.calls_back(1, "value");
    story.begins(3).after(time).ends(3);
    story.step(4, asks.timeout ? result(Kind::kTimeout) : value("false"));
    return story.exits().outcome("T10");
  };
  for (const auto& asks : {ready(1), get_for(1, 100ms)}) {
    EXPECT_EQ(told(asks, 1500ms, Callback::kNone), "violated");
    EXPECT_EQ(told(asks, 500ms, Callback::kNone), "not exercised");
    EXPECT_EQ(told(asks, 1500ms, Callback::kRaises), "not exercised") << "T9 has its say";
    EXPECT_EQ(told(asks, 1500ms, Callback::kTerminates), "not exercised");
  }
}

}  // namespace
}  // namespace poolproof::properties
