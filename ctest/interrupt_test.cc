// A check that is told to stop prints what it has, and leaves nobody behind.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "ctest/program.h"
#include "harness/launch.h"
#include "harness/sys/fd.h"

namespace poolproof::end_to_end {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;

class Interrupt : public testing::TestWithParam<int> {
 protected:
  void TearDown() override {
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

  int exit_status() {
    while (read_on()) {
    }
    int status = 0;
    EXPECT_EQ(::waitpid(check_.pid, &status, 0), check_.pid);
    check_.pid = 0;
    return status;
  }

  Scratch scratch_;
  harness::Child check_;
  std::string text_;

 private:
  bool read_on() {
    char chunk[4096];
    if (!sys::await_readable(check_.from.get(), 60s)) return false;
    const auto got = ::read(check_.from.get(), chunk, sizeof chunk);
    if (got > 0) text_.append(chunk, static_cast<std::size_t>(got));
    return got > 0;
  }
};

TEST_P(Interrupt, EndsACheckThatPrintsWhatItHas) {
  start("", "--time 600");
  ::kill(check_.pid, GetParam());
  const int status = exit_status();
  EXPECT_TRUE(WIFEXITED(status)) << text_;
  EXPECT_THAT(text_, HasSubstr("interrupted: "));
}

TEST_F(Interrupt, ByHangUpIsNoneUnderNohup) {
  start("trap '' HUP; ", "--cases 100");
  ::kill(check_.pid, SIGHUP);
  EXPECT_EQ(WEXITSTATUS(exit_status()), 0) << text_;
  EXPECT_THAT(text_, Not(HasSubstr("interrupted")));
}

INSTANTIATE_TEST_SUITE_P(By, Interrupt, testing::Values(SIGINT, SIGTERM, SIGHUP),
                         [](const auto& number) {
                           return "SIG" + std::string(::sigabbrev_np(number.param));
                         });

}  // namespace
}  // namespace poolproof::end_to_end
