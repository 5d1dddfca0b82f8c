#include <gtest/gtest.h>

#include <csignal>

#include "properties/rules/made_trace.h"

namespace poolproof::properties {
namespace {

using namespace std::chrono_literals;
using harness::BodyKind;
using harness::End;
using harness::StepKind;
using harness::Victim;
using sys::Exited;
using sys::Killed;
using Kind = harness::StepResult::Kind;

// ---- S1 -----------------------------------------------------------------------------------------

Story closed_then_submit(harness::Step end = close()) {
  Story story({create(1), std::move(end), submit(1)});
  return story.begins(1).born(3).ends(1).step(2);
}

TEST(SubmitAfterCloseIsRefused, IsHeldByARefusal) {
  EXPECT_EQ(closed_then_submit().step(3, result(Kind::kRefused)).exits().outcome("S1"), "held");
  EXPECT_EQ(closed_then_submit(terminate()).step(3, result(Kind::kRefused)).exits().outcome("S1"),
            "held");
}

TEST(SubmitAfterCloseIsRefused, IsViolatedByAcceptance) {
  auto story = closed_then_submit().step(3).exits();
  EXPECT_EQ(story.outcome("S1"), "violated");
  EXPECT_EQ(story.says("S1"), "submit (step 3) after close was taken, not refused");
}

TEST(SubmitAfterCloseIsRefused, IsViolatedByARun) {
  auto story = closed_then_submit().step(3, result(Kind::kRefused)).task(1, 3).exits();
  EXPECT_EQ(story.outcome("S1"), "violated");
}

TEST(SubmitAfterCloseIsRefused, IsViolatedByAnotherError) {
  EXPECT_EQ(closed_then_submit().step(3, result(Kind::kError, "?")).exits().outcome("S1"),
            "violated");
}

TEST(SubmitAfterCloseIsRefused, IsNotExercisedByAnotherErrorAfterADeath) {
  auto story = closed_then_submit().dies(3, Killed{9}).step(3, result(Kind::kWorkerDied)).exits();
  EXPECT_EQ(story.outcome("S1"), "not exercised");
}

TEST(SubmitAfterCloseIsRefused, IsNotExercisedOnARunningPool) {
  Story story({create(1), submit(1)});
  EXPECT_EQ(story.step(1).step(2).exits().outcome("S1"), "not exercised");
}

TEST(SubmitAfterCloseIsRefused, IsNotExercisedWhereCloseFailed) {
  Story story({create(1), close(), submit(1)});
  story.step(1).step(2, result(Kind::kError)).step(3).exits();
  EXPECT_EQ(story.outcome("S1"), "not exercised");
}

// ---- S2 -----------------------------------------------------------------------------------------

Story join_while_running() {
  return Story({create(1), join()}).begins(1).born(3).ends(1);
}

TEST(JoinBeforeCloseIsRefused, IsHeldByARefusal) {
  EXPECT_EQ(join_while_running().step(2, result(Kind::kRefused)).exits().outcome("S2"), "held");
}

TEST(JoinBeforeCloseIsRefused, IsViolatedByAReturn) {
  EXPECT_EQ(join_while_running().step(2).exits().outcome("S2"), "violated");
}

TEST(JoinBeforeCloseIsRefused, IsViolatedByAWait) {
  EXPECT_EQ(join_while_running().begins(2).at_rest().over(End::kAtRest).outcome("S2"), "violated");
  EXPECT_EQ(join_while_running().begins(2).after(1100ms).over(End::kDeadline).outcome("S2"),
            "violated");
  EXPECT_EQ(join_while_running().begins(2).over(End::kFuse).outcome("S2"), "inconclusive");
}

TEST(JoinBeforeCloseIsRefused, DoesNotApplyWhereJoinCloses) {
  auto story = join_while_running().step(2).exits();
  story.contract.join_needs_close = false;
  EXPECT_EQ(story.outcome("S2"), "not applicable");
}

TEST(JoinBeforeCloseIsRefused, IsNotExercisedAfterClose) {
  Story story({create(1), close(), join()});
  EXPECT_EQ(story.step(1).step(2).step(3).exits().outcome("S2"), "not exercised");
}

// ---- S10 ----------------------------------------------------------------------------------------

TEST(BadCountIsRefused, IsHeldByARefusalAndNothingElse) {
  EXPECT_EQ(Story({create(0)}).step(1, result(Kind::kRefused)).exits().outcome("S10"), "held");
  Story taken({create(-1)});
  EXPECT_EQ(taken.step(1).exits().outcome("S10"), "violated");
  EXPECT_EQ(taken.says("S10"), "create (step 1) with -1 workers was taken, not refused");
  Story otherwise({create(0)});
  EXPECT_EQ(otherwise.step(1, result(Kind::kError, "ZeroDivisionError")).exits().outcome("S10"),
            "violated");
}

TEST(BadCountIsRefused, IsAskedOfResizeToo) {
  for (const auto kind : {Kind::kRefused, Kind::kOk}) {
    Story story({create(2), {.kind = harness::StepKind::kResize, .workers = 0}});
    EXPECT_EQ(story.step(1).step(2, result(kind)).exits().outcome("S10"),
              kind == Kind::kRefused ? "held" : "violated");
  }
  Story plain({create(2), {.kind = harness::StepKind::kResize, .workers = 1}});
  EXPECT_EQ(plain.step(1).step(2).exits().outcome("S10"), "not exercised");
}

/// The pool behind it is the scenario's: a refusal has made none.
TEST(BadCountIsRefused, LeavesOtherRulesToThePoolThatIsMade) {
  Story story({create(0), create(1), submit(1), get(1)});
  story.step(1, result(Kind::kRefused)).begins(2).born(3).ends(2).step(3).task(1, 3);
  EXPECT_EQ(story.step(4, value("none")).exits().violated(), std::vector<std::string>());
}

// ---- S3 -----------------------------------------------------------------------------------------

Story closed_twice() {
  return Story({create(1), close(), close()}).step(1).step(2);
}

TEST(EndingsAreIdempotent, IsHeldByARepetition) {
  EXPECT_EQ(closed_twice().step(3).exits().outcome("S3"), "held");
  Story joined({create(1), terminate(), join(), join()});
  EXPECT_EQ(joined.step(1).step(2).step(3).step(4).exits().outcome("S3"), "held");
}

TEST(EndingsAreIdempotent, IsViolatedByAnError) {
  auto story = closed_twice().step(3, result(Kind::kRefused, "Pool not running")).exits();
  EXPECT_EQ(story.outcome("S3"), "violated");
  EXPECT_EQ(story.says("S3"),
            "close (step 3), repeated after step 2, gave refused  \"Pool not running\"");
}

TEST(EndingsAreIdempotent, IsViolatedByAHang) {
  EXPECT_EQ(closed_twice().begins(3).at_rest().over(End::kAtRest).outcome("S3"), "violated");
}

TEST(EndingsAreIdempotent, IsNotExercisedByOneOfEach) {
  Story story({create(1), close(), terminate(), join()});
  EXPECT_EQ(story.step(1).step(2).step(3).step(4).exits().outcome("S3"), "not exercised");
}

/// The other of the two calls may have closed it.
TEST(JoinBeforeCloseIsRefused, IsNotAskedWhereOneOfTwoClosesFailed) {
  const auto joined = [](harness::Caller caller) {
    auto closes = close();
    closes.caller = caller;
    Story story({create(1), closes, join()});
    return story.step(1).step(2, result(Kind::kRefused, "closed")).step(3).exits();
  };
  EXPECT_EQ(joined(harness::Caller::kThreads).outcome("S2"), "not exercised");
  EXPECT_EQ(joined(harness::Caller::kThread).outcome("S2"), "violated");
}

TEST(EndingsAreIdempotent, IsAskedOfTwoThreadsAtOnce) {
  const auto closed_by_two = [](harness::StepResult result) {
    auto twice = close();
    twice.caller = harness::Caller::kThreads;
    Story story({create(1), twice});
    return story.step(1).step(2, std::move(result)).exits();
  };
  EXPECT_EQ(closed_by_two({}).outcome("S3"), "held");
  EXPECT_EQ(closed_by_two(result(harness::StepResult::Kind::kRefused, "closed")).says("S3"),
            "close (step 2) by two threads at once gave refused  \"closed\"");
}

// ---- S4 -----------------------------------------------------------------------------------------

Story terminated_busy() {
  Story story({create(1), submit(1, BodyKind::kNever), terminate(), join()});
  return story.begins(1).born(3).ends(1).step(2).begins_task(1, 3);
}

TEST(TerminateIsPrompt, IsHeldWithinTheGrace) {
  auto story = terminated_busy().begins(3).dies(3, Killed{15}).after(900ms).ends(3).step(4).exits();
  EXPECT_EQ(story.outcome("S4"), "held");
}

TEST(TerminateIsPrompt, IsViolatedByALateReturn) {
  EXPECT_EQ(terminated_busy().begins(3).after(1100ms).ends(3).exits().outcome("S4"), "violated");
  EXPECT_EQ(terminated_busy().step(3).begins(4).after(1100ms).ends(4).exits().outcome("S4"),
            "violated");
}

TEST(TerminateIsPrompt, IsViolatedByNoReturn) {
  EXPECT_EQ(terminated_busy().begins(3).at_rest().over(End::kAtRest).outcome("S4"), "violated");
  auto story = terminated_busy().step(3).begins(4).after(1200ms).over(End::kDeadline);
  EXPECT_EQ(story.says("S4"), "join (step 4) of a terminated pool was not over after 1.2 s");
}

TEST(TerminateIsPrompt, IsInconclusiveWithinTheGrace) {
  EXPECT_EQ(terminated_busy().begins(3).over(End::kFuse).outcome("S4"), "inconclusive");
}

/// Terminated and joined, with this table of processes when join has returned.
Story terminated_with(std::vector<harness::Snapshot::Process> table) {
  auto story = terminated_busy().step(3).step(4);
  return story.add(harness::Snapshot{.step = 4, .processes = std::move(table)});
}

TEST(TerminateIsPrompt, IsViolatedByAJoinThatLeavesAWorkerAlive) {
  auto story = terminated_with({{2, 't', 1}, {3, 'S', 2}}).exits();
  EXPECT_EQ(story.outcome("S4"), "violated");
  EXPECT_EQ(story.says("S4"),
            "join (step 4) of a terminated pool has returned, but worker 3 is alive");
  EXPECT_EQ(story.outcome("W3"), "held");
  story.contract.join_waits = false;
  EXPECT_EQ(story.outcome("S4"), "held");
}

TEST(TerminateIsPrompt, LeavesOutWhoMayBeOnItsWayOut) {
  EXPECT_EQ(terminated_with({{2, 't', 1}, {3, 't', 2}}).exits().outcome("S4"), "held");
  EXPECT_EQ(terminated_with({{2, 't', 1}, {3, 'Z', 2}}).exits().outcome("S4"), "held");
  EXPECT_EQ(terminated_with({{2, 't', 1}}).exits().outcome("S4"), "held");
}

TEST(TerminateIsPrompt, LeavesOutWhoCameLaterAndWhoIsNoWorker) {
  auto reused = terminated_busy().begins(3).dies(3, Killed{15}).ends(3).step(4);
  reused.add(harness::Snapshot{.step = 4, .processes = {{3, 'S', 2}}}).born(3);
  EXPECT_EQ(reused.exits().outcome("S4"), "held");
  auto helper = terminated_busy().born(5).step(3).step(4);
  helper.add(harness::Snapshot{.step = 4, .processes = {{5, 'S', 2}}});
  EXPECT_EQ(helper.exits().outcome("S4"), "held");
}

TEST(TerminateIsPrompt, AsksForNoEndOfWorkersWhereDeathsAreNotExact) {
  auto story = terminated_with({{2, 't', 1}, {3, 'S', 2}}).exits();
  story.trace.exact = false;
  EXPECT_EQ(story.outcome("S4"), "held");
}

TEST(TerminateIsPrompt, IsNotExercisedByClose) {
  EXPECT_EQ(closed_twice().step(3).exits().outcome("S4"), "not exercised");
}

// ---- S5 -----------------------------------------------------------------------------------------

Story drained(BodyKind body = BodyKind::kSleep) {
  Story story({create(1), submit(1, body, 30), submit(2), close(), join()});
  return story.begins(1).born(3).ends(1).step(2).step(3).step(4).begins(5);
}

TEST(CloseDrains, IsHeldWhereEverythingRan) {
  EXPECT_EQ(drained().task(1, 3).task(2, 3).dies(3).ends(5).exits().outcome("S5"), "held");
}

TEST(CloseDrains, IsViolatedByATaskThatNeverBegan) {
  auto story = drained().task(1, 3).dies(3).ends(5).exits();
  EXPECT_EQ(story.outcome("S5"), "violated");
  EXPECT_EQ(story.says("S5"),
            "task 2 was accepted before close (step 4), but never began, though join (step 5) has "
            "returned");
}

/// What a pool that cleans its workers' environment looks like: all is well, but nothing is
/// claimed.
TEST(CloseDrains, IsNotViolatedWhereWorkersWriteNoClaims) {
  EXPECT_EQ(drained().dies(3).ends(5).exits().outcome("S5"), "not exercised");
  Story told({create(1), submit(1), submit(2), get(1), close(), join()});
  told.begins(1).born(3).ends(1).step(2).step(3).step(4, value("none")).task(2, 3);
  EXPECT_EQ(told.step(5).step(6).exits().says("S5"),
            "get (step 4) was told what task 1 comes to, but no claim says that it ran: workers "
            "write no claims");
}

TEST(CloseDrains, IsViolatedByATaskThatNeverBeganThoughAWorkerWasLetGo) {
  Story story({create(1), submit(1), submit(2), close(), join()});
  story.born(9).dies(9, Exited{1}).begins(1).born(3).ends(1).step(2).step(3).task(1, 3);
  story.dies(3).step(4).step(5).exits();
  EXPECT_EQ(story.outcome("S5"), "violated");
}

TEST(CloseDrains, IsViolatedByATaskThatWasCutShort) {
  auto story = drained().task(2, 3).begins_task(1, 3).dies(3, Killed{15}).ends(5).exits();
  EXPECT_EQ(story.outcome("S5"), "violated");
}

TEST(CloseDrains, ExcusesTheTaskOfAWorkerThatDied) {
  auto story = drained(BodyKind::kKillSelf).begins_task(1, 3).dies(3, Killed{9}).born(4);
  EXPECT_EQ(story.task(2, 4).dies(4).ends(5).exits().outcome("S5"), "held");
}

TEST(CloseDrains, AsksNoEndOfABodyThatNeverClaimsOne) {
  auto story = drained(BodyKind::kExit).begins_task(1, 3).task(2, 3).dies(3).ends(5).exits();
  EXPECT_EQ(story.outcome("S5"), "held");
}

TEST(CloseDrains, IsNotExercisedByWhatWasOverBefore) {
  Story story({create(1), submit(1), get(1), close(), join()});
  story.begins(1).born(3).ends(1).step(2).task(1, 3).step(3, value("none")).step(4);
  EXPECT_EQ(story.begins(5).dies(3).ends(5).exits().outcome("S5"), "not exercised");
  Story died({create(1), submit(1, BodyKind::kKillSelf), close(), join()});
  died.begins(1).born(3).ends(1).step(2).begins_task(1, 3).dies(3, Killed{9}).step(3).step(4);
  EXPECT_EQ(died.exits().outcome("S5"), "not exercised");
}

TEST(CloseDrains, IsNotExercisedByABrokenPool) {
  auto story = drained(BodyKind::kKillSelf).begins_task(1, 3).dies(3, Killed{9}).ends(5).exits();
  story.contract.worker_death = Contract::WorkerDeath::kBreaks;
  EXPECT_EQ(story.outcome("S5"), "not exercised");
}

TEST(CloseDrains, IsNotExercisedWithoutAJoinThatReturned) {
  EXPECT_EQ(drained().task(1, 3).over(End::kFuse).outcome("S5"), "not exercised");
}

TEST(CloseDrains, DoesNotApplyWhereJoinDoesNotWait) {
  auto story = drained().task(1, 3).ends(5).exits();
  story.contract.join_waits = false;
  EXPECT_EQ(story.outcome("S5"), "not applicable");
}

TEST(CloseDrains, IsNotExercisedAfterTerminate) {
  Story story({create(1), submit(1), close(), terminate(), join()});
  story.step(1).step(2).step(3).step(4).step(5).exits();
  EXPECT_EQ(story.outcome("S5"), "not exercised");
}

// ---- S6 -----------------------------------------------------------------------------------------

/// One worker that has done a task; main has dropped its pool, and lives on.
Story dropped() {
  Story story({create(1), submit(1), drop(), sleep_for(1500ms)});
  return story.begins(1).born(3).ends(1).step(2).task(1, 3).step(3).begins(4);
}

TEST(DroppedPoolIsReleased, IsHeldWhenTheWorkersGo) {
  EXPECT_EQ(dropped().dies(3).ends(4).exits().outcome("S6"), "held");
}

/// A creation that fails, and what becomes of whom it had started: 3, and 4 that executes a
/// program.
TEST(DroppedPoolIsReleased, AsksACreationThatFailsForWhomItHadStarted) {
  const auto failed = [](bool three_goes, bool keeps) {
    Story story({create(2), sleep_for(1500ms)});
    story.scenario.start_method = "spawn";
    if (keeps) story.contract.keeps = {{.of = "pipe", .start_method = "spawn"}};
    story.begins(1).born(3).born(4).add(harness::Execed{4, "/usr/bin/tracker"});
    story.ends(1, result(Kind::kError, "Resource temporarily unavailable")).begins(2);
    if (three_goes) story.dies(3);
    return story.after(1500ms).ends(2).exits();
  };
  EXPECT_EQ(failed(true, true).outcome("S6"), "held");
  EXPECT_EQ(failed(false, true).says("S6"),
            "create (step 1) has failed, but process 3 lives on for 1.5 s and more");
  EXPECT_EQ(failed(true, false).outcome("S6"), "violated");
}

TEST(DroppedPoolIsReleased, IsViolatedByAWorkerThatStays) {
  auto story = dropped().after(1500ms).ends(4).exits();
  EXPECT_EQ(story.outcome("S6"), "violated");
  EXPECT_EQ(story.says("S6"),
            "drop (step 3) has returned and nothing is pending, but worker 3 is alive 1.5 s later");
  auto late = dropped().after(1500ms).dies(3).ends(4).exits();
  EXPECT_EQ(late.outcome("S6"), "violated");
  EXPECT_NE(late.says("S6").find("worker 3 lives on for 1.5 s"), std::string::npos);
}

TEST(DroppedPoolIsReleased, IsNotExercisedWhereMainEndsBefore) {
  EXPECT_EQ(dropped().after(500ms).ends(4).exits().outcome("S6"), "not exercised");
}

/// A future may hold the pool as long as it has no outcome.
TEST(DroppedPoolIsReleased, CountsFromTheEndOfTheLastTask) {
  Story story({create(1), submit(1, BodyKind::kSleep, 50), drop(), sleep_for(1500ms)});
  story.begins(1).born(3).ends(1).step(2).begins_task(1, 3).step(3).begins(4);
  auto late = Story(story).after(1500ms).ends_task(1, 3).dies(3).ends(4).exits();
  EXPECT_EQ(late.outcome("S6"), "held");
  EXPECT_EQ(Story(story).after(1500ms).ends(4).exits().outcome("S6"), "not exercised");
}

/// The items behind the one at which its input raises never come.
TEST(DroppedPoolIsReleased, AwaitsOfAMapWhatItsInputGaveAlone) {
  const auto dropped_with = [](std::optional<int> raises_at) {
    auto asked = map(1, harness::Form::kImap, 3);
    asked.raises_at = raises_at;
    Story story({create(1), asked, drop(), sleep_for(1500ms)});
    story.begins(1).born(3).ends(1).step(2).item(1, 1, 3).step(3).begins(4).after(1500ms).ends(4);
    return story.exits().outcome("S6");
  };
  EXPECT_EQ(dropped_with(2), "violated");
  EXPECT_EQ(dropped_with(3), "not exercised");
  EXPECT_EQ(dropped_with(std::nullopt), "not exercised");
}

TEST(DroppedPoolIsReleased, IsViolatedByADropThatHangs) {
  Story story({create(1), drop()});
  story.begins(1).born(3).ends(1).begins(2).at_rest().over(End::kAtRest);
  EXPECT_EQ(story.outcome("S6"), "violated");
}

TEST(DroppedPoolIsReleased, MayTakeItsTimeWhereTasksAreDrained) {
  Story story({create(1), submit(1, BodyKind::kSleep, 4000), drop()});
  story.begins(1).born(3).ends(1).step(2).begins_task(1, 3).begins(3).after(4s).over(End::kFuse);
  EXPECT_EQ(story.outcome("S6"), "violated");
  story.contract.exit = Contract::Exit::kDrains;
  EXPECT_EQ(story.outcome("S6"), "not exercised");
}

TEST(DroppedPoolIsReleased, DoesNotApplyByContract) {
  auto story = dropped().after(1500ms).ends(4);
  story.contract.drop_ends_pool = false;
  EXPECT_EQ(story.exits().outcome("S6"), "not applicable");
}

/// A pool of one worker, 3, which main drops in a cycle in step 3; step 4 collects.
Story tangled() {
  Story story({create(1), submit(1), drop(), of_kind(StepKind::kCollect)});
  story.scenario.steps[2].farewell = harness::Farewell::kCycle;
  return story.begins(1).born(3).ends(1).begins(2).task(1, 3).ends(2).step(3);
}

TEST(DroppedPoolIsReleased, AsksOfACycleThatItGoesOnceItIsCollected) {
  auto story = tangled();
  story.after(3000ms).begins(4).dies(3).ends(4).exits();
  EXPECT_EQ(story.outcome("S6"), "held");
  EXPECT_TRUE(story.violated().empty()) << story.violated()[0];
}

TEST(DroppedPoolIsReleased, IsViolatedByACollectedPoolWhoseWorkersStay) {
  auto story = tangled();
  story.step(4).after(1500ms).exits();
  EXPECT_EQ(story.outcome("S6"), "violated");
  EXPECT_NE(story.says("S6").find("collect (step 4) has returned"), std::string::npos);
}

TEST(DroppedPoolIsReleased, SaysNothingOfACycleThatNobodyCollects) {
  auto story = tangled();
  story.scenario.steps.pop_back();
  EXPECT_EQ(story.after(3000ms).exits().outcome("S6"), "not exercised");
}

/// Nobody is there for it to find.
TEST(DroppedPoolIsReleased, SaysNothingOfACollectOfAPoolInUse) {
  Story story({create(1), submit(1), of_kind(StepKind::kCollect)});
  story.begins(1).born(3).ends(1).begins(2).task(1, 3).ends(2).step(3).after(3000ms).exits();
  EXPECT_EQ(story.outcome("S6"), "not exercised");
}

/// The first of two calls at once may fail alone, for a reason that other rules judge.
TEST(EndingsAreIdempotent, LeavesWhatOneCallMayFailOf) {
  for (const bool raises : {false, true}) {
    auto twice = terminate();
    twice.caller = harness::Caller::kThreads;
    Story story({create(1), submit(1), twice});
    if (raises) story.scenario.steps[1].callback = harness::Callback::kRaises;
    story.begins(1).born(3).ends(1).step(2).task(1, 3);
    if (raises) story.calls_back(1, "value");
    story.step(3, result(Kind::kError)).exits();
    EXPECT_EQ(story.outcome("S3"), raises ? "not exercised" : "violated");
    EXPECT_EQ(story.outcome("S4"), "violated");
  }
}

// ---- Idle workers -------------------------------------------------------------------------------

/// A pool of two, of whom 4 never has a task.
Story with_an_idle_worker(std::vector<harness::Step> more) {
  std::vector<harness::Step> steps{create(2), submit(1)};
  steps.insert(steps.end(), more.begin(), more.end());
  Story story(steps);
  story.begins(1).born(3).born(4).ends(1).step(2).task(1, 3);
  return story;
}

TEST(IdleWorkers, AreKnownByTheNumberThatWasAskedFor) {
  auto stays = with_an_idle_worker({terminate(), join()});
  stays.step(3)
      .begins(4)
      .dies(3)
      .ends(4)
      .add(harness::Snapshot{.step = 4, .processes = {{4, 'S', 2}}})
      .exits();
  EXPECT_EQ(stays.outcome("S4"), "violated");
  auto dropped = with_an_idle_worker({drop(), sleep_for(1500ms)});
  dropped.begins(3).dies(3).ends(3).begins(4).after(1500ms).ends(4).exits();
  EXPECT_EQ(dropped.outcome("S6"), "violated");
}

/// Who is one too many may look after the workers, and so may who executes a program of its own.
TEST(IdleWorkers, AreNoHelpers) {
  Story helped({create(1), submit(1), drop(), sleep_for(1500ms)});
  helped.begins(1).born(3).born(4).ends(1).step(2).task(1, 3).begins(3).dies(3).ends(3);
  EXPECT_EQ(helped.begins(4).after(1500ms).ends(4).exits().outcome("S6"), "held");
  auto executed = with_an_idle_worker({drop(), sleep_for(1500ms)});
  executed.trace.events.insert(
      executed.trace.events.end() - 2,
      harness::Event{executed.trace.events.back().at, harness::Execed{4, "/bin/helper"}});
  executed.begins(3).dies(3).ends(3).begins(4).after(1500ms).ends(4).exits();
  EXPECT_EQ(executed.outcome("S6"), "held");
}

// ---- S11 ----------------------------------------------------------------------------------------

TEST(LegalCallsAreTaken, IsViolatedByARefusalWithoutAReason) {
  Story submits({create(1), submit(1)});
  EXPECT_EQ(submits.step(1).step(2, result(Kind::kRefused)).exits().outcome("S11"), "violated");
  Story joins({create(1), close(), join()});
  joins.step(1).step(2).step(3, result(Kind::kError)).exits();
  EXPECT_EQ(joins.outcome("S11"), "violated");
  EXPECT_EQ(
      joins.says("S11"),
      "join (step 3) gave error  \"\", though the pool may take it and nothing has gone wrong "
      "before");
}

TEST(LegalCallsAreTaken, LeavesWhatHasAReason) {
  const auto after = [](std::vector<harness::Step> steps, auto change) {
    Story story(std::move(steps));
    story.begins(1).born(3).ends(1);
    change(story);
    return story.step(3, result(Kind::kError)).exits().outcome("S11");
  };
  const auto plainly = [](Story& story) { story.step(2); };
  EXPECT_EQ(after({create(1), submit(1), submit(2)}, plainly), "violated");
  EXPECT_EQ(after({create(1), submit(1), submit(2)},
                  [](Story& story) { story.step(2).dies(3, Killed{9}); }),
            "held");
  EXPECT_EQ(after({create(1), submit(1), submit(2)},
                  [](Story& story) { story.step(2).hit("main:write:1=EPIPE"); }),
            "held");
  EXPECT_EQ(after({create(1), submit(1), submit(2)},
                  [](Story& story) {
                    story.scenario.steps[1].callback = harness::Callback::kTerminates;
                    story.step(2).task(1, 3).calls_back(1, "value");
                  }),
            "not exercised");
  EXPECT_EQ(after({create(1), submit(1), submit(2)},
                  [](Story& story) {
                    story.scenario.steps[1].callback = harness::Callback::kRaises;
                    story.step(2).task(1, 3).calls_back(1, "value");
                  }),
            "held");
  EXPECT_EQ(after({create(1), submit(1, BodyKind::kRaise), submit(2)},
                  [](Story& story) { story.step(2).begins_task(1, 3).ends_task(1, 3, "raised"); }),
            "held");
  EXPECT_EQ(after({create(1), close(), submit(1)}, plainly), "held") << "S1 has its say";
  EXPECT_EQ(after({create(1), close(), close()}, plainly), "held") << "S3 has its say";
  EXPECT_EQ(after({create(1), terminate(), join()}, plainly), "not exercised") << "S4's affair";
  EXPECT_EQ(after({create(1), close(), join()},
                  [](Story& story) { story.step(2, result(Kind::kError)); }),
            "violated")
      << "of the close, not of the join";
}

}  // namespace
}  // namespace poolproof::properties
