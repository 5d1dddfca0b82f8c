#include <gtest/gtest.h>

#include <csignal>

#include "properties/rules/made_trace.h"

namespace poolproof::properties {
namespace {

using namespace std::chrono_literals;
using harness::ChildEnd;
using harness::End;
using harness::OwnChild;
using sys::Exited;
using sys::Killed;

harness::Step fork(ChildEnd end = ChildEnd::kReturn) {
  harness::Step step{.kind = harness::StepKind::kFork};
  step.child_end = end;
  return step;
}

/// A pool of one worker, 3; main has forked its own child, 9, in step 2.
Story forking(ChildEnd end = ChildEnd::kReturn) {
  Story story({create(1), fork(end), submit(1), get(1)});
  story.begins(1).born(3).ends(1).begins(2).born(9).add(OwnChild{Story::kMain, 9});
  return story;
}
Story& goes_on(Story& story) {
  return story.step(3).begins(4).task(1, 3).ends(4, value("none")).exits();
}

TEST(ForkedChildDoesNoHarm, IsHeldWhenTheChildJustEnds) {
  auto story = forking();
  story.dies(9).ends(2, value("exited 0"));
  EXPECT_EQ(goes_on(story).outcome("S8"), "held");
  EXPECT_TRUE(story.violated().empty());
}

TEST(ForkedChildDoesNoHarm, IsHeldWhenItDiesAsItShould) {
  auto story = forking(ChildEnd::kSigkill);
  story.dies(9, Killed{SIGKILL}).ends(2, value("killed 9"));
  EXPECT_EQ(goes_on(story).outcome("S8"), "held");
}

TEST(ForkedChildDoesNoHarm, IsViolatedByAChildWhosePoolFails) {
  auto well = forking(ChildEnd::kPools);
  well.dies(9).ends(2, value("exited 0"));
  EXPECT_EQ(goes_on(well).outcome("S8"), "held");
  auto story = forking(ChildEnd::kPools);
  story.dies(9).ends(2, value("exited 1"));
  EXPECT_EQ(goes_on(story).outcome("S8"), "violated");
  EXPECT_EQ(story.says("S8"), "the child of fork (step 2) exited 1, not exited 0");
}

TEST(ForkedChildDoesNoHarm, IsViolatedByACopyThatHangsTheChild) {
  auto well = forking(ChildEnd::kSubmits);
  well.dies(9).ends(2, value("exited 0"));
  EXPECT_EQ(goes_on(well).outcome("S8"), "held");
  auto story = forking(ChildEnd::kSubmits);
  story.at_rest().over(End::kAtRest);
  EXPECT_EQ(story.says("S8"), "the child of fork (step 2) does not end");
}

/// A worker of a pool in use does not go of its own accord, unless it has a quota.
TEST(ForkedChildDoesNoHarm, IsViolatedByACopyThatTellsTheWorkersToGo) {
  for (const bool has_quota : {false, true}) {
    auto story = forking(ChildEnd::kEndsPool);
    if (has_quota) story.scenario.steps[0].quota = 1;
    story.begins_task(7, 3).dies(3).dies(9).ends(2, value("exited 0")).step(3).exits();
    EXPECT_EQ(story.outcome("S8"), has_quota ? "held" : "violated");
  }
}

/// Its worker may be older than main's word whose child its parent is.
TEST(ForkedChildDoesNoHarm, IsViolatedByATaskOfMainsInACopysWorker) {
  Story story({create(1), fork(ChildEnd::kSubmits), submit(1), get(1)});
  story.begins(1).born(3).ends(1).begins(2).born(9).born(10, 9).add(OwnChild{Story::kMain, 9});
  story.dies(9).ends(2, value("exited 0")).step(3).begins(4).task(1, 10).ends(4, value("none"));
  story.dies(10).exits();
  EXPECT_EQ(story.says("S8"), "task 1 was run by 10, which a child of main's own has made");
}

/// A copy that is as good as the pool comes to nothing where the pool would not.
TEST(ForkedChildDoesNoHarm, BlamesNoCopyThatWaitsBehindATaskThatNeverEnds) {
  Story story({create(1), submit(1, harness::BodyKind::kNever), fork(ChildEnd::kSubmits)});
  story.begins(1).born(3).ends(1).step(2).begins_task(1, 3).begins(3).born(9);
  story.add(OwnChild{Story::kMain, 9}).at_rest().over(End::kAtRest);
  EXPECT_EQ(story.outcome("S8"), "not exercised");
  EXPECT_NE(story.outcome("P1"), "violated");
}

/// Its death is no loss of the pool's: no rule may take it for a reason.
TEST(ForkedChildDoesNoHarm, AnOwnChildIsNobodysWorker) {
  auto story = forking(ChildEnd::kSigkill);
  story.dies(9, Killed{SIGKILL}).ends(2, value("killed 9")).step(3);
  story.begins(4).at_rest().over(End::kAtRest);
  EXPECT_EQ(story.outcome("P1"), "violated");
  EXPECT_EQ(story.outcome("T6"), "not exercised");
}

TEST(ForkedChildDoesNoHarm, IsViolatedByAnotherEndOfTheChild) {
  auto story = forking();
  story.dies(9, Killed{SIGSEGV}).ends(2, value("killed 11"));
  EXPECT_EQ(goes_on(story).outcome("S8"), "violated");
  EXPECT_EQ(story.says("S8"), "the child of fork (step 2) killed 11, not exited 0");
}

TEST(ForkedChildDoesNoHarm, IsViolatedByAWorkerThatDiesMeanwhile) {
  auto story = forking();
  story.begins_task(1, 3);  // whatever: it is known as a worker
  story.dies(3, Killed{SIGTERM}).dies(9).ends(2, value("exited 0")).step(3).exits();
  EXPECT_EQ(story.outcome("S8"), "violated");
  EXPECT_EQ(story.says("S8"), "worker 3 killed by SIGTERM in step 2 while main's own child ended");
}

TEST(ForkedChildDoesNoHarm, BlamesNobodyForADeathThatHasAnotherReason) {
  Story quota({create(1), submit(1), fork()});
  quota.scenario.steps[0].quota = 1;
  quota.begins(1).born(3).ends(1).step(2).begins(3).born(9).add(OwnChild{Story::kMain, 9});
  quota.task(1, 3).dies(3).dies(9).ends(3, value("exited 0")).exits();
  EXPECT_EQ(quota.outcome("S8"), "held");
}

/// Who is killed with a task that main took back dies when it gets to it.
TEST(ForkedChildDoesNoHarm, BlamesNobodyForADeathByACancel) {
  for (const bool cancels : {true, false}) {
    auto step = of_kind(harness::StepKind::kCancel);
    step.task = 1;
    if (!cancels) step = workers();
    Story story({create(1), submit(1, harness::BodyKind::kNever), step, fork()});
    story.begins(1).born(3).ends(1).step(2).begins_task(1, 3);
    story.step(3, cancels ? value("true") : listing({{3, "", {}, {}}}));
    story.begins(4).born(9).add(OwnChild{Story::kMain, 9}).dies(3, Killed{SIGKILL}).dies(9);
    story.ends(4, value("exited 0")).exits();
    EXPECT_EQ(story.outcome("S8"), cancels ? "held" : "violated");
  }
}

/// One that main has ended may take its time, and dies when it gets to it.
TEST(ForkedChildDoesNoHarm, BlamesNobodyForADeathInAnotherPoolOfMains) {
  for (const bool beside : {true, false}) {
    auto step = beside ? harness::Step{.kind = harness::StepKind::kNeighbour} : workers();
    step.neighbour = harness::Neighbour::kEnds;
    Story story({create(1), step, fork(ChildEnd::kEndsPool)});
    story.begins(1).born(3).ends(1).begins(2).born(4).ends(2);
    story.begins(3).born(9).add(OwnChild{Story::kMain, 9}).dies(4).dies(9);
    EXPECT_EQ(story.ends(3, value("exited 0")).exits().outcome("S8"), beside ? "held" : "violated");
  }
}

/// Which one goes, how and when, is the pool's to choose.
TEST(ForkedChildDoesNoHarm, BlamesNobodyForADeathByAResize) {
  for (const bool resized : {true, false}) {
    auto step = workers();
    if (resized) step = {.kind = harness::StepKind::kResize, .workers = 1};
    Story story({create(3), step, fork()});
    story.begins(1).born(3).born(4).born(5).ends(1).step(2);
    story.begins(3).born(9).add(OwnChild{Story::kMain, 9}).dies(3, Killed{SIGKILL}).dies(9);
    EXPECT_EQ(story.ends(3, value("exited 0")).exits().outcome("S8"),
              resized ? "held" : "violated");
  }
}

/// To make and to end a pool takes as long as it does; that it never ends is proved.
TEST(ForkedChildDoesNoHarm, CallsNoChildAHangThatIsBusyWithAPoolOfItsOwn) {
  for (const auto end : {ChildEnd::kReturn, ChildEnd::kPools}) {
    auto slow = forking(end);
    slow.after(5s).over(End::kFuse);
    EXPECT_EQ(slow.outcome("S8"), end == ChildEnd::kPools ? "inconclusive" : "violated");
    auto hanging = forking(end);
    EXPECT_EQ(hanging.at_rest().over(End::kAtRest).outcome("S8"), "violated");
  }
}

/// S9 sees to what a task error costs.
TEST(ForkedChildDoesNoHarm, BlamesNobodyForADeathThatATaskErrorMayExplain) {
  Story story({create(1), submit(1, harness::BodyKind::kRaise), fork()});
  story.begins(1).born(3).ends(1).step(2).begins_task(1, 3).ends_task(1, 3, "raised");
  story.begins(3).born(9).add(OwnChild{Story::kMain, 9}).dies(3, Killed{SIGTERM}).dies(9);
  EXPECT_EQ(story.ends(3, value("exited 0")).exits().outcome("S8"), "held");
}

TEST(ForkedChildDoesNoHarm, AFaultThatHitsTheChildIsNotThePools) {
  auto story = forking();
  story.scenario.fault = *harness::fault_from_string("main.2:*:3=SIGKILL");
  story.hit("main.2:*:3=SIGKILL", 9).dies(9, Killed{SIGKILL}).ends(2, value("killed 9"));
  EXPECT_EQ(goes_on(story).outcome("S8"), "not exercised");
}

TEST(ForkedChildDoesNoHarm, SeesAWorkerOfAClosedPoolDie) {
  Story story({create(1), submit(1, harness::BodyKind::kNever), close(), fork()});
  story.begins(1).born(3).ends(1).step(2).begins_task(1, 3).step(3).begins(4).born(9);
  story.add(OwnChild{Story::kMain, 9});
  const auto killed_by = [&](harness::Pid killer) {
    auto killed = story;
    killed.add(harness::Signalled{3, SIGTERM, killer}).dies(3, Killed{SIGTERM}).dies(9);
    return killed.ends(4, value("exited 0")).exits().outcome("S8");
  };
  EXPECT_EQ(killed_by(9), "violated");
  EXPECT_EQ(killed_by(Story::kMain), "held");  // what a pool does to its own is another rule's
  EXPECT_EQ(killed_by(0), "held");             // nobody knows
}

/// A death by SIGKILL is recorded where the worker was last known to live, which may be in the
/// step.
TEST(ForkedChildDoesNoHarm, ADeathThatWasSeenAfterTheStepIsNotTheChilds) {
  Story story({create(1), fork(), submit(1)});
  story.begins(1).born(3).ends(1).begins(2).born(9).add(OwnChild{Story::kMain, 9});
  auto later = story;
  story.dies(3, Killed{SIGKILL}).dies(9).ends(2, value("exited 0")).step(3).exits();
  EXPECT_EQ(story.outcome("S8"), "violated");
  later.add(harness::Dying{3, Killed{SIGKILL}}).dies(9).ends(2, value("exited 0")).step(3);
  later.ending().dies(Story::kMain).add(harness::Dead{3, Killed{SIGKILL}}).eof();
  EXPECT_EQ(later.outcome("S8"), "held") << later.says("S8");
}

TEST(ForkedChildDoesNoHarm, IsViolatedByAChildThatDoesNotEnd) {
  auto story = forking();
  story.at_rest().over(End::kAtRest);
  EXPECT_EQ(story.outcome("S8"), "violated");
  EXPECT_EQ(story.says("S8"), "the child of fork (step 2) does not end");
}

TEST(ForkedChildDoesNoHarm, IsNotExercisedWithoutAPool) {
  Story story({fork()});
  story.begins(1).born(9).add(OwnChild{Story::kMain, 9}).dies(9).ends(1, value("exited 0"));
  EXPECT_EQ(story.exits().outcome("S8"), "not exercised");
}

// ---- S7 -----------------------------------------------------------------------------------------

Story leaving(harness::Farewell farewell) {
  Story story({create(1), submit(1), drop(), sleep_for(std::chrono::milliseconds(1500))});
  story.scenario.steps[2].farewell = farewell;
  return story.begins(1).born(3).ends(1).step(2).task(1, 3);
}

TEST(ScopeEndsThePool, IsHeldWhenTheWorkersGoAndTheErrorArrives) {
  for (const auto farewell : {harness::Farewell::kScope, harness::Farewell::kScopeError}) {
    auto story = leaving(farewell);
    story.step(3).dies(3).begins(4).after(std::chrono::milliseconds(1500)).ends(4).exits();
    EXPECT_EQ(story.outcome("S7"), "held");
    EXPECT_EQ(story.outcome("S6"), "not exercised");
  }
}

TEST(ScopeEndsThePool, IsViolatedByAWorkerThatStays) {
  auto story = leaving(harness::Farewell::kScopeError);
  story.step(3).begins(4).after(std::chrono::milliseconds(1500)).ends(4).exits();
  EXPECT_EQ(story.outcome("S7"), "violated");
}

TEST(ScopeEndsThePool, IsViolatedByAnErrorThatDoesNotArrive) {
  auto story = leaving(harness::Farewell::kScopeError);
  story.step(3, result(harness::StepResult::Kind::kError, "the error did not arrive")).dies(3);
  story.step(4).exits();
  EXPECT_EQ(story.outcome("S7"), "violated");
}

TEST(ScopeEndsThePool, IsViolatedByABlockThatIsNeverLeft) {
  auto story = leaving(harness::Farewell::kScope);
  story.begins(3).at_rest().over(End::kAtRest);
  EXPECT_EQ(story.outcome("S7"), "violated");
}

/// The block is left while a task is at work in process 3.
Story leaving_a_busy_pool(harness::BodyKind body) {
  Story story({create(1), submit(1, body, body == harness::BodyKind::kSleep ? 50 : 0), drop(),
               sleep_for(std::chrono::milliseconds(1500))});
  story.scenario.steps[2].farewell = harness::Farewell::kScope;
  return story.begins(1).born(3).ends(1).step(2).begins_task(1, 3);
}

TEST(ScopeEndsThePool, ATaskIsNoReasonToStayWhereTheBlockTerminates) {
  auto story = leaving_a_busy_pool(harness::BodyKind::kNever);
  story.step(3).begins(4).after(std::chrono::milliseconds(1500)).ends(4).exits();
  EXPECT_EQ(story.outcome("S7"), "violated");
  EXPECT_NE(story.says("S7").find("is alive"), std::string::npos) << story.says("S7");
}

TEST(ScopeEndsThePool, MayWaitForATaskWhereTheBlockDrains) {
  auto story = leaving_a_busy_pool(harness::BodyKind::kNever);
  story.begins(3).at_rest().over(End::kAtRest);
  EXPECT_EQ(story.outcome("S7"), "violated");
  story.contract.scope = Contract::Scope::kDrains;
  EXPECT_EQ(story.outcome("S7"), "not exercised");
}

TEST(ScopeEndsThePool, AsksForEveryTaskWhereTheBlockDrains) {
  auto story = leaving_a_busy_pool(harness::BodyKind::kSleep);
  story.contract.scope = Contract::Scope::kDrains;
  auto drained = story;
  drained.begins(3).ends_task(1, 3).dies(3).ends(3).step(4).exits();
  EXPECT_EQ(drained.outcome("S7"), "held");
  auto cut = story;
  cut.begins(3).ends(3).dies(3).step(4).exits();
  EXPECT_EQ(cut.outcome("S7"), "violated");
  cut.contract.scope = Contract::Scope::kTerminates;
  EXPECT_EQ(cut.outcome("S7"), "held");
}

TEST(ScopeEndsThePool, SaysNothingOfAPoolThatWasNeverMade) {
  Story story({create(1), drop()});
  story.scenario.steps[1].farewell = harness::Farewell::kScope;
  story.step(1, result(harness::StepResult::Kind::kError, "no semaphores here"));
  story.step(2, result(harness::StepResult::Kind::kRefused, "no pool")).exits();
  EXPECT_EQ(story.outcome("S7"), "not exercised");
}

TEST(ScopeEndsThePool, APlainDropIsNoScope) {
  auto story = leaving(harness::Farewell::kPlain);
  story.step(3).begins(4).after(std::chrono::milliseconds(1500)).ends(4).exits();
  EXPECT_EQ(story.outcome("S7"), "not exercised");
  EXPECT_EQ(story.outcome("S6"), "violated");
}

}  // namespace
}  // namespace poolproof::properties
