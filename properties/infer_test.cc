#include "properties/infer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>

#include "properties/contract_signs.h"
#include "properties/rules/made_trace.h"
#include "properties/test_traces.h"

namespace poolproof::properties {
namespace {

using namespace std::chrono_literals;
using harness::BodyKind;
using harness::End;
using harness::EndingKind;
using sys::Killed;
using ::testing::HasSubstr;
using ResultKind = harness::StepResult::Kind;

/// Signs that a story shows: "exit = drains".
std::vector<std::string> signs(const Story& story) {
  const Evidence evidence{story.scenario, story.trace, story.contract, story.language,
                          story.runtime};
  const Reading reading(evidence);
  std::vector<std::string> shown;
  for (const auto& sign : contract_signs()) {
    if (sign.shows(reading))
      shown.push_back(std::string(sign.key) + " = " + std::string(sign.value));
  }
  return shown;
}
using testing::Contains;
using testing::Not;

/// Main ends while task 1 is at work in worker 3.
Story busy_at_exit() {
  Story story({create(1), submit(1, BodyKind::kSleep, 50)});
  return story.begins(1).born(3).ends(1).step(2).begins_task(1, 3).ending();
}

TEST(ContractSigns, AnExitThatCutsATaskShortTerminates) {
  auto story = busy_at_exit();
  story.dies(3, Killed{SIGTERM}).dies(Story::kMain).eof();
  EXPECT_THAT(signs(story), Contains("exit = \"terminates\""));
  EXPECT_THAT(signs(story), Not(Contains("exit = \"drains\"")));
}

/// The workers get the signal themselves.
TEST(ContractSigns, CtrlCTellsNothingOfExit) {
  auto story = busy_at_exit();
  story.scenario.ending.kind = EndingKind::kCtrlC;
  story.dies(3, Killed{SIGINT}).dies(Story::kMain, Killed{SIGINT}).eof();
  EXPECT_THAT(signs(story), Not(Contains("exit = \"terminates\"")));
}

/// Exit may wait for that one.
TEST(ContractSigns, ABusyNeighbourTellsNothingOfExit) {
  for (const auto which : {harness::Neighbour::kStays, harness::Neighbour::kBusy}) {
    Story story({create(1), {.kind = harness::StepKind::kNeighbour, .neighbour = which}});
    story.begins(1).born(3).ends(1).step(2).ending().at_rest().over(End::kAtRest);
    const auto waits = Contains("exit = \"waits-for-close\"");
    if (which == harness::Neighbour::kBusy) {
      EXPECT_THAT(signs(story), Not(waits));
    } else {
      EXPECT_THAT(signs(story), waits);
    }
  }
}

TEST(ContractSigns, AnExitThatWaitsForATaskDrains) {
  auto story = busy_at_exit();
  story.after(std::chrono::milliseconds(40)).ends_task(1, 3).dies(3).dies(Story::kMain).eof();
  EXPECT_THAT(signs(story), Contains("exit = \"drains\""));
  EXPECT_THAT(signs(story), Not(Contains("exit = \"terminates\"")));
}

TEST(ContractSigns, ATaskThatIsAboutToEndTellsNothingOfExit) {
  auto story = busy_at_exit();
  story.ends_task(1, 3).dies(3).dies(Story::kMain).eof();
  EXPECT_THAT(signs(story), Not(Contains("exit = \"drains\"")));
  EXPECT_THAT(signs(story), Not(Contains("exit = \"terminates\"")));
}

/// A block is being left while a task is at work in process 3.
Story busy_in_a_block() {
  Story story({create(1), submit(1, BodyKind::kSleep, 50), drop()});
  story.scenario.steps[2].farewell = harness::Farewell::kScope;
  return story.begins(1).born(3).ends(1).step(2).begins_task(1, 3).begins(3);
}

TEST(ContractSigns, TellWhatTheEndOfABlockDoes) {
  auto cuts = busy_in_a_block();
  cuts.dies(3, Killed{SIGTERM}).ends(3).exits();
  EXPECT_THAT(signs(cuts), Contains("scope = \"terminates\""));
  EXPECT_THAT(signs(cuts), Not(Contains("scope = \"drains\"")));
  auto waits = busy_in_a_block();
  waits.after(std::chrono::milliseconds(40)).ends_task(1, 3).dies(3).ends(3).exits();
  EXPECT_THAT(signs(waits), Contains("scope = \"drains\""));
  EXPECT_THAT(signs(waits), Not(Contains("scope = \"terminates\"")));
  auto leaves = busy_in_a_block();
  leaves.ends(3).exits();  // the worker is merely not gone yet
  EXPECT_THAT(signs(leaves), Not(Contains("scope = \"terminates\"")));
}

TEST(ContractSigns, AnExitThatRunsWhatIsQueuedDrains) {
  Story story({create(1), submit(1)});
  story.begins(1).born(3).ends(1).step(2).ending().after(std::chrono::milliseconds(40)).task(1, 3);
  EXPECT_THAT(signs(story.dies(3).dies(Story::kMain).eof()), Contains("exit = \"drains\""));
}

TEST(ContractSigns, AnExitThatWaitsForWhatIsStillToComeDoesNotWaitForClose) {
  Story story({create(1), submit(1, BodyKind::kNever), submit(2)});
  story.begins(1).born(3).ends(1).step(2).step(3).ending().begins_task(1, 3);
  EXPECT_THAT(signs(story.at_rest().over(End::kAtRest)),
              Not(Contains("exit = \"waits-for-close\"")));
}

TEST(ContractSigns, AHangAtExitIsNoPromise) {
  auto story = busy_at_exit();
  story.at_rest().over(End::kAtRest);
  EXPECT_THAT(signs(story), Not(Contains("exit = \"drains\"")));
  EXPECT_THAT(signs(story), Not(Contains("exit = \"waits-for-close\"")));
}

TEST(ContractSigns, AnExitThatWaitsForNothingWaitsForClose) {
  Story story({create(1)});
  story.begins(1).born(3).ends(1).ending().at_rest().over(End::kAtRest);
  EXPECT_THAT(signs(story), Contains("exit = \"waits-for-close\""));
}

TEST(ContractSigns, SaySomethingOfDeadWorkers) {
  Story story({create(1), submit(1, BodyKind::kExit), get(1), submit(2)});
  story.begins(1).born(3).ends(1).step(2).begins_task(1, 3).dies(3);
  story.step(3, result(ResultKind::kWorkerDied));
  auto breaks = story;
  breaks.step(4, result(ResultKind::kWorkerDied)).exits();
  EXPECT_THAT(signs(breaks), Contains("worker_death = \"breaks\""));
  // Where no worker can begin, a pool is broken that goes on after a death.
  breaks.scenario.steps[0].initializer = harness::Initializer::kRaises;
  EXPECT_THAT(signs(breaks), Not(Contains("worker_death = \"breaks\"")));
  story.born(4).step(4).task(2, 4).exits();
  EXPECT_THAT(signs(story), Contains("worker_death = \"reported\""));
  EXPECT_THAT(signs(story), Contains("replaces_workers = true"));
  EXPECT_THAT(signs(story), Contains("starts_workers_late = false"));
}

TEST(ContractSigns, ATaskThatRunsAgainWasRetried) {
  Story story({create(1), submit(1, BodyKind::kExit)});
  story.begins(1).born(3).ends(1).step(2).begins_task(1, 3).dies(3).born(4).begins_task(1, 4);
  EXPECT_THAT(signs(story.exits()), Contains("worker_death = \"retried\""));
}

/// That is T2's affair, and no promise.
TEST(ContractSigns, ATaskThatRunsTwiceWithoutADeathWasNotRetried) {
  Story story({create(2), submit(1)});
  story.begins(1).born(3).born(4).ends(1).step(2).task(1, 3).task(1, 4);
  EXPECT_THAT(signs(story.exits()), Not(Contains("worker_death = \"retried\"")));
}

TEST(ContractSigns, ALossNeedsTimeToBeMadeUp) {
  Story story({create(1), kill(harness::Victim::kIdle), sleep_for(600ms)});
  story.begins(1).born(3).ends(1).begins(2).dies(3, Killed{SIGKILL}).ends(2, killed(3));
  auto soon = story;
  EXPECT_THAT(signs(soon.step(3).exits()), Not(Contains("replaces_workers = false")));
  story.begins(3).after(600ms).ends(3);
  EXPECT_THAT(signs(story.exits()), Contains("replaces_workers = false"));
}

TEST(ContractSigns, EachKeyThatHasAnyHasOneForEachValue) {
  for (const auto& choice : contract_choices()) {
    const bool has_signs = sign_of(choice.key, choice.values.front().text) != nullptr;
    for (const auto& value : choice.values)
      EXPECT_EQ(sign_of(choice.key, value.text) != nullptr, has_signs) << choice.key;
  }
  for (const auto& sign : contract_signs()) {
    const bool there =
        std::any_of(contract_choices().begin(), contract_choices().end(), [&](const auto& choice) {
          return choice.key == sign.key &&
                 std::any_of(choice.values.begin(), choice.values.end(),
                             [&](const auto& value) { return value.text == sign.value; });
        });
    EXPECT_TRUE(there) << sign.key << " = " << sign.value;
  }
}

Experience experience(const Story& story) {
  return {story.scenario, story.trace};
}

const InferredKey& key_of(const Inferred& inferred, std::string_view key) {
  return *std::find_if(inferred.keys.begin(), inferred.keys.end(),
                       [&](const auto& each) { return each.choice->key == key; });
}

TEST(Infer, WithoutACaseTheStrictestStands) {
  const auto inferred = infer_contract(executor_pool(), {});
  EXPECT_EQ(inferred.contract.exit, Contract::Exit::kTerminates);
  for (const auto& key : inferred.keys) EXPECT_TRUE(key.untested());
  EXPECT_TRUE(inferred.deviations.empty());
}

TEST(Infer, TakesTheValueThatMostCasesShow) {
  auto drains = busy_at_exit();
  drains.after(std::chrono::milliseconds(40)).ends_task(1, 3).dies(3).dies(Story::kMain).eof();
  auto terminates = busy_at_exit();
  terminates.dies(3, Killed{SIGTERM}).dies(Story::kMain).eof();
  const auto inferred = infer_contract(
      executor_pool(), {experience(drains), experience(terminates), experience(drains)});
  EXPECT_EQ(inferred.contract.exit, Contract::Exit::kDrains);
  EXPECT_EQ(key_of(inferred, "exit").for_it, 2);
  EXPECT_EQ(key_of(inferred, "exit").of, 3);
}

/// Workers that are listed as daemons or not.
Story listed(bool daemon) {
  Story story({create(1), workers()});
  story.begins(1).born(3).ends(1);
  return story.step(2, listing({{.pid = 3, .name = "", .daemon = daemon, .alive = true}})).exits();
}

/// A dropped pool that lets go of its worker, or keeps it.
Story dropped(bool keeps) {
  Story story({create(1), submit(1), drop(), sleep_for(1500ms)});
  story.begins(1).born(3).ends(1).step(2).task(1, 3).step(3);
  if (!keeps) story.dies(3);
  story.begins(4).after(1500ms).ends(4);
  return keeps ? story.ending().dies(3).dies(Story::kMain).eof() : story.exits();
}

TEST(Infer, AStricterValueGivesWayWhereItIsMostlyBroken) {
  const auto mostly = infer_contract(
      executor_pool(),
      {experience(dropped(true)), experience(dropped(true)), experience(dropped(false))});
  EXPECT_FALSE(mostly.contract.drop_ends_pool);
  EXPECT_EQ(key_of(mostly, "drop_ends_pool").of, 3);
  const auto hardly = infer_contract(
      executor_pool(),
      {experience(dropped(true)), experience(dropped(false)), experience(dropped(false))});
  EXPECT_TRUE(hardly.contract.drop_ends_pool);
  ASSERT_EQ(hardly.deviations.size(), 1U);
  EXPECT_EQ(hardly.deviations[0].rule->id, "S6");
}

/// A value under which nobody looks does not become the contract of a pool that leaks.
TEST(Infer, AValueThatOnlyLooksAwayDoesNotExcuseWhatIsBrokenAnyhow) {
  const auto leaking = [](bool drops) {
    Story story({create(1), close(), join()});
    if (drops) story.scenario.steps.push_back(drop());
    story.main_is("started").begins(1).born(3).ends(1).step(2).begins(3).dies(3).ends(3);
    if (drops) story.step(4);
    auto main = plain_main();
    main.descriptors.push_back({7, "pipe:[1]"});
    story.ending().main_is("ending", main);
    return story.dies(Story::kMain).eof();
  };
  ASSERT_EQ(leaking(false).outcome("R1"), "violated");
  ASSERT_EQ(leaking(true).outcome("R1"), "violated");
  std::vector<Experience> all;
  for (int i = 0; i < 3; ++i) {
    all.push_back(experience(leaking(true)));
    all.push_back(experience(leaking(false)));
    all.push_back(experience(leaking(false)));
  }
  const auto inferred = infer_contract(executor_pool(), all);
  EXPECT_FALSE(inferred.contract.holds_descriptors_until_drop);
  EXPECT_TRUE(inferred.contract.drop_ends_pool);
  ASSERT_EQ(inferred.deviations.size(), 1U);
  EXPECT_EQ(inferred.deviations[0].rule->id, "R1");
}

TEST(Infer, WhatIsBrokenNowAndThenIsADeviation) {
  const auto inferred = infer_contract(
      executor_pool(),
      {experience(listed(false)), experience(listed(true)), experience(listed(true))});
  EXPECT_TRUE(inferred.contract.workers_are_daemons);
  ASSERT_EQ(inferred.deviations.size(), 1U);
  EXPECT_EQ(inferred.deviations[0].rule->id, "W2");
  EXPECT_EQ(inferred.deviations[0].condition, "always");
  EXPECT_EQ(inferred.deviations[0].broken, 1);
  EXPECT_EQ(inferred.deviations[0].exercised, 3);
}

TEST(Infer, ADeviationHasTheConditionThatSaysBest) {
  auto survivor = [](EndingKind ending) {
    Story story({create(1), submit(1), get(1)}, ending);
    story.begins(1).born(3).ends(1).step(2).begins(3).task(1, 3).ends(3, value("none")).ending();
    return story;
  };
  auto orphan = survivor(EndingKind::kSigkill);
  orphan.dies(Story::kMain, Killed{SIGKILL}).at_rest().over(End::kAtRest);
  auto fine = survivor(EndingKind::kReturn);
  fine.dies(3).dies(Story::kMain).eof();
  const auto inferred =
      infer_contract(executor_pool(), {experience(orphan), experience(fine), experience(fine)});
  ASSERT_EQ(inferred.deviations.size(), 1U);
  EXPECT_EQ(inferred.deviations[0].rule->id, "W1");
  EXPECT_EQ(inferred.deviations[0].condition, "main-killed");
}

TEST(Infer, APromiseIsReadAsAContractOnceLinksAreFilledIn) {
  auto inferred = infer_contract(
      executor_pool(),
      {experience(listed(false)), experience(listed(true)), experience(listed(true))});
  auto text = inferred_as_toml(inferred, "a.Pool");
  EXPECT_FALSE(contract_from_toml(text, "proposed.toml"));
  EXPECT_THAT(
      text,
      HasSubstr("\nworkers_are_daemons = true            # 2 of 3 cases that tell: a worker was "
                "listed as a daemon\n"));
  EXPECT_THAT(text, HasSubstr("\nholds_descriptors_until_drop = false  # "));
  const auto empty = text.find("link = \"\"");
  ASSERT_NE(empty, text.npos);
  text.replace(empty, 9, "link = \"https://example.org/1\"");
  const auto contract = contract_from_toml(text, "proposed.toml");
  ASSERT_TRUE(contract) << contract.error().message();
  EXPECT_EQ(contract->pool, "a.Pool");
  ASSERT_EQ(contract->known.size(), 1U);
  EXPECT_EQ(contract->known[0].rule, "W2");
}

}  // namespace
}  // namespace poolproof::properties
