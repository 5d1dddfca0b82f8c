#include "properties/report.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "properties/explain.h"
#include "properties/matrix.h"
#include "properties/results.h"
#include "properties/test_traces.h"
#include "properties/text.h"
#include "properties/timeline.h"
#include "properties/wait_graph.h"

namespace poolproof::properties {
namespace {

const char* const kLink = "https://github.com/python/cpython/issues/111873";

Finding orphan_finding(const Pool& pool, const std::string& link) {
  Finding finding;
  finding.pool = &pool;
  finding.rule = rule_named("W1");
  finding.known_link = link;
  finding.folder = "W1-1";
  finding.case_number = 41;
  finding.original = {pool.name.text(), orphan_scenario(), {}, 0x7f3a21};
  for (int i = 0; i < 5; ++i) {
    finding.original.scenario.steps.insert(finding.original.scenario.steps.begin() + 3,
                                           get_step(1));
  }
  finding.simplest = finding.original;
  finding.simplest.scenario = orphan_scenario();
  finding.trace = orphan_trace();
  finding.evidence = "Worker 2107 was still alive when main had been gone for 52 ms.";
  finding.same_case = {
      {rule_named("E3"), "2107 holds main's stdout and stderr", link, rule_named("W1")}};
  finding.runs = 63;
  finding.failed = 10;
  finding.repeated = 10;
  return finding;
}

Pool pool_named(const std::string& implementation, const std::string& variant,
                const std::string& runtime) {
  auto pool = executor_pool();
  pool.name = {implementation, variant, "1"};
  pool.abilities.runtime = runtime;
  return pool;
}

Judged verdict_of_all(const Verdict& verdict) {
  Judged judged;
  for (const auto& rule : rule_table()) judged.judgements.push_back({&rule, verdict});
  return judged;
}

Judged with(Judged judged, const char* id, const Verdict& verdict) {
  for (auto& judgement : judged.judgements) {
    if (judgement.rule->id != id) continue;
    judgement.verdict = verdict;
    if (const auto* violated = std::get_if<Violated>(&verdict)) {
      judged.violations.push_back(
          {judgement.rule, violated->evidence, violated->known_link, nullptr});
    }
  }
  return judged;
}

const auto kAlways = [](const KnownDeviation&) { return true; };

bool fits(const std::string& text) {
  for (const auto& line : lines_of(text)) {
    if (line.size() > kLineWidth) return false;
  }
  return true;
}

TEST(Report, TellsAFindingAsInTheGoldenFile) {
  const auto pool = executor_pool();
  const auto text =
      report_finding(orphan_finding(pool, ""), {"poolproof-results/latest/W1-1", ""}, Console());
  EXPECT_TRUE(is_golden("finding.txt", text));
  EXPECT_TRUE(fits(text)) << text;
}

TEST(Report, TellsAKnownDeviationWithItsLinkAndHowToSeeItFail) {
  const auto pool = executor_pool();
  const auto text =
      report_finding(orphan_finding(pool, kLink), {"poolproof-results/latest/W1-1", ""}, Console());
  EXPECT_TRUE(is_golden("finding_known.txt", text));
}

TEST(Report, CallsWhatDoesNotAlwaysFailUnstableWithItsRate) {
  const auto pool = executor_pool();
  auto finding = orphan_finding(pool, "");
  finding.failed = 7;
  const auto text = report_finding(finding, {"r/W1-1", ""}, Console());
  EXPECT_TRUE(text.starts_with("UNSTABLE W1 ")) << text;
  EXPECT_NE(text.find(" 7 of 10"), std::string::npos) << text;
}

TEST(Report, CallsAKnownOneThatDoesNotAlwaysFailUnstableToo) {
  const auto pool = executor_pool();
  auto finding = orphan_finding(pool, kLink);
  finding.failed = 1;
  finding.repeated = 3;
  const auto text = report_finding(finding, {"r/W1-1", ""}, Console());
  EXPECT_TRUE(
      text.starts_with("KNOWN, UNSTABLE W1 NoWorkerOutlivesParent\n"
                       "  case 41, 9 -> 4 steps in 63 runs, 1 of 3\n"))
      << text;
}

/// docs/rules.md is the command's output; POOLPROOF_UPDATE_GOLDEN=1 writes it anew.
TEST(Explain, TheDocumentIsWhatTheCommandPrints) {
  EXPECT_TRUE(is_golden("../../docs/rules.md", rules_as_markdown()));
}

TEST(Report, SaysThatAFindingWasNotRepeated) {
  std::vector<Pool> pools{executor_pool()};
  auto finding = orphan_finding(pools[0], "");
  finding.failed = finding.repeated = 0;
  const auto text = report_finding(finding, {"r/W1-1", ""}, Console());
  EXPECT_TRUE(text.starts_with("FAILED W1 ")) << text;
  EXPECT_NE(text.find(", not repeated\n"), std::string::npos) << text;
  CampaignResult result;
  result.tallies.emplace_back(pools[0], std::vector<const Rule*>{}, true);
  result.findings.push_back(finding);
  EXPECT_NE(matrix(result, Console()).find("W1-1/  not rerun\n"), std::string::npos);
  result.findings[0].repeated = 10;
  const auto told = matrix(result, Console());
  EXPECT_NE(told.find("W1-1/  0 of 10\n"), std::string::npos) << told;
  EXPECT_TRUE(fits(told)) << told;
}

TEST(Report, OffersNoScriptOfWhatAProgramCannotShow) {
  const auto pool = executor_pool();
  auto finding = orphan_finding(pool, "");
  const auto offers = [&] {
    return report_finding(finding, {"r/W1-1", ""}, Console()).find("  repro    ") !=
           std::string::npos;
  };
  EXPECT_TRUE(offers());
  finding.simplest.scenario.processors = 1;
  EXPECT_FALSE(offers());
}

TEST(Report, NamesPoolLimitAndCase) {
  const auto pool = executor_pool();
  const LimitReached limit{.pool = &pool,
                           .what = "births",
                           .folder = "limit-1",
                           .cases = 3,
                           .shortest = {},
                           .trace = {}};
  EXPECT_EQ(report_limit(limit, {"r/limit-1", ""}, Console()),
            "LIMIT ProcessPoolExecutor:fork: 3 cases ended at the limit of births (a storm\n"
            "  of new processes or threads?)\n"
            "  again    poolproof replay r/limit-1/case.json\n\n");
}

TEST(Report, TellsTheSameCaseOnce) {
  const auto pool = executor_pool();
  auto finding = orphan_finding(pool, "");
  finding.same_as = "T6-1";
  const auto text = report_finding(finding, {"r/W1-1", " --python ./python"}, Console());
  EXPECT_NE(text.find("The case is that of T6-1/ again."), std::string::npos) << text;
  EXPECT_EQ(text.find("ProcessPoolExecutor(1)"), std::string::npos) << text;
  EXPECT_NE(text.find("replay r/W1-1/case.json --python ./python\n"), std::string::npos) << text;
}

TEST(Report, HeadSaysSeedJobsSharesAndContainment) {
  FakeRunner runner([](const harness::Job& job) { return healthy_trace(job.scenario); });
  CampaignOptions options;
  options.seed = 0x7f3a21;
  const std::vector<Pool> one{executor_pool()};
  const std::vector<Pool> three{pool_named("reference", "fork", "poolproof 0.1.0"),
                                pool_named("multiprocessing.Pool", "fork", "CPython 3.11.7"),
                                executor_pool()};
  auto caught = skipped_canary("");
  caught.fate = Canary::Fate::kCaught;
  caught.cases = 3;
  const auto text = report_head(one, options, runner, caught) +
                    report_head(three, options, runner, skipped_canary("the run is short"));
  EXPECT_TRUE(is_golden("head.txt", text));
  EXPECT_TRUE(fits(text)) << text;
}

TEST(Timeline, NeverExceedsTheLineAndShowsNoForeignBytes) {
  TraceWriter writer;
  writer.at(1).add(harness::Garbage{"\x1b[2J" + std::string(200, 'x')});
  writer.at(2).ends(sys::Exited{0}).eof();
  const auto lines = timeline(orphan_scenario(), writer.done());
  const auto text = joined(lines, "\n");
  EXPECT_TRUE(fits(text)) << text;
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
}

TEST(Timeline, ShowsTheStepThatDoesNotReturn) {
  TraceWriter writer;
  writer.at(1).step(1).at(2).born(7).at(3).step(2).at(4).add(
      harness::StepBegun{TraceWriter::kMain, 3});
  writer.at(5).dead(7, sys::Exited{3});
  harness::AtRest rest;
  rest.proved = true;
  rest.waits = {
      {TraceWriter::kMain, TraceWriter::kMain, "futex", "0x7f00", "", {{"wake", "futex:0x7f00"}}}};
  writer.at(60).add(rest).at(61).add(harness::KilledByWarden{TraceWriter::kMain});
  const auto trace = writer.done(harness::End::kAtRest);
  EXPECT_TRUE(is_golden("timeline_hang.txt", joined(timeline(orphan_scenario(), trace), "\n") +
                                                 "\n" + joined(wait_graph(trace), "\n") + "\n"));
}

TEST(Timeline, LeavesOutWhatAWrapperDidBeforeMainWasReady) {
  TraceWriter writer;
  writer.born(5).dead(5, sys::Exited{0}).add(harness::Started{TraceWriter::kMain});
  writer.born(7).dead(7, sys::Exited{3});
  auto trace = writer.done();
  const auto is_start = [](const harness::Event& event) {
    return std::holds_alternative<harness::Started>(event.kind);
  };
  trace.events.erase(std::find_if(trace.events.begin(), trace.events.end(), is_start));  // its own
  const auto text = joined(timeline(orphan_scenario(), trace), "\n");
  EXPECT_EQ(text.find(" 5 "), text.npos) << text;
  EXPECT_NE(text.find(" 7 "), text.npos) << text;
}

TEST(Timeline, NamesWhatMainStartedBesideThePool) {
  TraceWriter writer;
  writer.born(7).add(harness::OwnChild{TraceWriter::kMain, 7}).add(harness::Execed{7, "sleep"});
  const auto text =
      joined(timeline(orphan_scenario(), writer.dead(7, sys::Exited{0}).done()), "\n");
  EXPECT_NE(text.find("own child 7"), text.npos) << text;
}

TEST(Timeline, IsShortenedInTheMiddle) {
  std::vector<std::string> lines;
  for (int i = 0; i < 100; ++i) lines.push_back(std::to_string(i));
  const auto shorter = shortened(lines, 20);
  ASSERT_EQ(shorter.size(), 20U);
  EXPECT_EQ(shorter.front(), "0");
  EXPECT_EQ(shorter.back(), "99");
  EXPECT_NE(shorter[5].find("81 lines more"), std::string::npos) << shorter[5];
}

CampaignResult small_result(const std::vector<Pool>& pools) {
  CampaignResult result;
  result.elapsed = std::chrono::seconds(60);
  const auto held = verdict_of_all(Held{});
  for (const auto& pool : pools)
    result.tallies.emplace_back(pool, std::vector<const Rule*>{}, true);
  for (int i = 0; i < 2140; ++i) result.tallies[0].add(held, kAlways);
  const auto known =
      with(held, "T6", Violated{"lost", {}, "https://github.com/python/cpython/issues/66587"});
  for (int i = 0; i < 412; ++i) result.tallies[1].add(with(known, "S2", NotExercised{}), kAlways);
  const auto orphan = with(held, "W1", Violated{"left", {}, ""});
  for (int i = 0; i < 388; ++i) {
    result.tallies[2].add(
        with(with(orphan, "S2", NotApplicable{"by design"}), "P1", Inconclusive{"fuse"}), kAlways);
  }
  for (auto& tally : result.tallies) tally.close();
  return result;
}

TEST(Matrix, ShowsARowPerPoolAndALetterPerRule) {
  std::vector<Pool> pools{pool_named("reference", "fork", "poolproof 0.1.0"),
                          pool_named("multiprocessing.Pool", "fork", "CPython 3.11.7"),
                          executor_pool()};
  pools[2].contract.known = {{"T1", "always", kLink, "tasks get lost"}};
  auto result = small_result(pools);
  result.findings.push_back(orphan_finding(pools[2], ""));
  auto known = orphan_finding(pools[1], "https://github.com/python/cpython/issues/66587");
  known.rule = rule_named("T6");
  result.findings.push_back(known);
  const auto text = matrix(result, Console()) + "\n" + summary(result);
  EXPECT_TRUE(is_golden("matrix.txt", text));
  EXPECT_TRUE(fits(text)) << text;
  EXPECT_TRUE(result.has_violation());
}

/// Whatever a pool is called.
TEST(Matrix, FitsWithLongNamesAndAllRules) {
  std::vector<Pool> pools{pool_named("multiprocessing.Pool", "forkserver", "CPython 3.11.7"),
                          pool_named("multiprocessing.dummy.ThreadPool", "", "CPython 3.11.7"),
                          executor_pool()};
  const auto text = matrix(small_result(pools), Console());
  EXPECT_TRUE(fits(text)) << text;
  EXPECT_NE(text.find("\nmultiprocessing.dummy.ThreadPool, CPython 3.11.7\n  1     "), text.npos)
      << text;
}

TEST(Matrix, TellsWhatIsCompleteOnceForPoolsThatAgree) {
  std::vector<Pool> pools{pool_named("reference", "fork", "poolproof 0.1.0"),
                          pool_named("reference", "spawn", "poolproof 0.1.0"), executor_pool()};
  CampaignResult result;
  EXPECT_EQ(extents(result), "");
  result.exhausted = {{&pools[0], {2, 3, 218, 0, std::nullopt}},
                      {&pools[1], {2, 3, 218, 0, std::nullopt}}};
  EXPECT_EQ(extents(result), "complete to 3 steps, 2 workers: 218 scenarios\n");
  result.exhausted.push_back({&pools[2], {2, 1, 5, 7, 22}});
  EXPECT_EQ(extents(result),
            "complete to 3 steps, 2 workers: 218 scenarios (reference:fork,\n"
            "  reference:spawn)\n"
            "complete to 1 step, 2 workers: 5 scenarios; 7 of 22 with 2 steps\n"
            "  (ProcessPoolExecutor:fork)\n");
}

TEST(Matrix, TellsWhichPairsWereReachedOfAllPoolsTogether) {
  std::vector<Pool> pools{executor_pool(), executor_pool()};
  CampaignResult result;
  EXPECT_EQ(coverage_in_words(result), "");
  result.covered = {{&pools[0], {61, 70}, std::nullopt, {}}, {&pools[1], {50, 70}, {}, {}}};
  EXPECT_EQ(coverage_in_words(result), "reached: 111 of 140 state x step pairs\n");
  result.covered[1].with_faults = Reached{90, 1120};
  EXPECT_EQ(coverage_in_words(result),
            "reached: 111 of 140 state x step pairs, 90 of 1,120 state x step x fault\n");
}

TEST(Matrix, TellsOfRegressionsOnlyWhereThereAreSome) {
  RegressionCount count;
  EXPECT_EQ(regressions_in_words(count), "");
  count.folder = "kept";
  EXPECT_EQ(regressions_in_words(count), "");
  count.run = 5;
  EXPECT_EQ(regressions_in_words(count), "regressions: 5 run (kept/)\n");
  count.violated = count.left = 1;
  count.vain = 3;
  count.unrunnable = 4;
  count.unfit = 2;
  count.kept = {"a.json"};
  EXPECT_EQ(regressions_in_words(count),
            "regressions: 5 run, 1 violated, 3 not put to the test, 4 no longer runnable, 1\n"
            "  not run for want of time, 2 for other pools, 1 kept (kept/)\n");
}

TEST(Matrix, HeldNeedsARuleThatWasPutToTheTest) {
  const auto pool = executor_pool();
  Tally tally(pool, {rule_named("W1")}, true);
  tally.add(verdict_of_all(NotExercised{}), kAlways);
  EXPECT_EQ(tally.rules()[0].outcome(), Outcome::kNotExercised);
  tally.add(verdict_of_all(NotApplicable{"by design"}), kAlways);
  EXPECT_EQ(tally.rules()[0].outcome(), Outcome::kNotApplicable);
  tally.add(verdict_of_all(Held{}), kAlways);
  EXPECT_EQ(tally.rules()[0].outcome(), Outcome::kHeld);
  tally.add(verdict_of_all(Inconclusive{"fuse"}), kAlways);
  EXPECT_EQ(tally.rules()[0].outcome(), Outcome::kInconclusive);
}

TEST(Matrix, AnUnfinishedCaseIsUnclearForTheRulesInForce) {
  const auto pool = executor_pool();
  Tally tally(pool, {rule_named("W1"), rule_named("S2")}, true);
  tally.add(with(verdict_of_all(Held{}), "S2", NotApplicable{"by design"}), kAlways);
  tally.add_unfinished("not finished");
  EXPECT_EQ(tally.cases(), 2);
  EXPECT_EQ(tally.rules()[0].outcome(), Outcome::kInconclusive);
  EXPECT_EQ(tally.rules()[1].outcome(), Outcome::kNotApplicable);
}

TEST(Matrix, CasesThatJudgeNothingAreToldFromThoseThatDo) {
  const auto pool = executor_pool();
  Tally tally(pool, {rule_named("W1"), rule_named("S2")}, true);
  EXPECT_EQ(tally.why_nothing_judged(), std::nullopt);
  tally.add(with(verdict_of_all(Inconclusive{"fuse"}), "S2", NotExercised{}), kAlways);
  EXPECT_EQ(tally.why_nothing_judged(), "fuse");
  tally.add(with(verdict_of_all(Inconclusive{"fuse"}), "S2", Held{}), kAlways);
  EXPECT_EQ(tally.why_nothing_judged(), std::nullopt);
}

TEST(Matrix, AKnownDeviationIsGoneOnlyAfterTwentyCasesOfItsCondition) {
  auto pool = executor_pool();
  pool.contract.known = {{"W1", "always", kLink, ""}};
  Tally tally(pool, {}, true);
  const auto never = [](const KnownDeviation&) { return false; };
  for (int i = 0; i < 100; ++i) tally.add(verdict_of_all(Held{}), never);
  for (int i = 0; i < 19; ++i) tally.add(verdict_of_all(Held{}), kAlways);
  EXPECT_FALSE(tally.known()[0].no_longer_seen());
  tally.add(verdict_of_all(Held{}), kAlways);
  EXPECT_TRUE(tally.known()[0].no_longer_seen());
  tally.add(with(verdict_of_all(Held{}), "W1", Violated{"", {}, kLink}), kAlways);
  EXPECT_FALSE(tally.known()[0].no_longer_seen());
}

/// Links are as long as they are.
bool fits_but_for_links(const std::string& text) {
  const auto lines = lines_of(text);
  return std::all_of(lines.begin(), lines.end(), [](const auto& line) {
    return line.size() <= kLineWidth || line.find("https://") != line.npos;
  });
}

TEST(Explain, TellsEveryRuleWithItsSourceAndExamples) {
  for (const Rule& rule : rule_table()) {
    const auto text = explained(rule);
    for (const auto* part : {"\n  source  https://", "\n  exercised by ", "\nheld\n",
                             "\nviolated: ", "\nnot exercised\n"})
      EXPECT_NE(text.find(part), std::string::npos) << part << " in\n" << text;
    EXPECT_TRUE(fits_but_for_links(text)) << text;
  }
}

TEST(Explain, TellsASentenceLevelAndCause) {
  EXPECT_TRUE(
      is_golden("explain.txt", explained(*rule_named("W1")) + "\n" + explained(*rule_named("E3"))));
}

TEST(Json, IsOneObjectALineAndASummaryLast) {
  std::vector<Pool> pools{executor_pool(), executor_pool(), executor_pool()};
  auto result = small_result(pools);
  result.findings.push_back(orphan_finding(pools[2], ""));
  result.limits.push_back({.pool = &pools[0],
                           .what = "births",
                           .folder = "limit-1",
                           .cases = 2,
                           .shortest = {},
                           .trace = {}});
  result.exhausted.push_back({&pools[0], {2, 3, 218, 40, 1749}});
  result.canary = skipped_canary("the run is short");
  const Moment closed{Situation::kClosedBusy, false, static_cast<int>(harness::StepKind::kKill)};
  result.covered.push_back({&pools[0], {61, 62}, std::nullopt, {closed}});
  const auto lines = lines_of(verdicts_as_json_lines(result, {}, "poolproof-results/latest"));
  ASSERT_EQ(lines.size(), 3 * rule_table().size() + 5);
  EXPECT_EQ(lines[lines.size() - 2],
            "{\"type\":\"canary\",\"mutant\":\"workers_outlive_main\",\"rule\":\"W1\","
            "\"fate\":\"skipped\",\"why\":\"the run is short\"}");
  EXPECT_EQ(lines[lines.size() - 3],
            "{\"type\":\"exhaustive\",\"pool\":\"ProcessPoolExecutor:fork@3.11.7\",\"steps\":3,"
            "\"workers\":2,\"scenarios\":218,\"beyond\":40,\"of\":1749}");
  EXPECT_EQ(lines[lines.size() - 4],
            "{\"type\":\"coverage\",\"pool\":\"ProcessPoolExecutor:fork@3.11.7\",\"pairs\":61,"
            "\"of\":62,\"unreached\":[\"closed, busy x kill\"]}");
  EXPECT_EQ(lines[lines.size() - 5],
            "{\"type\":\"limit\",\"pool\":\"ProcessPoolExecutor:fork@3.11.7\",\"limit\":\"births\","
            "\"cases\":2,\"case\":\"poolproof-results/latest/limit-1/case.json\"}");
  for (const auto& line : lines) {
    EXPECT_TRUE(line.starts_with("{\"type\":\"") && line.ends_with('}')) << line;
  }
  EXPECT_TRUE(lines.back().starts_with("{\"type\":\"summary\""));
}

TEST(Text, ForeignBytesArePrintable) {
  EXPECT_EQ(printable("a\x1b[31m\n\xff"), "a\\x1b[31m\\x0a\\xff");
}

TEST(Text, SecondsHaveADecimalOnlyWhereItTellsSomething) {
  EXPECT_EQ(in_seconds(std::chrono::milliseconds(60'000)), "60 s");
  EXPECT_EQ(in_seconds(std::chrono::milliseconds(8'571)), "8.6 s");
}

}  // namespace
}  // namespace poolproof::properties
