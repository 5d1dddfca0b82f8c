#include <gtest/gtest.h>

#include "properties/rules/made_trace.h"

namespace poolproof::properties {
namespace {

using harness::End;
using harness::LeftOver;
using namespace std::chrono_literals;

Story with_a_pool() {
  Story story({create(1)});
  story.trace.rung = 1;
  return story.begins(1).born(3).ends(1).exits();
}

TEST(NothingIsLeft, IsHeldWhenAllAreGoneAndSoIsTheirs) {
  EXPECT_EQ(with_a_pool().outcome("R2"), "held");
  EXPECT_EQ(with_a_pool().outcome("R3"), "held");
}

TEST(NothingIsLeft, IsNotExercisedWithoutAPool) {
  Story story({});
  story.trace.rung = 1;
  EXPECT_EQ(story.exits().add(LeftOver{"/tmp", 1}).outcome("R3"), "not exercised");
}

TEST(NothingIsLeft, MindsACreationThatWasNeverOver) {
  Story story({create(1)});
  story.trace.rung = 1;
  story.begins(1).dies(Story::kMain, sys::Killed{9}).add(LeftOver{"/dev/shm", 1});
  EXPECT_EQ(story.outcome("R2"), "violated");
}

TEST(NothingIsLeft, IsViolatedByEachPlaceForItself) {
  for (const char* place : {"/dev/shm", "System V IPC", "POSIX message queues"}) {
    auto story = with_a_pool().add(LeftOver{place, 2});
    EXPECT_EQ(story.violated(), std::vector<std::string>{"R2"});
    EXPECT_EQ(story.says("R2"),
              std::string("everybody is gone, but 2 objects are left in ") + place);
  }
  auto story = with_a_pool().add(LeftOver{"/tmp", 1});
  EXPECT_EQ(story.violated(), std::vector<std::string>{"R3"});
  EXPECT_EQ(story.says("R3"), "everybody is gone, but 1 object is left in /tmp");
}

/// Who was killed by the warden might have cleared up.
TEST(NothingIsLeft, BlamesNobodyWhomTheWardenKilled) {
  Story story({create(1)});
  story.trace.rung = 1;
  story.begins(1).born(3).ends(1).ending().dies(Story::kMain).at_rest().over(End::kAtRest);
  EXPECT_EQ(story.add(LeftOver{"/dev/shm", 1}).outcome("R2"), "not exercised");
}

TEST(NothingIsLeft, IsUnclearWhereOthersHaveTheSameFolders) {
  auto story = with_a_pool().add(LeftOver{"/tmp", 1});
  story.trace.rung = 2;
  EXPECT_EQ(story.outcome("R3"), "inconclusive");
}

// ---- R1 -----------------------------------------------------------------------------------------

/// A pool comes and goes, and main is then as `after` says.
Story with_main_after(harness::MainState after,
                      std::vector<harness::Step> end = {close(), join()}) {
  std::vector<harness::Step> steps{create(1)};
  steps.insert(steps.end(), end.begin(), end.end());
  Story story(steps);
  story.main_is("started").begins(1).born(3).ends(1);
  for (int step = 2; step <= static_cast<int>(steps.size()); ++step) story.step(step);
  return story.ending().main_is("ending", std::move(after)).dies(3).dies(Story::kMain).eof();
}

harness::MainState with_open(std::vector<std::string> files) {
  auto main = plain_main();
  int fd = 3;
  for (auto& file : files) main.descriptors.push_back({fd++, std::move(file)});
  return main;
}

TEST(NoDescriptorLeft, IsHeldWhenMainHasWhatItHad) {
  EXPECT_EQ(with_main_after(plain_main()).outcome("R1"), "held");
  EXPECT_EQ(with_main_after(plain_main(), {drop()}).outcome("R1"), "held");
}

TEST(NoDescriptorLeft, IsViolatedByOneMore) {
  const auto story = with_main_after(with_open({"anon_inode:[eventfd]"}));
  EXPECT_EQ(story.violated(), std::vector<std::string>{"R1"});
  EXPECT_EQ(story.says("R1"),
            "at its end, after join (step 3), main still has open what it opened for the pool: 3 "
            "(anon_inode:[eventfd])");
}

TEST(NoDescriptorLeft, IsViolatedByOneThatIsGone) {
  auto story = with_main_after(plain_main());
  std::get<harness::MainState>(story.trace.events[2].kind).descriptors.push_back({9, "/log"});
  EXPECT_NE(story.says("R1").find("no more what it had open before the pool: 9 (/log)"),
            std::string::npos)
      << story.says("R1");
}

TEST(NoDescriptorLeft, KnowsAFileByItsNumber) {
  auto story = with_main_after(with_open({"pipe:[8]"}));
  std::get<harness::MainState>(story.trace.events[2].kind).descriptors.push_back({3, "pipe:[7]"});
  EXPECT_EQ(story.outcome("R1"), "violated");
}

TEST(NoDescriptorLeft, LeavesTheStreamsToI2) {
  auto main = plain_main();
  main.descriptors[0].of = "pipe:[7]";
  EXPECT_EQ(with_main_after(main).violated(), std::vector<std::string>{"I2"});
}

TEST(NoDescriptorLeft, LeavesWhatTheContractNames) {
  auto story = with_main_after(with_open({"pipe:[8]", "pipe:[9]"}));
  story.scenario.start_method = "spawn";
  story.contract.keeps = {{.of = "pipe", .most = 2, .start_method = "spawn"}};
  EXPECT_EQ(story.outcome("R1"), "held");
  story.contract.keeps[0].most = 1;
  EXPECT_NE(story.says("R1").find("pool: 4 (pipe:[9])"), std::string::npos) << story.says("R1");
  story.contract.keeps[0] = {.of = "socket", .most = 2};
  EXPECT_EQ(story.outcome("R1"), "violated");
  story.contract.keeps[0] = {.of = "pipe", .most = 2, .start_method = "forkserver"};
  EXPECT_EQ(story.outcome("R1"), "violated");
}

TEST(NoDescriptorLeft, WaitsForTheLastReferenceWhereItHoldsThem) {
  auto joined = with_main_after(with_open({"pipe:[8]"}));
  joined.contract.holds_descriptors_until_drop = true;
  EXPECT_EQ(joined.outcome("R1"), "not exercised");
  auto dropped = with_main_after(with_open({"pipe:[8]"}), {close(), join(), drop()});
  dropped.contract.holds_descriptors_until_drop = true;
  EXPECT_EQ(dropped.outcome("R1"), "violated");
}

/// A future without an outcome holds its pool.
TEST(NoDescriptorLeft, CountsFuturesAmongTheReferences) {
  for (const bool known : {false, true}) {
    Story story({create(1), submit(1), get_for(1, 10ms), drop()});
    story.main_is("started").begins(1).born(3).ends(1).step(2).task(1, 3);
    story.step(3, known ? value("none") : result(harness::StepResult::Kind::kTimeout)).step(4);
    story.ending().main_is("ending", with_open({"pipe:[8]"})).dies(3).dies(Story::kMain).eof();
    EXPECT_EQ(story.outcome("R1"), known ? "violated" : "not exercised");
  }
}

TEST(NoDescriptorLeft, GivesThePoolsThreadsTheGrace) {
  for (const bool late : {false, true}) {
    Story story({create(1), close(), join(), sleep_for(1500ms)});
    story.main_is("started").begins(1).born(3).add(harness::ThreadBorn{Story::kMain, 21}).ends(1);
    story.step(2).begins(3).dies(3).ends(3).begins(4);
    if (late) story.after(1500ms);
    story.ends(4).ending().main_is("ending", with_open({"pipe:[8]"})).dies(Story::kMain).eof();
    EXPECT_EQ(story.outcome("R1"), late ? "violated" : "not exercised");
  }
}

TEST(NoDescriptorLeft, ForgivesWhatTheCasesFaultMayHaveDone) {
  const std::pair<const char*, std::string> faults[] = {
      {"main:close:1=EIO", "not exercised"},
      {"main:after-step:1=limit:files", "not exercised"},
      {"main:read:1=SIGUSR1", "not exercised"},
      {"main:read:1=delay:5", "violated"}};
  for (const auto& [fault, outcome] : faults) {
    Story story({create(1), close(), join()});
    story.main_is("started").begins(1).born(3).ends(1).hit(fault).step(2).begins(3).dies(3).ends(3);
    story.ending().main_is("ending", with_open({"pipe:[8]"})).dies(Story::kMain).eof();
    EXPECT_EQ(story.outcome("R1"), outcome) << fault;
  }
}

TEST(NoDescriptorLeft, ForgivesACreationThatFailed) {
  Story story({create(1), drop()});
  story.main_is("started").step(1, result(harness::StepResult::Kind::kError)).step(2).ending();
  story.main_is("ending", with_open({"pipe:[8]"})).dies(Story::kMain).eof();
  EXPECT_EQ(story.outcome("R1"), "not exercised");
}

/// What another pool has in main is its own as long as it lives.
TEST(NoDescriptorLeft, LeavesWhatANeighbourHas) {
  const auto beside = [](harness::Neighbour which) {
    const harness::Step neighbour{.kind = harness::StepKind::kNeighbour, .neighbour = which};
    return with_main_after(with_open({"pipe:[4711]"}), {neighbour, close(), join()}).outcome("R1");
  };
  EXPECT_EQ(beside(harness::Neighbour::kStays), "not exercised");
  EXPECT_EQ(beside(harness::Neighbour::kEnds), "violated");
}

/// A pool of long ago, with a thread that is still at it; another one has ended just now.
TEST(NoDescriptorLeft, GivesANeighbourTheGraceToo) {
  for (const bool late : {false, true}) {
    Story story({create(1),
                 close(),
                 join(),
                 sleep_for(1500ms),
                 {.kind = harness::StepKind::kNeighbour, .neighbour = harness::Neighbour::kEnds}});
    story.main_is("started").begins(1).born(3).ends(1).step(2).begins(3).dies(3).ends(3).begins(4);
    story.after(1500ms).ends(4).begins(5).add(harness::ThreadBorn{Story::kMain, 21}).ends(5);
    if (late) story.after(1500ms);
    story.ending().main_is("ending", with_open({"pipe:[8]"})).dies(Story::kMain).eof();
    EXPECT_EQ(story.outcome("R1"), late ? "violated" : "not exercised");
  }
}

TEST(NoDescriptorLeft, ForgivesWhatEachPoolLeavesOfANeighbourToo) {
  const harness::Step neighbour{.kind = harness::StepKind::kNeighbour,
                                .neighbour = harness::Neighbour::kEnds};
  const auto left = [](std::vector<harness::Step> steps, std::vector<std::string> open) {
    auto story = with_main_after(with_open(std::move(open)), std::move(steps));
    story.contract.keeps = {{.of = "pipe", .most = 1, .each_pool = true}};
    return story.outcome("R1");
  };
  const std::vector<harness::Step> two{submit(1), submit(2), neighbour, close(), join()};
  EXPECT_EQ(left(two, {"pipe:[4711]", "pipe:[4712]"}), "held");
  EXPECT_EQ(left(two, {"pipe:[4711]", "pipe:[4712]", "pipe:[4713]"}), "violated");
  // One that has taken no task has no outcome that could keep anything.
  EXPECT_EQ(left({neighbour, close(), join()}, {"pipe:[4711]"}), "held");
  EXPECT_EQ(left({neighbour, close(), join()}, {"pipe:[4711]", "pipe:[4712]"}), "violated");
  EXPECT_EQ(left({close(), join()}, {"pipe:[4711]"}), "violated");
}

TEST(NoDescriptorLeft, IsUnclearWhereBirthsAreNotExact) {
  auto story = with_main_after(with_open({"pipe:[8]"}));
  story.trace.exact = false;
  EXPECT_EQ(story.outcome("R1"), "inconclusive");
}

// ---- R4 -----------------------------------------------------------------------------------------

/// The pool has a thread in main, 21, and main goes on after the join.
Story with_a_thread() {
  Story story({create(1), close(), join(), sleep_for(1500ms)});
  story.begins(1).born(3).add(harness::ThreadBorn{Story::kMain, 21}).ends(1).step(2).begins(3);
  return story.dies(3);
}

TEST(NoThreadLeft, IsHeldWhenTheThreadsEnd) {
  auto story = with_a_thread().add(harness::ThreadDead{Story::kMain, 21}).ends(3).begins(4).ends(4);
  EXPECT_EQ(story.exits().outcome("R4"), "held");
  auto soon = with_a_thread().ends(3).begins(4).add(harness::ThreadDead{Story::kMain, 21}).ends(4);
  EXPECT_EQ(soon.exits().outcome("R4"), "held");
}

TEST(NoThreadLeft, IsViolatedByOneThatStays) {
  auto story = with_a_thread().ends(3).begins(4).after(1500ms).ends(4).exits();
  EXPECT_EQ(story.outcome("R4"), "violated");
  EXPECT_NE(story.says("R4").find("main still has 1 of the pool's threads: 21"), std::string::npos)
      << story.says("R4");
}

TEST(NoThreadLeft, GivesThemTheGrace) {
  EXPECT_EQ(with_a_thread().ends(3).begins(4).ends(4).exits().outcome("R4"), "not exercised");
}

TEST(NoThreadLeft, LeavesWhatANeighbourHas) {
  auto story = with_a_thread();
  story.scenario.steps.push_back(
      {.kind = harness::StepKind::kNeighbour, .neighbour = harness::Neighbour::kStays});
  story.ends(3).begins(4).after(1500ms).ends(4).step(5).exits();
  EXPECT_EQ(story.outcome("R4"), "not exercised");
}

/// A thread of main's that waits for an outcome since before the join, and goes on waiting.
TEST(NoThreadLeft, LeavesAnEarlyCallersThread) {
  for (const bool another : {false, true}) {
    auto early = get(1);
    early.caller = harness::Caller::kEarly;
    Story story({create(1), submit(1), close(), join(), early});
    story.begins(1).born(3).ends(1).step(2).step(3);
    story.add(harness::ThreadBorn{Story::kMain, 21});
    if (another) story.add(harness::ThreadBorn{Story::kMain, 22});
    story.begins(4).dies(3).ends(4).begins(5).after(1500ms).at_rest().over(harness::End::kAtRest);
    EXPECT_EQ(story.outcome("R4"), another ? "violated" : "held");
  }
}

TEST(NoThreadLeft, CountsNoThreadsFromBeforeThePool) {
  Story story({create(1), close(), join(), sleep_for(1500ms)});
  story.add(harness::ThreadBorn{Story::kMain, 20})
      .begins(1)
      .born(3)
      .ends(1)
      .step(2)
      .begins(3)
      .dies(3);
  EXPECT_EQ(story.ends(3).begins(4).after(1500ms).ends(4).exits().outcome("R4"), "held");
}

/// Where main runs the tasks, what they keep open is open in main.
TEST(NoDescriptorLeft, LeavesWhatATaskOfMainsOwnKeeps) {
  for (const harness::Pid runs_it : {Story::kMain, 3}) {
    Story story({create(1), submit(1, harness::BodyKind::kKeepFiles), close(), join()});
    story.main_is("started").begins(1).born(3).ends(1).step(2).task(1, runs_it).step(3);
    story.begins(4).dies(3).ends(4).after(1500ms).ending();
    story.main_is("ending", with_open({"/dev/null"})).dies(Story::kMain).eof();
    EXPECT_EQ(story.outcome("R1"), runs_it == 3 ? "violated" : "not exercised");
  }
}

}  // namespace
}  // namespace poolproof::properties
