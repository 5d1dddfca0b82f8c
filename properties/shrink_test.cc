#include "properties/shrink.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include "properties/complexity.h"
#include "properties/generate.h"
#include "properties/model.h"
#include "properties/rules/made_trace.h"

namespace poolproof::properties {
namespace {

using namespace std::chrono_literals;
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

/// The smallest scenario that still fails, looked for from the front each time (a campaign goes on
/// behind what it found), and how many runs it took.
template <class Fails>
std::pair<Scenario, int> shrunk(Scenario scenario, Fails fails) {
  int runs = 0;
  for (bool smaller = true; smaller;) {
    smaller = false;
    for (auto& candidate : simpler(scenario, everything(), Contract{})) {
      ++runs;
      if (!fails(candidate)) continue;
      scenario = std::move(candidate);
      smaller = true;
      break;
    }
  }
  return {scenario, runs};
}

bool has(const Scenario& scenario, StepKind kind) {
  return std::any_of(scenario.steps.begin(), scenario.steps.end(),
                     [&](const Step& step) { return step.kind == kind; });
}

RC_GTEST_PROP(Simpler, IsRunnableAndStrictlySimpler, ()) {
  Contract contract;
  contract.exit = static_cast<Contract::Exit>(*rc::gen::inRange(0, 3));
  contract.worker_death = static_cast<Contract::WorkerDeath>(*rc::gen::inRange(0, 3));
  contract.starts_workers_late = *rc::gen::arbitrary<bool>();
  const Abilities abilities = everything();
  const auto scenario = *scenarios(abilities, contract, "fork");
  const auto all = simpler(scenario, abilities, contract);
  for (const auto& candidate : all) {
    RC_ASSERT(std::count(all.begin(), all.end(), candidate) == 1);
    RC_ASSERT(is_runnable(candidate, contract));
    RC_ASSERT(complexity(candidate) < complexity(scenario));
    RC_ASSERT(candidate.start_method == scenario.start_method);
  }
}

RC_GTEST_PROP(Simpler, ComesToTheSmallestThatStillSubmits, ()) {
  const auto scenario = *scenarios(everything(), Contract{}, "");
  const auto submits = [](const Scenario& s) { return has(s, StepKind::kSubmit); };
  RC_PRE(submits(scenario));
  const auto [smallest, runs] = shrunk(scenario, submits);
  RC_ASSERT(smallest.steps == (std::vector<Step>{create(1), submit(1)}));
  RC_ASSERT(smallest.ending == harness::Ending{});
}

TEST(Simpler, FindsTheMuseumsM1InFewRuns) {
  Scenario scenario;
  scenario.steps = {create(3),
                    submit(1, BodyKind::kEcho, 65537),
                    get(1),
                    workers(),
                    submit(2, BodyKind::kNever),
                    sleep_for(20ms),
                    kill(Victim::kBusy),
                    get(2),
                    close()};
  scenario.ending = {.kind = EndingKind::kExit, .code = 7};
  const auto [smallest, runs] = shrunk(scenario, [](const Scenario& s) {
    for (std::size_t i = 0; i + 1 < s.steps.size(); ++i) {
      if (s.steps[i].kind == StepKind::kKill && s.steps[i + 1].kind == StepKind::kGet) return true;
    }
    return false;
  });
  EXPECT_EQ(smallest.steps, (std::vector<Step>{create(1), submit(1, BodyKind::kNever),
                                               kill(Victim::kBusy), get(1)}));
  EXPECT_LT(runs, 100);
}

TEST(Simpler, TakesTheGetsAwayWithTheirSubmitAndRenumbers) {
  Scenario scenario;
  scenario.steps = {create(1), submit(1), submit(2, BodyKind::kRaise), get(1), get(2)};
  Scenario wanted;
  wanted.steps = {create(1), submit(1, BodyKind::kRaise), get(1)};
  const auto all = simpler(scenario, everything(), Contract{});
  EXPECT_NE(std::find(all.begin(), all.end(), wanted), all.end());
}

harness::Fault fault(const char* token) {
  return *harness::fault_from_string(token);
}

TEST(Simpler, MovesAFaultAlongWithItsStepOrTask) {
  Scenario scenario;
  scenario.steps = {create(1), submit(1), submit(2, BodyKind::kRaise), get(1), get(2)};
  scenario.fault = fault("worker:task:2=SIGKILL");
  Scenario wanted;
  wanted.steps = {create(1), submit(1, BodyKind::kRaise), get(1)};
  wanted.fault = fault("worker:task:1=SIGKILL");
  auto all = simpler(scenario, everything(), Contract{});
  EXPECT_NE(std::find(all.begin(), all.end(), wanted), all.end());
  scenario.fault = fault("main:before-step:5=SIGKILL");
  wanted.fault = fault("main:before-step:3=SIGKILL");
  all = simpler(scenario, everything(), Contract{});
  EXPECT_NE(std::find(all.begin(), all.end(), wanted), all.end());
  // Without its step or task there is none.
  scenario.fault = fault("main:before-step:2=SIGKILL");
  for (const auto& candidate : simpler(scenario, everything(), Contract{})) {
    const bool meant = !candidate.fault || candidate.fault->nth <= candidate.length();
    EXPECT_TRUE(meant) << to_string(*candidate.fault);
  }
}

TEST(Simpler, LooksForNoFaultThenForAGentlerAndEarlierOne) {
  Scenario scenario;
  scenario.steps = {create(1)};
  scenario.fault = fault("main:read(pipe):9=SIGKILL");
  EXPECT_FALSE(shrunk(scenario, [](const Scenario&) { return true; }).first.fault);
  const auto [gentle, runs] = shrunk(scenario, [](const Scenario& s) {
    return s.fault && s.fault->action == harness::Fault::Action::kSignal;
  });
  EXPECT_EQ(gentle.fault, fault("main:read(pipe):1=SIGTERM"));
  scenario.fault = fault("main:clone:7+=EAGAIN");
  const auto [once, more] =
      shrunk(scenario, [](const Scenario& s) { return s.fault && s.fault->nth >= 3; });
  EXPECT_EQ(once.fault, fault("main:clone:3=EAGAIN"));
  scenario.fault = fault("main:*:7=stop:200");
  const auto [brief, most] =
      shrunk(scenario, [](const Scenario& s) { return s.fault && s.fault->pause >= 20ms; });
  EXPECT_EQ(brief.fault, fault("main:*:1=stop:20"));
}

bool has_busy_task(const Scenario& scenario) {
  return std::any_of(scenario.steps.begin(), scenario.steps.end(), [](const Step& step) {
    return step.body.kind == BodyKind::kNever ||
           (step.kind == StepKind::kNeighbour && step.neighbour == harness::Neighbour::kBusy);
  });
}

/// Whatever it was found with: there is one way to say it.
TEST(Simpler, SaysByPlainStepsWhatOneStepDoes) {
  const Scenario plain{.steps = {create(1), submit(1, BodyKind::kNever)}};
  Scenario mapped;
  mapped.steps = {create(2), map(1, harness::Form::kImap, 3, BodyKind::kNever), next(1)};
  Scenario beside;
  beside.steps = {{.kind = StepKind::kNeighbour, .neighbour = harness::Neighbour::kBusy}};
  Scenario both;
  both.steps = {create(1), submit(1), beside.steps[0], get(1)};
  for (const auto& from : {mapped, beside, both})
    EXPECT_EQ(shrunk(from, has_busy_task).first.steps, plain.steps);
  Scenario ends;
  ends.steps = {create(1), {.kind = StepKind::kNeighbour}};
  const auto joins = [](const Scenario& s) {
    return has(s, StepKind::kJoin) || has(s, StepKind::kNeighbour);
  };
  EXPECT_EQ(shrunk(ends, joins).first.steps, (std::vector<Step>{create(1), join()}));
  // One that lives on does less than one that comes and goes.
  const auto has_other = [](const Scenario& s) { return has(s, StepKind::kNeighbour); };
  EXPECT_EQ(
      shrunk(ends, has_other).first.steps,
      (std::vector<Step>{{.kind = StepKind::kNeighbour, .neighbour = harness::Neighbour::kStays}}));
}

/// One may be too few for what two show.
TEST(Simpler, TakesTwoSubmitsForAMap) {
  Scenario from;
  from.steps = {create(1), map(1, harness::Form::kMap, 4, BodyKind::kRaise)};
  Scenario wanted;
  wanted.steps = {create(1), submit(1, BodyKind::kRaise), submit(2, BodyKind::kRaise)};
  const auto all = simpler(from, everything(), Contract{});
  EXPECT_NE(std::find(all.begin(), all.end(), wanted), all.end());
}

/// The first task did no more than to keep the second from its worker.
TEST(Simpler, TriesTasksThatDoNotEndForAStep) {
  Scenario from;
  from.steps = {create(1), submit(1, BodyKind::kSleep, 30), submit(2), terminate()};
  Scenario wanted;
  wanted.steps = {create(1), submit(1, BodyKind::kNever), terminate()};
  const auto all = simpler(from, everything(), Contract{});
  EXPECT_NE(std::find(all.begin(), all.end(), wanted), all.end());
}

RC_GTEST_PROP(Surer, IsRunnableAndKeepsWhatThereIs, ()) {
  const Contract contract;
  auto scenario = *scenarios(everything(), contract, "fork");
  if (scenario.length() > 1) scenario.fault = fault("main:before-step:2=SIGKILL");
  const auto all = surer(scenario, everything(), contract);
  for (const auto& candidate : all) {
    RC_ASSERT(std::count(all.begin(), all.end(), candidate) == 1);
    RC_ASSERT(is_runnable(candidate, contract));
    RC_ASSERT(candidate != scenario);
    const bool pauses = candidate.length() == scenario.length() + 1;
    RC_ASSERT(pauses || candidate.length() == scenario.length());
    RC_ASSERT(candidate.fault.has_value() == scenario.fault.has_value());
  }
}

TEST(Surer, PausesBehindEachStepAndHasTasksThatDoNotEnd) {
  Scenario from;
  from.steps = {create(1), submit(1), terminate()};
  from.fault = fault("main:before-step:3=SIGKILL");
  std::vector<Scenario> wanted(4, from);
  wanted[0].steps = {create(1), submit(1, BodyKind::kNever), terminate()};
  wanted[1].steps = {create(1), sleep_for(1500ms), submit(1), terminate()};
  wanted[1].fault = fault("main:before-step:4=SIGKILL");
  wanted[2].steps = {create(1), submit(1), sleep_for(1500ms), terminate()};
  wanted[2].fault = fault("main:before-step:4=SIGKILL");
  wanted[3].steps = {create(1), submit(1), terminate(), sleep_for(1500ms)};
  EXPECT_EQ(surer(from, everything(), Contract{}), wanted);
}

/// Its task is over by then.
TEST(Surer, LeavesNoStepOut) {
  Scenario from;
  from.steps = {create(1), submit(1, BodyKind::kSleep, 30), kill(Victim::kBusy), terminate()};
  for (const Scenario& one : surer(from, everything(), Contract{}))
    EXPECT_TRUE(has(one, StepKind::kKill)) << to_json(one);
}

TEST(Surer, UsesOnlyWhatTheAdapterCanDo) {
  Abilities few = everything();
  std::erase(few.steps, StepKind::kSleep);
  std::erase(few.bodies, BodyKind::kNever);
  EXPECT_TRUE(surer({.steps = {create(1), submit(1)}}, few, Contract{}).empty());
}

/// The least time that shows a race is another one each time, and nobody's business.
TEST(Simpler, TriesRoundTimesAlone) {
  Scenario from;
  from.steps = {create(1), submit(1, BodyKind::kSleep, 87), sleep_for(13ms)};
  const auto slow = [](const Scenario& s) {
    return s.steps.size() == 3 && s.steps[1].body.amount >= 17 && s.steps[2].duration >= 13ms &&
           s.steps[2].duration <= 800ms;
  };
  const auto smallest = shrunk(from, slow).first;
  ASSERT_EQ(smallest.steps.size(), 3U);
  EXPECT_EQ(smallest.steps[1].body.amount, 20);
  // Main's own sleeps become longer: what only needs time fails each time then.
  EXPECT_EQ(smallest.steps[2].duration, 500ms);
}

/// Neither fewer workers nor a resize to fewer is the same.
TEST(Simpler, MakesEqualSizesSmallerTogether) {
  Scenario from;
  from.steps = {create(3), {.kind = StepKind::kResize, .workers = 3}};
  const auto is_equal = [](const Scenario& s) {
    return s.steps.size() == 2 && s.steps[0].workers == s.steps[1].workers;
  };
  EXPECT_EQ(shrunk(from, is_equal).first.steps,
            (std::vector<Step>{create(1), {.kind = StepKind::kResize, .workers = 1}}));
}

TEST(Simpler, MakesManyEqualSizesFewerTogether) {
  Scenario from;
  from.steps = {create(8), {.kind = StepKind::kResize, .workers = 8}};
  const auto is_equal = [](const Scenario& s) {
    return s.steps.size() == 2 && s.steps[0].workers == s.steps[1].workers &&
           s.steps[0].workers >= 3;
  };
  EXPECT_EQ(shrunk(from, is_equal).first.steps,
            (std::vector<Step>{create(3), {.kind = StepKind::kResize, .workers = 3}}));
}

TEST(Simpler, LeavesAllOptionsAndSettingsOutAtOnce) {
  Scenario from;
  from.steps = {Step{.workers = 1, .quota = 2, .initializer = harness::Initializer::kRaises},
                submit(1), get(1)};
  from.steps[2].timeout = 5ms;
  Scenario plain;
  plain.steps = {create(1), submit(1), get(1)};
  const auto all = simpler(from, everything(), Contract{});
  EXPECT_NE(std::find(all.begin(), all.end(), plain), all.end());
}

/// A look may show as much before the end as behind it.
TEST(Simpler, PutsStepsInOrder) {
  const auto has_all = [](const Scenario& s) {
    return s.steps.size() == 4 && has(s, StepKind::kTerminate) && has(s, StepKind::kJoin) &&
           has(s, StepKind::kWorkers);
  };
  const Scenario behind{.steps = {create(1), terminate(), join(), workers()}};
  const Scenario between{.steps = {create(1), terminate(), workers(), join()}};
  const std::vector<Step> in_front{create(1), workers(), terminate(), join()};
  EXPECT_EQ(shrunk(behind, has_all).first.steps, in_front);
  EXPECT_EQ(shrunk(between, has_all).first.steps, in_front);
  // A fault goes along, even where its step's number becomes greater.
  Scenario faulty = behind;
  faulty.fault = fault("main:before-step:2=SIGKILL");
  const auto dies = [&](const Scenario& s) { return has_all(s) && s.fault; };
  const auto [smallest, runs] = shrunk(faulty, dies);
  EXPECT_EQ(smallest.steps, in_front);
}

/// Where all of them in order show nothing, one may stand further in front.
TEST(Simpler, PutsOneStepFurtherInFront) {
  const auto joins_first = [](const Scenario& s) {
    const auto place = [&](StepKind kind) {
      return std::find_if(s.steps.begin(), s.steps.end(),
                          [&](const Step& step) { return step.kind == kind; });
    };
    return s.steps.size() == 4 && has(s, StepKind::kWorkers) && has(s, StepKind::kTerminate) &&
           place(StepKind::kJoin) < place(StepKind::kTerminate);
  };
  Scenario from;
  from.steps = {create(1), join(), terminate(), workers()};
  EXPECT_EQ(shrunk(from, joins_first).first.steps,
            (std::vector<Step>{create(1), workers(), join(), terminate()}));
}

/// A quota and a task come to the death of a worker: which is said without a quota.
TEST(Simpler, StandsForAStepWithoutTheSettings) {
  Scenario from;
  from.steps = {Step{.workers = 1, .quota = 1}, submit(1), submit(2)};
  Scenario plain;
  plain.steps = {create(1), kill(Victim::kIdle), submit(1)};
  const auto all = simpler(from, everything(), Contract{});
  EXPECT_NE(std::find(all.begin(), all.end(), plain), all.end());
}

/// However a worker died, however long the next one was given: there is one way to say it.
TEST(Simpler, TriesWhatStandsForAStep) {
  const auto is_short_of_one = [](const Scenario& s) {
    const auto dies = [](const Step& step) {
      return step.kind == StepKind::kKill || entry(step.body.kind).kills_worker;
    };
    const auto death = std::find_if(s.steps.begin(), s.steps.end(), dies);
    const auto tells_time = [](const Step& step) {
      return step.kind == StepKind::kSleep || step.kind == StepKind::kGet;
    };
    const auto time = std::find_if(death, s.steps.end(), tells_time);
    return std::any_of(time, s.steps.end(), [](const Step& step) {
      return step.kind == StepKind::kWorkers || step.kind == StepKind::kMap;
    });
  };
  const Scenario plain{.steps = {create(1), kill(Victim::kIdle), sleep_for(1500ms), workers()}};
  Scenario by_task;
  by_task.steps = {create(2), submit(1, BodyKind::kExit), get(1), sleep_for(7ms), workers()};
  Scenario by_kill;
  by_kill.steps = {create(1), submit(1, BodyKind::kNever), kill(Victim::kBusy), sleep_for(20ms),
                   map(2, harness::Form::kMap, 3)};
  for (const auto& from : {by_task, by_kill})
    EXPECT_EQ(shrunk(from, is_short_of_one).first.steps, plain.steps);
}

/// But what happens to the step it stands for does not happen without it.
TEST(Simpler, PutsAPauseBesideAPauseForTheStepOfAFault) {
  Scenario from;
  from.steps = {create(1), sleep_for(1500ms), submit(1), terminate()};
  from.fault = fault("main:before-step:3=SIGKILL");
  Scenario wanted = from;
  wanted.steps = {create(1), sleep_for(1500ms), sleep_for(1500ms), terminate()};
  const auto all = simpler(from, everything(), Contract{});
  EXPECT_NE(std::find(all.begin(), all.end(), wanted), all.end());
}

/// Time is what mattered, not what main saw.
TEST(Simpler, TakesAPauseForALook) {
  Scenario from;
  from.steps = {create(1), workers(), submit(1), terminate()};
  const auto takes_time = [](const Scenario& s) {
    return s.steps.size() == 4 && has(s, StepKind::kSubmit) && has(s, StepKind::kTerminate);
  };
  EXPECT_EQ(shrunk(from, takes_time).first.steps,
            (std::vector<Step>{create(1), sleep_for(1500ms), submit(1), terminate()}));
}

/// One pause is as good as two.
TEST(Simpler, PutsNoPauseBesideAPause) {
  Scenario from;
  from.steps = {create(1), submit(1, BodyKind::kRaise), sleep_for(1500ms), submit(2), workers()};
  const auto all = simpler(from, everything(), Contract{});
  for (const Scenario& one : all) {
    if (!has(one, StepKind::kCreate)) continue;  // nothing of all between them is left
    for (std::size_t at = 1; at < one.steps.size(); ++at) {
      const bool both = one.steps[at] == sleep_for(1500ms) && one.steps[at - 1] == one.steps[at];
      EXPECT_FALSE(both) << to_json(one);
    }
  }
}

TEST(Simpler, TakesAStreamsNextForAGet) {
  Scenario from;
  from.steps = {create(1), map(1, harness::Form::kImap, 1), next(1)};
  Scenario wanted;
  wanted.steps = {create(1), submit(1), get(1)};
  const auto all = simpler(from, everything(), Contract{});
  EXPECT_NE(std::find(all.begin(), all.end(), wanted), all.end());
}

TEST(Simpler, TakesAGetForAWait) {
  Scenario from;
  from.steps = {create(1), submit(1), {.kind = StepKind::kWait, .task = 1, .timeout = 5ms}};
  Scenario wanted = from;
  wanted.steps.back().kind = StepKind::kGet;
  const auto all = simpler(from, everything(), Contract{});
  EXPECT_NE(std::find(all.begin(), all.end(), wanted), all.end());
}

TEST(Simpler, TakesACloseForATerminate) {
  const Scenario from{.steps = {create(1), terminate(), join()}};
  const Scenario wanted{.steps = {create(1), close(), join()}};
  const auto all = simpler(from, everything(), Contract{});
  EXPECT_NE(std::find(all.begin(), all.end(), wanted), all.end());
}

TEST(Simpler, SaysByPlainStepsOnlyWhatTheAdapterCanDo) {
  Abilities few = everything();
  std::erase(few.steps, StepKind::kClose);
  std::erase(few.steps, StepKind::kGet);
  Scenario from;
  from.steps = {
      {.kind = StepKind::kNeighbour}, create(1), map(1, harness::Form::kImap, 2), next(1)};
  for (const auto& candidate : simpler(from, few, Contract{})) {
    EXPECT_FALSE(has(candidate, StepKind::kClose));
    EXPECT_FALSE(has(candidate, StepKind::kGet));
  }
}

TEST(Simpler, TriesEveryEndingInsteadOfAFault) {
  Scenario from;
  from.steps = {create(1), submit(1, BodyKind::kNever)};
  from.fault = fault("group:after-step:2=SIGTERM");
  const auto dies = [](const Scenario& s) {
    return s.fault.has_value() || s.ending.kind == EndingKind::kSigterm;
  };
  const auto smallest = shrunk(from, dies).first;
  EXPECT_FALSE(smallest.fault);
  EXPECT_EQ(smallest.ending.kind, EndingKind::kSigterm);
}

TEST(Simpler, UsesOnlyWhatTheAdapterCanDo) {
  Abilities few = everything();
  std::erase(few.bodies, BodyKind::kNothing);
  std::erase(few.endings, EndingKind::kReturn);
  Scenario scenario;
  scenario.steps = {create(1), submit(1, BodyKind::kSpin, 5)};
  scenario.ending.kind = EndingKind::kRaise;
  for (const auto& candidate : simpler(scenario, few, Contract{})) {
    EXPECT_EQ(candidate.ending.kind, EndingKind::kRaise);
    for (const Step& step : candidate.steps) {
      EXPECT_TRUE(step.kind != StepKind::kSubmit || step.body.kind != BodyKind::kNothing);
    }
  }
}

/// A create that asks for nothing is simpler than one that does, and less trouble than more.
TEST(Simpler, LooksForAPlainerPool) {
  Scenario from;
  from.steps = {Step{.workers = 1, .quota = 2, .initializer = harness::Initializer::kExits}};
  const auto all = simpler(from, everything(), Contract{});
  const auto has = [&](std::optional<int> quota, harness::Initializer initializer) {
    return std::any_of(all.begin(), all.end(), [&](const Scenario& s) {
      return !s.steps.empty() && s.steps[0].quota == quota && s.steps[0].initializer == initializer;
    });
  };
  EXPECT_TRUE(has(std::nullopt, harness::Initializer::kExits));
  EXPECT_TRUE(has(1, harness::Initializer::kExits));
  EXPECT_TRUE(has(2, harness::Initializer::kRaises));
  EXPECT_TRUE(has(2, harness::Initializer::kNone));
}

/// No good number of workers becomes a bad one, but a bad one becomes good.
TEST(Simpler, TakesNoWorkersForMoreThanAny) {
  const auto sizes_of = [](int workers) {
    Scenario from;
    from.steps = {Step{.workers = workers}};
    std::set<int> sizes;
    for (const Scenario& one : simpler(from, everything(), Contract{}))
      if (!one.steps.empty()) sizes.insert(one.steps[0].workers.value_or(99));
    return sizes;
  };
  EXPECT_EQ(sizes_of(1), std::set<int>());
  EXPECT_EQ(sizes_of(2), std::set{1});
  EXPECT_TRUE(sizes_of(0).contains(1));
  EXPECT_TRUE(sizes_of(-1).contains(0));
}

TEST(Simpler, InheritsLess) {
  using harness::Inherited;
  Scenario from;
  from.inherits = {Inherited::kSigtermBlocked, Inherited::kStdinClosed};
  const auto all = simpler(from, everything(), Contract{});
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].inherits, std::set{Inherited::kStdinClosed});
  EXPECT_EQ(all[1].inherits, std::set{Inherited::kSigtermBlocked});
}

TEST(Simpler, HasNothingSimplerThanNothing) {
  EXPECT_TRUE(simpler(Scenario{}, everything(), Contract{}).empty());
}

}  // namespace
}  // namespace poolproof::properties
