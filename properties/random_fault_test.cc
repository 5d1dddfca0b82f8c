#include "properties/random_fault.h"

#include <gtest/gtest.h>

#include <csignal>
#include <set>

#include "properties/rules/made_trace.h"

namespace poolproof::properties {
namespace {

using harness::Fault;
using harness::Scenario;

rc::Random random_of(std::uint64_t n) {
  return rc::Random(rc::Random::Key{n, 0, 0, 0});
}

Scenario two_tasks() {
  Scenario scenario;
  scenario.steps = {create(1), submit(1), submit(2), get(1), get(2), close(), join()};
  return scenario;
}

/// A case that has one can be saved and read again, and its trigger can come.
TEST(RandomFault, IsOneThatACaseCanHave) {
  const auto scenario = two_tasks();
  for (std::uint64_t n = 0; n < 5000; ++n) {
    const auto fault = random_fault(random_of(n), scenario);
    if (!fault) continue;
    const auto read = harness::fault_from_string(to_string(*fault));
    ASSERT_TRUE(read) << to_string(*fault) << ": " << read.error().message();
    EXPECT_EQ(*read, *fault);
    if (fault->trigger == Fault::Trigger::kTask) {
      EXPECT_LE(fault->nth, 2);
    } else if (fault->trigger != Fault::Trigger::kCall) {
      EXPECT_LE(fault->nth, 7);
    }
  }
}

TEST(RandomFault, ComesInEveryKindAndSometimesNotAtAll) {
  std::set<Fault::Action> actions;
  std::set<Fault::Trigger> triggers;
  std::set<std::string> victims;
  int healthy = 0;
  for (std::uint64_t n = 0; n < 5000; ++n) {
    const auto fault = random_fault(random_of(n), two_tasks());
    if (!fault) ++healthy;
    if (!fault) continue;
    actions.insert(fault->action);
    triggers.insert(fault->trigger);
    victims.insert(fault->who);
  }
  EXPECT_EQ(actions.size(), 9U);  // all but an error by its number
  EXPECT_EQ(triggers.size(), 4U);
  EXPECT_EQ(victims.size(), 7U);
  EXPECT_GT(healthy, 1000);
}

TEST(RandomFault, IsTheSameForTheSameSeed) {
  EXPECT_EQ(random_fault(random_of(7), two_tasks()), random_fault(random_of(7), two_tasks()));
}

TEST(RandomFault, OftenGivesWhatMainMakesForItselfThePidOfSomebodyWhoIsGone) {
  auto scenario = two_tasks();
  scenario.steps.push_back({.kind = harness::StepKind::kLaunch});
  int reused = 0;
  for (std::uint64_t n = 0; n < 1000; ++n) {
    const auto fault = random_fault(random_of(n), scenario);
    if (fault && to_string(*fault) == "main:before-step:8=reuse:pids") ++reused;
  }
  EXPECT_GT(reused, 100);
}

/// A fault beside makes nobody the wiser: which of the two was it?
TEST(RandomFault, SparesThoseThatInheritWhatIsStrangeEnough) {
  auto scenario = two_tasks();
  int faults = 0;
  for (std::uint64_t n = 0; n < 100; ++n) {
    scenario.inherits = {harness::Inherited::kSigchldIgnored};
    EXPECT_FALSE(random_fault(random_of(n), scenario));
    scenario.inherits = {harness::Inherited::kInput};
    faults += random_fault(random_of(n), scenario) ? 1 : 0;
  }
  EXPECT_GT(faults, 0);
}

TEST(RandomFault, HasNothingToHitWhereMainDoesNothing) {
  for (std::uint64_t n = 0; n < 100; ++n) EXPECT_FALSE(random_fault(random_of(n), Scenario{}));
}

TEST(RandomFault, DoesNotKillWhoGathersWhatATaskHasLeft) {
  for (const auto body : {harness::BodyKind::kLeaveChild, harness::BodyKind::kLeaveDaemon}) {
    auto scenario = two_tasks();
    scenario.steps[1].body.kind = body;
    for (std::uint64_t n = 0; n < 3000; ++n) {
      const auto fault = random_fault(random_of(n), scenario);
      if (!fault || fault->who != "main.1") continue;
      EXPECT_FALSE(fault->action == Fault::Action::kSignal && fault->number == SIGKILL)
          << to_string(*fault);
    }
  }
}

}  // namespace
}  // namespace poolproof::properties
