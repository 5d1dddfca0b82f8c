#include <gtest/gtest.h>

#include <csignal>

#include "properties/rules/made_trace.h"

namespace poolproof::properties {
namespace {

using namespace std::chrono_literals;
using harness::BodyKind;
using harness::End;
using harness::EndingKind;
using harness::Snapshot;
using harness::Victim;
using sys::Exited;
using sys::Killed;

Story with_one_worker(EndingKind ending = EndingKind::kReturn) {
  Story story({create(1), submit(1), get(1)}, ending);
  story.begins(1).born(3).ends(1).step(2).begins(3).task(1, 3).ends(3, value("none"));
  return story;
}

// ---- W1 -----------------------------------------------------------------------------------------

TEST(NoWorkerOutlivesParent, IsHeldWhenAllDieInTime) {
  auto after_main = with_one_worker(EndingKind::kSigkill).ending().dies(Story::kMain, Killed{9});
  EXPECT_EQ(after_main.after(900ms).dies(3, Killed{9}).eof().outcome("W1"), "held");
}

TEST(NoWorkerOutlivesParent, IsNotExercisedWithoutOtherProcesses) {
  Story story({create(1)});
  EXPECT_EQ(story.step(1).exits().outcome("W1"), "not exercised");
}

TEST(NoWorkerOutlivesParent, IsNotExercisedWhereNobodyIsLeftWhenMainDies) {
  EXPECT_EQ(with_one_worker().exits().outcome("W1"), "not exercised");
}

TEST(NoWorkerOutlivesParent, IsHeldByWhoDiesWhileMainDoes) {
  auto story = with_one_worker(EndingKind::kSigkill).ending();
  story.add(harness::Dying{Story::kMain, Killed{9}}).dies(3, Killed{9});
  story.add(harness::Dead{Story::kMain, Killed{9}}).eof();
  EXPECT_EQ(story.outcome("W1"), "held");
}

TEST(NoWorkerOutlivesParent, IsNotExercisedWhileMainLives) {
  EXPECT_EQ(with_one_worker().over(End::kFuse).outcome("W1"), "not exercised");
}

TEST(NoWorkerOutlivesParent, IsViolatedAtOnceByOneThatCanNeverWake) {
  auto story = with_one_worker(EndingKind::kSigkill).ending().dies(Story::kMain, Killed{9});
  story.at_rest().over(End::kAtRest);
  EXPECT_EQ(story.outcome("W1"), "violated");
  EXPECT_EQ(story.says("W1"),
            "main is gone, and worker 3 is asleep for ever: nothing can wake it: worker 3 waits in "
            "read(pipe:[7])");
}

TEST(NoWorkerOutlivesParent, IsViolatedByOneThatDiesTooLate) {
  auto story = with_one_worker().ending().dies(Story::kMain).after(1100ms).dies(3).eof();
  EXPECT_EQ(story.outcome("W1"), "violated");
}

TEST(NoWorkerOutlivesParent, IsViolatedByOneThatTheWardenHadToKill) {
  auto story = with_one_worker().ending().dies(Story::kMain).after(1100ms).over(End::kGrace);
  EXPECT_EQ(story.outcome("W1"), "violated");
  EXPECT_EQ(story.says("W1"), "worker 3 outlived main by 1.1 s and was still alive");
}

TEST(NoWorkerOutlivesParent, CountsHelpersToo) {
  auto story = with_one_worker().born(4).ending().dies(3).dies(Story::kMain);
  EXPECT_EQ(story.after(1100ms).over(End::kGrace).outcome("W1"), "violated");
}

TEST(NoWorkerOutlivesParent, IsInconclusiveWithinTheGrace) {
  auto story = with_one_worker().ending().dies(Story::kMain).after(500ms).over(End::kFuse);
  EXPECT_EQ(story.outcome("W1"), "inconclusive");
}

TEST(NoWorkerOutlivesParent, LeavesOutTheMachinesDelay) {
  auto story = with_one_worker().ending().dies(Story::kMain).after(1100ms);
  EXPECT_EQ(story.add(harness::Delay{300ms}).over(End::kFuse).outcome("W1"), "inconclusive");
}

TEST(NoWorkerOutlivesParent, KeepsToTheContractsGrace) {
  auto story = with_one_worker().ending().dies(Story::kMain).after(1100ms).dies(3).eof();
  story.contract.grace = 2s;
  EXPECT_EQ(story.outcome("W1"), "held");
}

// ---- W2 -----------------------------------------------------------------------------------------

TEST(WorkersAreDaemons, IsHeldByAPromptExitWithLiveWorkers) {
  EXPECT_EQ(with_one_worker().exits().outcome("W2"), "held");
}

TEST(WorkersAreDaemons, IsNotExercisedWithoutLiveWorkers) {
  EXPECT_EQ(with_one_worker().dies(3).exits().outcome("W2"), "not exercised");
  EXPECT_EQ(with_one_worker(EndingKind::kSigkill).exits(Killed{9}).outcome("W2"), "not exercised");
}

TEST(WorkersAreDaemons, IsViolatedByALateExit) {
  auto story = with_one_worker().ending().after(1100ms).dies(3).dies(Story::kMain).eof();
  EXPECT_EQ(story.outcome("W2"), "violated");
}

TEST(WorkersAreDaemons, IsViolatedByAnExitThatNeverComes) {
  EXPECT_EQ(with_one_worker().ending().at_rest().over(End::kAtRest).outcome("W2"), "violated");
  EXPECT_EQ(with_one_worker().ending().over(End::kFuse).outcome("W2"), "inconclusive");
}

TEST(WorkersAreDaemons, BelievesWhatThePoolReports) {
  Story story({create(1), workers()});
  story.begins(1).born(3).ends(1).step(2, listing({{.pid = 3, .daemon = false}})).dies(3).exits();
  EXPECT_EQ(story.outcome("W2"), "violated");
  story.contract.workers_are_daemons = false;
  EXPECT_EQ(story.outcome("W2"), "not exercised");
  story.contract.exit = Contract::Exit::kDrains;
  EXPECT_EQ(story.outcome("W2"), "not applicable");
}

TEST(WorkersAreDaemons, LetsADrainingPoolDelayTheExit) {
  auto story = with_one_worker().ending().after(1100ms).dies(3).dies(Story::kMain).eof();
  story.contract.exit = Contract::Exit::kDrains;
  EXPECT_EQ(story.outcome("W2"), "not exercised");
}

// ---- W3 -----------------------------------------------------------------------------------------

Story joined_with(std::vector<Snapshot::Process> table) {
  Story story({create(1), submit(1), get(1), close(), join()});
  story.begins(1).born(3).ends(1).step(2).begins(3).task(1, 3).ends(3, value("none"));
  story.step(4).begins(5).dies(3).ends(5).add(Snapshot{.step = 5, .processes = std::move(table)});
  return story;
}

TEST(NoZombieLeft, IsHeldWhenJoinReapedAll) {
  EXPECT_EQ(joined_with({{2, 'S', 1}}).exits().outcome("W3"), "held");
}

TEST(NoZombieLeft, IsViolatedByADeadWorkerOfMain) {
  auto story = joined_with({{2, 'S', 1}, {3, 'Z', 2}}).exits();
  EXPECT_EQ(story.outcome("W3"), "violated");
  EXPECT_EQ(story.says("W3"),
            "join (step 5) has returned, but worker 3 is dead and not reaped by main 2");
}

TEST(NoZombieLeft, DoesNotBlameThePoolForWhatInitMustReap) {
  EXPECT_EQ(joined_with({{2, 'S', 1}, {3, 'Z', 1}}).exits().outcome("W3"), "held");
}

TEST(NoZombieLeft, DoesNotBlameThePoolForWhatAWrapperLeftToMain) {
  Story story({create(1), terminate(), join()});
  story.born(9).dies(9).begins(1).born(3).ends(1).step(2).begins(3).dies(3, Killed{9}).ends(3);
  story.add(Snapshot{.step = 3, .processes = {{2, 'S', 1}, {9, 'Z', 2}}}).exits();
  EXPECT_EQ(story.outcome("W3"), "not exercised");
}

/// The worker lives on when join, of a closed pool, has returned.
Story joined_alive(char state) {
  Story story({create(1), submit(1), get(1), close(), join()});
  story.begins(1).born(3).ends(1).step(2).begins(3).task(1, 3).ends(3, value("none"));
  story.step(4).step(5).add(Snapshot{.step = 5, .processes = {{2, 't', 1}, {3, state, 2}}});
  return story.dies(3).exits();
}

/// Who was born while main made another pool may be that one's.
TEST(NoZombieLeft, DoesNotBlameThePoolForItsNeighbours) {
  const auto outcome = [](bool in_the_step) {
    Story story({create(1), of_kind(harness::StepKind::kNeighbour), terminate(), join()});
    story.begins(1).born(3).ends(1);
    if (!in_the_step) story.born(9);
    story.begins(2);
    if (in_the_step) story.born(9);
    story.dies(9).ends(2).begins(3).dies(3, Killed{SIGTERM}).ends(3).begins(4).ends(4);
    return story.add(Snapshot{.step = 4, .processes = {{2, 'S', 1}, {9, 'Z', 2}}})
        .exits()
        .outcome("W3");
  };
  EXPECT_EQ(outcome(false), "violated");
  EXPECT_NE(outcome(true), "violated");
}

TEST(NoZombieLeft, IsViolatedByAJoinThatLeavesAWorkerAlive) {
  EXPECT_EQ(joined_alive('S').outcome("W3"), "violated");
  EXPECT_EQ(joined_alive('S').says("W3"), "join (step 5) has returned, but worker 3 is alive");
  EXPECT_EQ(joined_alive('t').outcome("W3"), "held");
}

TEST(NoZombieLeft, AsksNothingOfAJoinThatDoesNotWait) {
  auto story = joined_alive('S');
  story.contract.join_waits = false;
  EXPECT_EQ(story.outcome("W3"), "not exercised");
}

TEST(NoZombieLeft, LeavesAJoinOfARunningPoolToTheRuleThatRefusesIt) {
  auto story = joined_alive('S');
  story.scenario.steps[3] = workers();
  EXPECT_EQ(story.outcome("W3"), "held");
  story.contract.join_needs_close = false;
  EXPECT_EQ(story.outcome("W3"), "violated");
}

TEST(NoZombieLeft, IsNotExercisedWithoutJoin) {
  EXPECT_EQ(with_one_worker().exits().outcome("W3"), "not exercised");
}

TEST(NoZombieLeft, LooksAtATreeAtRestToo) {
  auto story = with_one_worker();
  story.scenario.steps.push_back(submit(2));
  story.begins(4).dies(3).at_rest().add(
      Snapshot{.step = 0, .processes = {{3, 'Z', 2}, {2, 'S', 1}}});
  EXPECT_EQ(story.over(End::kAtRest).outcome("W3"), "violated");
}

// ---- W4 -----------------------------------------------------------------------------------------

/// Main is killed in its own fork, after the child was born.
TEST(NoWorkerOutlivesParent, AsksNothingOfAChildThatMainHadNoTimeToClaim) {
  auto fork = of_kind(harness::StepKind::kFork);
  fork.child_end = harness::ChildEnd::kStays;
  Story story({create(1), submit(1), get(1), fork});
  story.begins(1).born(3).ends(1).step(2).begins(3).task(1, 3).ends(3, value("none"));
  story.begins(4).born(6);
  auto claimed = story;
  story.hit("main:write(file):7=SIGKILL").dies(Story::kMain, Killed{9}).dies(3, Killed{9});
  story.at_rest().over(End::kAtRest);
  EXPECT_EQ(story.outcome("W1"), "held");
  EXPECT_NE(story.outcome("P3"), "violated");
  // Who was claimed is the one: others that main made meanwhile are the pool's.
  claimed.add(harness::OwnChild{Story::kMain, 6}).born(7).dies(Story::kMain, Killed{9});
  claimed.dies(3, Killed{9}).at_rest().over(End::kAtRest);
  EXPECT_EQ(claimed.outcome("W1"), "violated");
}

TEST(WorkerCountIsBounded, IsHeldByOneAfterTheOther) {
  Story story({create(1), submit(1), submit(2)});
  story.begins(1).born(3).ends(1).step(2).begins_task(1, 3).dies(3, Killed{9});
  story.born(4).step(3).task(2, 4).exits();
  EXPECT_EQ(story.outcome("W4"), "held");
}

TEST(WorkerCountIsBounded, IsViolatedByTwoOfOne) {
  Story story({create(1), submit(1), submit(2)});
  story.begins(1).born(3).born(4).ends(1).step(2).step(3).task(1, 3).task(2, 4).exits();
  EXPECT_EQ(story.outcome("W4"), "violated");
  EXPECT_EQ(story.says("W4"), "2 workers are alive at once, of a pool of 1: 3, 4");
}

TEST(WorkerCountIsBounded, DoesNotCountProcessesThatNeverWorked) {
  EXPECT_EQ(with_one_worker().born(4).born(5).exits().outcome("W4"), "held");
}

namespace {

/// A pool of two is resized to `wanted`, and lists `listed` workers `later`.
Story resized(int wanted, std::vector<harness::Pid> listed, std::chrono::milliseconds later) {
  auto resize = of_kind(harness::StepKind::kResize);
  resize.workers = wanted;
  Story story({create(2), submit(1), get(1), resize, workers()});
  story.begins(1).born(3).born(4).ends(1).step(2).begins(3).task(1, 3).ends(3, value("none"));
  story.step(4).after(later);
  std::vector<harness::StepResult::Listed> told;
  for (const auto pid : listed) told.push_back({.pid = pid});
  return story.step(5, listing(std::move(told)));
}

}  // namespace

TEST(WorkerCountIsBounded, IsHeldByAPoolThatBecomesWhatItIsAskedToBe) {
  EXPECT_EQ(resized(1, {3}, 1500ms).exits().outcome("W4"), "held");
}

TEST(WorkerCountIsBounded, IsViolatedByAPoolThatStaysAsItIs) {
  EXPECT_EQ(resized(1, {3, 4}, 1500ms).exits().says("W4"),
            "resize (step 4) asked for 1 worker, and 1.5 s later workers (step 5) lists 2");
  EXPECT_EQ(resized(3, {3, 4}, 1500ms).exits().outcome("W4"), "violated");
}

TEST(WorkerCountIsBounded, GivesAResizedPoolTheGrace) {
  EXPECT_NE(resized(1, {3, 4}, 900ms).exits().outcome("W4"), "violated");
}

TEST(WorkerCountIsBounded, LetsAResizedPoolReplaceWhoLeavesForItsQuota) {
  auto resize = of_kind(harness::StepKind::kResize);
  resize.workers = 2;
  auto quota = create(1);
  const auto listed = [&](std::optional<int> tasks, std::chrono::milliseconds later) {
    quota.quota = tasks;
    Story story({quota, resize, submit(1), get(1), workers()});
    story.begins(1).born(3).ends(1).begins(2).born(4).ends(2).after(1500ms).step(3);
    story.begins(4).task(1, 3).ends(4, value("none")).dies(3).after(later);
    return story.step(5, listing({{.pid = 4}})).exits().outcome("W4");
  };
  EXPECT_NE(listed(1, 5ms), "violated");
  EXPECT_EQ(listed(1, 1500ms), "violated");
  EXPECT_EQ(listed(std::nullopt, 5ms), "violated");
}

TEST(WorkerCountIsBounded, LetsAResizedPoolStartItsWorkersLate) {
  auto story = resized(3, {3, 4}, 1500ms);
  story.contract.starts_workers_late = true;
  EXPECT_NE(story.exits().outcome("W4"), "violated");
  auto grown = resized(1, {3, 4}, 1500ms);
  grown.contract.starts_workers_late = true;
  EXPECT_EQ(grown.exits().outcome("W4"), "violated");
}

TEST(WorkerCountIsBounded, LetsAResizedPoolFinishWhatItHasInHand) {
  auto resize = of_kind(harness::StepKind::kResize);
  resize.workers = 1;
  const auto listed = [&](bool both_busy) {
    Story story(
        {create(2), submit(1, BodyKind::kNever), submit(2, BodyKind::kNever), resize, workers()});
    story.begins(1).born(3).born(4).ends(1).step(2).begins_task(1, 3).step(3);
    if (both_busy) story.begins_task(2, 4);
    return story.step(4).after(1500ms).step(5, listing({{.pid = 3}, {.pid = 4}})).exits();
  };
  EXPECT_EQ(listed(true).outcome("W4"), "held");
  EXPECT_EQ(listed(false).outcome("W4"), "violated");
}

TEST(WorkerCountIsBounded, IsNotExercisedByTheDefault) {
  auto story = with_one_worker();
  story.scenario.steps[0].workers.reset();
  EXPECT_EQ(story.exits().outcome("W4"), "not exercised");
}

// ---- W5 -----------------------------------------------------------------------------------------

/// A pool without a number, in which so many workers run tasks at once, where main has processors.
Story with_default_count(int workers, const std::string& processors) {
  Story story({of_kind(harness::StepKind::kCreate)});
  auto main = plain_main();
  main.processors = processors;
  story.main_is("started", main).begins(1);
  for (int worker = 1; worker <= workers; ++worker) story.born(2 + worker);
  story.ends(1);
  for (int worker = 1; worker <= workers; ++worker) story.begins_task(worker, 2 + worker);
  return story;
}

TEST(DefaultWorkerCount, IsHeldByAsManyAsProcessors) {
  EXPECT_EQ(with_default_count(2, "0-1").exits().outcome("W5"), "held");
  EXPECT_EQ(with_default_count(4, "0-1,4,6").exits().outcome("W5"), "held");
  EXPECT_EQ(with_default_count(1, "3").exits().outcome("W5"), "held");
}

TEST(DefaultWorkerCount, IsViolatedByMore) {
  const auto story = with_default_count(2, "1").exits();
  EXPECT_EQ(story.violated(), std::vector<std::string>{"W5"});
  EXPECT_EQ(story.says("W5"),
            "a pool that was made without a number has 2 workers at once, where main may use 1 "
            "processor");
}

/// A control group's quota may be why; or others are still to come.
TEST(DefaultWorkerCount, DoesNotJudgeFewer) {
  EXPECT_EQ(with_default_count(1, "0-3").exits().outcome("W5"), "not exercised");
}

TEST(DefaultWorkerCount, IsOfPoolsWithoutANumber) {
  Story story({create(2)});
  story.main_is("started").begins(1).born(3).born(4).born(5).ends(1);
  story.begins_task(1, 3).begins_task(2, 4).begins_task(3, 5);
  EXPECT_EQ(story.exits().outcome("W5"), "not exercised");
}

TEST(DefaultWorkerCount, IsNotJudgedWhereTheProcessorsAreUnknownOrChange) {
  EXPECT_EQ(with_default_count(2, "").exits().outcome("W5"), "not exercised");
  auto story = with_default_count(2, "1");
  EXPECT_EQ(story.main_is("ending").exits().outcome("W5"), "not exercised");
}

/// One that is replaced counts no more.
TEST(DefaultWorkerCount, CountsThoseWhoAreAliveAtOnce) {
  auto story = with_default_count(1, "1").dies(3, sys::Killed{9}).born(4).begins_task(2, 4);
  EXPECT_EQ(story.exits().outcome("W5"), "held");
}

// ---- W6 -----------------------------------------------------------------------------------------

Story with_quota(int quota) {
  auto made = create(1);
  made.quota = quota;
  Story story({made, submit(1), submit(2), close(), join()});
  return story.begins(1).born(3).ends(1).step(2).step(3);
}

TEST(TaskQuotaIsKept, IsHeldByAFreshWorkerForEachTask) {
  auto story =
      with_quota(1).task(1, 3).dies(3).born(4).task(2, 4).step(4).begins(5).dies(4).ends(5);
  EXPECT_EQ(story.exits().outcome("W6"), "held");
}

TEST(TaskQuotaIsKept, IsViolatedByAWorkerThatGoesOn) {
  auto story = with_quota(1).task(1, 3).task(2, 3).step(4).begins(5).dies(3).ends(5).exits();
  EXPECT_EQ(story.outcome("W6"), "violated");
  EXPECT_EQ(story.says("W6"), "process 3 began 2 tasks, of a pool whose workers may run 1");
}

TEST(TaskQuotaIsKept, IsNotExercisedBelowItOrWithoutOne) {
  EXPECT_EQ(with_quota(5).task(1, 3).task(2, 3).step(4).exits().outcome("W6"), "not exercised");
  Story story({create(1), submit(1)});
  EXPECT_EQ(story.step(1).step(2).task(1, 3).exits().outcome("W6"), "not exercised");
}

// ---- W7 -----------------------------------------------------------------------------------------

/// Worker 3 leaves process 4 running, and then is let go; main sleeps on.
Story with_an_orphan() {
  Story story(
      {create(1), submit(1, harness::BodyKind::kLeaveChild), close(), join(), sleep_for(1500ms)});
  story.begins(1).born(3).ends(1).step(2).begins_task(1, 3).born(4, 3).ends_task(1, 3);
  return story.step(3).begins(4).dies(3);
}

TEST(DaemonsHaveNoChildren, IsHeldWhereTheChildDiesWithItsWorker) {
  auto story = with_an_orphan().dies(4, sys::Killed{9}).ends(4).begins(5).after(1500ms).ends(5);
  EXPECT_EQ(story.exits().outcome("W7"), "held");
}

TEST(DaemonsHaveNoChildren, IsViolatedByAChildThatStays) {
  auto stays = with_an_orphan().ends(4).begins(5).after(1500ms).ends(5).exits();
  EXPECT_EQ(stays.outcome("W7"), "violated");
  EXPECT_EQ(stays.says("W7"), "a task's child 4 outlived worker 3 by 1.5 s and is still there");
  auto late = with_an_orphan().ends(4).begins(5).after(1500ms).dies(4).ends(5).exits();
  EXPECT_EQ(late.says("W7"), "a task's child 4 outlived worker 3 by 1.5 s");
}

TEST(DaemonsHaveNoChildren, IsNotExercisedWhereMainEndsBefore) {
  EXPECT_EQ(with_an_orphan().ends(4).exits().outcome("W7"), "not exercised");
  Story lives({create(1), submit(1, harness::BodyKind::kLeaveChild), sleep_for(1500ms)});
  lives.begins(1).born(3).ends(1).step(2).begins_task(1, 3).born(4, 3).ends_task(1, 3).begins(3);
  EXPECT_EQ(lives.after(1500ms).ends(3).exits().outcome("W7"), "not exercised");
}

TEST(DaemonsHaveNoChildren, AreNoAffairOfW1AndE3EitherByContract) {
  for (const bool lives : {true, false}) {
    Story story({create(1), submit(1, harness::BodyKind::kLeaveChild)});
    story.contract.ends_task_children = !lives;
    story.begins(1).born(3).ends(1).step(2).begins_task(1, 3).born(4, 3).ends_task(1, 3);
    story.ending().dies(3).dies(Story::kMain).after(1100ms).over(harness::End::kGrace);
    EXPECT_EQ(story.outcome("W1") == "violated", !lives);
    EXPECT_EQ(story.outcome("E3") == "violated", !lives);
  }
}

TEST(DaemonsHaveNoChildren, DoesNotApplyByContract) {
  auto story = with_an_orphan().ends(4).begins(5).after(1500ms).ends(5);
  story.contract.ends_task_children = false;
  EXPECT_EQ(story.exits().outcome("W7"), "not applicable");
}

// ---- W9 -----------------------------------------------------------------------------------------

Story with_two_workers(std::vector<harness::StepResult::Listed> listed) {
  Story story({create(2), submit(1), submit(2), workers()});
  story.begins(1).born(3).born(4).ends(1).step(2).step(3).task(1, 3).task(2, 4);
  return story.step(4, listing(std::move(listed)));
}

TEST(ActiveChildrenAreTrue, IsHeldWhereListAndKernelAgree) {
  EXPECT_EQ(with_two_workers({{.pid = 3}, {.pid = 4}}).exits().outcome("W9"), "held");
}

TEST(ActiveChildrenAreTrue, IsViolatedByAWorkerLeftOut) {
  auto story = with_two_workers({{.pid = 3}}).after(25ms).exits();
  EXPECT_EQ(story.outcome("W9"), "violated");
  EXPECT_EQ(story.says("W9"), "workers (step 4) leaves out worker 4, which is alive");
  EXPECT_EQ(with_two_workers({{.pid = 3}}).dies(4, Killed{9}).exits().outcome("W9"), "violated");
}

TEST(ActiveChildrenAreTrue, LetsTheListLackWhoIsLeaving) {
  EXPECT_EQ(with_two_workers({{.pid = 3}}).dies(4).exits().outcome("W9"), "held");
}

TEST(ActiveChildrenAreTrue, LetsTheListLackWhoWasJustBorn) {
  const auto outcome = [](std::chrono::milliseconds age) {
    Story story({create(1), submit(1), workers()});
    story.step(1).step(2).born(3).task(1, 3).after(age).step(3, listing({})).after(25ms);
    return story.exits().outcome("W9");
  };
  EXPECT_EQ(outcome(5ms), "not exercised");
  EXPECT_EQ(outcome(25ms), "violated");
}

TEST(ActiveChildrenAreTrue, IsViolatedByALivingOneListedAsDead) {
  auto story = with_two_workers({{.pid = 3}, {.pid = 4, .alive = false}}).after(25ms).exits();
  EXPECT_EQ(story.outcome("W9"), "violated");
}

TEST(ActiveChildrenAreTrue, IsViolatedByAPidOfNobody) {
  EXPECT_EQ(with_two_workers({{.pid = 3}, {.pid = 4}, {.pid = 77}}).exits().outcome("W9"),
            "violated");
}

TEST(ActiveChildrenAreTrue, IsViolatedByADeadOneListedAsAlive) {
  Story story({create(1), submit(1), kill(Victim::kIdle), workers()});
  story.begins(1)
      .born(3)
      .ends(1)
      .step(2)
      .task(1, 3)
      .begins(3)
      .dies(3, Killed{9})
      .ends(3, killed(3));
  auto at_once = story;
  story.after(25ms).step(4, listing({{.pid = 3, .alive = true}})).exits();
  EXPECT_EQ(story.outcome("W9"), "violated");
  at_once.step(4, listing({{.pid = 3, .alive = true}})).exits();
  EXPECT_EQ(at_once.outcome("W9"), "not exercised");
}

TEST(ActiveChildrenAreTrue, LetsAWorkerDieWhileItIsListed) {
  Story story({create(1), submit(1), workers()});
  story.begins(1).born(3).ends(1).step(2).task(1, 3).begins(3).dies(3, Killed{9});
  story.ends(3, listing({{.pid = 3, .alive = true}})).exits();
  EXPECT_EQ(story.outcome("W9"), "held");
}

TEST(ActiveChildrenAreTrue, AsksNothingOfAClosedPoolsWorkers) {
  Story story({create(1), submit(1), close(), workers()});
  story.begins(1).born(3).ends(1).step(2).task(1, 3).step(3).step(4, listing({})).exits();
  EXPECT_EQ(story.outcome("W9"), "not exercised");
}

TEST(ActiveChildrenAreTrue, HasNothingToSayOfThreads) {
  Story story({create(1), workers()});
  story.step(1).step(2, listing({{.name = "thread-1"}})).exits();
  EXPECT_EQ(story.outcome("W9"), "not exercised");
}

// ---- What tasks have started --------------------------------------------------------------------

/// As its child, and as a child of that: both are the task's.
TEST(TaskChildren, AreSoInEachGeneration) {
  Story story({create(1), submit(1), sleep_for(1500ms)});
  story.begins(1).born(3).ends(1).step(2).begins_task(1, 3).born(4, 3).ends_task(1, 3);
  story.born(5, 4).dies(4).begins(3).dies(3, Killed{9}).after(1500ms).ends(3);
  EXPECT_EQ(Story(story).exits().outcome("W7"), "violated");
  auto lasting = Story(story).ending().dies(Story::kMain).after(1500ms).over(End::kGrace);
  lasting.contract.ends_task_children = false;
  EXPECT_EQ(lasting.outcome("W1"), "not exercised");
  lasting.contract.ends_task_children = true;
  EXPECT_EQ(lasting.outcome("W1"), "violated");
}

TEST(ActiveChildrenAreTrue, AreNeitherMainNorItsOwnNorATasks) {
  Story story({create(1), submit(1), workers()});
  story.begins(1).born(3).ends(1).step(2).begins_task(1, 3).born(4, 3).ends_task(1, 3);
  story.born(9).add(harness::OwnChild{Story::kMain, 9});
  for (const harness::Pid pid : {Story::kMain, 4, 9})
    EXPECT_EQ(Story(story).step(3, listing({{.pid = pid}, {.pid = 3}})).exits().outcome("W9"),
              "violated")
        << pid;
  EXPECT_EQ(Story(story).step(3, listing({{.pid = 3}})).exits().outcome("W9"), "held");
  // Main may be where a pool of threads has its workers, as long as no task tells.
  Story threads({create(1), workers()});
  threads.step(1).step(2, listing({{.pid = Story::kMain}})).exits();
  EXPECT_EQ(threads.outcome("W9"), "held");
}

}  // namespace
}  // namespace poolproof::properties
