#include <gtest/gtest.h>

#include <csignal>

#include "properties/rules/made_trace.h"

namespace poolproof::properties {
namespace {

using namespace std::chrono_literals;
using harness::BodyKind;
using harness::End;
using harness::EndingKind;
using harness::Victim;
using sys::Exited;
using sys::Killed;
using Kind = harness::StepResult::Kind;

// ---- T1 -----------------------------------------------------------------------------------------

Story joined() {
  Story story({create(1), submit(1), close(), join(), get_for(1, 100ms)});
  story.begins(1).born(3).ends(1).step(2).task(1, 3).step(3).begins(4).dies(3).ends(4);
  return story;
}

TEST(NoTaskLost, IsHeldByAnOutcomeAfterJoin) {
  EXPECT_EQ(joined().step(5, value("none")).exits().outcome("T1"), "held");
  EXPECT_EQ(joined().step(5, result(Kind::kWorkerDied)).exits().outcome("T1"), "held");
}

TEST(NoTaskLost, IsViolatedWhereThereIsNone) {
  auto story = joined().step(5, result(Kind::kTimeout)).exits();
  EXPECT_EQ(story.outcome("T1"), "violated");
  EXPECT_EQ(
      story.says("T1"),
      "task 1 was accepted, and join (step 4) has returned, but get (step 5) finds no outcome");
}

TEST(NoTaskLost, DoesNotApplyWhereJoinDoesNotWait) {
  auto story = joined().step(5, result(Kind::kTimeout)).exits();
  story.contract.join_waits = false;
  EXPECT_EQ(story.outcome("T1"), "not applicable");
}

/// One result of an imap is not the outcome of its other items.
TEST(NoTaskLost, LooksAtWhatAnImapStillOwes) {
  Story story({create(1), map(1, harness::Form::kImap, 3), next(1), close(), join(), next(1)});
  story.begins(1).born(3).ends(1).step(2).item(1, 1, 3).step(3, value("item:1"));
  story.step(4).item(1, 2, 3).item(1, 3, 3).step(5);
  EXPECT_EQ(Story(story).step(6, result(Kind::kTimeout)).exits().outcome("T1"), "violated");
  EXPECT_EQ(Story(story).step(6, value("item:2")).exits().outcome("T1"), "not exercised");
  EXPECT_EQ(Story(story).step(6, result(Kind::kExhausted)).exits().outcome("T1"), "held");
}

TEST(NoTaskLost, IsViolatedByAGetThatHangs) {
  EXPECT_EQ(joined().begins(5).at_rest().over(End::kAtRest).outcome("T1"), "violated");
}

TEST(NoTaskLost, IsViolatedByAGetThatIsLate) {
  auto story = joined().begins(5).after(1100ms).over(End::kDeadline);
  EXPECT_EQ(story.outcome("T1"), "violated");
  EXPECT_EQ(story.says("T1"),
            "task 1 was accepted, and join (step 4) has returned, but get (step 5) has no outcome "
            "after 1.1 s");
}

TEST(NoTaskLost, IsInconclusiveByAGetThatMayHang) {
  EXPECT_EQ(joined().begins(5).over(End::kFuse).outcome("T1"), "inconclusive");
}

TEST(NoTaskLost, IsNotExercisedWithoutAGet) {
  EXPECT_EQ(joined().exits().outcome("T1"), "not exercised");
}

TEST(NoTaskLost, IsNotExercisedAfterTerminate) {
  Story story({create(1), submit(1), terminate(), join(), get_for(1, 100ms)});
  story.step(1).step(2).step(3).step(4).step(5, result(Kind::kTimeout)).exits();
  EXPECT_EQ(story.outcome("T1"), "not exercised");
}

// ---- T2 -----------------------------------------------------------------------------------------

Story run_twice() {
  Story story({create(2), submit(1), get(1)});
  story.begins(1).born(3).born(4).ends(1).step(2).begins_task(1, 3).dies(3, Killed{9});
  return story.task(1, 4).step(3, value("none")).exits();
}

TEST(NoTaskRunsTwice, IsViolatedByASecondRun) {
  EXPECT_EQ(run_twice().outcome("T2"), "violated");
  EXPECT_EQ(run_twice().says("T2"), "task 1 began in process 3 and again in process 4");
}

TEST(NoTaskRunsTwice, IsHeldByARetryThatTheContractPromises) {
  auto story = run_twice();
  story.contract.worker_death = Contract::WorkerDeath::kRetried;
  EXPECT_EQ(story.outcome("T2"), "held");
  story.trace.exact = false;
  EXPECT_EQ(story.outcome("T2"), "inconclusive");
}

/// Who promises another try after a death promises no second run beside it.
TEST(NoTaskRunsTwice, IsViolatedByARetryOfWhatNobodyDiedOf) {
  Story story({create(2), submit(1), get(1)});
  story.contract.worker_death = Contract::WorkerDeath::kRetried;
  story.begins(1).born(3).born(4).ends(1).step(2).task(1, 3).task(1, 4).step(3, value("none"));
  EXPECT_EQ(story.exits().says("T2"), "task 1 began in process 3 and again in process 4");
}

TEST(NoTaskRunsTwice, IsHeldByOneRunEach) {
  EXPECT_EQ(joined().exits().outcome("T2"), "held");
}

TEST(NoTaskRunsTwice, IsInconclusiveWhereAWorkerWritesNoClaims) {
  Story story({create(1), submit(1), submit(2), get(2)});
  story.step(1).step(2).step(3).task(1, 3).step(4, value("none")).exits();
  EXPECT_EQ(story.outcome("T2"), "inconclusive");
}

TEST(NoTaskRunsTwice, IsNotExercisedWhereNothingRan) {
  Story story({create(1), submit(1)});
  EXPECT_EQ(story.step(1).step(2).exits().outcome("T2"), "not exercised");
}

// ---- T3 -----------------------------------------------------------------------------------------

Story got(BodyKind body, std::int64_t amount, harness::StepResult outcome) {
  Story story({create(1), submit(1, body, amount), get(1)});
  story.begins(1).born(3).ends(1).step(2).task(1, 3);
  return story.step(3, std::move(outcome)).exits();
}

struct Outcome {
  BodyKind body;
  std::int64_t amount;
  harness::StepResult told;
  const char* outcome;
};

std::ostream& operator<<(std::ostream& out, const Outcome& of) {
  return out << entry(of.body).name << " gives " << name(of.told.kind) << " " << of.told.value
             << of.told.message;
}

class OutcomeIsTrue : public testing::TestWithParam<Outcome> {};

TEST_P(OutcomeIsTrue, AsTheBodySays) {
  const auto& [body, amount, told, outcome] = GetParam();
  EXPECT_EQ(got(body, amount, told).outcome("T3"), outcome);
}

INSTANTIATE_TEST_SUITE_P(
    Bodies, OutcomeIsTrue,
    testing::Values(
        Outcome{BodyKind::kNothing, 0, value("none"), "held"},
        Outcome{BodyKind::kNothing, 0, value("bytes:0:cbf29ce484222325"), "violated"},
        Outcome{BodyKind::kSleep, 5, value("none"), "held"},
        Outcome{BodyKind::kEcho, 0, value("bytes:0:cbf29ce484222325"), "held"},
        Outcome{BodyKind::kEcho, 1, value("bytes:1:af63d24c8601db8e"), "held"},  // the byte 31
        Outcome{BodyKind::kEcho, 1, value("bytes:1:af63d24c8601db8f"), "violated"},
        Outcome{BodyKind::kEcho, 2, value("bytes:1:af63d24c8601db8e"), "violated"},
        Outcome{BodyKind::kRaise, 0, result(Kind::kTaskError, "task 1"), "held"},
        Outcome{BodyKind::kRaise, 0, result(Kind::kTaskError, "std::runtime_error: task 1"),
                "held"},
        Outcome{BodyKind::kRaise, 0, result(Kind::kTaskError, "task 12"), "violated"},
        Outcome{BodyKind::kRaise, 0, result(Kind::kTaskError, ""), "violated"},
        Outcome{BodyKind::kRaise, 0, value("none"), "violated"},
        Outcome{BodyKind::kNothing, 0, result(Kind::kTaskError, "task 1"), "violated"},
        Outcome{BodyKind::kNothing, 0, result(Kind::kWorkerDied), "violated"},
        Outcome{BodyKind::kNothing, 0, result(Kind::kCancelled), "violated"},
        Outcome{BodyKind::kNothing, 0, result(Kind::kError, "oops"), "violated"},
        Outcome{BodyKind::kNothing, 0, result(Kind::kTimeout), "violated"},
        Outcome{BodyKind::kExit, 0, result(Kind::kTaskError, "SystemExit"), "not exercised"},
        Outcome{BodyKind::kOsExit, 0, value("none"), "violated"}));

TEST(OutcomeOfATask, MayBeATimeoutWhereOneWasAskedForOrAWorkerDied) {
  auto timed = got(BodyKind::kNothing, 0, result(Kind::kTimeout));
  timed.scenario.steps[2] = get_for(1, 1ms);
  EXPECT_EQ(timed.outcome("T3"), "not exercised");
  Story story({create(1), submit(1, BodyKind::kKillSelf), get(1)});
  story.begins(1).born(3).ends(1).step(2).begins_task(1, 3).dies(3, Killed{9});
  EXPECT_EQ(story.step(3, result(Kind::kTimeout)).exits().outcome("T3"), "not exercised");
}

TEST(OutcomeOfATask, MayBeThatItsWorkerDiedWhileThatIsOnItsWayOut) {
  Story story({create(1), submit(1, BodyKind::kExit, 3), get(1)});
  story.begins(1).born(3).ends(1).step(2).begins_task(1, 3);
  story.step(3, result(Kind::kWorkerDied)).dies(3, Exited{3}).exits();
  EXPECT_EQ(story.outcome("T3"), "not exercised");
}

/// The worker dies in a task that would have returned, and no step asked for that.
Story dies_unasked(sys::ExitStatus status) {
  Story story({create(1), submit(1), get(1)});
  story.begins(1).born(3).ends(1).step(2).begins_task(1, 3).dies(3, status);
  return story.step(3, result(Kind::kWorkerDied)).exits();
}

TEST(OutcomeOfATask, IsNotThatAWorkerDiedThatNobodyEnded) {
  EXPECT_EQ(dies_unasked(Killed{SIGSEGV}).outcome("T3"), "violated");
  EXPECT_EQ(dies_unasked(Exited{1}).says("T3"),
            "get (step 3) of task 1 (nothing) gives worker-died, not none");
  EXPECT_EQ(dies_unasked(Killed{SIGKILL}).outcome("T3"), "not exercised");  // out of memory?
}

TEST(OutcomeOfATask, MayBeThatAWorkerDiedWhereTheMachineRanShort) {
  auto story = dies_unasked(Exited{1});
  story.trace.err.text = "Traceback (most recent call last):\nMemoryError\n";
  EXPECT_EQ(story.outcome("T3"), "not exercised");
}

/// Worker 4 is killed while task 1 is under way in worker 3.
Story another_worker_is_killed() {
  Story story({create(2), submit(1, BodyKind::kNever), kill(Victim::kIdle), get(1)});
  story.begins(1).born(3).born(4).ends(1).step(2).begins_task(1, 3).begins(3).dies(4, Killed{9});
  return story.ends(3, killed(4)).step(4, result(Kind::kWorkerDied)).exits();
}

TEST(OutcomeOfATask, IsNotThatAWorkerDiedWhileItsOwnIsAtWork) {
  EXPECT_EQ(another_worker_is_killed().outcome("T3"), "violated");
  auto story = another_worker_is_killed();
  story.contract.worker_death = Contract::WorkerDeath::kBreaks;
  EXPECT_EQ(story.outcome("T3"), "not exercised");
}

TEST(OutcomeOfATask, IsNotThatItsWorkerDiedBecauseAWrapperOrAHelperLeft) {
  Story story({create(1), submit(1), get(1)});
  story.born(9).dies(9, Exited{1}).begins(1).born(3).born(4).ends(1).dies(4).step(2).task(1, 3);
  EXPECT_EQ(story.step(3, result(Kind::kWorkerDied)).exits().outcome("T3"), "violated");
}

TEST(OutcomeOfALostTask, MayBeThatItsWorkerDied) {
  Story story({create(1), submit(1, BodyKind::kKillSelf), get(1)});
  story.begins(1).born(3).ends(1).step(2).begins_task(1, 3).dies(3, Killed{9});
  EXPECT_EQ(story.step(3, result(Kind::kWorkerDied)).exits().outcome("T3"), "held");
}

/// Task 1 ends well in worker 3, which lives on, while worker 4 dies.
Story another_worker_dies() {
  Story story({create(2), submit(1), submit(2, BodyKind::kKillSelf), get(1)});
  story.begins(1).born(3).born(4).ends(1).step(2).step(3).task(1, 3);
  story.begins_task(2, 4).dies(4, Killed{9});
  return story.step(4, result(Kind::kWorkerDied)).exits();
}

TEST(OutcomeOfALostTask, IsFalseForATaskWhoseWorkerLives) {
  EXPECT_EQ(another_worker_dies().outcome("T3"), "violated");
}

TEST(OutcomeOfALostTask, MayBeAnyTasksWhereADeathBreaksThePool) {
  auto story = another_worker_dies();
  story.contract.worker_death = Contract::WorkerDeath::kBreaks;
  EXPECT_EQ(story.outcome("T3"), "not exercised");
}

TEST(OutcomeAfterTerminate, MayBeCancelled) {
  Story story({create(1), submit(1), terminate(), get(1)});
  story.step(1).step(2).step(3).step(4, result(Kind::kCancelled)).exits();
  EXPECT_EQ(story.outcome("T3"), "held");
}

TEST(OutcomeWithoutExactDeaths, IsNoReasonToBlameAReportOfOne) {
  auto story = got(BodyKind::kNothing, 0, result(Kind::kWorkerDied));
  story.trace.exact = false;
  EXPECT_NE(story.outcome("T3"), "violated");
}

// ---- T5 -----------------------------------------------------------------------------------------

/// One worker has a task in hand when the pool is terminated, and another one is queued.
Story terminated_with_a_queue() {
  Story story({create(1), submit(1, BodyKind::kNever), submit(2), terminate()});
  return story.begins(1).born(3).ends(1).step(2).begins_task(1, 3).step(3).begins(4);
}

TEST(NothingStartsAfterTerminate, IsHeldWhereWhatWasQueuedNeverBegins) {
  EXPECT_EQ(terminated_with_a_queue().dies(3).ends(4).exits().outcome("T5"), "held");
  EXPECT_EQ(terminated_with_a_queue().task(2, 3).dies(3).ends(4).exits().outcome("T5"), "held")
      << "it began before terminate had returned";
}

TEST(NothingStartsAfterTerminate, IsViolatedByABodyThatBeginsLater) {
  auto story = terminated_with_a_queue().ends(4).task(2, 3).exits();
  EXPECT_EQ(story.outcome("T5"), "violated");
  EXPECT_EQ(story.says("T5"),
            "terminate (step 4) has returned, and then task 2 begins in process 3");
}

TEST(NothingStartsAfterTerminate, IsNotExercisedWhereNothingWasQueued) {
  Story story({create(1), submit(1), get(1), terminate()});
  story.begins(1).born(3).ends(1).step(2).begins(3).task(1, 3).ends(3, value("none")).step(4);
  EXPECT_EQ(story.exits().outcome("T5"), "not exercised");
}

// ---- T6 -----------------------------------------------------------------------------------------

/// MUSEUM's M1 up to the get.
Story busy_worker_killed(harness::Step last = get(1)) {
  Story story({create(2), submit(1, BodyKind::kNever), kill(Victim::kBusy), std::move(last)});
  story.begins(1).born(3).born(4).ends(1).step(2).begins_task(1, 3);
  return story.begins(3).dies(3, Killed{9}).ends(3, killed(3));
}

TEST(WorkerDeathIsReported, IsHeldByAnyOutcome) {
  EXPECT_EQ(busy_worker_killed().step(4, result(Kind::kWorkerDied)).exits().outcome("T6"), "held");
}

TEST(WorkerDeathIsReported, IsViolatedByAReportWhereARetryIsPromised) {
  auto story = busy_worker_killed();
  story.contract.worker_death = Contract::WorkerDeath::kRetried;
  auto tried_again = story;
  story.step(4, result(Kind::kWorkerDied)).exits();
  EXPECT_EQ(story.says("T6"),
            "task 1 was lost: its worker 3 killed by SIGKILL in step 3, and get (step 4) gives "
            "worker-died: it was not tried again");
  EXPECT_EQ(story.outcome("T3"), "not exercised");
  tried_again.begins_task(1, 4).ends_task(1, 4).step(4, value("none")).exits();
  EXPECT_NE(tried_again.outcome("T6"), "violated");
}

TEST(WorkerDeathIsReported, AsksNoRetryOfATerminatedPool) {
  Story story({create(1), submit(1, BodyKind::kNever), kill(Victim::kBusy), terminate(), get(1)});
  story.begins(1).born(3).ends(1).step(2).begins_task(1, 3).begins(3).dies(3, Killed{9});
  story.ends(3, killed(3)).step(4).step(5, result(Kind::kWorkerDied)).exits();
  story.contract.worker_death = Contract::WorkerDeath::kRetried;
  EXPECT_EQ(story.outcome("T6"), "held");
}

TEST(WorkerDeathIsReported, IsHeldByAReportOfABodyThatEndsEachWorkerThatTriesIt) {
  Story story({create(1), submit(1, BodyKind::kKillSelf), get(1)});
  story.begins(1).born(3).ends(1).step(2).begins_task(1, 3).dies(3, Killed{9});
  story.contract.worker_death = Contract::WorkerDeath::kRetried;
  story.step(3, result(Kind::kWorkerDied)).exits();
  EXPECT_EQ(story.outcome("T6"), "held");
  EXPECT_EQ(story.outcome("T3"), "held");
}

TEST(WorkerDeathIsReported, IsViolatedByAGetThatHangs) {
  auto story = busy_worker_killed().begins(4).at_rest().over(End::kAtRest);
  EXPECT_EQ(story.outcome("T6"), "violated");
  EXPECT_EQ(
      story.says("T6"),
      "task 1 was lost: its worker 3 killed by SIGKILL in step 3, and get (step 4) waits for ever");
}

TEST(WorkerDeathIsReported, IsViolatedByALongWaitInVain) {
  auto story = busy_worker_killed(get_for(1, 1500ms)).begins(4).after(1500ms);
  EXPECT_EQ(story.ends(4, result(Kind::kTimeout)).exits().outcome("T6"), "violated");
}

TEST(WorkerDeathIsReported, IsViolatedByAGetThatIsLate) {
  auto story = busy_worker_killed().begins(4).after(1100ms).over(End::kDeadline);
  EXPECT_EQ(story.outcome("T6"), "violated");
  EXPECT_EQ(story.says("T6"),
            "task 1 was lost: its worker 3 killed by SIGKILL in step 3, and get (step 4) waits "
            "1.1 s for its outcome in vain");
}

TEST(WorkerDeathIsReported, IsInconclusiveByALateGetOfWhatIsTriedAgain) {
  auto story = busy_worker_killed().begins(4).after(1100ms).over(End::kDeadline);
  story.contract.worker_death = Contract::WorkerDeath::kRetried;
  EXPECT_EQ(story.outcome("T6"), "inconclusive");
}

TEST(WorkerDeathIsReported, IsNotExercisedByAShortWait) {
  auto story = busy_worker_killed(get_for(1, 50ms)).begins(4).after(50ms);
  EXPECT_EQ(story.ends(4, result(Kind::kTimeout)).exits().outcome("T6"), "not exercised");
}

TEST(WorkerDeathIsReported, IsInconclusiveAtTheFuse) {
  EXPECT_EQ(busy_worker_killed().begins(4).over(End::kFuse).outcome("T6"), "inconclusive");
}

TEST(WorkerDeathIsReported, IsInconclusiveWithoutExactDeaths) {
  auto story = busy_worker_killed().begins(4).at_rest().over(End::kAtRest);
  story.trace.exact = false;
  EXPECT_EQ(story.outcome("T6"), "inconclusive");
}

TEST(WorkerDeathIsReported, CountsBodiesThatEndTheirWorker) {
  Story story({create(1), submit(1, BodyKind::kOsExit, 3), get(1)});
  story.begins(1).born(3).ends(1).step(2).begins(3).begins_task(1, 3).dies(3, Exited{3});
  EXPECT_EQ(story.at_rest().over(End::kAtRest).outcome("T6"), "violated");
}

TEST(WorkerDeathIsReported, DoesNotCountTheWorkersThatTerminateEnds) {
  Story story({create(1), submit(1, BodyKind::kNever), terminate(), get(1)});
  story.begins(1).born(3).ends(1).step(2).begins_task(1, 3).begins(3).dies(3, Killed{15}).ends(3);
  EXPECT_EQ(story.begins(4).at_rest().over(End::kAtRest).outcome("T6"), "not exercised");
}

TEST(WorkerDeathIsReported, DoesNotCountATaskThatHadEnded) {
  Story story({create(1), submit(1), kill(Victim::kIdle), get_for(1, 1500ms)});
  story.begins(1)
      .born(3)
      .ends(1)
      .step(2)
      .task(1, 3)
      .begins(3)
      .dies(3, Killed{9})
      .ends(3, killed(3));
  story.begins(4).after(1500ms).ends(4, result(Kind::kTimeout)).exits();
  EXPECT_EQ(story.outcome("T6"), "not exercised");
}

TEST(WorkerDeathIsReported, NamesTheKnownDeviation) {
  auto story = busy_worker_killed().begins(4).at_rest().over(End::kAtRest);
  story.contract.known.push_back({"T6", "idle-worker-killed", "https://other", ""});
  EXPECT_EQ(std::get<Violated>(story.verdict("T6")).known_link, "");
  story.contract.known.push_back({"T6", "busy-worker-died", "https://issue", ""});
  EXPECT_EQ(std::get<Violated>(story.verdict("T6")).known_link, "https://issue");
}

// ---- T7 -----------------------------------------------------------------------------------------

Story after_a_task_error(BodyKind body = BodyKind::kRaise) {
  Story story({create(1), submit(1, body), get(1), submit(2), get(2)});
  const bool raises = body == BodyKind::kRaise;
  story.begins(1).born(3).ends(1).step(2).begins_task(1, 3);
  story.ends_task(1, 3, raises ? "raised" : "returned");
  return story.step(3, result(Kind::kTaskError, "task 1"));
}

TEST(ErrorsLeaveThePoolUsable, IsHeldByALaterOutcome) {
  auto story = after_a_task_error().step(4).task(2, 3).step(5, value("none")).exits();
  EXPECT_EQ(story.outcome("T7"), "held");
}

TEST(ErrorsLeaveThePoolUsable, AsksForAsMuchAfterAValueThatNobodyCanSend) {
  auto story = after_a_task_error(BodyKind::kUnserializable);
  EXPECT_EQ(Story(story).step(4).task(2, 3).step(5, value("none")).exits().outcome("T7"), "held");
  EXPECT_EQ(story.step(4).begins(5).at_rest().over(End::kAtRest).outcome("T7"), "violated");
}

TEST(ErrorsLeaveThePoolUsable, IsNotHeldByAnOutcomeThatIsNotTheBodys) {
  auto story = after_a_task_error().step(4).step(5, result(Kind::kError, "broken")).exits();
  EXPECT_EQ(story.outcome("T7"), "not exercised");
  EXPECT_EQ(story.outcome("T3"), "violated");
}

TEST(ErrorsLeaveThePoolUsable, IsViolatedByALaterHang) {
  auto story = after_a_task_error().step(4).begins(5).at_rest().over(End::kAtRest);
  EXPECT_EQ(story.outcome("T7"), "violated");
}

TEST(ErrorsLeaveThePoolUsable, IsViolatedByARefusal) {
  auto story = after_a_task_error().step(4, result(Kind::kRefused, "not running")).exits();
  EXPECT_EQ(story.outcome("T7"), "violated");
}

TEST(ErrorsLeaveThePoolUsable, IsNotExercisedOnceAWorkerDied) {
  auto story = after_a_task_error().dies(3, Killed{9}).step(4, result(Kind::kWorkerDied)).exits();
  EXPECT_EQ(story.outcome("T7"), "not exercised");
}

TEST(ErrorsLeaveThePoolUsable, IsViolatedByARefusalThoughAHelperHasLeft) {
  auto story = after_a_task_error().born(9).dies(9).step(4, result(Kind::kRefused)).exits();
  EXPECT_EQ(story.outcome("T7"), "violated");
}

TEST(ErrorsLeaveThePoolUsable, IsNotExercisedOnceThePoolIsClosed) {
  auto story = after_a_task_error();
  story.scenario.steps[3] = close();
  story.scenario.steps[4] = submit(2);
  EXPECT_EQ(story.step(4).step(5, result(Kind::kRefused)).exits().outcome("T7"), "not exercised");
}

// ---- T8 -----------------------------------------------------------------------------------------

Story timed_get(std::chrono::milliseconds timeout) {
  Story story({create(1), submit(1, BodyKind::kNever), get_for(1, timeout)});
  return story.begins(1).born(3).ends(1).step(2).begins_task(1, 3).begins(3);
}

TEST(TimeoutsAreKept, IsHeldByAReturnInTime) {
  EXPECT_EQ(timed_get(50ms).after(60ms).ends(3, result(Kind::kTimeout)).exits().outcome("T8"),
            "held");
  auto patient = timed_get(1500ms).after(1600ms).ends(3, result(Kind::kTimeout)).exits();
  EXPECT_EQ(patient.outcome("T8"), "held");
}

TEST(TimeoutsAreKept, IsViolatedByAWaitThatGoesOn) {
  auto late = timed_get(50ms).after(1100ms).over(End::kDeadline);
  EXPECT_EQ(late.outcome("T8"), "violated");
  EXPECT_EQ(late.says("T8"), "get (step 3) with a timeout of 50 ms was not over after 1.1 s");
  auto took = timed_get(50ms).after(1100ms).ends(3, result(Kind::kTimeout)).exits();
  EXPECT_EQ(took.outcome("T8"), "violated");
  EXPECT_EQ(timed_get(1500ms).after(3100ms).over(End::kFuse).outcome("T8"), "violated");
}

TEST(TimeoutsAreKept, IsViolatedByAWaitWithoutEnd) {
  auto hangs = timed_get(50ms).at_rest().over(End::kAtRest);
  EXPECT_EQ(hangs.says("T8"), "get (step 3) with a timeout of 50 ms waits for ever");
}

TEST(TimeoutsAreKept, IsUnclearWhereTheCaseEndedBefore) {
  EXPECT_EQ(timed_get(50ms).after(100ms).over(End::kLimit).outcome("T8"), "inconclusive");
}

// ---- What others are to blame for ---------------------------------------------------------------

/// The body says itself that it could not do what it should.
TEST(OutcomeIsTrue, TakesABodyAtItsWord) {
  const auto told = [](const std::string& how) {
    Story story({create(1), submit(1), get(1)});
    story.begins(1).born(3).ends(1).step(2).begins_task(1, 3).ends_task(1, 3, how);
    return story.step(3, result(Kind::kTaskError, "no child processes")).exits().outcome("T3");
  };
  EXPECT_EQ(told("returned"), "violated");
  EXPECT_EQ(told("raised"), "not exercised");
}

TEST(ErrorsLeaveThePoolUsable, LeavesCallbacksToT9) {
  for (const bool raises : {false, true}) {
    Story story({create(1), submit(1, BodyKind::kRaise), get(1), submit(2), get(2)});
    if (raises) story.scenario.steps[3].callback = harness::Callback::kRaises;
    story.begins(1).born(3).ends(1).step(2).begins_task(1, 3).ends_task(1, 3, "raised");
    story.step(3, result(Kind::kTaskError, "task 1")).step(4).task(2, 3);
    if (raises) story.calls_back(2, "value");
    story.begins(5).at_rest().over(End::kAtRest);
    EXPECT_EQ(story.outcome("T7"), raises ? "not exercised" : "violated");
  }
}

TEST(ErrorsLeaveThePoolUsable, LeavesAnEndThatFailedToS4) {
  Story story({create(1), submit(1, BodyKind::kRaise), get(1), terminate(), submit(2)});
  story.begins(1).born(3).ends(1).step(2).begins_task(1, 3).ends_task(1, 3, "raised");
  story.step(3, result(Kind::kTaskError, "task 1")).step(4, result(Kind::kError));
  story.step(5, result(Kind::kRefused)).exits();
  EXPECT_EQ(story.outcome("T7"), "not exercised");
  EXPECT_EQ(story.outcome("S4"), "violated");
}

TEST(WorkerDeathIsReported, ASecondTryMayHaveToWaitForItsTurn) {
  for (const bool other : {false, true}) {
    Story story({create(1), submit(1), kill(Victim::kBusy), get_for(1, 1500ms)});
    if (other) story.scenario.steps.insert(story.scenario.steps.begin() + 2, submit(2));
    story.contract.worker_death = Contract::WorkerDeath::kRetried;
    story.begins(1).born(3).ends(1).step(2).begins_task(1, 3);
    int step = 3;
    if (other) story.step(step++);
    story.begins(step).dies(3, Killed{9}).ends(step, killed(3)).begins(step + 1).after(1500ms);
    story.ends(step + 1, result(Kind::kTimeout)).exits();
    EXPECT_EQ(story.outcome("T6"), other ? "not exercised" : "violated");
  }
}

/// A join that was refused has ended nothing, and deaths behind it count.
TEST(WorkerDeathIsReported, CountsDeathsBehindARefusedJoin) {
  Story story({create(1), join(), submit(1, BodyKind::kNever), get(1)});
  story.begins(1).born(3).ends(1).step(2, result(Kind::kRefused)).step(3).begins_task(1, 3);
  story.hit("worker:task:1=SIGKILL", 3).dies(3, Killed{9}).begins(4).at_rest().over(End::kAtRest);
  EXPECT_EQ(story.outcome("T6"), "violated");
  EXPECT_FALSE(story.says("T6").empty());
}

}  // namespace
}  // namespace poolproof::properties
