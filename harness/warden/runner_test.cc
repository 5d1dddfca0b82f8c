#include "harness/runner.h"

#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "harness/sys/fd.h"
#include "harness/sys/proc.h"
#include "harness/warden/testing/subject_test.h"

namespace poolproof::testing {
namespace {

namespace fs = std::filesystem;
using harness::Runner;
using Clock = std::chrono::steady_clock;

std::set<std::string> poolproof_folders() {
  std::set<std::string> found;
  for (const auto& entry : fs::directory_iterator("/tmp")) {
    const auto name = entry.path().filename().string();
    if (name.rfind("poolproof-", 0) == 0 && name.size() == 16) found.insert(name);
  }
  return found;
}

/// Not the mounts of the machine, but those of this process: none of ours may be among them.
std::string mounts() {
  return file_text("/proc/self/mountinfo");
}

/// Each test has a runner of its own, since it does harm to it.
class RunnerTest : public SubjectTest, public ::testing::WithParamInterface<int> {
 protected:
  void SetUp() override {
    mounts_ = mounts();
    marker_ = "marker-" + std::to_string(::getpid()) + "-" +
              std::to_string(Clock::now().time_since_epoch().count());
  }
  void TearDown() override {
    EXPECT_TRUE(comes_true([&] { return processes_with(marker_).empty(); })) << "processes left";
    EXPECT_EQ(mounts(), mounts_);
    SubjectTest::TearDown();
  }
  std::unique_ptr<Runner> start(int rung = 1, int jobs = 1) {
    auto started = Runner::start(options(rung, jobs));
    EXPECT_TRUE(started) << started.error().message();
    return started ? std::move(*started) : nullptr;
  }
  /// Submits a tree of processes that sleep for ever, and waits until it is there.
  void submit_marked(Runner& runner) {
    runner.submit(job({"marked", marker_, "3"}, {.grace = 60s, .fuse = 60s}));
    EXPECT_TRUE(comes_true([&] { return processes_with(marker_).size() == 4; }));
  }
  static std::string next_end(Runner& runner) {
    auto finished = runner.next(Clock::now() + 30s);
    if (!finished) return "nothing";
    return finished->trace ? end_of_main(*finished->trace) : finished->trace.error().message();
  }

  std::string mounts_;
  std::string marker_;
};
INSTANTIATE_TEST_SUITE_P(Rungs, RunnerTest, ::testing::Values(1, 2, 3));

TEST_P(RunnerTest, SaysWhereItStands) {
  const auto runner = start(GetParam());
  ASSERT_TRUE(runner);
  EXPECT_EQ(runner->containment().rung, GetParam());
  EXPECT_FALSE(runner->containment().name.empty());
  EXPECT_EQ(runner->jobs(), 1);
  EXPECT_EQ(runner->pending(), 0);
}

TEST_P(RunnerTest, LeavesNothingWhenItIsDestroyedInTheMiddle) {
  auto runner = start(GetParam());
  ASSERT_TRUE(runner);
  submit_marked(*runner);
  runner.reset();
  // At once, not after a while.
  EXPECT_TRUE(processes_with(marker_).empty());
  EXPECT_TRUE(wardens().empty());
}

TEST_P(RunnerTest, CancelsWhatRunsAndWhatWaits) {
  const auto runner = start(GetParam());
  ASSERT_TRUE(runner);
  submit_marked(*runner);
  runner->submit(job({"exit", "1"}));
  runner->cancel_all();
  EXPECT_EQ(runner->pending(), 0);
  EXPECT_TRUE(processes_with(marker_).empty());
  runner->submit(job({"exit", "7"}));
  EXPECT_EQ(next_end(*runner), "exited 7");
}

TEST_P(RunnerTest, OutlivesAWardenThatIsKilledInTheMiddle) {
  const auto runner = start(GetParam());
  ASSERT_TRUE(runner);
  submit_marked(*runner);
  ASSERT_EQ(wardens().size(), 1U);
  ::kill(wardens()[0], SIGKILL);
  EXPECT_EQ(next_end(*runner), "the warden died");
  EXPECT_TRUE(comes_true([&] { return processes_with(marker_).empty(); }));
  runner->submit(job({"exit", "7"}));
  EXPECT_EQ(next_end(*runner), "exited 7");
}

/// The kernel does all of it: nobody of ours is left to clean up.
TEST_P(RunnerTest, LeavesNothingWhenItsProcessIsKilled) {
  const auto folders = poolproof_folders();
  const pid_t owner = ::fork();
  if (owner == 0) {
    const auto runner = start(GetParam());
    runner->submit(job({"marked", marker_, "3"}, {.grace = 60s, .fuse = 60s}));
    for (;;) (void)runner->next(Clock::now() + 60s);
  }
  EXPECT_TRUE(comes_true([&] { return processes_with(marker_).size() == 4; }));
  ::kill(owner, SIGKILL);
  ::waitpid(owner, nullptr, 0);
  EXPECT_TRUE(comes_true([&] { return processes_with(marker_).empty(); }));
  // Other tests make such folders too: only what is still there after a while is left.
  EXPECT_TRUE(comes_true([&] {
    const auto now = poolproof_folders();
    return std::includes(folders.begin(), folders.end(), now.begin(), now.end());
  }));
}

TEST_F(RunnerTest, LosesNoRunToAWardenThatDiedIdle) {
  const auto runner = start();
  ASSERT_TRUE(runner);
  const int warden = wardens().at(0);
  ::kill(warden, SIGKILL);
  ASSERT_TRUE(comes_true([&] { return sys::process_state(warden)->state == 'Z'; }));
  runner->submit(job({"exit", "7"}));
  EXPECT_EQ(next_end(*runner), "exited 7");
}

TEST_F(RunnerTest, AnswersEveryRunWhenItHasNoWardenAnyMore) {
  const fs::path copy = fs::path("/var/tmp") / (marker_ + "-warden");
  fs::copy_file(warden_path(), copy);
  auto runner = Runner::start({.jobs = 1, .rung = 1, .warden = copy.string()});
  ASSERT_TRUE(runner);
  submit_marked(**runner);
  fs::remove(copy);
  ::kill(sys::children_of(::getpid()).at(0), SIGKILL);
  (*runner)->submit(job({"exit", "1"}));
  (*runner)->submit(job({"exit", "2"}));
  EXPECT_EQ(next_end(**runner), "the warden died");
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(next_end(**runner), "start " + copy.string() + ": No such file or directory");
  }
  EXPECT_EQ((*runner)->pending(), 0);
  EXPECT_EQ(next_end(**runner), "nothing");
}

TEST_P(RunnerTest, ReportsAnInitThatDied) {
  if (GetParam() == 3) GTEST_SKIP() << "without init and without ptrace nothing holds the subject";
  const auto runner = start(GetParam());
  ASSERT_TRUE(runner);
  submit_marked(*runner);
  const auto inits = sys::children_of(wardens().at(0));
  ASSERT_EQ(inits.size(), 1U);
  ::kill(inits[0], SIGKILL);
  EXPECT_EQ(next_end(*runner), "the sandbox's init died");
  EXPECT_TRUE(processes_with(marker_).empty());
  runner->submit(job({"exit", "7"}));
  EXPECT_EQ(next_end(*runner), "exited 7");
}

/// Who was just being born, and is traced but not yet known, is ended with the others: else the
/// warden waits for it for ever.
TEST_P(RunnerTest, ReportsAnInitThatDiedWhileTheTreeGrew) {
  if (GetParam() == 3) GTEST_SKIP() << "without init and without ptrace nothing holds the subject";
  const auto runner = start(GetParam());
  ASSERT_TRUE(runner);
  for (int i = 0; i < 10; ++i) {
    runner->submit(job({"marked", marker_, "300"}, {.grace = 60s, .fuse = 60s}));
    EXPECT_TRUE(comes_true([&] { return processes_with(marker_).size() >= 10; }));
    const auto inits = sys::children_of(wardens().at(0));
    ASSERT_FALSE(inits.empty());
    ::kill(inits[0], SIGKILL);
    ASSERT_EQ(next_end(*runner), "the sandbox's init died");
    EXPECT_TRUE(processes_with(marker_).empty());
  }
}

TEST_F(RunnerTest, RunsSideBySide) {
  const auto runner = start(1, 3);
  ASSERT_TRUE(runner);
  std::set<std::uint64_t> wanted;
  for (std::uint64_t id = 1; id <= 9; ++id) {
    auto work = job({"exit", std::to_string(id)});
    work.id = id;
    runner->submit(work);
    wanted.insert(id);
  }
  EXPECT_EQ(runner->pending(), 9);
  for (int i = 0; i < 9; ++i) {
    const auto finished = runner->next(Clock::now() + 30s);
    ASSERT_TRUE(finished && finished->trace);
    EXPECT_EQ(end_of_main(*finished->trace), "exited " + std::to_string(finished->id));
    wanted.erase(finished->id);
  }
  EXPECT_TRUE(wanted.empty());
}

TEST_F(RunnerTest, WaitsNoLongerThanItMay) {
  const auto runner = start();
  ASSERT_TRUE(runner);
  EXPECT_FALSE(runner->next(Clock::now() + 60s)) << "nothing is pending";
  submit_marked(*runner);
  const auto begun = Clock::now();
  EXPECT_FALSE(runner->next(begun + 30ms));
  EXPECT_LT(Clock::now() - begun, 5s);
}

TEST_F(RunnerTest, KeepsNoDescriptors) {
  const auto before = sys::descriptor_count(::getpid());
  for (int i = 0; i < 3; ++i) {
    auto runner = start(1, 2);
    ASSERT_TRUE(runner);
    runner->submit(job({"exit", "0"}));
    EXPECT_EQ(next_end(*runner), "exited 0");
  }
  EXPECT_EQ(sys::descriptor_count(::getpid()), before);
}

TEST_F(RunnerTest, RefusesAWardenThatIsNone) {
  EXPECT_FALSE(Runner::start({.jobs = 1, .warden = "/nonexistent"}));
  EXPECT_FALSE(Runner::start({.jobs = 1, .warden = "/bin/true"}));
}

TEST_P(RunnerTest, TellsHowFarACaseWentWhenItsEndIsAskedFor) {
  const auto runner = start(GetParam());
  ASSERT_TRUE(runner);
  submit_marked(*runner);
  runner->end_under_way();
  const auto finished = runner->next(Clock::now() + 30s);
  ASSERT_TRUE(finished && finished->trace);
  EXPECT_EQ(finished->trace->end, harness::End::kTimeOver);
  const auto& events = finished->trace->events;
  const auto killed = std::count_if(events.begin(), events.end(), [](const auto& event) {
    return std::holds_alternative<harness::KilledByWarden>(event.kind);
  });
  // A look now and then (rung 3) may not have seen all of them yet.
  if (finished->trace->exact) {
    EXPECT_EQ(killed, 4);
  }
  // The same warden takes the next.
  runner->end_under_way();
  runner->submit(job({"exit", "0"}));
  EXPECT_EQ(next_end(*runner), "exited 0");
}

TEST_F(RunnerTest, ScalesTheFuseWithTheMachine) {
  ::setenv("POOLPROOF_TIME_SCALE", "0.01", 1);
  const auto runner = start();
  ASSERT_TRUE(runner);
  runner->submit(job({"timed-sleep"}, {.grace = 100ms, .fuse = 20s}));
  const auto finished = runner->next(Clock::now() + 15s);
  ::unsetenv("POOLPROOF_TIME_SCALE");
  ASSERT_TRUE(finished && finished->trace);
  EXPECT_EQ(finished->trace->end, harness::End::kFuse);
}

}  // namespace
}  // namespace poolproof::testing
