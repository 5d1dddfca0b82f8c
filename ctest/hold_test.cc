// replay --hold: a hang stays as it is, alive and untraced, for whoever wants to look into it; and
// nothing of it is left behind, however the holding ends.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <regex>
#include <sstream>
#include <string>
#include <vector>

#include "ctest/program.h"
#include "harness/launch.h"
#include "harness/sys/fd.h"
#include "harness/sys/proc.h"

namespace poolproof::end_to_end {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::ContainsRegex;
using testing::HasSubstr;
using testing::Not;

/// A worker of two dies in its task, and main waits for ever for what it was to return.
constexpr const char* kLostTask = R"({
  "format": 1, "pool": "multiprocessing.Pool:fork", "seed": 1,
  "settings": {"grace_ms": 1000, "fuse_ms": 10000},
  "scenario": {"start_method": "fork",
    "steps": [{"step": "create", "workers": 2},
              {"step": "submit", "task": 1, "body": "os_exit", "code": 3},
              {"step": "get", "task": 1}],
    "ending": {"how": "return"}}})";

bool python_is_here() {
  return poolproof({"pools"}).out.find("multiprocessing.Pool") != std::string::npos;
}

class Hold : public testing::Test {
 protected:
  void SetUp() override {
    if (!python_is_here()) GTEST_SKIP() << "no Python that has multiprocessing.Pool is here";
    const auto file = scratch_.file("case.json", kLostTask);
    auto child = harness::launch(
        std::vector<std::string>{(bin_folder() / "poolproof").string(), "replay", file, "--hold"});
    ASSERT_TRUE(child) << child.error().message();
    holder_ = std::move(*child);
    read_until("py-spy dump --pid [0-9]+\n  process.*py-spy dump --pid [0-9]+\n  process.*\n");
    if (text_.find("rung 1") != std::string::npos) GTEST_SKIP() << "no sandbox can be made here";
    const std::regex line("gdb -p ([0-9]+)");
    for (std::sregex_iterator at(text_.begin(), text_.end(), line), end; at != end; ++at)
      held_.push_back(std::stoi((*at)[1]));
  }

  void TearDown() override {
    if (holder_.pid == 0) return;
    ::kill(holder_.pid, SIGKILL);
    ::waitpid(holder_.pid, nullptr, 0);
  }

  /// What poolproof prints, until this is in it or nothing comes any more.
  void read_until(const std::string& pattern) {
    const std::regex wanted(pattern);
    char chunk[4096];
    while (!std::regex_search(text_, wanted) && sys::await_readable(holder_.from.get(), 60s)) {
      const auto got = ::read(holder_.from.get(), chunk, sizeof chunk);
      if (got <= 0) return;
      text_.append(chunk, static_cast<std::size_t>(got));
    }
  }

  int exit_status() {
    int status = 0;
    const bool ended =
        comes_true([&] { return ::waitpid(holder_.pid, &status, WNOHANG) == holder_.pid; });
    EXPECT_TRUE(ended);
    if (ended) holder_.pid = 0;
    return status;
  }

  bool all_gone() const {
    return comes_true([this] {
      return std::none_of(held_.begin(), held_.end(),
                          [](int pid) { return sys::process_state(pid).has_value(); });
    });
  }

  Scratch scratch_;
  harness::Child holder_;
  std::string text_;
  std::vector<int> held_;
};

TEST_F(Hold, KeepsTheTreeAliveAndUntracedWithItsWaitForGraph) {
  EXPECT_THAT(text_, HasSubstr("held, alive and untraced, until Enter or Ctrl-C"));
  EXPECT_THAT(text_, HasSubstr("whose write end is held by"));
  EXPECT_THAT(text_, AllOf(HasSubstr("alive at the end"), Not(HasSubstr("killed by the warden"))));
  ASSERT_EQ(held_.size(), 3U) << text_;  // main, a worker, and the one in the place of the dead one
  for (const int pid : held_) {
    const auto status = sys::task_status(pid);
    ASSERT_TRUE(status) << pid;
    EXPECT_EQ(status->tracer, 0);
    // Each has gone back to its wait, as soon as it got a processor.
    EXPECT_TRUE(comes_true([pid] { return sys::task_status(pid)->state == 'S'; }));
  }
}

TEST_F(Hold, EndsWithEnter) {
  ASSERT_TRUE(sys::write_all(holder_.to.get(), "\n"));
  EXPECT_EQ(WEXITSTATUS(exit_status()), 0);  // a known deviation
  EXPECT_TRUE(all_gone());
}

TEST_F(Hold, EndsWithTheInput) {
  holder_.to.reset();
  read_until("held no longer");
  EXPECT_THAT(text_, HasSubstr("standard input is at its end"));
  EXPECT_EQ(WEXITSTATUS(exit_status()), 0);
  EXPECT_TRUE(all_gone());
}

TEST_F(Hold, EndsWithCtrlC) {
  ::kill(holder_.pid, SIGINT);
  EXPECT_EQ(WEXITSTATUS(exit_status()), 0);
  EXPECT_TRUE(all_gone());
}

TEST_F(Hold, LeavesNothingWhenPoolproofIsKilled) {
  ::kill(holder_.pid, SIGKILL);
  EXPECT_TRUE(WIFSIGNALED(exit_status()));
  EXPECT_TRUE(all_gone());
}

TEST_F(Hold, IsOpenToADebugger) {
  const auto stack = run({"gdb", "-p", std::to_string(held_.at(0)), "-batch", "-nx", "-iex",
                          "set debuginfod enabled off", "-ex", "thread apply all backtrace"});
  if (stack.code != 0 || stack.err.find("ptrace:") != std::string::npos)
    GTEST_SKIP() << "no gdb that may attach is here";
  EXPECT_THAT(stack.out, ContainsRegex("#0 .*futex|#0 .*poll"));
  // It goes on as it was.
  EXPECT_TRUE(comes_true([this] { return sys::task_status(held_[0])->tracer == 0; }));
}

TEST(Replay, HoldIsForOneRun) {
  const Scratch scratch;
  const auto ended =
      poolproof({"replay", scratch.file("case.json", kLostTask), "--hold", "--times", "2"});
  EXPECT_EQ(ended.code, 2);
  EXPECT_THAT(ended.err, HasSubstr("--hold is for one run"));
}

TEST(Hangs, ThatNobodyKnowsLeaveTheirStacksInTheirFolder) {
  if (!python_is_here()) GTEST_SKIP() << "no Python that has multiprocessing.Pool is here";
  const Scratch scratch;
  const auto results = scratch.path() / "r";
  const auto ended = poolproof({"check", "multiprocessing.Pool:fork", "--no-known", "--rules", "P1",
                                "-x", "--time", "60", "--results", results.string()},
                               120);
  ASSERT_EQ(ended.code, 1) << ended.out << ended.err;
  std::stringstream stacks;
  stacks << std::ifstream(results / "P1-1" / "stacks.txt").rdbuf();
  EXPECT_THAT(stacks.str(), ContainsRegex("--- main [0-9]+, by (gdb|py-spy)|not here: gdb"))
      << ended.out << ended.err;
  EXPECT_TRUE(std::filesystem::exists(results / "P1-1" / "waits.txt"));
}

}  // namespace
}  // namespace poolproof::end_to_end
