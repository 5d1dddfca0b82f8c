// A check that is told to stop prints what it has, and leaves nobody behind.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <string>
#include <vector>

#include "ctest/program.h"
#include "harness/launch.h"
#include "harness/sys/exit_status.h"
#include "harness/sys/fd.h"

namespace poolproof::end_to_end {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

using sys::Exited;
using sys::ExitStatus;

constexpr int kInterrupted = 130;

class Interrupt : public testing::TestWithParam<int> {
 protected:
  /// What a check leaves behind is ours to find; and what is ignored here it would ignore too.
  void SetUp() override {
    ASSERT_EQ(::prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
    ::signal(SIGHUP, SIG_DFL);
  }

  void TearDown() override {
    ::prctl(PR_SET_CHILD_SUBREAPER, 0);
    if (check_.pid == 0) return;
    ::kill(check_.pid, SIGKILL);
    ::waitpid(check_.pid, nullptr, 0);
  }

  /// As from a shell that has run `before`; returns when the canary has been caught.
  void start(const std::string& before, const std::string& limit) {
    const auto command = before + "exec '" + (bin_folder() / "poolproof").string() +
                         "' check reference:fork --seed 1 " + limit + " --results '" +
                         scratch_.path().string() + "'";
    auto child = harness::launch(std::vector<std::string>{"/bin/sh", "-c", command});
    ASSERT_TRUE(child) << child.error().message();
    check_ = std::move(*child);
    while (text_.find("canary:") == std::string::npos && read_on()) {
    }
    ASSERT_THAT(text_, HasSubstr("canary:"));
  }

  /// Reads on to the end of its output; whoever is left must have closed it.
  ExitStatus exit_status() {
    while (read_on()) {
    }
    int status = 0;
    EXPECT_EQ(::waitpid(check_.pid, &status, 0), check_.pid);
    check_.pid = 0;
    return sys::exit_status_from_wait(status);
  }

  /// Whoever comes to us is dead, or dies soon.
  static bool nobody_is_left() {
    return comes_true([] { return ::waitpid(-1, nullptr, WNOHANG) == -1 && errno == ECHILD; });
  }

  Scratch scratch_;
  harness::Child check_;
  std::string text_;

 private:
  bool read_on() {
    char chunk[4096];
    if (!sys::await_readable(check_.from.get(), 100s)) {
      ADD_FAILURE() << "it says nothing more: " << text_;
      ::kill(check_.pid, SIGKILL);
      return false;
    }
    const auto got = ::read(check_.from.get(), chunk, sizeof chunk);
    if (got > 0) text_.append(chunk, static_cast<std::size_t>(got));
    return got > 0;
  }
};

TEST_P(Interrupt, EndsACheckThatPrintsWhatItHas) {
  start("", "--time 600");
  ::kill(check_.pid, GetParam());
  EXPECT_EQ(exit_status(), ExitStatus(Exited{kInterrupted})) << text_;
  EXPECT_THAT(text_, HasSubstr("interrupted: "));
  EXPECT_TRUE(nobody_is_left());
}

TEST_F(Interrupt, ByHangUpIsNoneUnderNohup) {
  start("trap '' HUP; ", "--cases 100");
  ::kill(check_.pid, SIGHUP);
  EXPECT_EQ(exit_status(), ExitStatus(Exited{0})) << text_;
  EXPECT_THAT(text_, AllOf(HasSubstr("\n100 cases"), Not(HasSubstr("interrupted"))));
  EXPECT_TRUE(nobody_is_left());
}

INSTANTIATE_TEST_SUITE_P(By, Interrupt, testing::Values(SIGINT, SIGTERM, SIGHUP),
                         [](const auto& number) {
                           return "SIG" + std::string(::sigabbrev_np(number.param));
                         });

}  // namespace
}  // namespace poolproof::end_to_end
