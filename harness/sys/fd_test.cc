#include "harness/sys/fd.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <type_traits>

namespace poolproof::sys {
namespace {

bool is_open(int fd) {
  return ::fcntl(fd, F_GETFD) >= 0;
}

TEST(Fd, ClosesWhatItOwns) {
  auto pipe = make_pipe();
  ASSERT_TRUE(pipe);
  const int read = pipe->read.get();
  pipe->read.reset();
  EXPECT_FALSE(is_open(read));
  EXPECT_FALSE(pipe->read);
}

TEST(Fd, MovesAndNeverCopies) {
  static_assert(!std::is_copy_constructible_v<Fd> && !std::is_copy_assignable_v<Fd>);
  auto pipe = make_pipe();
  ASSERT_TRUE(pipe);
  const int read = pipe->read.get();
  Fd other = std::move(pipe->read);
  EXPECT_EQ(other.get(), read);
  EXPECT_FALSE(pipe->read);  // NOLINT(bugprone-use-after-move): that is the claim
  const int write = pipe->write.get();
  other = std::move(pipe->write);
  EXPECT_FALSE(is_open(read));
  EXPECT_TRUE(is_open(write));
}

TEST(Fd, ReleaseLeavesItOpen) {
  auto pipe = make_pipe();
  ASSERT_TRUE(pipe);
  const int read = pipe->read.release();
  EXPECT_TRUE(is_open(read));
  EXPECT_EQ(::close(read), 0);
}

TEST(Fd, AllAreCloseOnExec) {
  const auto pipe = make_pipe();
  const auto file = open_file("/proc/self/stat", O_RDONLY);
  ASSERT_TRUE(pipe && file);
  const Fd handle = open_pidfd(::getpid());
  for (const int fd : {pipe->read.get(), pipe->write.get(), file->get(), handle.get()}) {
    EXPECT_EQ(::fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
  }
}

TEST(Fd, OpenSaysWhatAndWhy) {
  const auto missing = open_file("/nonexistent/file", O_RDONLY);
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().message(), "open /nonexistent/file: No such file or directory");
}

TEST(Fd, ReadFileReadsAll) {
  const auto text = read_file("/proc/self/maps");
  ASSERT_TRUE(text);
  EXPECT_NE(text->find("[stack]"), std::string::npos);
}

TEST(Fd, ReadRegularFileRefusesWhatIsNone) {
  const auto told = [](const std::string& path, std::size_t most = 1 << 20) {
    const auto text = read_regular_file(path, most);
    return text ? *text : text.error().message();
  };
  EXPECT_EQ(told("/"), "/: is a folder, not a file");
  EXPECT_EQ(told("/dev/zero"), "/dev/zero: is no regular file");
  EXPECT_EQ(told("/nonexistent"), "open /nonexistent: No such file or directory");
  char path[] = "/tmp/poolproof-fd-XXXXXX";
  const Fd file(::mkstemp(path));
  ASSERT_TRUE(file);
  ASSERT_TRUE(write_all(file.get(), "abc"));
  EXPECT_EQ(told(path), "abc");
  ASSERT_EQ(::ftruncate(file.get(), (2 << 20) + 1), 0);
  EXPECT_EQ(told(path, 2 << 20), std::string(path) + ": is larger than 2 MiB");
  ASSERT_EQ(::unlink(path), 0);
  ASSERT_EQ(::mkfifo(path, 0600), 0);  // without a writer an open would wait
  EXPECT_EQ(told(path), std::string(path) + ": is no regular file");
  ::unlink(path);
}

TEST(Fd, OfAProcessIsInvalidForNobody) {
  EXPECT_FALSE(open_pidfd(1 << 30));
}

}  // namespace
}  // namespace poolproof::sys
