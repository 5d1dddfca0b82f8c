// What is printed can be pasted: the program text of scenarios, put into a file and run without
// poolproof. Nothing contains these programs, so that only those are run that end their pool.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "ctest/program.h"
#include "properties/campaign.h"
#include "properties/letters.h"
#include "properties/model.h"
#include "properties/pools.h"
#include "properties/program_text.h"
#include "properties/text.h"

namespace poolproof::end_to_end {
namespace {

using harness::Body;
using harness::BodyKind;
using harness::Ending;
using harness::EndingKind;
using harness::Scenario;
using harness::Step;
using harness::StepKind;
using properties::Pool;

std::vector<Pool> pools_named(const std::string& name) {
  properties::PoolPlaces places;
  places.share = properties::default_share();
  return properties::PoolFinder(places).find(std::vector<std::string>{name}).found;
}

Step step(StepKind kind) {
  Step made;
  made.kind = kind;
  return made;
}
Step create(int workers) {
  Step made = step(StepKind::kCreate);
  made.workers = workers;
  return made;
}
Step submit(int task, Body body) {
  Step made = step(StepKind::kSubmit);
  made.task = task;
  made.body = body;
  return made;
}
Step get(int task) {
  Step made = step(StepKind::kGet);
  made.task = task;
  return made;
}

/// Closes where it must, and joins.
void end_pool(Scenario& scenario, const Pool& pool) {
  if (pool.contract.join_needs_close) scenario.steps.push_back(step(StepKind::kClose));
  scenario.steps.push_back(step(StepKind::kJoin));
}

/// Something of everything that goes well, and one task whose error is the program's to see.
Scenario plain(const Pool& pool, Ending ending) {
  Scenario scenario{pool.start_method, {}, ending};
  scenario.steps = {create(2),
                    submit(1, {BodyKind::kEcho, 4097}),
                    submit(2, {BodyKind::kSleep, 5}),
                    submit(3, {BodyKind::kRaise, 0}),
                    get(1),
                    get(2),
                    get(3),
                    step(StepKind::kWorkers)};
  scenario.steps[4].timeout = std::chrono::seconds(20);
  end_pool(scenario, pool);
  return scenario;
}
const std::set<int> kRaising{7};

/// A kill needs helpers of the program's own, which find out who is busy. The default number of
/// workers, so that one is left for what the pool does about it.
Scenario with_a_kill(const Pool& pool) {
  Scenario scenario{pool.start_method, {}, {EndingKind::kReturn, 0}};
  Step kill = step(StepKind::kKill);
  kill.victim = harness::Victim::kBusy;
  scenario.steps = {step(StepKind::kCreate), submit(1, {BodyKind::kNever, 0}), kill};
  const auto& able = pool.abilities.steps;
  const bool terminates = std::find(able.begin(), able.end(), StepKind::kTerminate) != able.end();
  if (terminates) scenario.steps.push_back(step(StepKind::kTerminate));
  scenario.steps.push_back(step(StepKind::kJoin));
  return scenario;
}

/// Calls that the pool must refuse raise, as the recording of a real run would say.
std::set<int> refused(const Scenario& scenario, const Pool& pool) {
  std::set<int> steps;
  properties::Model model(pool.contract);
  int number = 0;
  for (const auto& asked : scenario.steps) {
    ++number;
    const bool legal = model.call(asked) == properties::Model::Call::kLegal;
    if (!legal) steps.insert(number);
    model.apply(asked, legal);
  }
  return steps;
}

class Paste : public testing::Test {
 protected:
  std::string program(const Pool& pool, const Scenario& scenario, const std::set<int>& raising) {
    const auto name = std::to_string(++files_) + "-" + program_file_name(pool.abilities);
    return scratch_.file(name, whole_program(scenario, pool.abilities, raising));
  }
  Scratch scratch_;
  int files_ = 0;
};

class PasteIntoPython : public Paste {
 protected:
  void SetUp() override {
    for (const char* name : {"multiprocessing.Pool", "ProcessPoolExecutor"}) {
      for (auto& pool : pools_named(name)) pools_.push_back(std::move(pool));
    }
    if (pools_.empty()) GTEST_SKIP() << "no Python pool is here";
  }

  /// Runs it with the interpreter that poolproof uses.
  Ended run_program(const Pool& pool, const Scenario& scenario, const std::set<int>& raising = {}) {
    // Unbuffered, as on a terminal: os._exit takes along what waits for a pipe.
    // What an abandoned pool leaves in the temporary folder goes with ours.
    return run({"env", "TMPDIR=" + scratch_.path().string(), pool.command.front(), "-u",
                program(pool, scenario, raising)},
               30);
  }

  std::vector<Pool> pools_;
};

TEST_F(PasteIntoPython, WhatIsGeneratedIsValid) {
  constexpr int kEach = 60;
  std::vector<std::string> command{pools_.front().command.front(), "-c",
                                   "import sys\n"
                                   "for name in sys.argv[1:]:\n"
                                   "    compile(open(name).read(), name, 'exec')\n"};
  const auto source = properties::random_source(0x7f3a21);
  for (const auto& pool : pools_) {
    for (int n = 0; n < kEach; ++n) {
      const auto scenario = source.generate(pool, n).value();
      const auto raising = refused(scenario, pool);
      command.push_back(program(pool, scenario, raising));
      // As the report shows it, with numbers behind the lines.
      const auto lines = numbered_program(scenario, pool.abilities, 0, raising);
      command.push_back(scratch_.file(std::to_string(++files_) + "-numbered.py",
                                      properties::joined(lines, "\n") + "\n"));
    }
  }
  const auto ended = run(command);
  EXPECT_EQ(ended.code, 0) << ended.err;
}

TEST_F(PasteIntoPython, RunsToTheScenariosEnding) {
  const std::pair<Ending, int> endings[] = {{{EndingKind::kReturn, 0}, 0},
                                            {{EndingKind::kExit, 7}, 7},
                                            {{EndingKind::kOsExit, 3}, 3},
                                            {{EndingKind::kRaise, 0}, 1}};
  for (const auto& pool : pools_) {
    for (const auto& [ending, code] : endings) {
      SCOPED_TRACE(pool.label() + " " + std::string(harness::entry(ending.kind).name));
      const auto ended = run_program(pool, plain(pool, ending), kRaising);
      EXPECT_EQ(ended.code, code) << ended.out << ended.err;
      EXPECT_THAT(ended.out, testing::HasSubstr("task 3"));
      EXPECT_EQ(ended.err.find("Error") != std::string::npos, ending.kind == EndingKind::kRaise)
          << ended.err;
    }
  }
}

TEST_F(PasteIntoPython, FindsTheWorkerToKill) {
  for (const auto& pool : pools_) {
    SCOPED_TRACE(pool.label());
    const auto ended = run_program(pool, with_a_kill(pool));
    EXPECT_EQ(ended.code, 0) << ended.out << ended.err;
  }
}

class PasteIntoCpp : public Paste {
 protected:
  void SetUp() override {
    const auto found = pools_named("reference");
    ASSERT_FALSE(found.empty());
    pool_ = found.front();
  }

  Ended compile(const std::string& source, const std::vector<std::string>& more) {
    std::vector<std::string> command{POOLPROOF_CXX, "-std=c++20", "-w", source};
    for (const auto& folder : split(POOLPROOF_POOL_INCLUDES)) {
      // The compiler's own order of the system's folders must stay as it is.
      if (folder != "/usr/include") command.push_back("-I" + folder);
    }
    command.insert(command.end(), more.begin(), more.end());
    return run(command, 120);
  }

  static std::vector<std::string> split(std::string text) {
    std::replace(text.begin(), text.end(), '|', '\n');
    auto parts = properties::lines_of(text);
    std::erase(parts, "");
    return parts;
  }

  Pool pool_;
};

/// What main does beside the pool, each once.
TEST_F(PasteIntoCpp, WhatMainDoesBesideThePoolIsValid) {
  using harness::StepKind;
  harness::Scenario scenario;
  scenario.start_method = "fork";
  for (const auto kind :
       {StepKind::kLock, StepKind::kHandle, StepKind::kMask, StepKind::kMask, StepKind::kIgnore,
        StepKind::kCreate, StepKind::kSleep, StepKind::kFork, StepKind::kLaunch, StepKind::kReap,
        StepKind::kNeighbour, StepKind::kWorkers, StepKind::kKill, StepKind::kResize}) {
    scenario.steps.push_back(properties::letters::plain(kind));
    if (kind == StepKind::kResize) scenario.steps.back().workers = 2;
  }
  for (const auto child : {harness::ChildEnd::kOsExit, harness::ChildEnd::kPools,
                           harness::ChildEnd::kSubmits, harness::ChildEnd::kEndsPool}) {
    scenario.steps.push_back(properties::letters::plain(StepKind::kFork));
    scenario.steps.back().child_end = child;
  }
  const auto ended = compile(program(pool_, scenario, {}), {"-fsyntax-only"});
  EXPECT_EQ(ended.code, 0) << ended.err;
}

/// Several scenarios that have most of the letters between them: to compile each costs seconds.
TEST_F(PasteIntoCpp, WhatIsGeneratedIsValid) {
  const auto source = properties::random_source(0x7f3a21);
  for (const int n : {60, 80, 95}) {
    const auto scenario = source.generate(pool_, n).value();
    const auto ended =
        compile(program(pool_, scenario, refused(scenario, pool_)), {"-fsyntax-only"});
    EXPECT_EQ(ended.code, 0) << to_json(scenario) << '\n' << ended.err;
  }
}

TEST_F(PasteIntoCpp, MapsWhoseInputsRaiseAreValid) {
  using harness::Form;
  Scenario scenario{pool_.start_method, {create(2)}, {EndingKind::kReturn, 0}};
  std::set<int> raising;
  int task = 0;
  for (const auto form : {Form::kMap, Form::kStarmap, Form::kImap, Form::kImapUnordered}) {
    for (const int at : {1, 3}) {
      Step map = step(StepKind::kMap);
      map.task = ++task;
      map.form = form;
      map.items = 2;
      map.raises_at = at;
      scenario.steps.push_back(map);
      if (!is_stream(form) && at == 1) {
        raising.insert(static_cast<int>(scenario.steps.size()));
        continue;
      }
      scenario.steps.push_back(get(task));
      if (is_stream(form)) scenario.steps.back().kind = StepKind::kNext;
    }
  }
  end_pool(scenario, pool_);
  const auto ended = compile(program(pool_, scenario, raising), {"-fsyntax-only"});
  EXPECT_EQ(ended.code, 0) << ended.err;
}

TEST_F(PasteIntoCpp, RunsToTheScenariosEnding) {
  auto scenario = plain(pool_, {EndingKind::kExit, 7});
  const auto kill = with_a_kill(pool_).steps[2];
  scenario.steps.insert(scenario.steps.end() - 2, {submit(4, {BodyKind::kNever, 0}), kill});
  const auto binary = (scratch_.path() / "program").string();
  std::vector<std::string> more{POOLPROOF_POOL_LIBRARY, "-pthread", "-o", binary};
  for (const auto& flag : split(POOLPROOF_POOL_FLAGS)) more.push_back(flag);
  const auto compiled = compile(program(pool_, scenario, kRaising), more);
  ASSERT_EQ(compiled.code, 0) << compiled.err;
  const auto ended = run({binary}, 30);
  EXPECT_EQ(ended.code, 7) << ended.out << ended.err;
  EXPECT_THAT(ended.out, testing::HasSubstr("task 3"));
}

}  // namespace
}  // namespace poolproof::end_to_end
