#include "properties/coverage.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "properties/enumerate.h"

namespace poolproof::properties {
namespace {

using harness::BodyKind;
using harness::EndingKind;
using harness::Scenario;
using harness::Step;
using harness::StepKind;
using harness::Trace;
using harness::Victim;

Abilities everything() {
  Abilities abilities;
  for (const auto& entry : harness::step_table()) abilities.steps.push_back(entry.kind);
  for (const auto& entry : harness::body_table()) abilities.bodies.push_back(entry.kind);
  for (const auto& entry : harness::ending_table()) abilities.endings.push_back(entry.kind);
  return abilities;
}

Step step(StepKind kind, int task = 0, BodyKind body = BodyKind::kNothing) {
  Step step;
  step.kind = kind;
  step.task = task;
  step.body.kind = body;
  return step;
}

/// create, submit, kill busy, close, join; then SIGKILL.
Scenario scenario() {
  Scenario scenario;
  scenario.steps = {step(StepKind::kCreate), step(StepKind::kSubmit, 1, BodyKind::kNever),
                    step(StepKind::kKill), step(StepKind::kClose), step(StepKind::kJoin)};
  scenario.steps[2].victim = Victim::kBusy;
  scenario.ending.kind = EndingKind::kSigkill;
  return scenario;
}

Trace trace_of(int steps, bool ending, int fault_in_step) {
  Trace trace;
  for (int at = 1; at <= steps; ++at) {
    trace.events.push_back({{}, harness::StepBegun{1, at}});
    if (at == fault_in_step) trace.events.push_back({{}, harness::FaultFired{}});
    trace.events.push_back({{}, harness::StepEnded{1, at, {}}});
  }
  if (ending) trace.events.push_back({{}, harness::EndingBegun{1}});
  return trace;
}

TEST(Coverage, AStepIsCountedInTheSituationThatItMeets) {
  const auto moments = moments_of(scenario(), Contract{});
  std::vector<std::string> words;
  words.reserve(moments.size());
  for (const auto& moment : moments) words.push_back(to_string(moment));
  EXPECT_EQ(words,
            (std::vector<std::string>{"no pool x create", "running, fresh x submit",
                                      "running, busy x kill", "running, hurt x close",
                                      "closed, idle x join", "closed, joined x end by sigkill"}));
}

TEST(Coverage, OnlyWhatMainBeganWasReached) {
  Coverage coverage;
  const auto moments = moments_of(scenario(), Contract{});
  coverage.add(scenario(), Contract{}, trace_of(3, false, 0));
  EXPECT_EQ(coverage.count(moments[2]), 1);
  EXPECT_EQ(coverage.count(moments[3]), 0);
  coverage.add(scenario(), Contract{}, trace_of(5, true, 0));
  EXPECT_EQ(coverage.count(moments[2]), 2);
  EXPECT_EQ(coverage.count(moments[5]), 1);
}

TEST(Coverage, AFaultIsCountedWhereItFired) {
  auto faulty = scenario();
  faulty.fault = *harness::fault_from_string("main:write:7=SIGTERM");
  const auto moments = moments_of(faulty, Contract{});
  Coverage coverage;
  coverage.add(faulty, Contract{}, trace_of(5, true, 0));
  EXPECT_TRUE(coverage.with_faults().empty());
  coverage.add(faulty, Contract{}, trace_of(5, true, 4));
  EXPECT_EQ(coverage.count(moments[3], FaultKind::kSignal), 1);
  EXPECT_EQ(coverage.with_faults().size(), 1U);
}

TEST(Coverage, AFaultsPlaceIsKnownBeforehandUnlessItIsACall) {
  auto faulty = scenario();
  const auto moments = moments_of(faulty, Contract{});
  EXPECT_EQ(moment_of_fault(faulty, Contract{}), std::nullopt);
  faulty.fault = *harness::fault_from_string("main:write:7=SIGTERM");
  EXPECT_EQ(moment_of_fault(faulty, Contract{}), std::nullopt);
  faulty.fault = harness::Fault{};
  faulty.fault->trigger = harness::Fault::Trigger::kBeforeStep;
  faulty.fault->nth = 4;
  EXPECT_EQ(moment_of_fault(faulty, Contract{}), moments[3]);
  faulty.fault->trigger = harness::Fault::Trigger::kTask;
  faulty.fault->nth = 1;
  EXPECT_EQ(moment_of_fault(faulty, Contract{}), moments[1]);
}

TEST(Coverage, LongerScenariosReachNothingThatIsNotCalledReachable) {
  for (const bool drains : {false, true}) {
    Contract contract;
    if (drains) {
      contract.exit = Contract::Exit::kDrains;
      contract.worker_death = Contract::WorkerDeath::kBreaks;
      contract.join_needs_close = false;
    }
    const auto moments = reachable(everything(), contract);
    Enumerator enumerator(everything(), contract, "");
    for (int length = 1; length <= 5; ++length) {
      while (const auto scenario = enumerator.next(length)) {
        for (const auto& moment : moments_of(*scenario, contract)) {
          ASSERT_TRUE(moments.contains(moment)) << to_string(moment) << to_json(*scenario);
        }
      }
    }
  }
}

TEST(Coverage, EverySituationIsReachable) {
  const auto moments = reachable(everything(), Contract{});
  for (int at = 0; at <= static_cast<int>(Situation::kDropped); ++at) {
    EXPECT_TRUE(std::any_of(moments.begin(), moments.end(), [&](const Moment& moment) {
      return moment.situation == static_cast<Situation>(at);
    })) << name(static_cast<Situation>(at));
  }
}

TEST(Coverage, WhatIsReachedIsNeverMoreThanWhatThereIs) {
  Coverage coverage;
  coverage.add(scenario(), Contract{}, trace_of(5, true, 0));
  const auto some = pairs_reached(coverage, reachable(everything(), Contract{}));
  EXPECT_EQ(some.reached, 6);
  EXPECT_GT(some.of, 60);
  const auto unforeseen = pairs_reached(coverage, {});
  EXPECT_EQ(unforeseen.reached, 6);
  EXPECT_EQ(unforeseen.of, 6);
}

}  // namespace
}  // namespace poolproof::properties
