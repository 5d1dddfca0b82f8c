#include "properties/repro_script.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "properties/test_traces.h"
#include "properties/text.h"

namespace poolproof::properties {
namespace {

using harness::Step;
using harness::StepKind;
using ::testing::HasSubstr;
using ::testing::Not;
using Kind = Symptom::Kind;

Pool pool_with_workers() {
  auto pool = executor_pool();
  pool.abilities.program["workers"] = "print(list(pool._processes.values()))";
  pool.abilities.program["close"] = "pool.shutdown(wait=False)";
  pool.abilities.program["preamble.always"] =
      "import functools, os, sys, time\nfrom concurrent.futures import ProcessPoolExecutor";
  pool.abilities.program["preamble.nothing"] = "\ndef nothing():\n    pass\n";
  return pool;
}

std::string script(const harness::Scenario& scenario, Symptom symptom,
                   std::string_view rule = "W1") {
  const auto pool = pool_with_workers();
  const auto made = repro_script({pool, scenario, *rule_named(rule), std::move(symptom), "", {}});
  return made ? *made : made.error().message();
}

Step of_kind(StepKind kind) {
  Step step;
  step.kind = kind;
  return step;
}

TEST(ReproScript, RunsTheScenarioInAChildAndLooksForSurvivors) {
  const auto text = script(orphan_scenario(), {Kind::kLeavesProcesses, 0, 0});
  EXPECT_TRUE(is_golden("repro_survivors.py", text));
  EXPECT_LE(std::count(text.begin(), text.end(), '\n'), 40) << "for a bug report";
}

TEST(ReproScript, NotesWorkersBeforeThePoolIsOver) {
  auto scenario = orphan_scenario();
  scenario.steps.push_back(of_kind(StepKind::kClose));
  scenario.steps.push_back(of_kind(StepKind::kJoin));
  EXPECT_TRUE(is_golden("repro_workers.py", script(scenario, {Kind::kKeepsWorkers, 5, 0}, "W3")));
}

TEST(ReproScript, WritesOnlyTheImportsThatItUses) {
  const auto text = script(orphan_scenario(), {Kind::kDoesNotEnd, 3, 0});
  EXPECT_THAT(text, HasSubstr("import contextlib, os, signal, subprocess, sys, time\n"
                              "from concurrent.futures import ProcessPoolExecutor\n"));
}

TEST(ReproScript, KillsTheOneWorkerThereIs) {
  auto scenario = orphan_scenario();
  scenario.steps.push_back(of_kind(StepKind::kKill));
  const auto text = script(scenario, {Kind::kDoesNotEnd, 0, 0});
  EXPECT_THAT(text, HasSubstr("os.kill([getattr(w, \"pid\", w) for w in "
                              "list(pool._processes.values())][0], signal.SIGKILL)"));
  EXPECT_THAT(text, Not(HasSubstr("def mark")));
}

TEST(ReproScript, MarksTasksWhereItMattersWhoIsKilled) {
  auto scenario = orphan_scenario();
  scenario.steps = {create_step(2), submit_step(1), of_kind(StepKind::kKill)};
  const auto text = script(scenario, {Kind::kDoesNotEnd, 0, 0});
  EXPECT_THAT(text, HasSubstr("@mark\ndef nothing():"));
  EXPECT_THAT(text, HasSubstr("os.kill(find(pool, busy=False), signal.SIGKILL)"));
}

TEST(ReproScript, ItemsOfAMapKeepWorkersBusyToo) {
  auto scenario = orphan_scenario();
  Step map{.kind = StepKind::kMap, .task = 1};
  map.items = 1;
  scenario.steps = {create_step(2), map, of_kind(StepKind::kKill)};
  EXPECT_THAT(script(scenario, {Kind::kDoesNotEnd, 0, 0}), HasSubstr("find(pool, busy=False)"));
}

TEST(ReproScript, PutsASignalOfTheFaultBeforeItsStep) {
  auto scenario = orphan_scenario();
  scenario.fault = *harness::fault_from_string("main:before-step:2=SIGTERM");
  EXPECT_THAT(script(scenario, {Kind::kLeavesProcesses, 0, 0}),
              HasSubstr("    os.kill(os.getpid(), signal.SIGTERM)\n    f1 = "));
}

TEST(ReproScript, SaysWhichFaultItCannotPlace) {
  auto scenario = orphan_scenario();
  scenario.fault = *harness::fault_from_string("main:clone:1=EAGAIN");
  EXPECT_EQ(script(scenario, {Kind::kLeavesProcesses, 0, 0}),
            "a program alone cannot place the fault main:clone:1=EAGAIN; replay can");
}

TEST(ReproScript, IsForPython) {
  auto pool = executor_pool();
  pool.abilities.language = "c++";
  const auto made = repro_script(
      {pool, orphan_scenario(), *rule_named("W1"), {Kind::kLeavesProcesses, 0, 0}, "", {}});
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().message(),
            "scripts are written for pools in Python only, ProcessPoolExecutor:fork is in c++");
}

}  // namespace
}  // namespace poolproof::properties
