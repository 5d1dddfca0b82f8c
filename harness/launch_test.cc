#include "harness/launch.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>

#include "harness/sys/fd.h"
#include "harness/sys/proc.h"

namespace poolproof::harness {
namespace {

using namespace std::chrono_literals;
using Words = std::vector<std::string>;

std::string shown(const sys::Result<CommandOutput>& result) {
  return result ? sys::to_string(result->status) : result.error().message();
}

TEST(RunCommand, TellsStatusAndOutput) {
  const auto result = run_command(Words{"/bin/sh", "-c", "echo out; echo err >&2; exit 200"}, 10s);
  ASSERT_TRUE(result) << result.error().message();
  EXPECT_EQ(sys::to_string(result->status), "exited 200");
  EXPECT_EQ(result->out, "out\n");
  EXPECT_EQ(result->err, "err\n");
}

TEST(RunCommand, TellsADeathByASignal) {
  EXPECT_EQ(shown(run_command(Words{"/bin/sh", "-c", "kill -9 $$"}, 10s)), "killed by SIGKILL");
}

TEST(RunCommand, LooksForABareNameInThePath) {
  EXPECT_EQ(shown(run_command(Words{"true"}, 10s)), "exited 0");
}

TEST(RunCommand, SaysWhatIsMissing) {
  EXPECT_EQ(shown(run_command(Words{"/nonexistent"}, 10s)),
            "start /nonexistent: No such file or directory");
  EXPECT_EQ(shown(run_command(Words{"no-such-program-here"}, 10s)),
            "no-such-program-here: not found in PATH");
}

TEST(RunCommand, GivesAnEmptyStdin) {
  EXPECT_EQ(shown(run_command(Words{"cat"}, 10s)), "exited 0");
}

TEST(RunCommand, KillsWhatTakesTooLong) {
  EXPECT_EQ(shown(run_command(Words{"sleep", "100"}, 50ms)), "sleep: no end within 50 ms");
  EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1) << "it was not waited for";
}

TEST(RunCommand, KeepsNoMoreThanAMegabyte) {
  const auto result = run_command(Words{"head", "-c", "3000000", "/dev/zero"}, 10s);
  ASSERT_TRUE(result);
  EXPECT_GE(result->out.size(), 1024U * 1024U);
  EXPECT_LE(result->out.size(), 1024U * 1024U + 8192U);
}

bool lives(int pid) {
  const auto stat = sys::read_file("/proc/" + std::to_string(pid) + "/stat");
  return stat && stat->find(") Z ") == std::string::npos;
}

/// Whoever the command leaves behind, in its session or in another.
TEST(RunContainedCommand, LeavesNobodyBehind) {
  const auto result = run_contained_command(
      Words{"/bin/sh", "-c", "setsid sleep 100 >&- 2>&- & echo $!"}, 10s, [] { return false; });
  ASSERT_TRUE(result) << result.error().message();
  const int left = std::atoi(result->out.c_str());
  ASSERT_GT(left, 0);
  const auto deadline = std::chrono::steady_clock::now() + 10s;
  while (lives(left) && std::chrono::steady_clock::now() < deadline) ::usleep(1000);
  EXPECT_FALSE(lives(left));
}

/// It ignores SIGTERM, and has something to do when those whom it waits for are gone.
TEST(RunContainedCommand, LetsWhoTidiesUpBehindOthersDoSo) {
  std::string folder = testing::TempDir() + "tidied.XXXXXX";
  ASSERT_NE(::mkdtemp(folder.data()), nullptr);
  const auto result =
      run_contained_command(Words{"/bin/sh", "-c", R"(cd "$0"; mkfifo ends; touch file
(trap '' TERM; cat ends; rm file ends) >/dev/null 2>&1 &
exec >ends 2>&-
setsid sleep 100 &)",
                                  folder},
                            10s, [] { return false; });
  ASSERT_TRUE(result) << result.error().message();
  EXPECT_EQ(::rmdir(folder.c_str()), 0) << folder << " is not empty";
}

TEST(RunContainedCommand, EndsWhenItIsStopped) {
  const auto begun = std::chrono::steady_clock::now();
  const auto result =
      run_contained_command(Words{"/bin/sh", "-c", "sleep 100; true"}, 60s, [] { return true; });
  EXPECT_FALSE(result);
  EXPECT_LT(std::chrono::steady_clock::now() - begun, 30s);
  EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1) << "it was not waited for";
}

TEST(Launch, ConnectsBothPipes) {
  auto child = launch(Words{"/bin/cat"});
  ASSERT_TRUE(child) << child.error().message();
  ASSERT_TRUE(sys::write_all(child->to.get(), "through"));
  child->to.reset();
  std::string text(16, '\0');
  const ssize_t got = ::read(child->from.get(), text.data(), text.size());
  EXPECT_EQ(text.substr(0, static_cast<std::size_t>(got)), "through");
  int status = 0;
  ASSERT_EQ(::waitpid(child->pid, &status, 0), child->pid);
  EXPECT_EQ(status, 0);
}

/// Those above the streams and below the launcher's own pipe are the ones that Boost 1.81 forgets.
TEST(Launch, HandsOnNoDescriptorsOfOurs) {
  const auto before = sys::descriptor_count(::getpid());
  std::vector<sys::Fd> inheritable;
  for (int i = 0; i < 8; ++i) inheritable.emplace_back(::dup(0));
  const auto child = launch(Words{"/bin/cat"});
  ASSERT_TRUE(child);
  // Its loader opens files too, and is through with that when the program answers.
  ASSERT_TRUE(sys::write_all(child->to.get(), "?"));
  char answer = 0;
  ASSERT_EQ(::read(child->from.get(), &answer, 1), 1);
  EXPECT_EQ(sys::descriptor_count(child->pid), 3);
  ::kill(child->pid, SIGKILL);
  ::waitpid(child->pid, nullptr, 0);
  EXPECT_EQ(sys::descriptor_count(::getpid()), *before + 8 + 2) << "one end of each pipe is ours";
}

TEST(Launch, ReportsAFailedExecAndReapsIt) {
  const auto child = launch(Words{"/nonexistent"});
  ASSERT_FALSE(child);
  EXPECT_EQ(child.error().message(), "start /nonexistent: No such file or directory");
  EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1) << "it was not waited for";
}

int told_by_handlers = -1;

/// Boost.Process 1.81 leaves the child by exit(), unless it is stopped from it.
TEST(Launch, RunsNoExitHandlersAfterAFailedExec) {
  auto told = sys::make_pipe();
  ASSERT_TRUE(told);
  const pid_t maker = ::fork();
  if (maker == 0) {
    told_by_handlers = told->write.get();
    std::atexit([] { (void)!::write(told_by_handlers, "", 1); });
    (void)launch(Words{"/nonexistent"});
    ::_exit(0);
  }
  told->write.reset();
  char byte = 0;
  EXPECT_EQ(::read(told->read.get(), &byte, 1), 0);
  ::waitpid(maker, nullptr, 0);
}

TEST(Launch, ChildDiesWithItsMaker) {
  const auto told = sys::make_pipe();
  const pid_t maker = ::fork();
  if (maker == 0) {
    auto child = launch(Words{"/bin/sleep", "1000"});
    (void)!::write(told->write.get(), &child->pid, sizeof child->pid);
    for (;;) ::pause();
  }
  int pid = 0;
  ASSERT_EQ(::read(told->read.get(), &pid, sizeof pid), static_cast<ssize_t>(sizeof pid));
  ::kill(maker, SIGKILL);
  ::waitpid(maker, nullptr, 0);
  const auto gone = [&] {
    const auto state = sys::process_state(pid);
    return !state || state->state == 'Z';
  };
  for (int i = 0; i < 10'000 && !gone(); ++i) ::usleep(1000);
  EXPECT_TRUE(gone());
}

}  // namespace
}  // namespace poolproof::harness
