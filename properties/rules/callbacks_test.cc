#include <gtest/gtest.h>

#include <csignal>

#include "properties/rules/made_trace.h"

namespace poolproof::properties {
namespace {

using namespace std::chrono_literals;
using harness::BodyKind;
using harness::Callback;
using harness::End;
using harness::StepResult;
using Kind = StepResult::Kind;

harness::Step heard(int task, Callback callback = Callback::kReturns,
                    BodyKind body = BodyKind::kNothing) {
  auto step = submit(task, body);
  step.callback = callback;
  return step;
}

/// A pool of one worker, 3, whose task 1 has run; its get is step 3, and is not over.
Story ran(Callback callback = Callback::kReturns) {
  Story story({create(1), heard(1, callback), get(1), submit(2), get(2), close(), join()});
  story.begins(1).born(3).ends(1).step(2).begins(3).task(1, 3);
  return story;
}
Story& goes_on(Story& story) {
  story.step(4).begins(5).task(2, 3).ends(5, value("none"));
  return story.step(6).begins(7).dies(3).ends(7).exits();
}

TEST(CallbacksRunOnce, IsHeldByOneCallOfTheRightKind) {
  auto story = ran();
  story.calls_back(1, "value").ends(3, value("none"));
  EXPECT_EQ(goes_on(story).outcome("T9"), "held");
  EXPECT_TRUE(story.violated().empty());
}

TEST(CallbacksRunOnce, IsHeldByACallThatComesAfterTheGet) {
  auto story = ran();
  story.ends(3, value("none")).calls_back(1, "value");
  EXPECT_EQ(goes_on(story).outcome("T9"), "held");
}

TEST(CallbacksRunOnce, IsNotExercisedWithoutACallback) {
  auto story = ran(Callback::kNone);
  story.ends(3, value("none"));
  EXPECT_EQ(goes_on(story).outcome("T9"), "not exercised");
}

TEST(CallbacksRunOnce, IsViolatedByTwoCalls) {
  for (const std::string second : {"value", "error"}) {
    auto story = ran();
    story.calls_back(1, "value").calls_back(1, second).ends(3, value("none"));
    EXPECT_EQ(goes_on(story).says("T9"),
              "the callback of task 1 is called with its value, and again with its " + second);
  }
}

TEST(CallbacksRunOnce, IsViolatedByTheOtherOfTheTwo) {
  auto story = ran();
  story.calls_back(1, "error").ends(3, value("none"));
  EXPECT_EQ(goes_on(story).says("T9"),
            "the callback of task 1 is called with its error, but get (step 3) gives ok");
  for (const Kind kind : {Kind::kTaskError, Kind::kWorkerDied, Kind::kCancelled}) {
    auto failed = ran();
    failed.calls_back(1, "value").ends(3, result(kind, "task 1"));
    EXPECT_EQ(goes_on(failed).outcome("T9"), "violated");
    auto right = ran();
    right.calls_back(1, "error").ends(3, result(kind, "task 1"));
    EXPECT_EQ(goes_on(right).outcome("T9"), "held");
  }
}

TEST(CallbacksRunOnce, IsViolatedWhereJoinHasReturnedWithoutACall) {
  auto story = ran();
  story.ends(3, value("none"));
  EXPECT_EQ(goes_on(story).says("T9"),
            "get (step 3) gives the outcome of task 1, and its callback is not called, though join "
            "(step 7) has returned");
}

TEST(CallbacksRunOnce, IsViolatedWhereTheGracePassesWithoutACall) {
  auto story = ran();
  story.ends(3, value("none")).after(900ms).ending().exits();
  EXPECT_EQ(story.outcome("T9"), "not exercised") << "it may still come";
  auto late = ran();
  late.ends(3, value("none")).after(1200ms).ending().exits();
  EXPECT_EQ(late.outcome("T9"), "violated");
}

/// Such a pool breaks S5, and its callback may come the moment after main's get.
TEST(CallbacksRunOnce, AsksForNoCallAtAJoinThatDidNotWaitForTheTask) {
  for (const bool waits : {true, false}) {
    Story story({create(1), heard(1), close(), join(), get(1)});
    story.begins(1).born(3).ends(1).step(2).begins_task(1, 3).step(3).begins(4);
    if (waits) story.ends_task(1, 3);
    story.ends(4).begins(5);
    if (!waits) story.ends_task(1, 3);
    story.ends(5, value("none"));
    EXPECT_EQ(Story(story).ending().exits().outcome("T9"), waits ? "violated" : "not exercised");
    EXPECT_EQ(story.after(1200ms).ending().exits().outcome("T9"), "violated");
  }
}

TEST(CallbacksRunOnce, SaysNothingOfATaskWhoseOutcomeNobodyWasTold) {
  auto story = ran();
  story.ends(3, result(Kind::kTimeout)).after(1200ms);
  EXPECT_EQ(goes_on(story).outcome("T9"), "not exercised");
}

TEST(CallbacksRunOnce, SaysNothingOfAMissingCallWhereCallsFail) {
  auto story = ran();
  story.hit("main:before-step:2=limit:processes").ends(3, value("none"));
  EXPECT_EQ(goes_on(story).outcome("T9"), "not exercised");
}

TEST(CallbacksRunOnce, IsHeldWhereAnErrorInACallbackDoesNoHarm) {
  auto story = ran(Callback::kRaises);
  story.calls_back(1, "value").ends(3, value("none"));
  EXPECT_EQ(goes_on(story).outcome("T9"), "held");
}

TEST(CallbacksRunOnce, IsViolatedByAHangAfterAnErrorInACallback) {
  auto story = ran(Callback::kRaises);
  story.calls_back(1, "value").at_rest().over(End::kAtRest);
  EXPECT_EQ(story.says("T9"),
            "after the error in the callback of task 1 get (step 3) waits for ever");
  auto harmless = ran(Callback::kReturns);
  harmless.calls_back(1, "value").at_rest().over(End::kAtRest);
  EXPECT_EQ(harmless.outcome("T9"), "not exercised") << "P1 sees to it";
}

TEST(CallbacksRunOnce, IsInDoubtWhereTheHangIsNotProved) {
  auto story = ran(Callback::kRaises);
  story.calls_back(1, "value").at_rest(false).over(End::kFuse);
  EXPECT_EQ(story.outcome("T9"), "inconclusive");
}

TEST(CallbacksRunOnce, IsNotBlamedForAHangThatADeadWorkerExplains) {
  auto story = ran(Callback::kRaises);
  story.calls_back(1, "value").ends(3, value("none")).dies(3, sys::Killed{SIGKILL});
  story.step(4).begins(5).at_rest().over(End::kAtRest);
  EXPECT_NE(story.outcome("T9"), "violated");
}

TEST(CallbacksRunOnce, IsViolatedByAStepThatFailsAfterAnErrorInACallback) {
  auto story = ran(Callback::kRaises);
  story.calls_back(1, "value").ends(3, value("none"));
  auto broken = result(Kind::kError, "Cannot have cache with result_handler not alive");
  broken.error = "AssertionError";
  story.step(4, broken).ending().exits();
  EXPECT_EQ(
      story.says("T9"),
      "after the error in the callback of task 1 submit (step 4) fails: AssertionError Cannot "
      "have cache with result_handler not alive");
}

/// What main handed over could not be taken: that is the call's own error.
TEST(CallbacksRunOnce, IsNotBlamedForAnInputThatRaises) {
  for (const bool input : {true, false}) {
    auto story = ran(Callback::kRaises);
    auto& next = story.scenario.steps[3];
    next = map(2, harness::Form::kMap, 2);
    if (input) next.raises_at = 1;
    if (!input) next.body.kind = BodyKind::kUnreadableArgument;
    story.calls_back(1, "value").ends(3, value("none"));
    story.step(4, result(Kind::kError, "input 1 of task 2")).ending().exits();
    EXPECT_NE(story.outcome("T9"), "violated") << input;
  }
}

/// T7 sees to what the error of a task does.
TEST(CallbacksRunOnce, IsNotBlamedForWhatATaskErrorMayHaveDone) {
  const auto failing = [](BodyKind body) {
    Story story({create(1), heard(1, Callback::kRaises, body), get(1), submit(2)});
    story.begins(1).born(3).ends(1).step(2).begins(3).begins_task(1, 3);
    story.ends_task(1, 3, body == BodyKind::kRaise ? "raised" : "returned");
    return story.calls_back(1, "error");
  };
  for (const auto body : {BodyKind::kRaise, BodyKind::kUnserializable}) {
    auto refused = failing(body);
    refused.ends(3, result(Kind::kTaskError, "task 1")).step(4, result(Kind::kRefused)).exits();
    EXPECT_NE(refused.outcome("T9"), "violated");
    auto hangs = failing(body);
    hangs.at_rest().over(End::kAtRest);
    EXPECT_NE(hangs.outcome("T9"), "violated");
  }
}

TEST(CallbacksRunOnce, AllowsARefusalThatThePoolsStateAsksFor) {
  Story story({create(1), heard(1, Callback::kRaises), get(1), close(), submit(2)});
  story.begins(1).born(3).ends(1).step(2).begins(3).task(1, 3).calls_back(1, "value");
  story.ends(3, value("none")).step(4).step(5, result(Kind::kRefused)).exits();
  EXPECT_EQ(story.outcome("T9"), "held");
}

/// Of two joins at once one may find what the other has let go: S3 says so.
TEST(CallbacksRunOnce, LeavesTwoCallsAtOnceToS3) {
  for (const bool twice : {false, true}) {
    auto joins = join();
    if (twice) joins.caller = harness::Caller::kThreads;
    Story story({create(1), submit(1), close(), joins});
    story.scenario.steps[1].callback = harness::Callback::kRaises;
    story.begins(1).born(3).ends(1).step(2).task(1, 3).calls_back(1, "value").step(3);
    story.step(4, result(Kind::kError)).exits();
    EXPECT_EQ(story.outcome("T9"), twice ? "held" : "violated");
  }
}

}  // namespace
}  // namespace poolproof::properties
