#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <fstream>
#include <limits>
#include <optional>
#include <string>
#include <system_error>
#include <vector>

#include "support.hpp"

// A pool that is to become larger than its process may: what can be known is refused at the call,
// and what cannot costs the pool none of the workers that it has.
namespace poolproof::testing {
namespace {

/// Longer than a pool without workers tries before it gives up.
constexpr auto kGivingUpTakes = 1200ms;

/// So that this process can have `spare` descriptors more.
rlim_t limit_that_leaves(int spare) {
  rlim_t limit = 0;
  for (; spare > 0; ++limit) {
    if (::fcntl(static_cast<int>(limit), F_GETFD) == -1) --spare;
  }
  return limit;
}

/// In bytes.
rlim_t address_space() {
  long pages = 0;
  std::ifstream("/proc/self/statm") >> pages;
  return static_cast<rlim_t>(pages * ::sysconf(_SC_PAGESIZE));
}

bool has_workers(const Pool& pool, std::size_t count) {
  return eventually([&] { return pool.active_children().size() == count; });
}

class Growth : public ::testing::TestWithParam<StartMethod> {
 protected:
  [[nodiscard]] static PoolOptions options(int count = 1) {
    PoolOptions options = workers(count);
    options.start_method = GetParam();
    return options;
  }
  /// The pool is as before, but for what it has done since.
  static void expect_unchanged(Pool& pool, pid_t worker) {
    EXPECT_EQ(pool.size(), 1U);
    EXPECT_EQ(pool.state(), PoolState::running);
    EXPECT_EQ(pool.apply<&worker_pid>(), worker);
  }
};

/// What the call says; the empty text if it does not throw.
std::string refusal(Pool& pool, int workers, std::errc expected) {
  try {
    pool.resize(workers);
  } catch (const std::system_error& error) {
    EXPECT_EQ(error.code(), expected);
    return error.what();
  }
  return {};
}

TEST_P(Growth, BeyondTheLimitOfOpenFilesIsRefusedAndChangesNothing) {
  Pool pool(options());
  const pid_t worker = pool.apply<&worker_pid>();
  {
    const rlim_t limit = limit_that_leaves(20);
    const Limit tight(RLIMIT_NOFILE, limit);
    const int descriptors = open_descriptors();
    const std::string text = refusal(pool, 100, std::errc::too_many_files_open);
    EXPECT_NE(text.find("resize to 100 workers takes 199 descriptors more (RLIMIT_NOFILE: " +
                        std::to_string(limit) + ")"),
              std::string::npos)
        << text;
    EXPECT_EQ(open_descriptors(), descriptors);
    std::this_thread::sleep_for(kGivingUpTakes);
    expect_unchanged(pool, worker);
  }
  pool.resize(2);
  EXPECT_TRUE(has_workers(pool, 2));
}

/// Neither refuses too much nor too little.
TEST_P(Growth, IsRefusedFromTheFirstWorkerOnForWhichThereIsNoDescriptor) {
  if (kSanitized) GTEST_SKIP() << "a sanitizer needs descriptors, too";
  Pool pool(options());
  const Limit tight(RLIMIT_NOFILE, limit_that_leaves(9));  // two for each, and one to ask
  EXPECT_NE(refusal(pool, 6, std::errc::too_many_files_open), "");
  EXPECT_EQ(refusal(pool, 5, std::errc::too_many_files_open), "");
  EXPECT_TRUE(has_workers(pool, 5));
  EXPECT_EQ(pool.apply<&add>(1, 2), 3);
}

/// Those that are still to come take descriptors, too.
TEST_P(Growth, CountsTheWorkersThatAreOnTheirWay) {
  Pool pool(options());
  const pid_t supervisor = parent_of(pool.apply<&worker_pid>());
  ::kill(supervisor, SIGSTOP);
  {
    const Limit tight(RLIMIT_NOFILE, limit_that_leaves(9));
    pool.resize(5);
    EXPECT_NE(refusal(pool, 6, std::errc::too_many_files_open), "");
    EXPECT_EQ(pool.size(), 5U);
  }
  ::kill(supervisor, SIGCONT);
  EXPECT_TRUE(has_workers(pool, 5));
}

TEST_P(Growth, BeyondTheAddressSpaceIsRefused) {
  if (kSanitized) GTEST_SKIP() << "a sanitizer takes all addresses";
  Pool pool(options());
  const pid_t worker = pool.apply<&worker_pid>();
  const Limit tight(RLIMIT_AS, address_space() + (20 << 20));
  const std::string text = refusal(pool, 1000, std::errc::not_enough_memory);
  EXPECT_NE(text.find("RLIMIT_AS"), std::string::npos) << text;
  expect_unchanged(pool, worker);
}

TEST_P(Growth, BeyondTheLimitOfFileSizesIsRefused) {
  Pool pool(options());
  const pid_t worker = pool.apply<&worker_pid>();
  const Limit tight(RLIMIT_FSIZE, 4096);
  const std::string text = refusal(pool, 2, std::errc::file_too_large);
  EXPECT_NE(text.find("RLIMIT_FSIZE: 4096"), std::string::npos) << text;
  expect_unchanged(pool, worker);
}

/// Also where a dead worker's place is not filled yet.
TEST_P(Growth, IsNotWhatASmallerPoolIsRefusedFor) {
  Pool pool(options(3));
  const Limit tight(RLIMIT_FSIZE, 4096);  // for which nobody is replaced
  for (const ChildInfo& child : pool.active_children()) ::kill(child.pid, SIGKILL);
  ASSERT_TRUE(eventually([&] { return pool.statistics().departed.workers == 3; }));
  pool.resize(2);
  EXPECT_EQ(pool.size(), 2U);
}

/// What main takes for itself between the call and the start is not known at the call.
TEST_P(Growth, ThatFindsNoDescriptorLaterCostsNoWorkerAndIsMadeUpFor) {
  if (kSanitized) GTEST_SKIP() << "UBSan takes objects for broken where it finds no descriptor";
  Pool pool(options());
  const pid_t worker = pool.apply<&worker_pid>();
  const pid_t supervisor = parent_of(worker);
  ::kill(supervisor, SIGSTOP);
  pool.resize(4);
  {
    std::optional<Limit> none(std::in_place, RLIMIT_NOFILE, 3);
    ::kill(supervisor, SIGCONT);
    std::this_thread::sleep_for(kGivingUpTakes);
    EXPECT_EQ(pool.apply<&worker_pid>(), worker);
  }
  EXPECT_TRUE(has_workers(pool, 4));
  EXPECT_EQ(pool.apply<&add>(1, 2), 3);
}

/// The supervisor may have no process more, or as many as before.
void allow_processes(pid_t supervisor, bool allowed) {
  rlimit limit{};
  if (::prlimit(supervisor, RLIMIT_NPROC, nullptr, &limit) != 0) ::_exit(91);
  limit.rlim_cur = allowed ? limit.rlim_max : 0;
  if (::prlimit(supervisor, RLIMIT_NPROC, &limit, nullptr) != 0) ::_exit(92);
}

/// How many processes a user has cannot be known at the call.
TEST_P(Growth, WithoutProcessesCostsNoWorkerAndIsMadeUpFor) {
  constexpr int kNoSuchUser = 77;
  const pid_t main = start_main([] {
    if (!become_an_ordinary_user()) ::_exit(kNoSuchUser);
    Pool pool(options());
    const pid_t worker = pool.apply<&worker_pid>();
    const pid_t supervisor = parent_of(worker);
    allow_processes(supervisor, false);
    pool.resize(200);
    std::this_thread::sleep_for(kGivingUpTakes);
    if (pool.apply<&worker_pid>() != worker || pool.active_children().size() != 1) ::_exit(1);
    allow_processes(supervisor, true);
    pool.resize(20);
    if (!has_workers(pool, 20)) ::_exit(2);
    if (pool.apply<&add>(1, 2) != 3) ::_exit(3);
  });
  const int status = wait_for(main);
  if (WIFEXITED(status) && WEXITSTATUS(status) == kNoSuchUser) {
    GTEST_SKIP() << "no user to be had for whom there is a limit, and who may run this program";
  }
  EXPECT_EQ(status, 0);
}

/// Nobody is left: what the last one had held is tried anew, and only then the pool gives up.
TEST_P(Growth, IsGivenUpWithTheLastWorker) {
  constexpr int kNoSuchUser = 77;
  const pid_t main = start_main([] {
    if (!become_an_ordinary_user()) ::_exit(kNoSuchUser);
    Pool pool(options());
    const pid_t worker = pool.apply<&worker_pid>();
    allow_processes(parent_of(worker), false);
    pool.resize(3);
    std::this_thread::sleep_for(kGivingUpTakes);
    ::kill(worker, SIGKILL);
    const auto hopeless = pool.apply_async<&add>(1, 1);
    if (hopeless.wait(500ms)) ::_exit(1);
    try {
      static_cast<void>(hopeless.get(kSoon));
      ::_exit(2);
    } catch (const PoolBroken&) {
      pool.join();
    }
  });
  const int status = wait_for(main);
  if (WIFEXITED(status) && WEXITSTATUS(status) == kNoSuchUser) {
    GTEST_SKIP() << "no user to be had for whom there is a limit, and who may run this program";
  }
  EXPECT_EQ(status, 0);
}

/// What the constructor says; the empty text if it does not throw.
std::string refusal_to_begin(const PoolOptions& options, std::errc expected) {
  try {
    const Pool pool(options);
  } catch (const std::system_error& error) {
    EXPECT_EQ(error.code(), expected);
    return error.what();
  }
  return {};
}

/// How many workers this process has ever started, one for this question included.
int starts_so_far() {
  const Pool pool(workers(1));
  const std::string name = pool.active_children().at(0).name;
  return std::stoi(name.substr(name.rfind('-') + 1));
}

TEST_P(Growth, TooLargeAtTheBeginningIsRefusedBeforeAnythingIsStarted) {
  for (const int count : {100'000, std::numeric_limits<int>::max()}) {
    const Limit limit(RLIMIT_NOFILE, 1000);
    const int before = starts_so_far();
    const std::string text = refusal_to_begin(options(count), std::errc::too_many_files_open);
    const std::string expected = "a pool of " + std::to_string(count) + " workers takes " +
                                 std::to_string(2 * std::int64_t{count} + 6) +
                                 " descriptors more (RLIMIT_NOFILE: 1000)";
    EXPECT_NE(text.find(expected), std::string::npos) << text;
    EXPECT_EQ(starts_so_far(), before + 1);
  }
}

/// Neither refuses too much nor too little.
TEST_P(Growth, AtTheBeginningIsRefusedFromTheFirstWorkerOnForWhichThereIsNoDescriptor) {
  if (kSanitized) GTEST_SKIP() << "a sanitizer needs descriptors, too";
  const rlim_t limit = limit_that_leaves(16);  // two for each, one to ask, and five of the pool
  const auto begin_with = [&](int count) {
    const Limit tight(RLIMIT_NOFILE, limit);
    Pool pool(options(count));
    return pool.active_children().size();
  };
  EXPECT_THROW(begin_with(6), std::system_error);
  EXPECT_EQ(begin_with(5), 5U);
}

TEST_P(Growth, AtTheBeginningBeyondOtherLimitsNamesThem) {
  if (kSanitized) GTEST_SKIP() << "a sanitizer takes all addresses";
  {
    const Limit tight(RLIMIT_AS, address_space() + (20 << 20));
    const std::string text = refusal_to_begin(options(400), std::errc::not_enough_memory);
    EXPECT_NE(text.find("RLIMIT_AS"), std::string::npos) << text;
  }
  const Limit tight(RLIMIT_FSIZE, 4096);
  const std::string text = refusal_to_begin(options(), std::errc::file_too_large);
  EXPECT_NE(text.find("RLIMIT_FSIZE: 4096"), std::string::npos) << text;
}

/// More than `resize` can give to a smaller one.
TEST_P(Growth, MayBeginWithMoreThanItCanGrowTo) {
  if (kSanitized) GTEST_SKIP() << "so many copies of a sanitizer's memory take too long";
  if (GetParam() == StartMethod::spawn) GTEST_SKIP() << "so many programs take too long";
  rlimit files{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &files), 0);
  if (files.rlim_max < 2100) GTEST_SKIP() << "so many workers take two thousand descriptors";
  const Limit enough(RLIMIT_NOFILE, files.rlim_max);
  Pool pool(options(1025));
  EXPECT_EQ(pool.size(), 1025U);
  EXPECT_THROW(pool.resize(1026), std::invalid_argument);
}

INSTANTIATE_TEST_SUITE_P(By, Growth,
                         ::testing::Values(StartMethod::fork, StartMethod::forkserver,
                                           StartMethod::spawn),
                         [](const auto& test) { return to_string(test.param); });

}  // namespace
}  // namespace poolproof::testing
