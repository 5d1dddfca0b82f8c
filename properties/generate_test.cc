#include "properties/generate.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <map>
#include <set>

#include "properties/letters.h"
#include "properties/model.h"

namespace poolproof::properties {
namespace {

using namespace std::chrono_literals;

using harness::BodyKind;
using harness::EndingKind;
using harness::Scenario;
using harness::Step;
using harness::StepKind;
using harness::Victim;
using std::chrono::milliseconds;

Abilities everything() {
  Abilities abilities;
  for (const auto& entry : harness::step_table()) abilities.steps.push_back(entry.kind);
  for (const auto& entry : harness::body_table()) abilities.bodies.push_back(entry.kind);
  for (const auto& entry : harness::ending_table()) abilities.endings.push_back(entry.kind);
  abilities.settings = {harness::Setting::kQuota, harness::Setting::kInitializer,
                        harness::Setting::kCallback};
  abilities.forms = {harness::Form::kMap, harness::Form::kStarmap, harness::Form::kImap,
                     harness::Form::kImapUnordered};
  return abilities;
}

std::vector<Scenario> many(int count, const Contract& contract, std::uint64_t seed) {
  const auto gen = scenarios(everything(), contract, "fork");
  rc::Random random(seed);
  std::vector<Scenario> made;
  for (int i = 0; i < count; ++i) made.push_back(gen(random.split(), i % 100).value());
  return made;
}

bool any_step(const Scenario& scenario, bool (*fits)(const Step&)) {
  return std::any_of(scenario.steps.begin(), scenario.steps.end(), fits);
}

RC_GTEST_PROP(Scenarios, AreRunnableAndWithinBounds, ()) {
  Contract contract;
  contract.exit = static_cast<Contract::Exit>(*rc::gen::inRange(0, 3));
  contract.worker_death = static_cast<Contract::WorkerDeath>(*rc::gen::inRange(0, 3));
  contract.join_needs_close = *rc::gen::arbitrary<bool>();
  contract.replaces_workers = *rc::gen::arbitrary<bool>();
  contract.starts_workers_late = *rc::gen::arbitrary<bool>();
  const auto scenario = *scenarios(everything(), contract, "fork");
  RC_ASSERT(is_runnable(scenario, contract));
  RC_ASSERT(scenario.steps.size() <= 9u);
  for (const Step& step : scenario.steps) {
    // Longer ones wait for a dropped pool's workers to go.
    RC_ASSERT(step.duration <= milliseconds(30) || step.duration == contract.patience());
    if (step.body.kind == BodyKind::kSleep) RC_ASSERT(step.body.amount <= 50);
  }
}

/// As the case codec demands it of a file.
RC_GTEST_PROP(Scenarios, AreReadBackFromAFile, ()) {
  const harness::Case made{.pool = "p", .scenario = *scenarios(everything(), Contract{}, "")};
  const auto read = harness::case_from_json(to_json(made));
  RC_ASSERT(read.has_value());
  RC_ASSERT(*read == made);
}

TEST(Scenarios, AreTheSameForTheSameSeed) {
  EXPECT_EQ(many(50, Contract{}, 7), many(50, Contract{}, 7));
  EXPECT_NE(many(50, Contract{}, 7), many(50, Contract{}, 8));
}

TEST(Scenarios, UseEveryLetterWithinAFewHundred) {
  std::set<StepKind> steps;
  std::set<BodyKind> bodies;
  std::set<EndingKind> endings;
  std::set<Victim> victims;
  for (const auto& scenario : many(500, Contract{}, 3)) {
    endings.insert(scenario.ending.kind);
    for (const Step& step : scenario.steps) {
      steps.insert(step.kind);
      if (step.kind == StepKind::kSubmit) bodies.insert(step.body.kind);
      if (step.kind == StepKind::kKill) victims.insert(step.victim);
    }
  }
  EXPECT_EQ(steps.size(), harness::step_table().size());
  EXPECT_EQ(bodies.size(), harness::body_table().size());
  EXPECT_EQ(endings.size(), harness::ending_table().size());
  EXPECT_EQ(victims.size(), 2u);
}

TEST(Scenarios, AskForSettingsThatThePoolKnows) {
  int quotas = 0;
  int initializers = 0;
  std::set<harness::Callback> callbacks;
  for (const auto& scenario : many(500, Contract{}, 5)) {
    quotas += any_step(scenario, [](const Step& s) { return s.quota.has_value(); });
    initializers += any_step(scenario, [](const Step& s) { return fails(s.initializer); });
    for (const Step& step : scenario.steps) callbacks.insert(step.callback);
  }
  EXPECT_EQ(callbacks.size(), 4u);
  EXPECT_GT(quotas, 30);
  EXPECT_GT(initializers, 15);
  auto plain = everything();
  plain.settings.clear();
  const auto gen = scenarios(plain, Contract{}, "fork");
  rc::Random random(5);
  for (int i = 0; i < 200; ++i) {
    const auto scenario = gen(random.split(), 50).value();
    EXPECT_FALSE(any_step(scenario, [](const Step& s) {
      return s.quota.has_value() || s.initializer != harness::Initializer::kNone ||
             s.callback != harness::Callback::kNone;
    }));
  }
}

TEST(Scenarios, LoseWorkersOftenEnough) {
  int killed = 0;
  int busy = 0;
  int killing_bodies = 0;
  for (const auto& scenario : many(1000, Contract{}, 5)) {
    killed += any_step(scenario, [](const Step& s) { return s.kind == StepKind::kKill; });
    busy += any_step(scenario, [](const Step& s) {
      return s.kind == StepKind::kKill && s.victim == Victim::kBusy;
    });
    killing_bodies += any_step(scenario, [](const Step& s) {
      return s.kind == StepKind::kSubmit && entry(s.body.kind).kills_worker;
    });
  }
  EXPECT_GT(killed, 200);
  EXPECT_GT(busy, 80);
  EXPECT_GT(killing_bodies, 200);
}

/// What became of a resize shows when the pool has had its time and is asked.
TEST(Scenarios, LookAtAResizedPoolOftenEnough) {
  int looked = 0;
  int shrunk = 0;
  for (const auto& scenario : many(3000, Contract{}, 5)) {
    std::optional<int> before;
    bool shrinks = false;
    bool settled = false;
    for (const Step& step : scenario.steps) {
      if (step.kind == StepKind::kResize) shrinks = before && *step.workers < *before;
      if (step.workers) before = step.workers;
      settled = shrinks && (settled || (step.kind == StepKind::kSleep && step.duration > 1000ms));
      if (settled && step.kind == StepKind::kWorkers) ++looked;
    }
    shrunk += shrinks;
  }
  EXPECT_GT(shrunk, 40);
  EXPECT_GT(looked, 10);
}

TEST(Scenarios, CallWhatThePoolMustRefuseInAFixedShare) {
  const Contract contract;
  int calls = 0;
  int illegal = 0;
  for (const auto& scenario : many(1000, contract, 11)) {
    Model model(contract);
    for (const Step& step : scenario.steps) {
      ++calls;
      illegal += model.call(step) == Model::Call::kIllegal;
      model.apply(step, model.call(step) == Model::Call::kLegal);
    }
  }
  EXPECT_GT(illegal * 100, calls * 2);
  EXPECT_LT(illegal * 100, calls * 15);
}

TEST(Scenarios, InheritAtTimesWhatLetsThemEnd) {
  using harness::EndingKind;
  using harness::Inherited;
  std::set<Inherited> seen;
  int some = 0;
  for (const auto& scenario : many(1000, Contract{}, 12)) {
    some += scenario.inherits.empty() || scenario.inherits == std::set{Inherited::kInput} ? 0 : 1;
    seen.insert(scenario.inherits.begin(), scenario.inherits.end());
    EXPECT_FALSE(is_deaf_to_its_ending(scenario));
  }
  EXPECT_GT(some, 20);
  EXPECT_LT(some, 150);
  EXPECT_EQ(seen.size(), static_cast<std::size_t>(harness::kLastInherited) + 1);
}

/// A healthy pool's main would wait for its own end for ever.
TEST(Scenarios, AreNotRunnableWhereMainIsDeafToItsEnding) {
  using harness::EndingKind;
  using harness::Inherited;
  const auto runs = [](EndingKind ending, Inherited inherited) {
    Scenario scenario;
    scenario.ending.kind = ending;
    scenario.inherits = {inherited};
    return is_runnable(scenario, Contract{});
  };
  EXPECT_FALSE(runs(EndingKind::kSigterm, Inherited::kSigtermBlocked));
  EXPECT_FALSE(runs(EndingKind::kSigint, Inherited::kSigintIgnored));
  EXPECT_FALSE(runs(EndingKind::kCtrlC, Inherited::kSigintIgnored));
  EXPECT_TRUE(runs(EndingKind::kSigint, Inherited::kSigtermBlocked));
  EXPECT_TRUE(runs(EndingKind::kSighup, Inherited::kSigtermBlocked));
}

TEST(Scenarios, AreNotRunnableWhereMainDeafensItself) {
  using harness::EndingKind;
  using harness::StepKind;
  for (const auto kind : {StepKind::kHandle, StepKind::kMask, StepKind::kIgnore}) {
    const auto runs = [&](EndingKind ending) {
      Scenario scenario;
      scenario.steps = {letters::plain(kind)};
      scenario.ending.kind = ending;
      return is_runnable(scenario, Contract{});
    };
    EXPECT_FALSE(runs(EndingKind::kSigterm));
    EXPECT_TRUE(runs(EndingKind::kSighup));
  }
}

TEST(Scenarios, ReapWhatTheyLaunchAndLaunchOneAtATime) {
  int reaped = 0;
  for (const auto& scenario : many(1000, Contract{}, 14)) {
    bool program = false;
    for (const Step& step : scenario.steps) {
      const bool reaps = step.kind == StepKind::kReap;
      if (step.kind != StepKind::kLaunch && !reaps) continue;
      EXPECT_EQ(program, reaps);
      program = !reaps;
      reaped += reaps ? 1 : 0;
    }
  }
  EXPECT_GT(reaped, 20);
}

TEST(Scenarios, KeepOneOtherPoolAtATime) {
  int kept = 0;
  int works = 0;
  int ended = 0;
  for (const auto& scenario : many(1000, Contract{}, 15)) {
    bool stays = false;
    for (const Step& step : scenario.steps) {
      if (step.kind != StepKind::kNeighbour) continue;
      if (step.neighbour == harness::Neighbour::kEnds) ++ended;
      if (step.neighbour != harness::Neighbour::kEnds) {
        EXPECT_EQ(stays, step.neighbour == harness::Neighbour::kWorks);
      }
      stays = stays || step.neighbour == harness::Neighbour::kStays;
      works += step.neighbour == harness::Neighbour::kWorks;
      kept += step.neighbour == harness::Neighbour::kStays;
    }
  }
  EXPECT_GT(kept, 50);
  EXPECT_GT(works, 20);
  EXPECT_GT(ended, 30);
}

TEST(Scenarios, WaitForOutcomesWithoutTimeoutMostly) {
  int timed = 0;
  int untimed = 0;
  for (const auto& scenario : many(1000, Contract{}, 13)) {
    for (const Step& step : scenario.steps) {
      if (step.kind == StepKind::kGet) ++(step.timeout ? timed : untimed);
    }
  }
  EXPECT_GT(untimed, timed);
}

/// Else nobody could say that a pool which wakes main, but without an outcome, has lost the task.
TEST(Scenarios, WaitLongerThanTheGraceOnlyForATaskWhoseWorkerMayHaveDied) {
  const Contract contract;
  int patient = 0;
  for (const auto& scenario : many(1000, contract, 17)) {
    Model model(contract);
    for (const Step& step : scenario.steps) {
      const bool timed = step.kind == StepKind::kGet && step.timeout;
      if (timed && *step.timeout > contract.grace) {
        ++patient;
        EXPECT_TRUE(model.may_lose_worker(step.task));
        Step untimed = step;
        untimed.timeout.reset();
        EXPECT_FALSE(model.may_wait_for_ever(untimed));  // it costs a healthy pool nothing
      }
      model.apply(step, model.call(step) == Model::Call::kLegal && !timed);
    }
  }
  EXPECT_GT(patient, 5);
  EXPECT_LT(patient, 100);
}

TEST(Scenarios, KeepToWhatTheAdapterCanDo) {
  Abilities few;
  few.steps = {StepKind::kCreate, StepKind::kSubmit, StepKind::kGet};
  few.bodies = {BodyKind::kNothing};
  few.endings = {EndingKind::kReturn};
  const auto gen = scenarios(few, Contract{}, "");
  rc::Random random(1);
  for (int i = 0; i < 200; ++i) {
    const Scenario scenario = gen(random.split(), 50).value();
    EXPECT_EQ(scenario.ending.kind, EndingKind::kReturn);
    for (const Step& step : scenario.steps) {
      EXPECT_TRUE(step.kind == StepKind::kCreate || step.kind == StepKind::kSubmit ||
                  step.kind == StepKind::kGet);
      EXPECT_EQ(step.body.kind, BodyKind::kNothing);
    }
  }
}

}  // namespace
}  // namespace poolproof::properties
