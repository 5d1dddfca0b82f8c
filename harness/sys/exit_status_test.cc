#include "harness/sys/exit_status.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness/sys/fd.h"

namespace poolproof::sys {
namespace {

/// The wait status of a child that does this.
template <class Body>
int status_of(Body body) {
  const pid_t child = ::fork();
  if (child == 0) {
    body();
    ::pause();
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return status;
}

TEST(ExitStatus, KeepsTheWholeCode) {
  EXPECT_EQ(exit_status_from_wait(status_of([] { ::_exit(200); })), ExitStatus(Exited{200}));
}

TEST(ExitStatus, TellsExit137FromSigkill) {
  EXPECT_EQ(exit_status_from_wait(status_of([] { ::_exit(137); })), ExitStatus(Exited{137}));
  EXPECT_EQ(exit_status_from_wait(status_of([] { ::kill(::getpid(), SIGKILL); })),
            ExitStatus(Killed{SIGKILL}));
}

TEST(ExitStatus, IgnoresTheCoreFlag) {
  EXPECT_EQ(exit_status_from_wait(SIGSEGV | 0x80), ExitStatus(Killed{SIGSEGV}));
}

TEST(ExitStatus, ReadsAsASentence) {
  EXPECT_EQ(to_string(Exited{7}), "exited 7");
  EXPECT_EQ(to_string(Killed{SIGTERM}), "killed by SIGTERM");
  EXPECT_EQ(signal_name(71), "signal 71");
}

TEST(ExitStatus, CanBeAskedAfterSomebodyHasWaited) {
  const pid_t child = ::fork();
  if (child == 0) ::pause();
  const Fd handle = open_pidfd(child);
  ASSERT_TRUE(handle);
  EXPECT_FALSE(exit_status_of(handle.get())) << "it lives";
  ::kill(child, SIGTERM);
  ::waitpid(child, nullptr, 0);
  const auto status = exit_status_of(handle.get());
  if (!status) GTEST_SKIP() << "this kernel does not tell (Linux 6.15 does)";
  EXPECT_EQ(*status, ExitStatus(Killed{SIGTERM}));
}

}  // namespace
}  // namespace poolproof::sys
