#include <gtest/gtest.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <fstream>
#include <optional>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include "support.hpp"
#include "threads.hpp"

// What a pool costs main, and that it gives it back.
namespace poolproof::testing {
namespace {

/// In force as soon as a pool opens its first descriptor: once it has looked whether there are
/// enough.
std::optional<rlimit> limit_from_eventfd_on;

}  // namespace
}  // namespace poolproof::testing

/// In the stead of libc's.
extern "C" int eventfd(unsigned count, int flags) noexcept {
  const auto& limit = poolproof::testing::limit_from_eventfd_on;
  if (limit) ::setrlimit(RLIMIT_NOFILE, &*limit);
  return static_cast<int>(::syscall(SYS_eventfd2, count, flags));
}

namespace poolproof::testing {
namespace {

TEST(Resources, AreGivenBackAfterJoin) {
  const int descriptors = open_descriptors();
  const int threads = running_threads();
  Pool pool{{.workers = 2}};
  pool.apply<&add>(1, 1);
  pool.close();
  pool.join();
  EXPECT_EQ(open_descriptors(), descriptors);
  EXPECT_EQ(running_threads(), threads);
}

TEST(Resources, StayFlatOverManyPools) {
  const int descriptors = open_descriptors();
  const int threads = running_threads();
  const int rounds = kSanitized ? 40 : 200;  // a fork costs much more then
  for (int i = 0; i < rounds; ++i) {
    Pool pool{{.workers = 2}};
    if (i % 2 != 0) pool.apply<&add>(i, i);
    pool.terminate();
  }
  EXPECT_EQ(open_descriptors(), descriptors);
  EXPECT_EQ(running_threads(), threads);
}

TEST(Resources, StayFlatOverManyDeaths) {
  Pool pool{{.workers = 1}};
  pool.apply<&add>(1, 1);
  const int descriptors = open_descriptors();
  for (int i = 0; i < 20; ++i) EXPECT_THROW(pool.apply([] { ::_exit(1); }), WorkerDied);
  EXPECT_EQ(pool.apply<&add>(1, 1), 2);
  EXPECT_EQ(open_descriptors(), descriptors);
}

TEST(Resources, ConstructionIsAllOrNothing) {
  adopt_orphans();
  const int descriptors = open_descriptors();
  const int threads = running_threads();
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  // Descriptors run out at each place in turn.
  for (int spare = 0; spare < 14; ++spare) {
    limit_from_eventfd_on = {static_cast<rlim_t>(descriptors + spare), before.rlim_max};
    bool refused = false;
    try {
      Pool pool{{.workers = 8}};
    } catch (const std::system_error&) {
      refused = true;
    }
    limit_from_eventfd_on.reset();
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
    EXPECT_TRUE(refused) << spare;
    EXPECT_EQ(open_descriptors(), descriptors) << spare;
    EXPECT_TRUE(children_of_this_process().empty()) << spare;
  }
  EXPECT_EQ(running_threads(), threads);
}

TEST(Resources, ALowLimitOfFileSizesIsAnErrorNotASignal) {
  const pid_t main = start_main([] {
    const rlimit low{4096, RLIM_INFINITY};
    if (::setrlimit(RLIMIT_FSIZE, &low) != 0) ::_exit(1);
    try {
      Pool pool{{.workers = 2}};
      ::_exit(2);
    } catch (const std::system_error& error) {
      if (error.code() != std::errc::file_too_large) ::_exit(3);
    }
    if (!children_of_this_process().empty()) ::_exit(4);
  });
  EXPECT_EQ(wait_for(main), 0);
}

/// Without memory of the caller's.
std::int64_t file_size_of(const std::string& path) {
  struct stat file {};
  return ::stat(path.c_str(), &file) == 0 ? file.st_size : 0;
}

TEST(Resources, ResultsForWhichMainHasNoMemoryFailAlone) {
  if (kSanitized) GTEST_SKIP() << "a sanitizer takes all addresses";
  const pid_t main = start_main([] {
    constexpr int kTasks = 12000;
    Pool pool{{.workers = 2}};
    std::vector<Future<std::string>> futures;
    futures.reserve(kTasks);
    // All is handed over first: for that main needs memory of its own.
    const Roll gate;
    const auto large = [](const std::string& path, int size) {
      while (file_size_of(path) == 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
      return std::string(static_cast<std::size_t>(size), 'x');
    };
    for (int i = 0; i < kTasks; ++i) {
      futures.push_back(pool.apply_async(large, gate.path(), 15'000));
    }
    long pages = 0;
    std::ifstream("/proc/self/statm") >> pages;
    const rlimit tight{static_cast<rlim_t>(pages * ::sysconf(_SC_PAGESIZE) + (24 << 20)),
                       RLIM_INFINITY};
    if (::setrlimit(RLIMIT_AS, &tight) != 0) ::_exit(1);
    sign(gate.path());
    pool.close();
    if (!pool.join(kSoon)) ::_exit(2);
    int lost = 0;
    for (const auto& future : futures) {
      if (!future.wait(0s)) ::_exit(3);
      lost += future.successful() ? 0 : 1;
    }
    futures.clear();
    if (lost == 0 || lost == kTasks) ::_exit(4);
  });
  EXPECT_EQ(wait_for(main), 0);
}

/// Leaves no descriptor free; also not for sanitizers, which need some to look
/// at exceptions, so none may be thrown meanwhile.
class NoDescriptors {
 public:
  NoDescriptors() {
    EXPECT_EQ(::getrlimit(RLIMIT_NOFILE, &before_), 0);
    const rlimit none{3, before_.rlim_max};
    EXPECT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
  }
  ~NoDescriptors() { EXPECT_EQ(::setrlimit(RLIMIT_NOFILE, &before_), 0); }

 private:
  rlimit before_{};
};

TEST(Resources, ExhaustedDescriptorsDelayAReplacementButDoNotPreventIt) {
  Pool pool{{.workers = 1}};
  std::optional<NoDescriptors> exhausted(std::in_place);
  const auto fatal = pool.apply_async([] { ::_exit(1); });
  const auto waiting = pool.apply_async<&add>(1, 1);
  EXPECT_TRUE(fatal.wait(kSoon));
  EXPECT_FALSE(waiting.wait(5ms));
  exhausted.reset();
  EXPECT_EQ(waiting.get(kSoon), 2);
}

TEST(Resources, AWorkerThatMainCouldNotKillIsGivenNoTask) {
  Pool pool{{.workers = 1}};
  const pid_t first = pool.apply<&worker_pid>();
  const pid_t supervisor = parent_of(first);
  ::kill(supervisor, SIGSTOP);
  pool.resize(2);
  std::this_thread::sleep_for(50ms);  // too short a nap proves nothing, but fails nobody
  {
    const NoDescriptors while_it_starts;
    ::kill(supervisor, SIGCONT);
    std::this_thread::sleep_for(50ms);
  }
  const auto one = pool.apply_async<&never_end>();
  const auto two = pool.apply_async<&never_end>();
  std::this_thread::sleep_for(20ms);
  one.cancel();
  two.cancel();
  pool.close();
  EXPECT_TRUE(pool.join(kSoon));
}

/// From now on the process can have four descriptors more: what comes with a worker's start.
void leave_four_descriptors(pid_t process) {
  rlimit tight{};
  ASSERT_EQ(::prlimit(process, RLIMIT_NOFILE, nullptr, &tight), 0);
  const auto is_open = [&](rlim_t fd) {
    struct stat unused {};
    const auto path = "/proc/" + std::to_string(process) + "/fd/" + std::to_string(fd);
    return ::lstat(path.c_str(), &unused) == 0;
  };
  tight.rlim_cur = 0;
  for (int left = 4; left > 0; ++tight.rlim_cur) left -= is_open(tight.rlim_cur) ? 0 : 1;
  ASSERT_EQ(::prlimit(process, RLIMIT_NOFILE, &tight, nullptr), 0);
}

/// The supervisor has no number for the pidfd of whom it starts.
TEST(Resources, WorkersThatMainCouldNotKillAreNotReplacedWithoutEnd) {
  if (kSanitized) GTEST_SKIP() << "UBSan takes objects for broken where it finds no descriptor";
  Pool pool{{.workers = 1}};
  const pid_t first = pool.apply<&worker_pid>();
  leave_four_descriptors(parent_of(first));
  ::kill(first, SIGKILL);
  const auto hopeless = pool.apply_async<&add>(1, 1);
  ASSERT_TRUE(hopeless.wait(kSoon));
  EXPECT_FALSE(hopeless.successful());
  EXPECT_THROW(pool.apply<&add>(1, 1), PoolBroken);
}

TEST(Resources, AThreadThatHasTheNumberOfOneThatIsGoneIsNotWaitedFor) {
  std::atomic<pid_t> number{0};
  std::atomic<bool> is_over{false};
  std::thread other([&] {
    number = static_cast<pid_t>(::syscall(SYS_gettid));
    while (!is_over) std::this_thread::sleep_for(1ms);
  });
  EXPECT_TRUE(eventually([&] { return number != 0; }));
  std::atomic<bool> has_returned{false};
  std::thread waiting([&] {
    detail::await_thread_gone(number);
    has_returned = true;
  });
  EXPECT_TRUE(eventually([&] { return has_returned.load(); }));
  is_over = true;
  other.join();
  waiting.join();
}

TEST(Resources, WorkersThatCannotStartBreakThePool) {
  Pool pool{{.workers = 1}};
  std::optional<NoDescriptors> exhausted(std::in_place);
  const auto fatal = pool.apply_async([] { ::_exit(1); });
  const auto hopeless = pool.apply_async<&add>(1, 1);
  EXPECT_TRUE(hopeless.wait(kSoon));
  exhausted.reset();
  EXPECT_THROW(fatal.get(), WorkerDied);
  EXPECT_THROW(hopeless.get(), PoolBroken);
  EXPECT_THROW(pool.apply<&add>(1, 1), PoolBroken);
  pool.join();
}

}  // namespace
}  // namespace poolproof::testing
