#include "properties/generated.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>

#include "harness/sys/fd.h"
#include "properties/fake_trees.h"
#include "properties/generated_report.h"
#include "properties/test_traces.h"
#include "properties/text.h"

namespace poolproof::properties {
namespace {

using harness::Job;
using harness::Trace;
using testing::HasSubstr;
using Fate = GeneratedMutant::Fate;

/// Each mutant's program says what its runs are like.
class GeneratedTest : public testing::Test {
 protected:
  GeneratedTest() {
    source_.generate = [](const Pool&, int) { return std::optional(orphan_scenario()); };
  }

  /// A source whose only mutation puts `text` in its stead; with `probe`, that for the probe.
  void add(const std::string& text, const std::string& probe = "") {
    const auto change = [](const std::string& to) {
      return R"("offset": 0, "length": 4, "text": ")" + to + '"';
    };
    trees_.add("file" + std::to_string(trees_.recipe().sources.size()) + ".cc", "pool",
               R"({"kind": "drop", "line": 1, )" + change(text) + R"(, "probe": )" +
                   (probe.empty() ? "null" : "{" + change(probe) + "}") + "}\n");
  }

  static sys::Result<Trace> answer(const Job& job) {
    const auto program = sys::read_file(job.command.front()).value();
    if (program == "stays") return orphan_trace();
    if (program == "mute") {
      auto trace = healthy_trace(job.scenario);
      std::erase_if(trace.events, [](const harness::Event& event) {
        return std::holds_alternative<harness::Started>(event.kind);
      });
      return trace;
    }
    auto trace = healthy_trace(job.scenario);
    if (program == "traps") trace.events.push_back({{}, harness::Dying{7, sys::Killed{SIGILL}}});
    return trace;
  }

  GeneratedResult run(int mutants) {
    FakeRunner runner(&answer);
    MutantMaker maker(trees_.recipe());
    GeneratedOptions options;
    options.mutants = mutants;
    options.cases = 20;
    options.time = std::chrono::seconds(60);
    auto reference = executor_pool();
    reference.start_method = "fork";
    GeneratedSelftest selftest(
        runner, options, source_, maker, {reference}, [this](const auto&) { ++told_; },
        [this] { return stopped_; });
    auto result = selftest.run();
    EXPECT_TRUE(result) << result.error().message();
    return result ? *result : GeneratedResult{};
  }

  FakeTrees trees_;
  ScenarioSource source_;
  int told_ = 0;
  bool stopped_ = false;
};

TEST_F(GeneratedTest, AMutantThatBreaksARuleIsCaughtByIt) {
  add("stays");
  const auto result = run(1);
  ASSERT_EQ(result.mutants.size(), 1U);
  const auto& mutant = result.mutants.front();
  EXPECT_EQ(mutant.fate, Fate::kCaught);
  EXPECT_EQ(mutant.rule, rule_named("W1"));
  EXPECT_EQ(mutant.pool, "fork");
  EXPECT_EQ(result.percent_caught(), 100.0);
  EXPECT_EQ(told_, 1);
}

TEST_F(GeneratedTest, AMutantOfWhichNoCaseCanBeRunIsCaughtByNoRule) {
  add("mute");
  const auto result = run(1);
  EXPECT_EQ(result.mutants.front().fate, Fate::kCaught);
  EXPECT_EQ(result.mutants.front().rule, nullptr);
  EXPECT_THAT(generated_summary(result, Console()), HasSubstr("1 of them by no rule"));
}

TEST_F(GeneratedTest, ASurvivorIsToldWithItsChangeAndWhetherItWasReached) {
  add("well", "traps");
  const auto result = run(1);
  const auto& mutant = result.mutants.front();
  EXPECT_EQ(mutant.fate, Fate::kSurvived);
  EXPECT_EQ(mutant.cases, 20);
  EXPECT_EQ(mutant.reached, true);
  const auto text = generated_summary(result, Console());
  EXPECT_THAT(text, HasSubstr("survivor: file0.cc:1 drop: reached, not caught, by any of 20"));
  EXPECT_THAT(text, HasSubstr("  -pool\n  +well\n"));
  EXPECT_THAT(text, HasSubstr("0 of 1 mutant caught (0.0 %), in 20 cases"));
}

TEST_F(GeneratedTest, WhatNoCaseReachesIsSaidToBeSo) {
  add("well", "quiet");
  EXPECT_EQ(run(1).mutants.front().reached, false);
}

TEST_F(GeneratedTest, WithoutAProbeNobodySaysWhetherItWasReached) {
  add("well");
  const auto result = run(1);
  EXPECT_FALSE(result.mutants.front().reached);
  EXPECT_THAT(generated_summary(result, Console()), HasSubstr("survived 20 cases"));
}

TEST_F(GeneratedTest, WhatIsNoProgramOrTheSameProgramDoesNotCount) {
  add("error");
  add("po ol");
  add("stays");
  const auto result = run(5);
  EXPECT_EQ(result.mutants.size(), 3U);  // there are no more
  EXPECT_EQ(result.counted(), 1);
  auto summary = generated_summary(result, Console());
  for (auto at = summary.find("\n  "); at != summary.npos; at = summary.find("\n  "))
    summary.replace(at, 3, " ");  // where a line ends depends on the time that is told in it
  EXPECT_THAT(summary, HasSubstr("2 more do not count: 1 did not compile, 1 compiled to the same"));
}

TEST_F(GeneratedTest, JsonTellsEachMutantAndThenTheShare) {
  add("stays");
  const auto lines = lines_of(generated_as_json_lines(run(1), 0x5e1f));
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_THAT(lines[0], HasSubstr(R"("fate":"caught")"));
  EXPECT_THAT(lines[0], HasSubstr(R"("rule":"W1")"));
  EXPECT_THAT(lines[1], HasSubstr(R"("percent_caught":100.0)"));
  EXPECT_THAT(lines[1], HasSubstr(R"("seed":"5e1f")"));
}

TEST_F(GeneratedTest, StopsWhenItIsAskedTo) {
  add("stays");
  stopped_ = true;
  const auto result = run(1);
  EXPECT_TRUE(result.interrupted);
  EXPECT_TRUE(result.mutants.empty());
}

}  // namespace
}  // namespace poolproof::properties
