#include "properties/model.h"

#include <gtest/gtest.h>

#include "properties/rules/made_trace.h"

namespace poolproof::properties {
namespace {

using namespace std::chrono_literals;
using harness::BodyKind;
using harness::Ending;
using harness::EndingKind;
using harness::Scenario;
using harness::Step;
using harness::Victim;
using Call = Model::Call;

const Contract kStrict;

Contract with(Contract::Exit exit) {
  Contract contract;
  contract.exit = exit;
  return contract;
}
Contract with(Contract::WorkerDeath death) {
  Contract contract;
  contract.worker_death = death;
  return contract;
}

Model after(std::vector<Step> steps, const Contract& contract = kStrict) {
  Model model(contract);
  for (const Step& step : steps) model.apply(step, model.call(step) == Call::kLegal);
  return model;
}

bool waits(std::vector<Step> steps, const Step& step, const Contract& contract = kStrict) {
  return after(std::move(steps), contract).may_wait_for_ever(step);
}

bool runnable(std::vector<Step> steps, EndingKind ending = EndingKind::kReturn,
              const Contract& contract = kStrict) {
  Scenario scenario;
  scenario.steps = std::move(steps);
  scenario.ending.kind = ending;
  return is_runnable(scenario, contract);
}

// ---- Legal, illegal, impossible -----------------------------------------------------------------

TEST(Model, NothingIsPossibleWithoutAPool) {
  for (const Step& step : {submit(1), close(), terminate(), join(), drop(), workers()}) {
    EXPECT_EQ(after({}).call(step), Call::kImpossible);
    EXPECT_EQ(after({create(1), drop()}).call(step), Call::kImpossible);
  }
  EXPECT_EQ(after({}).call(sleep_for(1ms)), Call::kLegal);
}

TEST(Model, AChildUsesThePoolThatMainHas) {
  Step fork{.kind = harness::StepKind::kFork};
  for (const auto child : {harness::ChildEnd::kSubmits, harness::ChildEnd::kEndsPool}) {
    fork.child_end = child;
    EXPECT_EQ(after({}).call(fork), Call::kImpossible);
    EXPECT_EQ(after({create(1), drop()}).call(fork), Call::kImpossible);
    EXPECT_EQ(after({create(1), close()}).call(fork), Call::kLegal);
  }
  fork.child_end = harness::ChildEnd::kReturn;
  EXPECT_EQ(after({}).call(fork), Call::kLegal);
}

TEST(Model, ThereIsOnePool) {
  EXPECT_EQ(after({create(1)}).call(create(1)), Call::kImpossible);
}

TEST(Model, SubmitIsIllegalOnceThePoolEnds) {
  EXPECT_EQ(after({create(1)}).call(submit(1)), Call::kLegal);
  EXPECT_EQ(after({create(1), close()}).call(submit(1)), Call::kIllegal);
  EXPECT_EQ(after({create(1), terminate()}).call(submit(1)), Call::kIllegal);
}

TEST(Model, TasksAreNumberedInOrder) {
  EXPECT_EQ(after({create(1)}).call(submit(2)), Call::kImpossible);
  EXPECT_EQ(after({create(1), submit(1)}).call(submit(2)), Call::kLegal);
}

TEST(Model, JoinNeedsCloseUnlessTheContractSaysOtherwise) {
  EXPECT_EQ(after({create(1)}).call(join()), Call::kIllegal);
  EXPECT_EQ(after({create(1), close()}).call(join()), Call::kLegal);
  Contract lenient;
  lenient.join_needs_close = false;
  EXPECT_EQ(after({create(1)}, lenient).call(join()), Call::kLegal);
}

TEST(Model, ARefusedTaskCannotBeGot) {
  EXPECT_EQ(after({create(1), close(), submit(1)}).call(get(1)), Call::kImpossible);
  EXPECT_EQ(after({create(1), submit(1), drop()}).call(get(1)), Call::kLegal);
}

TEST(Model, ABusyWorkerIsKilledOnlyWhereOneIsPlausible) {
  EXPECT_EQ(after({create(1)}).call(kill(Victim::kBusy)), Call::kImpossible);
  EXPECT_EQ(after({create(1), submit(1)}).call(kill(Victim::kBusy)), Call::kImpossible);
  EXPECT_EQ(after({create(1), submit(1, BodyKind::kNever)}).call(kill(Victim::kBusy)),
            Call::kLegal);
  EXPECT_EQ(after({create(1), submit(1, BodyKind::kSleep, 30)}).call(kill(Victim::kBusy)),
            Call::kLegal);
  EXPECT_EQ(after({create(1), submit(1, BodyKind::kSleep, 30), get(1)}).call(kill(Victim::kBusy)),
            Call::kImpossible);
  const Model once = after({create(1), submit(1, BodyKind::kNever), kill(Victim::kBusy)});
  EXPECT_EQ(once.call(kill(Victim::kBusy)), Call::kImpossible);
}

TEST(Model, ABusyWorkerOfAClosedPoolIsKilledWhereThePoolStillListsIt) {
  const std::vector<Step> closed{create(1), submit(1, BodyKind::kNever), close()};
  EXPECT_EQ(after(closed).call(kill(Victim::kBusy)), Call::kLegal);
  Contract executor;
  executor.join_needs_close = false;
  EXPECT_EQ(after(closed, executor).call(kill(Victim::kBusy)), Call::kImpossible);
}

TEST(Model, AnIdleWorkerIsKilledOnlyWhereOneIsPlausible) {
  EXPECT_EQ(after({create(1)}).call(kill(Victim::kIdle)), Call::kLegal);
  EXPECT_EQ(after({create(1), submit(1, BodyKind::kNever)}).call(kill(Victim::kIdle)),
            Call::kImpossible);
  EXPECT_EQ(after({create(2), submit(1, BodyKind::kNever)}).call(kill(Victim::kIdle)),
            Call::kLegal);
  EXPECT_EQ(after({create(1), close()}).call(kill(Victim::kIdle)), Call::kImpossible);
  EXPECT_EQ(after({create(1), terminate()}).call(kill(Victim::kIdle)), Call::kImpossible);
  Contract late;
  late.starts_workers_late = true;
  EXPECT_EQ(after({create(1)}, late).call(kill(Victim::kIdle)), Call::kImpossible);
  EXPECT_EQ(after({create(1), submit(1)}, late).call(kill(Victim::kIdle)), Call::kLegal);
}

TEST(Model, AWorkerIsLostByItsBodyOrByAKill) {
  EXPECT_FALSE(after({create(1), submit(1)}).may_lose_worker(1));
  EXPECT_TRUE(after({create(1), submit(1, BodyKind::kAbort)}).may_lose_worker(1));
  const Model killed = after({create(1), submit(1, BodyKind::kNever), kill(Victim::kBusy)});
  EXPECT_TRUE(killed.may_lose_worker(1));
  EXPECT_FALSE(killed.may_lose_worker(2));
}

// ---- Endless waits ------------------------------------------------------------------------------

const Step kNever = submit(1, BodyKind::kNever);

TEST(EndlessWaits, AreThoseOfATaskThatNeverEnds) {
  EXPECT_TRUE(waits({create(1), kNever}, get(1)));
  EXPECT_FALSE(waits({create(1), kNever}, get_for(1, 10ms)));
  EXPECT_FALSE(waits({create(1), submit(1)}, get(1)));
  EXPECT_FALSE(waits({create(1), submit(1, BodyKind::kKillSelf)}, get(1)));
}

TEST(EndlessWaits, AreThoseBehindSuchTasksOnAllWorkers) {
  EXPECT_TRUE(waits({create(1), kNever, submit(2)}, get(2)));
  EXPECT_FALSE(waits({create(2), kNever, submit(2)}, get(2)));
  EXPECT_TRUE(waits({create(2), kNever, submit(2, BodyKind::kNever), submit(3)}, get(3)));
  Step any_number = create(1);
  any_number.workers.reset();
  EXPECT_TRUE(waits({any_number, kNever, submit(2)}, get(2)));
}

TEST(EndlessWaits, EndWithTheKillOfTheOnlyBusyWorker) {
  EXPECT_FALSE(waits({create(1), kNever, kill(Victim::kBusy)}, get(1)));
  EXPECT_FALSE(waits(
      {create(2), submit(1), get(1), submit(2, BodyKind::kNever), kill(Victim::kBusy)}, get(2)));
}

TEST(EndlessWaits, StayWhereTheKillMayHaveHitAnother) {
  EXPECT_TRUE(waits({create(2), kNever, submit(2, BodyKind::kNever), kill(Victim::kBusy)}, get(1)));
  EXPECT_TRUE(
      waits({create(2), kNever, submit(2, BodyKind::kSleep, 50), kill(Victim::kBusy)}, get(1)));
}

TEST(EndlessWaits, StayWhereADeadWorkersTaskIsTriedAgain) {
  const auto retried = with(Contract::WorkerDeath::kRetried);
  EXPECT_TRUE(waits({create(1), kNever, kill(Victim::kBusy)}, get(1), retried));
  EXPECT_TRUE(waits({create(1), submit(1, BodyKind::kKillSelf)}, get(1), retried));
}

TEST(EndlessWaits, EndWithTerminate) {
  EXPECT_FALSE(waits({create(1), kNever, terminate()}, get(1)));
  EXPECT_FALSE(waits({create(1), kNever, terminate()}, join()));
}

TEST(EndlessWaits, MayBeAnyOfADroppedPool) {
  EXPECT_TRUE(waits({create(1), submit(1), drop()}, get(1)));
  EXPECT_FALSE(waits({create(1), submit(1), get(1), drop()}, get(1)));
}

TEST(EndlessWaits, AreThoseOfJoinWithSuchATask) {
  EXPECT_TRUE(waits({create(1), kNever, close()}, join()));
  EXPECT_FALSE(waits({create(1), submit(1), close()}, join()));
  EXPECT_FALSE(waits({create(1), kNever}, join()));  // refused at once
}

TEST(EndlessWaits, AreThoseOfAnExitThatDrains) {
  const auto exit_waits = [](std::vector<Step> steps, EndingKind ending, const Contract& contract) {
    return after(std::move(steps), contract).may_wait_for_ever(Ending{.kind = ending});
  };
  const auto drains = with(Contract::Exit::kDrains);
  EXPECT_TRUE(exit_waits({create(1), kNever}, EndingKind::kReturn, drains));
  EXPECT_FALSE(exit_waits({create(1), kNever}, EndingKind::kSigkill, drains));
  EXPECT_FALSE(exit_waits({create(1), kNever, terminate()}, EndingKind::kReturn, drains));
  EXPECT_FALSE(exit_waits({create(1), kNever}, EndingKind::kReturn, kStrict));
  const auto waits_for_close = with(Contract::Exit::kWaitsForClose);
  EXPECT_TRUE(exit_waits({create(1)}, EndingKind::kReturn, waits_for_close));
  EXPECT_FALSE(exit_waits({create(1), close()}, EndingKind::kReturn, waits_for_close));
  EXPECT_FALSE(exit_waits({}, EndingKind::kReturn, waits_for_close));
}

TEST(EndlessWaits, AreJudgedByWhatReallyHappened) {
  Model model(kStrict);
  model.apply(create(1));
  model.apply(kNever);
  model.apply(kill(Victim::kBusy), /*took_effect=*/false);
  EXPECT_TRUE(model.may_wait_for_ever(get(1)));
}

// ---- Whole scenarios ----------------------------------------------------------------------------

TEST(Runnable, AreTheMuseumsShortestSequences) {
  EXPECT_TRUE(runnable({create(2), kNever, kill(Victim::kBusy), get(1)}));  // M1
  EXPECT_TRUE(
      runnable({create(2), submit(1), get(1), kill(Victim::kIdle), submit(2), get(2)}));  // M2
  EXPECT_TRUE(runnable({create(1), submit(1), get(1)}, EndingKind::kSigkill));            // M6
  EXPECT_TRUE(runnable(
      {create(1), submit(1, BodyKind::kExit), submit(2, BodyKind::kEcho, 1 << 20), get(2)}));
}

TEST(Runnable, IsNotWhatWaitsForEver) {
  EXPECT_FALSE(runnable({create(1), kNever, get(1)}));
  EXPECT_FALSE(runnable({create(1), kNever}, EndingKind::kReturn, with(Contract::Exit::kDrains)));
  EXPECT_FALSE(runnable({submit(1)}));
}

TEST(Runnable, MayWaitForEverIfAKillMisses) {
  Scenario scenario;
  scenario.steps = {create(1), kNever, kill(Victim::kBusy), get(1)};
  EXPECT_TRUE(may_wait_where_kills_miss(scenario, kStrict));
  scenario.steps = {create(1), kNever, kill(Victim::kBusy)};
  EXPECT_FALSE(may_wait_where_kills_miss(scenario, kStrict));
  EXPECT_TRUE(may_wait_where_kills_miss(scenario, with(Contract::Exit::kDrains)));
  scenario.steps = {create(1), submit(1, BodyKind::kSleep, 30), kill(Victim::kBusy), get(1)};
  EXPECT_FALSE(may_wait_where_kills_miss(scenario, kStrict));
}

/// One that is busy for ever does no other task, and an exit that drains waits for it.
TEST(Model, ABusyNeighbourHoldsUpWhatWaitsForIt) {
  using harness::Neighbour;
  const harness::Step busy{.kind = harness::StepKind::kNeighbour, .neighbour = Neighbour::kBusy};
  const harness::Step works{.kind = harness::StepKind::kNeighbour, .neighbour = Neighbour::kWorks};
  EXPECT_EQ(after({busy}).call(works), Call::kImpossible);
  EXPECT_EQ(after({busy}).call(busy), Call::kImpossible);
  Scenario scenario;
  scenario.steps = {busy};
  EXPECT_TRUE(is_runnable(scenario, kStrict));
  EXPECT_FALSE(is_runnable(scenario, with(Contract::Exit::kDrains)));
  scenario.ending.kind = EndingKind::kOsExit;
  EXPECT_TRUE(is_runnable(scenario, with(Contract::Exit::kDrains)));
}

TEST(PromptSteps, AreRefusalsTerminateAndItsJoinAndRepetitions) {
  Scenario scenario;
  scenario.steps = {create(1), submit(1), join(),  terminate(), join(),
                    submit(2), close(),   close(), workers()};
  EXPECT_EQ(prompt_steps(scenario, kStrict), (std::vector<int>{3, 4, 5, 6, 7, 8, 0}));
}

TEST(PromptSteps, AreGetsOfATaskThatSurelyHasAnOutcome) {
  Scenario scenario;
  scenario.steps = {create(1), submit(1), get(1), close(), join(), get(1), drop(), get(1)};
  EXPECT_EQ(prompt_steps(scenario, kStrict), (std::vector<int>{6, 8, 0}));
  scenario.steps = {create(1), submit(1), close(), get(1)};
  EXPECT_EQ(prompt_steps(scenario, kStrict), (std::vector<int>{0}));
  scenario.steps = {create(1), submit(1), terminate(), get(1)};
  EXPECT_EQ(prompt_steps(scenario, kStrict), (std::vector<int>{3, 4, 0}));
  scenario.steps = {create(1), submit(1, BodyKind::kNever), kill(Victim::kBusy), get(1), get(1)};
  EXPECT_EQ(prompt_steps(scenario, kStrict), (std::vector<int>{4, 5, 0}));
}

TEST(PromptSteps, AreGetsWithATimeoutThatFitsIntoTheGrace) {
  Scenario scenario;
  scenario.steps = {create(1), submit(1), get_for(1, 100ms), get_for(1, 500ms), get_for(1, 501ms)};
  EXPECT_EQ(prompt_steps(scenario, kStrict), (std::vector<int>{3, 4, 0}));
}

TEST(PromptSteps, LeaveOutADrainingExitAndTheFirstJoin) {
  Scenario scenario;
  scenario.steps = {create(1), submit(1), close(), join()};
  EXPECT_EQ(prompt_steps(scenario, with(Contract::Exit::kDrains)), (std::vector<int>{}));
  scenario.ending.kind = EndingKind::kOsExit;
  EXPECT_EQ(prompt_steps(scenario, with(Contract::Exit::kDrains)), (std::vector<int>{0}));
}

TEST(WaitingSteps, AreThoseThatAHealthyPoolEndsByItself) {
  Scenario scenario;
  scenario.steps = {create(1), submit(1), get(1), sleep_for(5ms), get_for(1, 9s), close(), join()};
  EXPECT_EQ(waiting_steps(scenario, kStrict), (std::vector<int>{1, 2, 3, 6, 7, 0}));
}

TEST(WaitingSteps, LeaveOutWhatTheScenarioAskedFor) {
  Scenario scenario;
  scenario.steps = {create(1), kNever, close(), join()};
  EXPECT_EQ(waiting_steps(scenario, kStrict), (std::vector<int>{1, 2, 3, 0}));
  scenario.steps = {create(1), kNever};
  EXPECT_EQ(waiting_steps(scenario, with(Contract::Exit::kDrains)), (std::vector<int>{1, 2}));
}

// ---- Maps
// ----------------------------------------------------------------------------------------

TEST(Model, AMapOfEndlessItemsHoldsAsManyWorkers) {
  const auto endless = [](int items) {
    return map(1, harness::Form::kMap, items, BodyKind::kNever);
  };
  EXPECT_TRUE(waits({create(2), endless(2), submit(2)}, get(2)));
  EXPECT_FALSE(waits({create(2), endless(1), submit(2)}, get(2)));
  EXPECT_TRUE(waits({create(2), endless(1)}, get(1)));
  EXPECT_FALSE(waits({create(2), endless(0)}, get(1)));
  EXPECT_TRUE(waits({create(1), endless(1), close()}, join()));
  EXPECT_FALSE(waits({create(1), endless(0), close()}, join()));
}

TEST(Model, TheResultsOfAnImapAreTakenByNextAlone) {
  const auto stream = map(1, harness::Form::kImap, 2);
  EXPECT_EQ(after({create(1), stream}).call(get(1)), Call::kImpossible);
  EXPECT_EQ(after({create(1), stream}).call(next(1)), Call::kLegal);
  const auto whole = map(1, harness::Form::kStarmap, 2);
  EXPECT_EQ(after({create(1), whole}).call(get(1)), Call::kLegal);
  EXPECT_EQ(after({create(1), whole}).call(next(1)), Call::kImpossible);
  EXPECT_EQ(after({create(1), submit(1)}).call(next(1)), Call::kImpossible);
}

TEST(Model, AnImapIsThroughAfterItsLastResult) {
  const auto stream = map(1, harness::Form::kImap, 2);
  EXPECT_FALSE(after({create(1), stream, next(1)}).finished(1));
  EXPECT_TRUE(after({create(1), stream, next(1), next(1)}).finished(1));
  EXPECT_FALSE(waits({create(1), stream}, next(1)));
  EXPECT_TRUE(waits({create(1), map(1, harness::Form::kImap, 2, BodyKind::kNever)}, next(1)));
}

}  // namespace
}  // namespace poolproof::properties
