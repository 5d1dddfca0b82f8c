// Payloads that go by file: the files serve again, and nobody may notice.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include "support.hpp"

namespace poolproof::testing {
namespace {

constexpr std::size_t kMiB = std::size_t{1} << 20;

std::string filled(char with, std::size_t size = kMiB) {
  return std::string(size, with);
}

bool is_filled(const std::string& text, char with, std::size_t size = kMiB) {
  return text.size() == size &&
         std::count(text.begin(), text.end(), with) == static_cast<std::ptrdiff_t>(size);
}

char nth_letter(int i) {
  return static_cast<char>('a' + i % 26);
}

int open_descriptors() {
  const std::filesystem::directory_iterator all("/proc/self/fd");
  return static_cast<int>(std::distance(begin(all), end(all)));
}

TEST(LargePayload, ResultsThatAreHeldStayAsTheyWere) {
  Pool pool{{.workers = 1}};
  std::vector<Future<std::string>> held;
  for (int i = 0; i < 12; ++i) {  // more than a worker has files
    held.push_back(pool.apply_async<&filled>(nth_letter(i), kMiB));
    held.back().wait();
  }
  for (int i = 0; i < 12; ++i) {
    EXPECT_TRUE(is_filled(held[static_cast<std::size_t>(i)].get(), nth_letter(i))) << i;
  }
}

TEST(LargePayload, AForkedChildReadsWhatItsParentHasLetGo) {
  Pool pool{{.workers = 1}};
  std::vector<Future<std::string>> futures{pool.apply_async<&filled>('a', kMiB)};
  futures[0].wait();
  const pid_t child = start_main([&] {
    ::raise(SIGSTOP);  // until the parent has let go, and the worker has written more
    if (!is_filled(futures[0].get(), 'a')) ::_exit(1);
  });
  ASSERT_TRUE(eventually([&] { return state_of(child) == 'T'; }));
  futures.clear();
  for (int i = 1; i < 12; ++i) EXPECT_TRUE(is_filled(pool.apply<&filled>('b', kMiB), 'b'));
  ::kill(child, SIGCONT);
  EXPECT_EQ(wait_for(child), 0);
}

TEST(LargePayload, AForkedChildReadsWhatOtherThreadsOfItsParentsWereReading) {
  if (kSanitized) GTEST_SKIP() << "a sanitizer's allocator does not outlive such a fork";
  Pool pool{{.workers = 1}};
  const auto future = pool.apply_async<&echo>(std::string(40'000, 'x'));
  future.wait();
  std::atomic<bool> enough{false};
  const auto read = [&] {
    while (!enough) EXPECT_EQ(future.get().size(), 40'000);
  };
  std::thread one(read);
  std::thread two(read);
  for (int i = 0; i < rounds(1000); ++i) {
    const pid_t child = ::fork();
    if (child == 0) ::_exit(future.get().size() == 40'000 ? 0 : 1);
    const bool ended = eventually([&] { return is_dead(child); }, 5s);
    EXPECT_TRUE(ended) << i;
    if (!ended) ::kill(child, SIGKILL);
    wait_for(child);
    if (!ended) break;
  }
  enough = true;
  one.join();
  two.join();
}

TEST(LargePayload, AForkedChildKeepsNoneThatWaits) {
  Pool pool{{.workers = 1}};
  const auto running = pool.apply_async<&never_end>();
  std::vector<Future<std::string>> waiting;
  for (int i = 0; i < 20; ++i)
    waiting.push_back(pool.apply_async<&echo>(std::string(100'000, 'x')));
  const pid_t child = ::fork();
  if (child == 0) {
    int files = 0;
    for (int fd = 3; fd < 1024; ++fd) files += ::fcntl(fd, F_GET_SEALS) > 0 ? 1 : 0;
    ::_exit(files);
  }
  EXPECT_EQ(wait_for(child), 0);
  running.cancel();
  for (const auto& future : waiting) EXPECT_EQ(future.get(kSoon).size(), 100'000);
}

TEST(LargePayload, SizesThatGrowAndShrinkArriveIntact) {
  Pool pool{{.workers = 2}};
  for (const std::size_t size : {kMiB, 20 * kMiB / 1024, 3 * kMiB, kMiB / 2, 9 * kMiB, kMiB}) {
    for (int i = 0; i < 4; ++i) {
      EXPECT_TRUE(is_filled(pool.apply<&echo>(filled(nth_letter(i), size)), nth_letter(i), size));
    }
  }
}

TEST(LargePayload, ManySmallPiecesMakeALargeOne) {
  Pool pool{{.workers = 1}};
  std::vector<std::string> pieces;
  for (int i = 0; i < 400'000; ++i) pieces.push_back(std::to_string(i));  // some 5 MB
  const auto same = [](const std::vector<std::string>& texts) { return texts; };
  EXPECT_TRUE(pool.apply(same, pieces) == pieces);
}

TEST(LargePayload, AStreamOfThemArrivesIntact) {
  Pool pool{{.workers = 2}};
  std::vector<char> letters;
  for (int i = 0; i < 20; ++i) letters.push_back(nth_letter(i));
  int next = 0;
  const auto fill = [](char letter) { return filled(letter, 5 * kMiB); };
  for (const std::string& text : pool.imap(fill, letters)) {
    EXPECT_TRUE(is_filled(text, nth_letter(next++), 5 * kMiB));
  }
  EXPECT_EQ(next, 20);
}

TEST(LargePayload, NoFileIsLeftWhenThePoolHasEnded) {
  const int before = open_descriptors();
  Pool pool{{.workers = 2}};
  const auto held = pool.apply_async<&echo>(filled('x'));
  EXPECT_TRUE(is_filled(held.get(), 'x'));
  pool.close();
  pool.join();
  EXPECT_EQ(open_descriptors(), before);
}

/// In KiB; 0 where /proc does not tell.
std::size_t memory_line(const std::string& name, const std::string& pid = "self") {
  std::ifstream status("/proc/" + pid + "/status");
  std::size_t value = 0;
  for (std::string word; status >> word;) {
    if (word == name && status >> value) break;
  }
  return value;
}

/// How far the peak of our memory rises meanwhile, in bytes.
template <class Action>
std::size_t rise_during(Action action) {
  std::ofstream("/proc/self/clear_refs") << 5;  // forgets the peak so far
  const std::size_t before = memory_line("VmRSS:");
  action();
  return (memory_line("VmHWM:") - before) << 10;
}

/// Bytes that tell their place.
char byte_at(std::size_t i) {
  return static_cast<char>((i * 0x9E3779B97F4A7C15U) >> 56);
}
std::string patterned(std::size_t size) {
  std::string text(size, '\0');
  for (std::size_t i = 0; i < size; ++i) text[i] = byte_at(i);
  return text;
}
bool is_patterned(const std::string& text, std::size_t size) {
  if (text.size() != size) return false;
  for (std::size_t i = 0; i < size; ++i) {
    if (text[i] != byte_at(i)) return false;
  }
  return true;
}

TEST(LargePayload, OfManyMegabytesCrossesByteByByteWithoutASecondCopyInMain) {
  constexpr std::size_t kSize = 64 * kMiB;
  Pool pool{{.workers = 1}};
  pool.apply<&echo>(std::string());
  const auto expect_no_copy = [](std::size_t rise, std::size_t needed) {
    if (kSanitized) return;  // memory of its own
    EXPECT_LT(rise, needed + kSize / 2);
  };
  expect_no_copy(
      rise_during([&] { EXPECT_TRUE(is_patterned(pool.apply<&patterned>(kSize), kSize)); }), kSize);
  const std::string argument = patterned(kSize);
  expect_no_copy(rise_during([&] { EXPECT_TRUE(pool.apply<&is_patterned>(argument, kSize)); }), 0);
  expect_no_copy(rise_during([&] { EXPECT_TRUE(pool.apply<&echo>(argument) == argument); }), kSize);
}

/// A process keeps a quarter of its descriptors at most for payloads that wait. Those that results
/// which are held, or another pool's queue, have of them cost no task its own: it needs one while
/// it is on its way only.
TEST(LargePayload, ArgumentsCrossHoweverManyFilesWaitElsewhere) {
  const Limit few(RLIMIT_NOFILE, 64);
  Pool pool{{.workers = 2}};
  std::vector<Future<std::string>> held;
  for (int i = 0; i < 16; ++i) {
    held.push_back(pool.apply_async<&filled>(nth_letter(i), 5 * kMiB));
    held.back().wait();
  }
  EXPECT_TRUE(is_filled(pool.apply<&echo>(filled('x')), 'x'));
  std::vector<Future<std::string>> futures;
  for (int i = 0; i < 40; ++i) {
    futures.push_back(pool.apply_async<&echo>(filled(nth_letter(i), 20'000)));
  }
  for (int i = 0; i < 40; ++i) {
    EXPECT_TRUE(is_filled(futures[static_cast<std::size_t>(i)].get(), nth_letter(i), 20'000)) << i;
  }
  for (int i = 0; i < 16; ++i) {
    auto& result = held[static_cast<std::size_t>(i)];
    EXPECT_TRUE(is_filled(result.get(), nth_letter(i), 5 * kMiB)) << i;
  }
}

TEST(LargePayload, AnIdleWorkerKeepsNoMemoryForThem) {
  Pool pool{{.workers = 1}};
  const pid_t worker = pool.apply<&worker_pid>();
  pool.apply<&echo>(filled('x', 3 * kMiB));
  const auto shared = [&] { return memory_line("RssShmem:", std::to_string(worker)); };
  EXPECT_TRUE(eventually([&] { return shared() < 1024; })) << shared();
  EXPECT_TRUE(is_filled(pool.apply<&echo>(filled('y')), 'y'));
}

TEST(LargePayload, WhichAWorkerHasNoDescriptorForFailsAlone) {
  if (kSanitized) GTEST_SKIP() << "a sanitizer needs descriptors, too";
  Pool pool{{.workers = 1}};
  const pid_t worker = pool.apply([] {
    while (::open("/dev/null", O_RDONLY | O_CLOEXEC) >= 0) {
    }
    return ::getpid();
  });
  const auto refused = pool.apply_async<&echo>(filled('x'));
  ASSERT_TRUE(refused.wait(kSoon));
  EXPECT_THROW(refused.get(), std::system_error);
  pool.apply([] { ::close_range(3, 500, 0); });  // but for the channel
  EXPECT_TRUE(is_filled(pool.apply_async<&echo>(filled('x')).get(kSoon), 'x'));
  EXPECT_EQ(pool.apply<&worker_pid>(), worker);
}

/// What the kernel, or a limit, has against it; in main, which has the limit.
TEST(LargePayload, ThatTheLimitOfFileSizesForbidsSaysSo) {
  Pool pool{{.workers = 1}};
  for (const std::size_t size : {std::size_t{100'000}, 5 * kMiB}) {
    const Limit low(RLIMIT_FSIZE, 50'000);
    const auto refused = pool.apply_async<&echo>(filled('x', size));
    ASSERT_TRUE(refused.wait(kSoon));
    try {
      refused.get();
      FAIL() << "nothing thrown";
    } catch (const std::system_error& error) {
      EXPECT_EQ(error.code(), std::errc::file_too_large);
      EXPECT_NE(std::string(error.what()).find("(RLIMIT_FSIZE: 50000)"), std::string::npos)
          << error.what();
    }
  }
  EXPECT_TRUE(is_filled(pool.apply<&echo>(filled('y')), 'y'));
}

/// Copies of a descriptor that nobody takes: they count for all processes of the user's.
void have_descriptors_in_flight(int socket, std::size_t count) {
  const std::vector<int> copies(count, STDERR_FILENO);
  std::vector<char> control(CMSG_SPACE(count * sizeof(int)));
  char byte = 0;
  iovec body{&byte, 1};
  msghdr header{};
  header.msg_iov = &body;
  header.msg_iovlen = 1;
  header.msg_control = control.data();
  header.msg_controllen = control.size();
  cmsghdr* const part = CMSG_FIRSTHDR(&header);
  part->cmsg_level = SOL_SOCKET;
  part->cmsg_type = SCM_RIGHTS;
  part->cmsg_len = CMSG_LEN(count * sizeof(int));
  std::memcpy(CMSG_DATA(part), copies.data(), count * sizeof(int));
  if (::sendmsg(socket, &header, 0) != 1) ::_exit(90);
}

void allow_descriptors(pid_t process, rlim_t count) {
  rlimit limit{};
  if (::prlimit(process, RLIMIT_NOFILE, nullptr, &limit) != 0) ::_exit(91);
  limit.rlim_cur = count;
  if (::prlimit(process, RLIMIT_NOFILE, &limit, nullptr) != 0) ::_exit(92);
}

bool is_refused(const Future<std::string>& future) {
  if (!future.wait(kSoon)) ::_exit(93);
  try {
    future.get();
  } catch (const std::system_error& error) {
    return error.code().value() == ETOOMANYREFS;
  }
  return false;
}

// A record without its file would be waited for without end.
TEST(LargePayload, WhichTheKernelDoesNotCarryFailsAlone) {
  constexpr int kNoSuchUser = 77;
  const pid_t main = start_main([] {
    if (!become_an_ordinary_user()) ::_exit(kNoSuchUser);
    Pool pool{{.workers = 1}};
    const pid_t worker = pool.apply<&worker_pid>();
    std::array<int, 2> ends{};
    if (::socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends.data()) != 0) ::_exit(94);
    constexpr rlim_t kFew = 100;
    constexpr rlim_t kMany = 1000;
    have_descriptors_in_flight(ends[0], 2 * kFew);
    allow_descriptors(::getpid(), kFew);
    if (!is_refused(pool.apply_async<&echo>(filled('x')))) ::_exit(1);
    allow_descriptors(::getpid(), kMany);
    allow_descriptors(worker, kFew);
    if (!is_refused(pool.apply_async<&filled>('x', kMiB))) ::_exit(2);
    ::close(ends[0]);
    ::close(ends[1]);
    if (!is_filled(pool.apply_async<&echo>(filled('x')).get(kSoon), 'x')) ::_exit(3);
    if (pool.apply<&worker_pid>() != worker) ::_exit(4);
  });
  const int status = wait_for(main);
  if (WIFEXITED(status) && WEXITSTATUS(status) == kNoSuchUser) {
    GTEST_SKIP() << "no user to be had for whom there is a limit";
  }
  EXPECT_EQ(status, 0);
}

}  // namespace
}  // namespace poolproof::testing
