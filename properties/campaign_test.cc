#include "properties/campaign.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <set>
#include <thread>

#include "properties/results.h"
#include "properties/test_traces.h"

namespace poolproof::properties {
namespace {

using harness::EndingKind;
using harness::Job;
using harness::Scenario;
using harness::Trace;

const char* const kLink = "https://github.com/python/cpython/issues/111873";

/// The orphan's steps and two more; every third case ends by _exit.
ScenarioSource plain_source() {
  ScenarioSource source;
  source.generate = [](const Pool&, int n) -> std::optional<Scenario> {
    auto scenario = orphan_scenario();
    scenario.steps.push_back(submit_step(2));
    scenario.steps.push_back(get_step(2));
    if (n % 3 != 2) scenario.ending = {};
    return scenario;
  };
  source.simpler = [](const Pool&, const Scenario& scenario) {
    std::vector<Scenario> result;
    if (scenario.steps.size() > 3) {
      result.push_back(scenario);
      result.back().steps.resize(3);
    }
    if (scenario.ending.kind != EndingKind::kReturn) {
      result.push_back(scenario);
      result.back().ending = {};
    }
    return Passes{result};
  };
  return source;
}

/// The executor's worst habit: after _exit a worker stays.
sys::Result<Trace> orphans(const Job& job) {
  return job.scenario.ending.kind == EndingKind::kOsExit ? orphan_trace()
                                                         : healthy_trace(job.scenario);
}

class CampaignTest : public ::testing::Test {
 protected:
  CampaignTest() : pools_{executor_pool()} {
    options_.cases = 30;
    options_.seed = 7;
    options_.time = std::chrono::seconds(30);
  }

  CampaignResult run(FakeRunner::Answer answer, FakeRunner::Hangs hangs = {}) {
    return run_with(plain_source(), std::move(answer), std::move(hangs));
  }

  CampaignResult run_with(ScenarioSource source, FakeRunner::Answer answer,
                          FakeRunner::Hangs hangs = {}) {
    FakeRunner runner(std::move(answer), std::move(hangs));
    if (wardens_are_stuck_) runner.be_stuck();
    CampaignListener listener;
    return Campaign(runner, pools_, options_, std::move(source), listener,
                    [this] { return stopped_; })
        .run();
  }

  static Outcome outcome_of(const CampaignResult& result, const char* id) {
    for (const auto& rule : result.tallies.at(0).rules()) {
      if (rule.rule->id == id) return rule.outcome();
    }
    return Outcome::kNotExercised;
  }

  std::vector<Pool> pools_;
  CampaignOptions options_;
  bool stopped_ = false;
  bool wardens_are_stuck_ = false;
};

TEST_F(CampaignTest, AHealthyPoolHasNoFindings) {
  const auto result = run([](const Job& job) { return healthy_trace(job.scenario); });
  EXPECT_EQ(result.cases(), 30);
  EXPECT_TRUE(result.findings.empty()) << result.findings.front().evidence;
  EXPECT_EQ(outcome_of(result, "W1"), Outcome::kHeld);
  EXPECT_FALSE(result.has_violation());
}

TEST_F(CampaignTest, FindsAndShrinksEachRuleOnce) {
  const auto result = run(orphans);
  ASSERT_EQ(result.findings.size(), 1U);
  const auto& finding = result.findings[0];
  EXPECT_EQ(finding.rule->id, "W1");
  EXPECT_EQ(finding.folder, "W1-1");
  EXPECT_EQ(finding.case_number, 3);
  EXPECT_EQ(finding.original.scenario.length(), 6);
  EXPECT_EQ(finding.simplest.scenario, orphan_scenario());
  EXPECT_EQ(finding.failed, 10);
  EXPECT_EQ(finding.simplest.seed, 7U);
  EXPECT_EQ(finding.simplest.pool, "ProcessPoolExecutor:fork@3.11.7");
  EXPECT_TRUE(result.has_violation());
  EXPECT_EQ(result.cases(), 30);
}

TEST_F(CampaignTest, AConsequenceIsToldWithItsCause) {
  const auto result = run(orphans);
  ASSERT_EQ(result.findings.size(), 1U);
  ASSERT_FALSE(result.findings[0].same_case.empty());
  EXPECT_EQ(result.findings[0].same_case[0].rule->id, "E3");
  EXPECT_EQ(outcome_of(result, "E3"), Outcome::kViolated);
}

TEST_F(CampaignTest, AKnownDeviationIsShrunkAndDoesNotCountAsViolated) {
  pools_[0].contract.known = {{"W1", "always", kLink, "workers outlive main"}};
  const auto result = run(orphans);
  ASSERT_EQ(result.findings.size(), 1U);
  EXPECT_EQ(result.findings[0].known_link, kLink);
  EXPECT_EQ(result.findings[0].simplest.scenario, orphan_scenario());
  EXPECT_EQ(outcome_of(result, "W1"), Outcome::kKnown);
  EXPECT_EQ(outcome_of(result, "E3"), Outcome::kKnown);  // it follows from a known one
  EXPECT_FALSE(result.has_violation());
}

TEST_F(CampaignTest, WithoutTheListOfKnownDeviationsTheyCount) {
  pools_[0].contract.known = {{"W1", "always", kLink, "workers outlive main"}};
  options_.use_known = false;
  EXPECT_TRUE(run(orphans).has_violation());
}

TEST_F(CampaignTest, AFailureThatDoesNotRepeatIsKeptAsUnstable) {
  int failures = 0;
  const auto result = run([&](const Job& job) -> sys::Result<Trace> {
    if (job.scenario.ending.kind == EndingKind::kOsExit && failures++ == 0) return orphan_trace();
    return healthy_trace(job.scenario);
  });
  ASSERT_EQ(result.findings.size(), 1U);
  EXPECT_FALSE(result.findings[0].is_stable());
  EXPECT_EQ(result.findings[0].failed, 0);
  EXPECT_EQ(result.findings[0].trace.end, harness::End::kAtRest);  // the first recording
  EXPECT_FALSE(result.has_violation());
  EXPECT_TRUE(result.has_doubt());
  EXPECT_EQ(outcome_of(result, "W1"), Outcome::kInconclusive);
}

TEST_F(CampaignTest, ASteadyCaseStandsForTheRuleWhereAShorterOneDoesNotRepeat) {
  int shorter = 0;  // a case without the last get fails once
  auto source = plain_source();
  source.generate = [generate = source.generate](const Pool& pool, int n) {
    auto scenario = generate(pool, n);
    if (n % 6 == 2) scenario->steps.pop_back();
    return scenario;
  };
  source.simpler = [](const Pool&, const Scenario&) { return Passes(); };
  const auto result = run_with(source, [&](const Job& job) -> sys::Result<Trace> {
    if (job.scenario.ending.kind != EndingKind::kOsExit) return healthy_trace(job.scenario);
    const bool steady = job.scenario.steps.size() == 5;
    return steady || shorter++ == 0 ? orphan_trace() : healthy_trace(job.scenario);
  });
  ASSERT_EQ(result.findings.size(), 1U);
  EXPECT_TRUE(result.findings[0].is_stable());
  EXPECT_EQ(result.findings[0].original.scenario.steps.size(), 5U);
  EXPECT_EQ(outcome_of(result, "W1"), Outcome::kViolated);
}

/// Many that are shorter, and do not repeat, do not hide it.
TEST_F(CampaignTest, ASteadyCaseIsFoundBehindManyShorterOnes) {
  options_.rules = {rule_named("W1")};
  auto source = plain_source();
  source.generate = [generate = source.generate](const Pool& pool, int n) {
    auto scenario = generate(pool, n);
    if (n != 2) scenario->steps.pop_back();
    if (n != 2) scenario->ending.code = n;
    return scenario;
  };
  source.simpler = [](const Pool&, const Scenario&) { return Passes(); };
  std::set<int> seen;  // each of the others fails once
  const auto result = run_with(source, [&](const Job& job) -> sys::Result<Trace> {
    const auto& ending = job.scenario.ending;
    if (ending.kind != EndingKind::kOsExit) return healthy_trace(job.scenario);
    const bool fails = job.scenario.steps.size() == 5 || seen.insert(ending.code).second;
    return fails ? orphan_trace() : healthy_trace(job.scenario);
  });
  ASSERT_EQ(result.findings.size(), 1U);
  EXPECT_TRUE(result.findings[0].is_stable());
  EXPECT_EQ(outcome_of(result, "W1"), Outcome::kViolated);
}

/// A case that ran, and in which what it is kept for did not come to be, has told nothing.
TEST_F(CampaignTest, ARegressionWhoseFaultNeverFiredIsAGap) {
  auto source = plain_source();
  auto faulty = orphan_scenario();
  faulty.ending = {};
  faulty.fault = *harness::fault_from_string("main:read:9=SIGKILL");
  source.regressions = [&](const Pool&) { return std::vector<Scenario>{faulty}; };
  options_.part = Part::kRegressions;
  const auto result = run_with(source, orphans);
  EXPECT_EQ(result.regressions.run, 1);
  EXPECT_EQ(result.regressions.vain, 1);
  EXPECT_TRUE(result.regressions.has_gap());
  EXPECT_TRUE(result.has_doubt());
}

/// Nothing is simpler than they are.
ScenarioSource source_of_two_lengths(std::function<bool(int)> is_shorter) {
  auto source = plain_source();
  source.generate = [generate = source.generate, is_shorter](const Pool& pool, int n) {
    auto scenario = generate(pool, n);
    if (is_shorter(n)) scenario->steps.pop_back();
    return scenario;
  };
  source.simpler = [](const Pool&, const Scenario&) { return Passes(); };
  return source;
}

TEST_F(CampaignTest, OfCasesThatDoNotRepeatTheOneThatFailsMostIsTold) {
  const auto source = source_of_two_lengths([](int n) { return n % 6 == 2; });
  int longer = 0;
  int shorter = 0;
  const auto result = run_with(source, [&](const Job& job) -> sys::Result<Trace> {
    if (job.scenario.ending.kind != EndingKind::kOsExit) return healthy_trace(job.scenario);
    const bool fails = job.scenario.steps.size() == 5 ? longer++ % 2 == 0 : shorter++ == 0;
    return fails ? orphan_trace() : healthy_trace(job.scenario);
  });
  ASSERT_EQ(result.findings.size(), 1U);
  EXPECT_FALSE(result.findings[0].is_stable());
  EXPECT_EQ(result.findings[0].original.scenario.steps.size(), 5U);
  EXPECT_EQ(result.findings[0].failed, 5);
  EXPECT_EQ(result.findings[0].repeated, 10);
  EXPECT_EQ(outcome_of(result, "W1"), Outcome::kInconclusive);
}

/// A race that fails the run: nine of ten are no less of a violation than ten.
TEST_F(CampaignTest, WhatFailsNineOfTenTimesIsViolated) {
  auto source = plain_source();
  source.simpler = [](const Pool&, const Scenario&) { return Passes(); };
  int runs = 0;
  const auto result = run_with(source, [&](const Job& job) -> sys::Result<Trace> {
    if (job.scenario.ending.kind != EndingKind::kOsExit) return healthy_trace(job.scenario);
    return runs++ % 13 != 12 ? orphan_trace() : healthy_trace(job.scenario);
  });
  ASSERT_EQ(result.findings.size(), 1U);
  EXPECT_TRUE(result.findings[0].is_stable());
  EXPECT_FALSE(result.findings[0].rate().is_steady());
  EXPECT_EQ(outcome_of(result, "W1"), Outcome::kViolated);
  EXPECT_TRUE(result.has_violation());
}

/// Some more failures among ten are chance: the simpler case says more.
TEST_F(CampaignTest, OfTwoThatFailAboutAsOftenTheSimplerIsTold) {
  const auto source = source_of_two_lengths([](int n) { return n % 2 == 0; });
  int longer = 0;
  int shorter = 0;
  const auto result = run_with(source, [&](const Job& job) -> sys::Result<Trace> {
    if (job.scenario.ending.kind != EndingKind::kOsExit) return healthy_trace(job.scenario);
    const bool fails = job.scenario.steps.size() == 5 ? longer++ % 5 != 3 : shorter++ % 3 != 2;
    return fails ? orphan_trace() : healthy_trace(job.scenario);
  });
  ASSERT_EQ(result.findings.size(), 1U);
  EXPECT_FALSE(result.findings[0].is_stable());
  EXPECT_EQ(result.findings[0].original.scenario.steps.size(), 4U);
}

TEST_F(CampaignTest, WhatThereWasNoTimeToRepeatIsViolatedAllTheSame) {
  struct Impatient : CampaignListener {
    void on_shrinking(const Pool&, const Rule&) override { stopped = true; }
    bool stopped = false;
  } impatient;
  FakeRunner runner(orphans);
  const auto result = Campaign(runner, pools_, options_, plain_source(), impatient, [&] {
                        return impatient.stopped;
                      }).run();
  ASSERT_EQ(result.findings.size(), 1U);
  EXPECT_FALSE(result.findings[0].was_repeated());
  EXPECT_EQ(outcome_of(result, "W1"), Outcome::kViolated);
  EXPECT_TRUE(result.has_violation());
}

TEST_F(CampaignTest, StopsAtTheFirstFindingWhenAsked) {
  options_.stop_at_first = true;
  pools_.push_back(executor_pool());
  const auto result = run(orphans);
  EXPECT_EQ(result.findings.size(), 1U);
  EXPECT_EQ(result.tallies.size(), 1U);
}

TEST_F(CampaignTest, AskedForOneFindingGoesOnUntilOneRepeats) {
  options_.stop_at_first = true;
  int longer = 0;
  auto source = plain_source();
  source.generate = [generate = source.generate](const Pool& pool, int n) {
    auto scenario = generate(pool, n);
    if (n > 10) scenario->steps.pop_back();
    return scenario;
  };
  source.simpler = [](const Pool&, const Scenario&) { return Passes(); };
  const auto result = run_with(source, [&](const Job& job) -> sys::Result<Trace> {
    if (job.scenario.ending.kind != EndingKind::kOsExit) return healthy_trace(job.scenario);
    const bool steady = job.scenario.steps.size() == 4;
    return steady || longer++ == 0 ? orphan_trace() : healthy_trace(job.scenario);
  });
  ASSERT_EQ(result.findings.size(), 1U);
  EXPECT_TRUE(result.findings[0].is_stable());
  EXPECT_EQ(result.findings[0].original.scenario.steps.size(), 4U);
  EXPECT_LT(result.cases(), 30);
}

TEST_F(CampaignTest, JudgesTheAskedRulesOnly) {
  options_.rules = {rule_named("E3")};
  const auto result = run(orphans);
  ASSERT_EQ(result.findings.size(), 1U);
  EXPECT_EQ(result.findings[0].rule->id, "E3");
  EXPECT_EQ(result.tallies[0].rules().size(), 1U);
}

TEST_F(CampaignTest, AHarnessThatCannotWorkIsNoCase) {
  const auto result = run([](const Job&) { return sys::Error("start the warden: no such file"); });
  EXPECT_EQ(result.cases(), 0);
  ASSERT_EQ(result.troubles.size(), 1U);
  EXPECT_NE(result.troubles[0].find("no such file"), std::string::npos);
}

TEST_F(CampaignTest, AnAdapterThatGivesUpIsNoVerdictOnThePool) {
  const auto result = run([](const Job&) -> sys::Result<Trace> {
    auto trace = TraceWriter().at(5).dead(TraceWriter::kMain, sys::Exited{99}).eof().done();
    trace.err.text = "ModuleNotFoundError: no module\nmore";
    return trace;
  });
  EXPECT_EQ(result.cases(), 0);
  ASSERT_EQ(result.troubles.size(), 1U);
  EXPECT_NE(result.troubles[0].find("gave up: ModuleNotFoundError: no module"), std::string::npos)
      << result.troubles[0];
}

TEST_F(CampaignTest, APoolThatCannotBeCreatedIsNotHealthy) {
  const auto result = run([](const Job&) {
    harness::StepResult failed{.kind = harness::StepResult::Kind::kError, .error = "OSError"};
    return TraceWriter().step(1, failed).step(2, failed).ends(sys::Exited{0}).eof().done();
  });
  EXPECT_EQ(result.cases(), 30);
  ASSERT_EQ(result.troubles.size(), 1U);
  EXPECT_NE(result.troubles[0].find("no case could create the pool"), std::string::npos);
}

TEST_F(CampaignTest, ALimitIsToldOnceForAPoolWithItsShortestCase) {
  const auto result = run([](const Job& job) -> sys::Result<Trace> {
    if (job.id % 3 != 0) return healthy_trace(job.scenario);
    return TraceWriter().step(1).add(harness::LimitHit{"births"}).done(harness::End::kLimit);
  });
  ASSERT_EQ(result.limits.size(), 1U);
  const auto& limit = result.limits[0];
  EXPECT_EQ(limit.what, "births");
  EXPECT_EQ(limit.folder, "limit-1");
  EXPECT_EQ(limit.cases, 10);
  EXPECT_EQ(limit.shortest.pool, "ProcessPoolExecutor:fork@3.11.7");
  EXPECT_EQ(limit.shortest.scenario.length(), 6);
  EXPECT_EQ(limit.trace.end, harness::End::kLimit);
  EXPECT_TRUE(result.has_doubt());
}

TEST_F(CampaignTest, TheFuseIsALimitToo) {
  const auto result = run([](const Job& job) {
    return job.id == 4 ? TraceWriter().step(1).done(harness::End::kFuse)
                       : healthy_trace(job.scenario);
  });
  ASSERT_EQ(result.limits.size(), 1U);
  EXPECT_EQ(result.limits[0].what, "fuse");
  EXPECT_EQ(result.limits[0].cases, 1);
}

TEST_F(CampaignTest, AnAdapterThatClaimsNothingIsNoVerdictOnThePool) {
  const auto result = run([](const Job& job) -> sys::Result<Trace> {
    auto trace = healthy_trace(job.scenario);
    std::erase_if(trace.events, [](const harness::Event& event) {
      return std::holds_alternative<harness::Started>(event.kind);
    });
    return trace;
  });
  EXPECT_EQ(result.cases(), 0);
  ASSERT_EQ(result.troubles.size(), 1U);
  EXPECT_NE(result.troubles[0].find("'started'"), std::string::npos) << result.troubles[0];
}

TEST_F(CampaignTest, AnAdapterThatHangsBeforeItStartsIsNoVerdictOnThePool) {
  const auto result = run([](const Job&) -> sys::Result<Trace> {
    harness::Trace trace;
    trace.end = harness::End::kFuse;
    trace.events.push_back({{}, harness::Born{.pid = 7, .outer = 7, .parent = 0, .how = "main"}});
    return trace;
  });
  EXPECT_EQ(result.cases(), 0);
  ASSERT_EQ(result.troubles.size(), 1U);
}

TEST_F(CampaignTest, EveryPoolGetsItsShareOfTheSearch) {
  options_.cases = 0;
  options_.time = std::chrono::milliseconds(400);
  pools_ = {executor_pool(), executor_pool(), executor_pool()};
  const auto result = run([](const Job& job) {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
    return orphans(job);
  });
  ASSERT_EQ(result.tallies.size(), 3U);
  for (const auto& tally : result.tallies) EXPECT_GT(tally.cases(), 0);
}

TEST_F(CampaignTest, ShortScenariosAreRunAsAWholeAndClaimed) {
  auto source = plain_source();
  source.enumerate = [](const Pool& pool) {
    return Enumerator(pool.abilities, pool.contract, pool.start_method);
  };
  options_.cases = 200;
  std::set<std::string> seen;
  const auto result = run_with(source, [&](const Job& job) {
    seen.insert(to_json(job.scenario));
    return healthy_trace(job.scenario);
  });
  EXPECT_EQ(result.cases(), 200);
  ASSERT_EQ(result.exhausted.size(), 1U);
  const auto& extent = result.exhausted[0].extent;
  EXPECT_EQ(extent.steps, 2);
  EXPECT_EQ(extent.beyond, 0);
  // The plain source has two scenarios of its own.
  EXPECT_EQ(static_cast<std::int64_t>(seen.size()), extent.scenarios + 2);
}

TEST_F(CampaignTest, AClaimDoesNotSurviveACaseThatWasNotJudged) {
  auto source = plain_source();
  source.enumerate = [](const Pool& pool) {
    return Enumerator(pool.abilities, pool.contract, pool.start_method);
  };
  options_.part = Part::kExhaustive;
  options_.cases = 0;
  options_.most_steps = 2;
  const auto result = run_with(source, [&](const Job& job) -> sys::Result<Trace> {
    if (job.scenario.length() == 2 && job.scenario.ending.kind == EndingKind::kSigkill)
      return sys::Error("the warden is gone");
    return healthy_trace(job.scenario);
  });
  ASSERT_EQ(result.exhausted.size(), 1U);
  EXPECT_EQ(result.exhausted[0].extent.steps, 1);
  EXPECT_EQ(result.exhausted[0].extent.beyond, *result.exhausted[0].extent.of - 2);
}

TEST_F(CampaignTest, RegressionsAreRunFirstAndCountedApart) {
  auto source = plain_source();
  auto healthy = orphan_scenario();
  healthy.ending = {};
  source.regressions = [&](const Pool&) {
    return std::vector<Scenario>{orphan_scenario(), healthy};
  };
  source.generate = [&](const Pool&, int) { return std::optional(healthy); };
  const auto result = run_with(source, orphans);
  EXPECT_EQ(result.cases(), 32);
  EXPECT_EQ(result.regressions.run, 2);
  EXPECT_EQ(result.regressions.violated, 1);
  EXPECT_EQ(result.regressions.left, 0);
  ASSERT_EQ(result.findings.size(), 1U);
  EXPECT_EQ(result.findings[0].case_number, 1);
}

TEST_F(CampaignTest, ARegressionThatWasNotJudgedIsInDoubt) {
  auto source = plain_source();
  source.regressions = [](const Pool&) { return std::vector<Scenario>{orphan_scenario()}; };
  options_.part = Part::kRegressions;
  const auto result = run_with(
      source, [](const Job&) -> sys::Result<Trace> { return sys::Error("the warden is gone"); });
  EXPECT_EQ(result.regressions.run, 0);
  EXPECT_EQ(result.regressions.left, 1);
  EXPECT_TRUE(result.has_doubt());
}

TEST_F(CampaignTest, EndsInTime) {
  options_.cases = 0;
  options_.time = std::chrono::milliseconds(200);
  const auto result = run([](const Job& job) { return healthy_trace(job.scenario); });
  EXPECT_GT(result.cases(), 0);
  EXPECT_LT(result.elapsed, std::chrono::seconds(5));
}

TEST_F(CampaignTest, ACaseThatIsNotOverWithTheTimeIsJudgedByWhatWasSeen) {
  options_.cases = 10;
  options_.time = std::chrono::milliseconds(300);
  options_.case_options.fuse = std::chrono::milliseconds(200);
  const auto hangs = [](const Job& job) { return job.id == 3; };
  const auto result = run(
      [](const Job& job) {
        return job.id == 3 ? TraceWriter().step(1).done(harness::End::kTimeOver)
                           : healthy_trace(job.scenario);
      },
      hangs);
  EXPECT_EQ(result.cases(), 10);
  EXPECT_EQ(outcome_of(result, "P1"), Outcome::kInconclusive);
  EXPECT_EQ(outcome_of(result, "W1"), Outcome::kHeld);
  ASSERT_EQ(result.limits.size(), 1U);
  EXPECT_EQ(result.limits[0].what, "time");
  EXPECT_EQ(result.limits[0].trace.end, harness::End::kTimeOver);
  EXPECT_TRUE(result.has_doubt());
}

TEST_F(CampaignTest, ACaseOfAWardenThatAnswersNoMoreIsUnclear) {
  options_.cases = 10;
  options_.time = std::chrono::milliseconds(300);
  options_.case_options.fuse = std::chrono::milliseconds(200);
  wardens_are_stuck_ = true;
  const auto hangs = [](const Job& job) { return job.id == 3; };
  const auto result = run([](const Job& job) { return healthy_trace(job.scenario); }, hangs);
  EXPECT_EQ(result.cases(), 10);
  EXPECT_EQ(outcome_of(result, "W1"), Outcome::kInconclusive);
  const auto& rule = result.tallies.at(0).rules().at(0);
  EXPECT_EQ(rule.inconclusive, 1);
  EXPECT_EQ(rule.main_reason(), "not finished when the time was over");
  ASSERT_EQ(result.limits.size(), 1U);
  EXPECT_EQ(result.limits[0].what, "time");
  EXPECT_EQ(result.limits[0].shortest.scenario, *plain_source().generate(pools_[0], 2));
  EXPECT_TRUE(result.has_doubt());
}

TEST_F(CampaignTest, ACaseInWhichAHealthyPoolMayWaitTooIsNotUnclear) {
  options_.cases = 8;
  options_.time = std::chrono::milliseconds(300);
  options_.case_options.fuse = std::chrono::milliseconds(200);
  auto source = plain_source();
  source.generate = [](const Pool&, int n) -> std::optional<Scenario> {
    auto scenario = orphan_scenario();
    scenario.ending = {};
    if (n != 3) return scenario;
    scenario.steps = {create_step(1), submit_step(1, {harness::BodyKind::kNever, 0})};
    harness::Step kill;  // it may find nobody, and this pool's exit drains
    kill.kind = harness::StepKind::kKill;
    kill.victim = harness::Victim::kBusy;
    scenario.steps.push_back(kill);
    return scenario;
  };
  const auto result = run_with(
      source, [](const Job& job) { return healthy_trace(job.scenario); },
      [](const Job& job) { return job.id == 4; });
  EXPECT_EQ(result.cases(), 7);
  EXPECT_FALSE(result.tallies.at(0).rules().at(0).inconclusive > 0);
  EXPECT_TRUE(result.limits.empty());
}

TEST_F(CampaignTest, ACaseThatIsOverSoonAfterTheTimeIsNotUnclear) {
  options_.cases = 0;
  options_.time = std::chrono::milliseconds(100);
  const auto result = run([](const Job& job) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    return healthy_trace(job.scenario);
  });
  for (const auto& rule : result.tallies.at(0).rules()) EXPECT_EQ(rule.inconclusive, 0);
}

TEST_F(CampaignTest, EndsWithWhatItHasWhenInterrupted) {
  options_.cases = 0;
  int runs = 0;
  const auto result = run([&](const Job& job) {
    stopped_ = ++runs >= 5;
    return healthy_trace(job.scenario);
  });
  EXPECT_TRUE(result.interrupted);
  EXPECT_LE(result.cases(), 5);
}

TEST_F(CampaignTest, TheFuseFollowsTheMachineOnce) {
  ::setenv("POOLPROOF_TIME_SCALE", "4", 1);
  options_.case_options = CaseOptions::of_environment();
  ::unsetenv("POOLPROOF_TIME_SCALE");
  EXPECT_EQ(options_.case_options.fuse_here(), std::chrono::seconds(40));
  run([](const Job& job) {  // the runner multiplies by itself
    EXPECT_EQ(job.settings.fuse, std::chrono::seconds(10));
    return healthy_trace(job.scenario);
  });
}

TEST_F(CampaignTest, EachScenarioDependsOnSeedPoolAndNumberAlone) {
  const auto one = random_source(7);
  const auto same = random_source(7);
  const auto other = random_source(8);
  int differing = 0;
  for (int n = 0; n < 50; ++n) {
    EXPECT_EQ(one.generate(pools_[0], n), same.generate(pools_[0], n));
    if (one.generate(pools_[0], n) != other.generate(pools_[0], n)) ++differing;
  }
  EXPECT_GT(differing, 25);
}

}  // namespace
}  // namespace poolproof::properties
