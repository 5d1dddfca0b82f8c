#include "properties/program_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "properties/test_traces.h"
#include "properties/text.h"

namespace poolproof::properties {
namespace {

using harness::BodyKind;
using ::testing::ElementsAre;

TEST(ProgramText, NumbersTheStepsInAColumn) {
  EXPECT_THAT(numbered_program(orphan_scenario(), executor_pool().abilities, 4),
              ElementsAre("    pool = ProcessPoolExecutor(1)       # 1",  //
                          "    f1 = pool.submit(nothing)           # 2",  //
                          "    f1.result()                         # 3",  //
                          "    os._exit(0)                         # 4"));
}

TEST(ProgramText, FillsInArgumentsTimeoutsAndVictims) {
  auto scenario = orphan_scenario();
  scenario.steps = {create_step(2), submit_step(1, {BodyKind::kEcho, 65536}),
                    submit_step(2, {BodyKind::kSleep, 1500}), get_step(1)};
  scenario.steps.back().timeout = std::chrono::milliseconds(250);
  harness::Step kill;
  kill.kind = harness::StepKind::kKill;
  kill.victim = harness::Victim::kBusy;
  scenario.steps.push_back(kill);
  std::vector<std::string> lines;
  for (const auto& statement : statements(scenario, executor_pool().abilities)) {
    lines.push_back(joined(statement.lines, "\n"));
  }
  EXPECT_THAT(
      lines, ElementsAre("pool = ProcessPoolExecutor(2)", "f1 = pool.submit(echo, bytes(65536))",
                         "f2 = pool.submit(time.sleep, 1.5)", "f1.result(0.25)", "kill(busy(pool))",
                         "os._exit(0)"));
}

/// What is not asked for goes with the argument that it would be.
TEST(ProgramText, LeavesOutSettingsThatAreNotAskedFor) {
  auto abilities = executor_pool().abilities;
  abilities.program["create"] = "pool = Pool({workers}, quota={quota}, initializer={initializer})";
  abilities.program["create_default"] = "pool = Pool(quota={quota}, initializer={initializer})";
  abilities.program["initializer_raises"] = "fail";
  const auto text = [&](std::optional<int> workers, std::optional<int> quota,
                        harness::Initializer initializer) {
    auto step = create_step(1);
    step.workers = workers;
    step.quota = quota;
    step.initializer = initializer;
    return joined(statements({"fork", {step}, {}}, abilities)[0].lines, "\n");
  };
  using harness::Initializer;
  EXPECT_EQ(text(2, 1, Initializer::kRaises), "pool = Pool(2, quota=1, initializer=fail)");
  EXPECT_EQ(text(2, {}, Initializer::kRaises), "pool = Pool(2, initializer=fail)");
  EXPECT_EQ(text(2, {}, Initializer::kNone), "pool = Pool(2)");
  EXPECT_EQ(text({}, 1, Initializer::kNone), "pool = Pool(quota=1)");
  EXPECT_EQ(text({}, {}, Initializer::kRaises), "pool = Pool(initializer=fail)");
  EXPECT_EQ(text({}, {}, Initializer::kNone), "pool = Pool()");
}

TEST(ProgramText, PutsTheNumberAboveALineThatLeavesNoRoom) {
  auto abilities = executor_pool().abilities;
  abilities.program["create"] = "pool = " + std::string(66, 'p');
  const auto program = numbered_program(orphan_scenario(), abilities, 4);
  ASSERT_EQ(program.size(), 5u);
  EXPECT_EQ(program[0], "    # 1");
  EXPECT_EQ(program[1], "    pool = " + std::string(66, 'p'));
  EXPECT_TRUE(program[2].ends_with("  # 2")) << program[2];
  for (const auto& line : program) EXPECT_LE(line.size(), kLineWidth) << line;
}

/// A default number of workers cannot be understood without it.
TEST(ProgramText, SaysWhichProcessorsMainMayUse) {
  auto scenario = orphan_scenario();
  scenario.processors = 1;
  const std::string comment = "# main may use 1 processor only: to be run under taskset";
  EXPECT_EQ(numbered_program(scenario, executor_pool().abilities, 4)[0], "    " + comment);
  EXPECT_TRUE(whole_program(scenario, executor_pool().abilities).starts_with(comment + "\n"));
}

TEST(ProgramText, SaysWhatMainInherits) {
  auto scenario = orphan_scenario();
  scenario.inherits = {harness::Inherited::kSigchldIgnored};
  EXPECT_TRUE(whole_program(scenario, executor_pool().abilities)
                  .starts_with("# started with SIGCHLD ignored\n"));
}

/// Where a submission takes them, or where the future does, in a line of its own.
TEST(ProgramText, TellsCallbacks) {
  using harness::Callback;
  auto abilities = executor_pool().abilities;
  abilities.program["submit"] = "f{task} = pool.apply_async({body}, callback={callback})";
  abilities.program["callback_returns"] = "hear";
  abilities.program["preamble.callback_returns"] = "def hear(outcome): pass";
  const auto scenario_with = [](Callback callback) {
    auto step = submit_step(1, {});
    step.callback = callback;
    return harness::Scenario{"fork", {create_step(1), step, step}, {}};
  };
  const auto text = [&](Callback callback) {
    return joined(statements(scenario_with(callback), abilities)[1].lines, "; ");
  };
  EXPECT_EQ(text(Callback::kReturns), "f1 = pool.apply_async(nothing, callback=hear)");
  EXPECT_EQ(text(Callback::kNone), "f1 = pool.apply_async(nothing)");
  abilities.program["submit_callback"] = "f{task} = go({body})\nf{task}.when_done({callback})";
  EXPECT_EQ(text(Callback::kReturns), "f1 = go(nothing); f1.when_done(hear)");
  const auto defined = joined(definitions(scenario_with(Callback::kReturns), abilities), "; ");
  EXPECT_EQ(defined.find("def hear"), defined.rfind("def hear")) << "once";
  EXPECT_NE(defined.find("def hear"), defined.npos);
}

TEST(ProgramText, HasWhatAStepNeedsBySteps) {
  auto abilities = executor_pool().abilities;
  abilities.program["preamble.lock"] = "def hold_log(): pass";
  abilities.program["preamble.sleep"] =
      "def sleep(): pass";  // of a body that is called like a step
  harness::Step lock;
  lock.kind = harness::StepKind::kLock;
  harness::Step sleep;
  sleep.kind = harness::StepKind::kSleep;
  const auto text = [&](std::vector<harness::Step> steps) {
    return whole_program({"fork", std::move(steps), {}}, abilities, {});
  };
  EXPECT_THAT(text({create_step(1), lock, sleep, lock}), testing::HasSubstr("def hold_log"));
  EXPECT_THAT(text({create_step(1), lock, sleep}), testing::Not(testing::HasSubstr("def sleep")));
  EXPECT_THAT(text({create_step(1)}), testing::Not(testing::HasSubstr("def hold_log")));
}

TEST(ProgramText, AStepWithoutATemplateIsAComment) {
  auto abilities = executor_pool().abilities;
  abilities.program.clear();
  const auto program = statements({"fork", {create_step(1)}, {}}, abilities);
  ASSERT_EQ(program.size(), 1U);
  EXPECT_THAT(program[0].lines, ElementsAre("# create"));
}

TEST(ProgramText, AStepThatRaisedIsAnAttempt) {
  auto abilities = executor_pool().abilities;
  abilities.program["attempt"] = "try: {step}\nexcept BaseException as e: print(e)";
  TraceWriter writer;
  harness::StepResult refused;
  refused.kind = harness::StepResult::Kind::kTaskError;
  const auto trace = writer.step(1).step(2).step(3, refused).done();
  EXPECT_EQ(raising_steps(trace), std::set<int>{3});
  EXPECT_THAT(statements(orphan_scenario(), abilities, raising_steps(trace))[2].lines,
              ElementsAre("try: f1.result()", "except BaseException as e: print(e)"));
}

TEST(ProgramText, AnAttemptOfSeveralLinesIsABlock) {
  auto abilities = executor_pool().abilities;
  abilities.program["attempt"] = "try: {step}\nexcept BaseException as e: print(e)";
  abilities.program["submit"] = "f{task} = go({body})\nf{task}.when_done(hear)";
  const auto lines = statements(orphan_scenario(), abilities, {2})[1].lines;
  ASSERT_EQ(lines.size(), 4U);
  EXPECT_EQ(lines[0], "try:");
  EXPECT_THAT(lines[1], testing::StartsWith("    f1 = go("));
  EXPECT_EQ(lines[2], "    f1.when_done(hear)");
  EXPECT_EQ(lines[3], "except BaseException as e: print(e)");
}

TEST(ProgramText, AStepWithoutATemplateIsACommentWhoeverCallsItAndHoweverItEnds) {
  auto abilities = executor_pool().abilities;
  abilities.program.erase("submit");
  abilities.program["attempt"] = "try: {step}\nexcept BaseException as e: print(e)";
  abilities.program["by_thread"] = "by_threads(1, lambda: {call})";
  auto scenario = orphan_scenario();
  scenario.steps[1].caller = harness::Caller::kThread;
  EXPECT_THAT(statements(scenario, abilities, {2})[1].lines, ElementsAre("# submit"));
}

TEST(ProgramText, OfSeveralLinesTheFirstIsTheCallOfAThread) {
  auto abilities = executor_pool().abilities;
  abilities.program["submit_callback"] = "f{task} = go({body})\nf{task}.when_done({callback})";
  abilities.program["by_thread"] = "by_threads(1, lambda: {call})";
  auto scenario = orphan_scenario();
  scenario.steps[1].callback = harness::Callback::kReturns;
  scenario.steps[1].caller = harness::Caller::kThread;
  EXPECT_THAT(statements(scenario, abilities)[1].lines,
              ElementsAre("f1 = by_threads(1, lambda: go(nothing))", "f1.when_done(returns)"));
}

TEST(ProgramText, AnEarlyCallBeginsBeforeTheStepBeforeIt) {
  auto abilities = executor_pool().abilities;
  abilities.program["get"] = "f{task}.result()";
  abilities.program["terminate"] = "pool.terminate()";
  abilities.program["begin_early"] = "early{number} = begin(lambda: {call})";
  abilities.program["by_early"] = "early{number}()";
  abilities.program["by_thread"] = "by_threads(1, lambda: {call})";
  auto early = get_step(1);
  early.caller = harness::Caller::kEarly;
  const auto lines = [&](std::vector<harness::Step> steps) {
    std::vector<std::string> told;
    for (const auto& statement : statements({"fork", std::move(steps), {}}, abilities))
      told.push_back(statement.lines.front() + "  # " + std::to_string(statement.step));
    return told;
  };
  const auto submit = submit_step(1);
  const harness::Step terminate{.kind = harness::StepKind::kTerminate};
  const auto told = lines({create_step(1), submit, terminate, early});
  ASSERT_EQ(told.size(), 5U);
  EXPECT_EQ(told[2], "early4 = begin(lambda: f1.result())  # 4");
  EXPECT_EQ(told[3], "pool.terminate()  # 3");
  EXPECT_EQ(told[4], "early4()  # 4");
  // What is handed over by the step before it cannot be waited for earlier.
  EXPECT_EQ(lines({create_step(1), submit, early})[2], "by_threads(1, lambda: f1.result())  # 3");
  abilities.program["preamble.by_thread"] = "def by_threads";
  abilities.program["preamble.by_early"] = "def begin";
  EXPECT_THAT(definitions({"fork", {create_step(1), submit, early}, {}}, abilities),
              ElementsAre("def by_threads"));
  EXPECT_THAT(definitions({"fork", {create_step(1), submit, terminate, early}, {}}, abilities),
              ElementsAre("def begin"));
}

TEST(ProgramText, AWholeProgramHasTheUsedPartsOfThePreambleAlone) {
  auto abilities = executor_pool().abilities;
  abilities.program.erase("preamble");
  abilities.program["preamble.always"] = "import os";
  abilities.program["preamble.nothing"] = "def nothing():\n    pass";
  abilities.program["preamble.echo"] = "def echo(data):\n    return data";
  abilities.program["preamble.main"] = "if __name__ == \"__main__\":";
  abilities.program["indent"] = "    ";
  abilities.program["postamble"] = "# end";
  EXPECT_EQ(whole_program(orphan_scenario(), abilities),
            "import os\n\n\ndef nothing():\n    pass\n\n\nif __name__ == \"__main__\":\n"
            "    pool = ProcessPoolExecutor(1)\n    f1 = pool.submit(nothing)\n    f1.result()\n"
            "    os._exit(0)\n# end\n");
}

}  // namespace
}  // namespace poolproof::properties
