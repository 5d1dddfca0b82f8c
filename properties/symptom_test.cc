#include "properties/symptom.h"

#include <gtest/gtest.h>

#include <csignal>

#include "properties/rules/made_trace.h"

namespace poolproof::properties {
namespace {

using harness::End;
using harness::EndingKind;
using Kind = Symptom::Kind;
using ResultKind = harness::StepResult::Kind;

/// Of a story that violates the rule.
std::optional<Symptom> symptom(const Story& story, std::string_view rule) {
  const auto verdict = story.verdict(rule);
  const auto* violated = std::get_if<Violated>(&verdict);
  EXPECT_NE(violated, nullptr) << rule << " is " << story.outcome(rule);
  if (violated == nullptr) return std::nullopt;
  const Evidence evidence{story.scenario, story.trace, story.contract, story.language,
                          story.runtime};
  return symptom_of(evidence, *rule_named(rule), *violated);
}

void expect(const std::optional<Symptom>& seen, Kind kind, int step) {
  ASSERT_TRUE(seen.has_value());
  EXPECT_EQ(seen->kind, kind);
  EXPECT_EQ(seen->step, step);
}

Story one_task(EndingKind ending = EndingKind::kReturn) {
  Story story({create(1), submit(1), get(1)}, ending);
  story.begins(1).born(3).ends(1).step(2);
  return story;
}

TEST(SymptomOf, AHangIsTheStepThatMainStandsIn) {
  auto story = one_task();
  story.begins(3).at_rest().over(End::kAtRest);
  expect(symptom(story, "P1"), Kind::kDoesNotEnd, 3);
}

TEST(SymptomOf, AnExitThatDoesNotEndIsNoStep) {
  auto story = one_task();
  story.begins(3).task(1, 3).ends(3, value("none")).ending().at_rest().over(End::kAtRest);
  expect(symptom(story, "E1"), Kind::kDoesNotEnd, 0);
}

TEST(SymptomOf, SurvivorsAreSeenWhenMainIsGone) {
  auto story = one_task(EndingKind::kSigkill);
  story.begins(3).task(1, 3).ends(3, value("none")).ending();
  story.dies(Story::kMain, sys::Killed{SIGKILL}).at_rest().over(End::kAtRest);
  expect(symptom(story, "W1"), Kind::kLeavesProcesses, 0);
}

TEST(SymptomOf, AnExitStatusIsWhatAParentSees) {
  auto story = one_task();
  story.begins(3).task(1, 3).ends(3, value("none")).exits(sys::Killed{SIGABRT});
  const auto seen = symptom(story, "E2");
  expect(seen, Kind::kEndsOtherwise, 0);
  EXPECT_EQ(seen->status, -SIGABRT);
}

TEST(SymptomOf, AWorkerAfterJoinBelongsToTheJoin) {
  Story story({create(1), submit(1), close(), join()});
  story.begins(1).born(3).ends(1).step(2).task(1, 3).step(3).step(4);
  story.add(harness::Snapshot{.step = 4, .processes = {{2, 't', 1}, {3, 'S', 2}}});
  story.dies(3).exits();
  expect(symptom(story, "W3"), Kind::kKeepsWorkers, 4);
}

TEST(SymptomOf, ASubmissionThatShouldBeRefusedIsAResult) {
  Story story({create(1), close(), submit(1)});
  story.begins(1).born(3).ends(1).step(2).step(3).exits();
  expect(symptom(story, "S1"), Kind::kComesOutWrong, 3);
}

/// A script takes any error for a refusal, or none.
TEST(SymptomOf, AnotherErrorThanTheDocumentedOneShowsNowhereElse) {
  Story story({create(1), close(), submit(1)});
  story.begins(1).born(3).ends(1).step(2).step(3, result(ResultKind::kError)).exits();
  EXPECT_FALSE(symptom(story, "S1").has_value());
}

/// Whoever looks whether a program ends sees nothing of what was wrong before.
TEST(SymptomOf, AHangIsNoSignOfWhatShowedBefore) {
  Story story({create(1), close(), submit(1), join()});
  story.begins(1).born(3).ends(1).step(2).step(3).begins(4).at_rest().over(End::kAtRest);
  expect(symptom(story, "S1"), Kind::kComesOutWrong, 3);
  expect(symptom(story, "P1"), Kind::kDoesNotEnd, 4);
}

/// A wrong value and the right one look alike to a program that does not know which it should be.
TEST(SymptomOf, AWrongValueHasNone) {
  auto story = one_task();
  story.begins(3).task(1, 3).ends(3, value("bytes:1:0")).exits();
  EXPECT_EQ(symptom(story, "T3"), std::nullopt);
}

TEST(SymptomOf, ABlockThatKeepsAWorkerIsADrop) {
  Story story({create(1), submit(1), drop(), sleep_for(std::chrono::milliseconds(1500))});
  story.scenario.steps[2].farewell = harness::Farewell::kScopeError;
  story.begins(1).born(3).ends(1).step(2).task(1, 3).step(3);
  story.begins(4).after(std::chrono::milliseconds(1500)).ends(4).exits();
  expect(symptom(story, "S7"), Kind::kKeepsWorkers, 3);
}

TEST(SymptomOf, WhatOnlyTheRecordingShowsHasNone) {
  auto story = one_task();
  story.begins(3).task(1, 3).task(1, 3).ends(3, value("none")).exits();
  EXPECT_EQ(symptom(story, "T2"), std::nullopt);
}

}  // namespace
}  // namespace poolproof::properties
