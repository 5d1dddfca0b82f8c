#include "properties/rules.h"

#include <gtest/gtest.h>

#include <csignal>
#include <set>

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

TEST(RuleTable, HasUniqueNamesAndExistingCauses) {
  std::set<std::string_view> names;
  for (const Rule& rule : rule_table()) {
    EXPECT_TRUE(names.insert(rule.id).second) << rule.id;
    EXPECT_TRUE(names.insert(rule.name).second) << rule.name;
    EXPECT_EQ(rule_named(rule.id), &rule);
    EXPECT_EQ(rule_named(rule.name), &rule);
    for (const Rule* cause : causes(rule)) EXPECT_NE(cause, nullptr) << rule.id;
    EXPECT_NE(rule.judge, nullptr);
  }
  EXPECT_EQ(rule_named("Z9"), nullptr);
}

// ---- Calibration: pairs out of docs/museum.md ---------------------------------------------------

/// M6: main is killed with idle workers.
Story main_killed() {
  Story story({create(1), submit(1), get(1)}, EndingKind::kSigkill);
  story.begins(1).born(3).ends(1).step(2).begins(3).task(1, 3).ends(3, value("none"));
  return story.ending().dies(Story::kMain, Killed{SIGKILL});
}

TEST(Calibration, AKilledMainsWorkersThatStayBreakW1AndE3) {
  auto story = main_killed().at_rest().over(End::kAtRest);
  EXPECT_EQ(story.violated(), (std::vector<std::string>{"E3", "W1"}));
}

TEST(Calibration, AKilledMainsWorkersThatGoBreakNothing) {
  EXPECT_TRUE(main_killed().dies(3, Killed{SIGKILL}).eof().violated().empty());
}

/// M1: a busy worker is killed.
Story busy_worker_killed() {
  Story story({create(2), submit(1, BodyKind::kNever), kill(Victim::kBusy), get(1)});
  story.begins(1).born(3).born(4).ends(1).step(2).begins_task(1, 3);
  return story.begins(3).dies(3, Killed{SIGKILL}).ends(3, killed(3)).begins(4);
}

TEST(Calibration, ATaskLostWithItsWorkerBreaksT6AndP1) {
  auto story = busy_worker_killed().born(5).at_rest().over(End::kAtRest);
  EXPECT_EQ(story.violated(), (std::vector<std::string>{"T6", "P1"}));
}

TEST(Calibration, ATaskReportedWithItsWorkerBreaksNothing) {
  auto story = busy_worker_killed().ends(4, result(Kind::kWorkerDied));
  EXPECT_TRUE(story.exits().violated().empty());
}

TEST(Calibration, AnExitThatWaitsForABusyWorkerBreaksE1AndW2) {
  Story story({create(1), submit(1, BodyKind::kNever)});
  story.begins(1).born(3).ends(1).step(2).begins_task(1, 3).ending().after(1100ms);
  EXPECT_EQ(story.over(End::kDeadline).violated(), (std::vector<std::string>{"E1", "W2"}));
}

// ---- What a recording cannot bear ---------------------------------------------------------------

/// Who comes first, the callback or main, nobody knows: then only ends are asked for.
TEST(Judge, AsksAPoolThatACallbackTerminatesForItsEndAlone) {
  const auto story_of = [](harness::Callback callback) {
    auto first = submit(1);
    first.callback = callback;
    Story story({create(1), first, submit(2), get(2)});
    story.begins(1).born(3).ends(1).step(2).step(3).task(1, 3).calls_back(1, "value");
    story.step(4, result(harness::StepResult::Kind::kCancelled));
    return story;
  };
  auto ended = story_of(harness::Callback::kTerminates);
  EXPECT_EQ(ended.exits().outcome("T3"), "not exercised");
  EXPECT_EQ(ended.outcome("E1"), "held");
  auto running = story_of(harness::Callback::kReturns);
  EXPECT_EQ(running.exits().outcome("T3"), "violated");
}

TEST(Judge, FindsNothingInARecordingWithAHole) {
  auto story = main_killed().at_rest().add(harness::Lost{"ptrace"}).over(End::kAtRest);
  EXPECT_TRUE(story.violated().empty());
  EXPECT_EQ(story.outcome("W1"), "inconclusive");
  EXPECT_EQ(story.outcome("E1"), "inconclusive");
  EXPECT_EQ(story.outcome("S1"), "not exercised");
}

TEST(Judge, FindsNothingAmongGarbage) {
  auto story = main_killed().at_rest().add(harness::Garbage{"?"}).over(End::kAtRest);
  EXPECT_TRUE(story.violated().empty());
}

TEST(Judge, FindsNothingWhereTheAdapterFailed) {
  Story story({create(1)});
  story.begins(1).dies(Story::kMain, Exited{99}).eof();
  EXPECT_TRUE(story.violated().empty());
  EXPECT_EQ(story.says("E2"), "the adapter itself failed (exit status 99)");
}

TEST(Judge, TakesExit99AsTheScenarioMeantIt) {
  Story story({}, EndingKind::kExit, 99);
  EXPECT_EQ(story.exits(Exited{99}).outcome("E2"), "held");
}

TEST(Judge, LeavesClaimsAloneWhereDeathsAreNotExact) {
  auto story = main_killed().at_rest().over(End::kAtRest);
  story.trace.exact = false;
  EXPECT_EQ(story.outcome("W1"), "inconclusive");
  EXPECT_EQ(story.outcome("T3"), "held");
  EXPECT_EQ(story.outcome("E2"), "held");
}

TEST(Judge, SaysNothingOfAMainThatWasNeverBorn) {
  Story story({create(1)});
  story.trace.events.clear();
  for (const Rule& rule : rule_table()) EXPECT_NE(story.outcome(rule.id), "violated") << rule.id;
}

// ---- Known deviations ---------------------------------------------------------------------------

TEST(Judge, MarksAKnownDeviationWhereItsConditionHolds) {
  auto story = main_killed().at_rest().over(End::kAtRest);
  story.contract.known = {{"W1", "worker-died", "https://a", ""},
                          {"E3", "main-killed", "https://b", ""}};
  EXPECT_EQ(std::get<Violated>(story.verdict("W1")).known_link, "");
  EXPECT_EQ(std::get<Violated>(story.verdict("E3")).known_link, "https://b");
}

TEST(Judge, WhatComesAfterAViolationDoesNotExcuseIt) {
  const auto wrong_value = [](bool dies_before) {
    Story story({create(1), submit(1), get(1)});
    story.contract.known = {{"T3", "worker-died", "https://a", ""}};
    story.begins(1).born(3).ends(1).step(2).task(1, 3);
    if (dies_before) story.dies(3, Killed{SIGKILL});
    story.step(3, value("wrong"));
    if (!dies_before) story.dies(3, Killed{SIGKILL});
    return std::get<Violated>(story.exits().verdict("T3")).known_link;
  };
  EXPECT_EQ(wrong_value(true), "https://a");
  EXPECT_EQ(wrong_value(false), "");
}

TEST(Judge, IgnoresThemWhenAsked) {
  auto story = main_killed().at_rest().over(End::kAtRest);
  story.contract.known = {{"W1", "always", "https://a", ""}};
  const Evidence evidence{story.scenario, story.trace, story.contract, "python", ""};
  for (const auto& judgement : judge(evidence, false)) {
    const auto* violated = std::get_if<Violated>(&judgement.verdict);
    if (violated != nullptr) {
      EXPECT_EQ(violated->known_link, "");
    }
  }
}

}  // namespace
}  // namespace poolproof::properties
