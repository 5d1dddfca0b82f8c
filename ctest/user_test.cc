// What works as root works as an ordinary user, and says on which rung of the ladder it stands.
#include <gmock/gmock.h>
#include <grp.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <string>
#include <vector>

#include "ctest/program.h"

namespace poolproof::end_to_end {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

/// An ordinary id that nobody has, another one in each process: tests run side by side, and what
/// one of them leaves behind must not be looked for among the other's.
int unused_id() {
  constexpr int kFirst = 20000;
  constexpr int kCount = 40000;
  for (int step = 0; step < kCount; ++step) {
    const int id = kFirst + (::getpid() + step) % kCount;
    if (::getpwuid(static_cast<uid_t>(id)) == nullptr &&
        ::getgrgid(static_cast<gid_t>(id)) == nullptr)
      return id;
  }
  return 0;
}

class OrdinaryUser : public testing::Test {
 protected:
  void SetUp() override {
    if (::geteuid() != 0)
      GTEST_SKIP() << "this is an ordinary user already: all other tests show it";
    // World-readable, and outside of folders that only root may enter.
    for (const char* folder : {"bin", "share"}) {
      fs::copy(bin_folder() / ".." / folder, scratch_.path() / folder, fs::copy_options::recursive);
    }
    fs::permissions(scratch_.path(), fs::perms(0755));
    home_ = (scratch_.path() / "home").string();
    fs::create_directory(home_);
    ASSERT_EQ(::chown(home_.c_str(), static_cast<uid_t>(id_), static_cast<gid_t>(id_)), 0);
  }
  Ended as_user(const std::vector<std::string>& arguments) const {
    std::vector<std::string> command{"setpriv",
                                     "--reuid=" + std::to_string(id_),
                                     "--regid=" + std::to_string(id_),
                                     "--clear-groups",
                                     "env",
                                     "-C",
                                     home_,
                                     "HOME=" + home_,
                                     (scratch_.path() / "bin/poolproof").string()};
    command.insert(command.end(), arguments.begin(), arguments.end());
    return run(command, 120);
  }

  Scratch scratch_{"/var/tmp"};
  int id_ = unused_id();
  std::string home_;
};

TEST_F(OrdinaryUser, ChecksTheReferencePoolAndIsToldTheRung) {
  const auto ended = as_user({"check", "reference", "--cases", "100"});
  EXPECT_EQ(ended.code, 0) << ended.out << ended.err;
  EXPECT_THAT(ended.out, testing::AnyOf(HasSubstr("namespaces"), HasSubstr("subreaper")));
}

TEST_F(OrdinaryUser, ChecksAPythonPool) {
  const auto ended = as_user(
      {"check", "multiprocessing.Pool:fork", "--cases", "10", "--python", "/usr/bin/python3"});
  EXPECT_EQ(ended.code, 0) << ended.out << ended.err;
}

TEST_F(OrdinaryUser, IsToldThePathOfAnInterpreterThatMayNotBeRun) {
  const auto locked = scratch_.path() / "locked";
  fs::create_directory(locked);
  fs::copy("/bin/true", locked / "python3");
  fs::permissions(locked, fs::perms(0700));
  const auto ended = as_user({"pools", "--python", (locked / "python3").string()});
  EXPECT_EQ(ended.code, 0) << ended.err;
  EXPECT_THAT(ended.out, HasSubstr("absent"));
  EXPECT_THAT(ended.out, HasSubstr((locked / "python3").string()));
}

/// Entries of a folder that belong to the user.
std::vector<std::string> owned_in(const char* folder, int id) {
  std::vector<std::string> found;
  for (const auto& entry : fs::directory_iterator(folder)) {
    struct stat owner {};
    if (::lstat(entry.path().c_str(), &owner) != 0) continue;
    if (owner.st_uid == static_cast<uid_t>(id)) found.push_back(entry.path().string());
  }
  return found;
}

TEST_F(OrdinaryUser, LeavesNothingBehind) {
  ASSERT_EQ(as_user({"check", "reference", "--cases", "50"}).code, 0);
  EXPECT_THAT(owned_in("/tmp", id_), testing::IsEmpty());
  EXPECT_THAT(owned_in("/dev/shm", id_), testing::IsEmpty());
  // The last of it may be a zombie that the machine's init has yet to reap.
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(5);
  while (!owned_in("/proc", id_).empty() && std::chrono::steady_clock::now() < deadline) {
    ::poll(nullptr, 0, 10);
  }
  EXPECT_THAT(owned_in("/proc", id_), testing::IsEmpty());
}

}  // namespace
}  // namespace poolproof::end_to_end
