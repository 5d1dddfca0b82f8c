#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "harness/launch.h"
#include "harness/warden/testing/subject_test.h"

namespace poolproof::testing {
namespace {

namespace fs = std::filesystem;

/// Runs tests of this program as somebody without rights, who finds copies of all that they need in
/// a folder of the machine's.
class OrdinaryUser : public ::testing::Test {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "all other tests run as an ordinary user already";
    if (!harness::run_command(std::vector<std::string>{"setpriv", "--version"}, 10s)) {
      GTEST_SKIP() << "there is no setpriv(1)";
    }
    std::string name = "/var/tmp/poolproof-test-XXXXXX";
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    ASSERT_EQ(::chmod(name.c_str(), 0755), 0);
    folder_ = name;
    const auto self = fs::read_symlink("/proc/self/exe");
    for (const fs::path& program : {self, fs::path(warden_path()), fs::path(subject_path())}) {
      fs::copy_file(program, folder_ / program.filename());
    }
    program_ = (folder_ / self.filename()).string();
  }
  void TearDown() override {
    if (!folder_.empty()) fs::remove_all(folder_);
  }
  /// An id that nobody has.
  static std::string stranger() {
    ::uid_t id = 61000 + static_cast<::uid_t>(::getpid() % 4000);
    while (::getpwuid(id) != nullptr) ++id;
    return std::to_string(id);
  }
  void expect_success(const std::string& filter) {
    const auto id = stranger();
    const auto result = harness::run_command(
        std::vector<std::string>{"setpriv", "--reuid=" + id, "--regid=" + id, "--clear-groups",
                                 program_, "--gtest_filter=" + filter},
        100s);
    ASSERT_TRUE(result) << result.error().message();
    EXPECT_EQ(sys::to_string(result->status), "exited 0") << result->out << result->err;
  }
  fs::path folder_;
  std::string program_;
};

using LongOrdinaryUser = OrdinaryUser;

TEST_F(OrdinaryUser, StandsOnSomeRungAndSaysWhy) {
  expect_success("Ladder.*");
}

TEST_F(OrdinaryUser, ObservesAndContainsTheSame) {
  expect_success("Observer.*:*OnEveryRung*:Containment.*:*HiddenPlace*:Claims.*");
}

TEST_F(LongOrdinaryUser, PassesAllOtherTests) {
  expect_success("-OrdinaryUser*:Long*");
}

class Ladder : public ::testing::Test {};

/// Where the kernel lets nobody but root make namespaces, a lower rung must be named with its
/// reason.
TEST_F(Ladder, NamesItsRungAndWhyNotAHigherOne) {
  const auto runner = harness::Runner::start(options(0));
  ASSERT_TRUE(runner) << runner.error().message();
  const auto& containment = (*runner)->containment();
  EXPECT_FALSE(containment.name.empty());
  EXPECT_EQ(containment.why_not.empty(), containment.rung == 1) << containment.why_not;
}

TEST_F(Ladder, RefusesARungThatDoesNotExist) {
  EXPECT_FALSE(harness::Runner::start(options(4)));
}

}  // namespace
}  // namespace poolproof::testing
