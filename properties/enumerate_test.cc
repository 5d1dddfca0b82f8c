#include "properties/enumerate.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

namespace poolproof::properties {
namespace {

using harness::Body;
using harness::BodyKind;
using harness::EndingKind;
using harness::Scenario;
using harness::Step;
using harness::StepKind;
using harness::Victim;

Abilities everything() {
  Abilities abilities;
  for (const auto& entry : harness::step_table()) abilities.steps.push_back(entry.kind);
  for (const auto& entry : harness::body_table()) abilities.bodies.push_back(entry.kind);
  for (const auto& entry : harness::ending_table()) abilities.endings.push_back(entry.kind);
  return abilities;
}

Contract executor() {
  Contract contract;
  contract.exit = Contract::Exit::kDrains;
  contract.worker_death = Contract::WorkerDeath::kBreaks;
  contract.join_needs_close = false;
  contract.starts_workers_late = true;
  return contract;
}

std::vector<Scenario> all_of(int length, const Abilities& abilities, const Contract& contract) {
  Enumerator enumerator(abilities, contract, "fork");
  std::vector<Scenario> all;
  while (auto scenario = enumerator.next(length)) all.push_back(std::move(*scenario));
  return all;
}

std::set<std::string> texts_of(const std::vector<Scenario>& scenarios) {
  std::set<std::string> texts;
  for (const auto& scenario : scenarios) texts.insert(to_json(scenario));
  return texts;
}

/// Every letter with any task number, whether it makes sense or not.
std::vector<Step> every_letter() {
  std::vector<Step> letters;
  const auto add = [&](StepKind kind, auto&& fill) {
    Step step;
    step.kind = kind;
    fill(step);
    letters.push_back(step);
  };
  const auto plain = [](Step&) {};
  for (const int workers : {1, 2}) add(StepKind::kCreate, [&](Step& s) { s.workers = workers; });
  for (const int task : {1, 2, 3}) {
    for (const auto kind :
         {BodyKind::kNothing, BodyKind::kRaise, BodyKind::kKillSelf, BodyKind::kNever}) {
      add(StepKind::kSubmit, [&](Step& s) {
        s.task = task;
        s.body = Body{.kind = kind};
      });
    }
    add(StepKind::kGet, [&](Step& s) { s.task = task; });
    add(StepKind::kGet, [&](Step& s) {
      s.task = task;
      s.timeout = std::chrono::milliseconds(20);
    });
  }
  for (const auto kind :
       {StepKind::kClose, StepKind::kTerminate, StepKind::kJoin, StepKind::kDrop}) {
    add(kind, plain);
  }
  for (const auto victim : {Victim::kIdle, Victim::kBusy}) {
    add(StepKind::kKill, [&](Step& s) { s.victim = victim; });
  }
  return letters;
}

bool creates(const Scenario& scenario) {
  return std::any_of(scenario.steps.begin(), scenario.steps.end(),
                     [](const Step& step) { return step.kind == StepKind::kCreate; });
}

/// All sequences of letters, sieved by is_runnable() and by whether they create a pool.
std::set<std::string> by_brute_force(int length, const Contract& contract) {
  std::vector<std::vector<Step>> words{{}};
  std::set<std::string> texts;
  for (int letters = 0; letters <= length; ++letters) {
    std::vector<std::vector<Step>> longer;
    for (const auto& word : words) {
      for (const auto kind : {EndingKind::kReturn, EndingKind::kOsExit, EndingKind::kSigkill}) {
        const Scenario scenario{.start_method = "fork", .steps = word, .ending = {.kind = kind}};
        if (creates(scenario) && scenario.length() == length && is_runnable(scenario, contract))
          texts.insert(to_json(scenario));
      }
      for (const auto& letter : every_letter()) {
        longer.push_back(word);
        longer.back().push_back(letter);
      }
    }
    words = std::move(longer);
  }
  return texts;
}

class EnumeratorTest : public ::testing::TestWithParam<Contract> {};

TEST_P(EnumeratorTest, FindsWhatBruteForceFinds) {
  for (int length = 0; length <= 3; ++length) {
    const auto found = all_of(length, everything(), GetParam());
    const auto expected = by_brute_force(length, GetParam());
    EXPECT_EQ(texts_of(found), expected) << length;
    EXPECT_EQ(found.size(), expected.size()) << "some twice, of length " << length;
  }
}

TEST_P(EnumeratorTest, GivesEachOnceAndRunnableAndOfItsLength) {
  for (int length = 0; length <= 5; ++length) {
    const auto all = all_of(length, everything(), GetParam());
    EXPECT_EQ(texts_of(all).size(), all.size());
    for (const auto& scenario : all) {
      ASSERT_EQ(scenario.length(), length) << to_json(scenario);
      ASSERT_TRUE(is_runnable(scenario, GetParam())) << to_json(scenario);
    }
  }
}

TEST_P(EnumeratorTest, CountsWithoutMoving) {
  Enumerator enumerator(everything(), GetParam(), "fork");
  const auto first = enumerator.next(3);
  const auto count = enumerator.count(3, 1'000'000);
  ASSERT_TRUE(count.has_value());
  EXPECT_EQ(enumerator.count(3, *count), count);
  EXPECT_EQ(enumerator.count(3, *count - 1), std::nullopt);
  std::int64_t seen = first ? 1 : 0;
  while (enumerator.next(3)) ++seen;
  EXPECT_EQ(seen, *count);
  EXPECT_EQ(enumerator.next(3), std::nullopt);
}

INSTANTIATE_TEST_SUITE_P(Contracts, EnumeratorTest, ::testing::Values(Contract{}, executor()),
                         [](const auto& each) { return each.index == 0 ? "pool" : "executor"; });

/// Written by hand: who changes the alphabet or the model sees what the claim is worth then.
TEST(Enumerator, KnowsTheNumbersOfItsClaim) {
  EXPECT_EQ(all_of(0, everything(), Contract{}).size(), 0U);  // there is no pool
  EXPECT_EQ(all_of(1, everything(), Contract{}).size(), 2U);
  // After create 1 or 2: 4 submits, close, terminate, join, drop, a kill of the idle; 2 endings.
  EXPECT_EQ(all_of(2, everything(), Contract{}).size(), 2U * (4 + 4 + 1 + 2));
}

TEST(Enumerator, LeavesOutWhatTheAdapterDoesNotHave) {
  auto few = everything();
  few.steps = {StepKind::kCreate, StepKind::kSubmit, StepKind::kGet, StepKind::kSleep};
  few.bodies = {BodyKind::kNothing, BodyKind::kEcho};
  few.endings = {EndingKind::kReturn};
  const auto all = all_of(4, few, Contract{});
  EXPECT_FALSE(all.empty());
  for (const auto& scenario : all) {
    EXPECT_EQ(scenario.ending.kind, EndingKind::kReturn);
    EXPECT_TRUE(std::all_of(scenario.steps.begin(), scenario.steps.end(), [](const Step& step) {
      return step.kind == StepKind::kCreate || step.kind == StepKind::kGet ||
             (step.kind == StepKind::kSubmit && step.body.kind == BodyKind::kNothing);
    })) << to_json(scenario);
  }
}

TEST(Enumerator, TasksAreNumberedInOrderOfSubmission) {
  for (const auto& scenario : all_of(4, everything(), Contract{})) {
    int submitted = 0;
    for (const auto& step : scenario.steps) {
      if (step.kind == StepKind::kSubmit) {
        EXPECT_EQ(step.task, ++submitted);
      }
    }
  }
}

}  // namespace
}  // namespace poolproof::properties
