#include "properties/shrinking.h"

#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include "properties/test_traces.h"

namespace poolproof::properties {
namespace {

using harness::Job;
using harness::Scenario;

/// Everything that is left by taking one step away.
Passes one_step_less(const Scenario& scenario) {
  std::vector<Scenario> result;
  for (std::size_t i = 0; i < scenario.steps.size(); ++i) {
    auto simpler = scenario;
    simpler.steps.erase(simpler.steps.begin() + static_cast<std::ptrdiff_t>(i));
    result.push_back(std::move(simpler));
  }
  return {result};
}

/// A step of each workers number, so that steps can be told apart.
Scenario scenario_of(int steps) {
  Scenario scenario;
  for (int i = 1; i <= steps; ++i) scenario.steps.push_back(create_step(i));
  return scenario;
}

Scenario with_step(Scenario scenario, int step) {
  scenario.steps.push_back(create_step(step));
  return scenario;
}

bool has_steps(const Scenario& scenario, std::initializer_list<int> workers) {
  for (const int number : workers) {
    const auto found = std::find(scenario.steps.begin(), scenario.steps.end(), create_step(number));
    if (found == scenario.steps.end()) return false;
  }
  return true;
}

/// Fails where `fails` says so; a failing run's recording has main killed by SIGABRT.
class ShrinkingTest : public ::testing::Test {
 protected:
  Shrunk shrink(const Scenario& first, std::function<bool(const Scenario&)> fails) {
    FakeRunner runner(
        [&](const Job& job) {
          return TraceWriter()
              .ends(fails(job.scenario) ? sys::ExitStatus(sys::Killed{6}) : sys::Exited{0})
              .done();
        },
        hangs_);
    Desk desk(runner, {}, [] { return false; });
    const auto judge = [](const Scenario&, const harness::Trace& trace) {
      Judged judged;
      if (std::get<harness::Dead>(trace.events.back().kind).status ==
          sys::ExitStatus(sys::Killed{6})) {
        judged.violations.push_back({rule_named("W1"), "aborted", "", nullptr});
      }
      return judged;
    };
    options_.deadline = Clock::now() + time_;
    Shrinker shrinker(desk, {&pool_, rule_named("W1"), ""}, {simpler_, surer_}, judge, options_);
    auto shrunk = shrinker.shrink({first, {}, {rule_named("W1"), "first", "", nullptr}});
    runs_ = runner.runs();
    return shrunk;
  }

  Pool pool_ = executor_pool();
  ShrinkOptions options_;
  std::chrono::milliseconds time_{20'000};
  std::function<Passes(const Scenario&)> simpler_ = one_step_less;
  std::function<std::vector<Scenario>(const Scenario&)> surer_;
  FakeRunner::Hangs hangs_;  // the others are answered first
  int runs_ = 0;
};

TEST_F(ShrinkingTest, FindsTheStepsThatMatter) {
  const auto shrunk = shrink(scenario_of(12), [](const Scenario& s) {
    return has_steps(s, {3, 7, 12});
  });
  EXPECT_EQ(shrunk.best.scenario.steps.size(), 3U);
  EXPECT_TRUE(has_steps(shrunk.best.scenario, {3, 7, 12}));
  EXPECT_EQ(shrunk.rate.failed, 10);
  EXPECT_EQ(shrunk.rate.made, 10);
  EXPECT_TRUE(shrunk.rate.is_steady());
}

TEST_F(ShrinkingTest, TakesTheFirstFailingSibling) {
  const auto shrunk = shrink(scenario_of(2), [](const Scenario& s) { return !s.steps.empty(); });
  EXPECT_EQ(shrunk.best.scenario.steps, std::vector{create_step(2)});
}

/// What fails once and then does not is a race: another time it may be lost again. It is told with
/// all its runs, those two included.
TEST_F(ShrinkingTest, TriesAgainWhatFailsNowAndThen) {
  int whole_calls = 0;
  int calls = 0;  // of the case that has the second step alone
  const auto shrunk = shrink(scenario_of(2), [&](const Scenario& s) {
    if (s.steps.size() == 2) return ++whole_calls % 8 != 0;
    if (!has_steps(s, {2})) return false;
    ++calls;
    return calls == 1 || calls > 3;
  });
  EXPECT_EQ(shrunk.best.scenario.steps, std::vector{create_step(2)});
  EXPECT_EQ(shrunk.rate.failed, 38);
  EXPECT_EQ(shrunk.rate.made, 40);
}

/// A simpler case of one that fails now and then need not fail each time, but about as often.
TEST_F(ShrinkingTest, FollowsACaseThatFailsNowAndThen) {
  std::map<std::size_t, int> calls;  // by number of steps
  const auto shrunk = shrink(scenario_of(4), [&](const Scenario& s) {
    return s.steps.size() > 1 && ++calls[s.steps.size()] % 4 != 3;
  });
  EXPECT_EQ(shrunk.best.scenario.steps.size(), 2U);
  EXPECT_GE(shrunk.rate.failed, 7);
  EXPECT_LT(shrunk.rate.failed, shrunk.rate.made);
}

/// Four of five runs: enough for a search, not for who runs it again.
bool is_likely(int& calls) {
  return ++calls % 5 != 4;
}

/// What is left to chance in the simplest is taken from it: it is told with a step more.
TEST_F(ShrinkingTest, MakesTheSimplestSure) {
  surer_ = [](const Scenario& s) { return std::vector{with_step(s, 9)}; };
  int calls = 0;
  const auto shrunk = shrink(scenario_of(4), [&](const Scenario& s) {
    return has_steps(s, {1}) && (s.steps.size() > 1 || is_likely(calls));
  });
  EXPECT_EQ(shrunk.best.scenario.steps, (std::vector{create_step(1), create_step(9)}));
  EXPECT_EQ(shrunk.rate.failed, 30);
  EXPECT_TRUE(shrunk.rate.is_steady());
}

TEST_F(ShrinkingTest, OfSurerOnesTheFirstReliableOneIsTaken) {
  surer_ = [](const Scenario& s) {
    return std::vector{with_step(s, 7), with_step(s, 8), with_step(s, 9)};
  };
  int calls = 0;
  int calls_of_7 = 0;
  const auto shrunk = shrink(scenario_of(4), [&](const Scenario& s) {
    if (has_steps(s, {7})) return ++calls_of_7 % 5 != 0;
    return has_steps(s, {1}) && (s.steps.size() > 1 || is_likely(calls));
  });
  EXPECT_EQ(shrunk.best.scenario.steps, (std::vector{create_step(1), create_step(8)}));
}

/// What was made sure gets simpler, but only what is about as reliable is taken.
TEST_F(ShrinkingTest, WhatWasMadeSureGetsSimplerButStaysSure) {
  surer_ = [](const Scenario&) { return std::vector{scenario_of(9)}; };
  int calls = 0;
  int chances = 0;  // of the sure one's simpler ones
  const auto shrunk = shrink(scenario_of(3), [&](const Scenario& s) {
    if (has_steps(s, {9})) return true;
    if (has_steps(s, {8})) return ++chances % 8 != 7;
    return s.steps.size() == 3 || (s.steps.size() == 2 && is_likely(calls));
  });
  EXPECT_EQ(shrunk.best.scenario.steps, std::vector{create_step(9)});
  EXPECT_TRUE(shrunk.rate.is_steady());
}

/// Where nothing is left to chance, once is enough.
TEST_F(ShrinkingTest, TriesAgainWhatDidNotFailOnlyWhereSomethingWasChance) {
  std::map<std::size_t, int> calls;
  bool is_race = false;
  const auto shrink_all = [&] {
    calls.clear();
    int calls_of_2 = 0;
    return shrink(scenario_of(2), [&](const Scenario& s) {
      if (s.steps.size() == 2) return true;
      if (has_steps(s, {1})) return ++calls[1] > 1;
      return is_race && has_steps(s, {2}) && ++calls_of_2 == 1;
    });
  };
  EXPECT_EQ(shrink_all().best.scenario.steps.size(), 2U);
  EXPECT_EQ(calls[1], 1);
  is_race = true;
  shrink_all();
  EXPECT_GT(calls[1], 1);
}

/// Though the first case of all failed half of the time.
TEST_F(ShrinkingTest, WhatWasMadeSureTakesNothingThatIsNotAboutReliable) {
  surer_ = [](const Scenario&) { return std::vector{scenario_of(9)}; };
  simpler_ = [](const Scenario& s) -> Passes {
    if (s.steps.size() == 9) return {{scenario_of(8)}};
    return {};
  };
  int calls = 0;
  int chances = 0;
  const auto shrunk = shrink(scenario_of(3), [&](const Scenario& s) {
    if (s.steps.size() == 8) return ++chances % 3 != 2;
    return s.steps.size() == 9 || ++calls % 2 == 0;
  });
  EXPECT_EQ(shrunk.best.scenario.steps.size(), 9U);
  EXPECT_EQ(chances, 7) << "it was taken, and repeated";
}

/// Five of seven is less often than each time.
TEST_F(ShrinkingTest, WhatFailsFiveOfSevenTimesIsNotTakenForWhatAlwaysFails) {
  int calls = 0;
  const auto shrunk = shrink(scenario_of(2), [&](const Scenario& s) {
    return s.steps.size() == 2 || (has_steps(s, {1}) && (++calls % 7) != 3 && calls % 7 != 5);
  });
  EXPECT_EQ(shrunk.best.scenario.steps.size(), 2U);
  EXPECT_EQ(calls, 7);
}

/// Nor are variants tried beyond the runs, nor more often than it takes to say no.
TEST_F(ShrinkingTest, TriesSurerOnesWithinItsRuns) {
  surer_ = [](const Scenario&) {
    std::vector<Scenario> all;
    for (int steps = 20; steps < 60; ++steps) all.push_back(scenario_of(steps));
    return all;
  };
  options_.runs = 200;
  options_.confirm = 19;
  std::set<std::size_t> tried;  // by number of steps
  int calls = 0;
  const auto shrunk = shrink(scenario_of(2), [&](const Scenario& s) {
    if (s.steps.size() >= 20) tried.insert(s.steps.size());
    return s.steps.size() == 2 && is_likely(calls);
  });
  EXPECT_LE(shrunk.runs, options_.runs);
  EXPECT_GT(tried.size(), 12U) << "no more runs of one that did not fail";
}

/// What is reliable as far as many runs have shown is not passed by, however short the way astray.
TEST_F(ShrinkingTest, GoesOnFromTheSurerOneThatItCameFrom) {
  surer_ = [](const Scenario&) { return std::vector{scenario_of(12)}; };
  simpler_ = [](const Scenario& s) -> Passes {
    const auto steps = static_cast<int>(s.steps.size());
    if (steps == 12) return {{scenario_of(11), scenario_of(5)}};
    if (steps > 9) return {{scenario_of(steps - 1)}};
    return {};
  };
  int calls = 0;
  std::map<std::size_t, int> chances;  // by number of steps
  const auto shrunk = shrink(scenario_of(3), [&](const Scenario& s) {
    const auto steps = s.steps.size();
    if (steps == 12 || steps == 5) return true;
    if (steps > 5) return ++chances[steps] <= 3 || chances[steps] % 2 == 0;
    return is_likely(calls);
  });
  EXPECT_EQ(shrunk.best.scenario.steps.size(), 5U);
  EXPECT_TRUE(shrunk.rate.is_steady());
}

/// The way led from it to one that is not reliable, and it is simpler than what is.
TEST_F(ShrinkingTest, WhatWasTakenBeforeMayBeSimplerThanTheSurerOne) {
  surer_ = [](const Scenario&) { return std::vector{with_step(scenario_of(2), 9)}; };
  int calls = 0;
  const auto shrunk = shrink(scenario_of(2), [&](const Scenario& s) {
    return has_steps(s, {1, 2}) || (s.steps == scenario_of(1).steps && is_likely(calls));
  });
  EXPECT_EQ(shrunk.best.scenario.steps, scenario_of(2).steps);
  EXPECT_TRUE(shrunk.rate.is_steady());
}

/// Nobody needs a longer case for one run of twenty.
TEST_F(ShrinkingTest, AReliableCaseIsNotMadeSurer) {
  bool was_asked = false;
  surer_ = [&](const Scenario&) {
    was_asked = true;
    return std::vector<Scenario>();
  };
  int calls = 0;
  const auto shrunk = shrink(scenario_of(2), [&](const Scenario& s) {
    return has_steps(s, {1}) && (s.steps.size() > 1 || ++calls % 20 != 8);
  });
  EXPECT_EQ(shrunk.best.scenario.steps, std::vector{create_step(1)});
  EXPECT_FALSE(was_asked);
  EXPECT_FALSE(shrunk.rate.is_steady());
  EXPECT_TRUE(shrunk.rate.is_reliable());
  EXPECT_GE(shrunk.rate.made, 30) << "the more doubt, the more runs";
}

/// It was seen not to fail: ten repeats that do cannot undo that.
TEST_F(ShrinkingTest, WhatDidNotFailOnceIsNotToldAsStable) {
  int calls = 0;
  const auto shrunk =
      shrink(scenario_of(1), [&](const Scenario& s) { return !s.steps.empty() && ++calls != 2; });
  EXPECT_FALSE(shrunk.rate.is_steady());
  EXPECT_EQ(shrunk.rate.failed, 31);
  EXPECT_EQ(shrunk.rate.made, 32);
}

/// Ten runs say little of what fails nine times of ten: a longer one may have had more luck.
TEST_F(ShrinkingTest, PrefersTheSimplestOfThoseThatFailAboutAsOften) {
  std::map<std::size_t, int> calls;
  const auto shrunk = shrink(scenario_of(4), [&](const Scenario& s) {
    const auto size = s.steps.size();
    const int call = ++calls[size];
    return size > 1 && (size == 2 ? call % 10 != 8 : call % 25 != 20);
  });
  EXPECT_EQ(shrunk.best.scenario.steps.size(), 2U);
  EXPECT_EQ(shrunk.rate.failed, 27);
  EXPECT_EQ(shrunk.rate.made, 30);
}

TEST_F(ShrinkingTest, EndsWhereNothingIsSimpler) {
  int calls = 0;
  const auto shrunk = shrink({}, [&](const Scenario&) { return ++calls % 3 == 0; });
  EXPECT_TRUE(shrunk.best.scenario.steps.empty());
}

/// Siblings of one that fails are run for nothing.
TEST_F(ShrinkingTest, RunsFewSiblingsOfWhatIsTaken) {
  const auto shrunk = shrink(scenario_of(10), [](const Scenario&) { return true; });
  EXPECT_TRUE(shrunk.best.scenario.steps.empty());
  EXPECT_LE(shrunk.runs, options_.confirm + 10 * (2 + options_.confirm));
}

/// What mattered in the case before does so in this one, most of the time: what was not asked yet
/// comes first.
TEST_F(ShrinkingTest, GoesOnBehindWhatItFound) {
  const auto shrunk = shrink(scenario_of(16), [](const Scenario& s) {
    return has_steps(s, {1, 2, 3, 4, 5, 6, 7, 8});
  });
  EXPECT_EQ(shrunk.best.scenario.steps, scenario_of(8).steps);
  EXPECT_LE(shrunk.runs, 80);  // with the first eight tried again after each: 120 and more
}

/// What was found there need not be the simplest that always fails.
TEST_F(ShrinkingTest, GoesOnFromWhatAlwaysFails) {
  int calls = 0;  // of the case that leads astray
  const auto shrunk = shrink(scenario_of(3), [&](const Scenario& s) {
    if (s.steps.size() == 2 && has_steps(s, {2, 3})) return ++calls <= 3 || calls % 2 == 0;
    return has_steps(s, {1});
  });
  EXPECT_EQ(shrunk.best.scenario.steps, std::vector{create_step(1)});
  EXPECT_TRUE(shrunk.rate.is_steady());
}

/// A sibling that failed, too, was left since a simpler one was there: it may be what comes next.
TEST_F(ShrinkingTest, TriesAgainASiblingThatFailedAndWasNotTaken) {
  simpler_ = [](const Scenario& s) -> Passes {
    if (s.steps.size() == 2) return {{scenario_of(1), Scenario{}}};
    if (s.steps.size() == 1) return {{Scenario{}}};
    return {};
  };
  bool was_empty_run = false;
  hangs_ = [&](const Job& job) { return job.scenario.steps.size() == 1 && !was_empty_run; };
  const auto shrunk = shrink(scenario_of(2), [&](const Scenario& s) {
    was_empty_run = was_empty_run || s.steps.empty();
    return true;
  });
  EXPECT_TRUE(shrunk.best.scenario.steps.empty());
}

/// Shrinking may have led away from what always fails; no time is left to look where.
TEST_F(ShrinkingTest, GoesBackToTheFirstOnceTimeIsOver) {
  time_ = std::chrono::milliseconds(500);
  const auto over = Clock::now() + 2 * time_;
  std::set<std::size_t> looked_at;
  const auto shrunk = shrink(scenario_of(12), [&](const Scenario& s) {
    if (Clock::now() >= over) looked_at.insert(s.steps.size());
    if (s.steps.size() == 8) std::this_thread::sleep_until(over);
    return s.steps.size() == 12 || Clock::now() < over;
  });
  EXPECT_GE(Clock::now(), over) << "time was not over";
  EXPECT_EQ(looked_at.count(10) + looked_at.count(11), 0U) << "at once";
  EXPECT_EQ(shrunk.best.scenario.steps.size(), 12U);
  EXPECT_TRUE(shrunk.rate.is_steady());
}

TEST_F(ShrinkingTest, IsBounded) {
  options_.runs = 30;
  const auto shrunk = shrink(scenario_of(40), [](const Scenario& s) { return s.steps.size() > 1; });
  EXPECT_LE(shrunk.runs, options_.runs);
  EXPECT_LE(runs_, shrunk.runs + 16 + options_.repeats);
}

TEST_F(ShrinkingTest, WhatNeverFailsAgainIsKeptWithItsFirstRecording) {
  const auto shrunk = shrink(scenario_of(3), [](const Scenario&) { return false; });
  EXPECT_EQ(shrunk.best.scenario, scenario_of(3));
  EXPECT_EQ(shrunk.best.violation.evidence, "first");
  EXPECT_EQ(shrunk.rate.failed, 0);
  EXPECT_EQ(shrunk.rate.made, 10);
  EXPECT_FALSE(shrunk.rate.is_reliable());
  EXPECT_EQ(runs_, options_.confirm + options_.repeats) << "simpler ones can tell nothing";
}

TEST_F(ShrinkingTest, AFlakySimplerCaseIsNotPreferredToAStableOne) {
  int calls = 0;
  const auto shrunk = shrink(scenario_of(3), [&](const Scenario& s) {
    return s.steps.size() == 3 || (s.steps.size() == 2 && ++calls % 2 == 1);
  });
  EXPECT_EQ(shrunk.best.scenario.steps.size(), 3U);
  EXPECT_TRUE(shrunk.rate.is_steady());
}

/// However far back it lies.
TEST_F(ShrinkingTest, GoesBackToWhatAlwaysFails) {
  int calls = 0;
  const auto shrunk = shrink(scenario_of(12), [&](const Scenario& s) {
    return s.steps.size() == 12 || (s.steps.size() > 1 && ++calls % 5 != 0);
  });
  EXPECT_TRUE(shrunk.rate.is_steady()) << shrunk.rate.failed << " of " << shrunk.rate.made;
}

}  // namespace
}  // namespace poolproof::properties
