#include <gtest/gtest.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <string>

#include "support.hpp"

// Workers that end before they can take a task, by signals too, are not started without end: the
// pool gives up, and says so to everybody.
namespace poolproof::testing {
namespace {

constexpr const char* kDieEarly = "POOLPROOF_TESTS_DIE_EARLY";
/// The pool gives up after 11 failures in a row; and the first worker, and one to tell by.
constexpr int kMostStarts = 13;

std::string name_of(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/comm");
  std::string name;
  std::getline(file, name);
  return name;
}

/// Only the children of a supervisor are workers.
void die_if_worker() {
  if (std::getenv(kDieEarly) && name_of(::getppid()) == "poolproof") ::raise(SIGKILL);
}
/// In a copy of the program before `main`, in a copy of the process at once.
const bool armed = [] {
  die_if_worker();
  return ::pthread_atfork(nullptr, nullptr, &die_if_worker) == 0;
}();

/// How many workers this process has ever started, one for this question included.
int starts_so_far() {
  Pool pool{{.workers = 1}};
  const std::string name = pool.active_children().at(0).name;
  return std::atoi(name.c_str() + name.rfind('-') + 1);
}

class FailingStart : public ::testing::TestWithParam<StartMethod> {
 protected:
  [[nodiscard]] static PoolOptions options(int count = 1) {
    return {.workers = count, .start_method = GetParam()};
  }
  /// All that wait and all that come later are told, and `join` ends.
  static void expect_given_up(Pool& pool, const Future<int>& pending) {
    EXPECT_THROW(pending.get(kSoon), PoolBroken);
    EXPECT_THROW(pool.apply<&add>(1, 1), PoolBroken);
    EXPECT_TRUE(pool.join(kSoon));
    EXPECT_TRUE(pool.active_children().empty());
  }
};

TEST_P(FailingStart, ByASignalEachTimeBreaksThePool) {
  ASSERT_TRUE(armed);
  const int before = starts_so_far();
  {
    ::setenv(kDieEarly, "1", 1);
    Pool pool(options());
    ::unsetenv(kDieEarly);
    expect_given_up(pool, pool.apply_async<&add>(1, 1));
  }
  EXPECT_LE(starts_so_far() - before, kMostStarts);
}

TEST_P(FailingStart, OfAllOfSeveralWorkersBreaksThePool) {
  ::setenv(kDieEarly, "1", 1);
  Pool pool(options(4));
  ::unsetenv(kDieEarly);
  expect_given_up(pool, pool.apply_async<&add>(1, 1));
}

/// As the program's loader sees it, or the worker that maps its ring.
TEST_P(FailingStart, ForLackOfAddressSpaceBreaksThePool) {
  if (kSanitized) GTEST_SKIP() << "a sanitizer's processes need more address space than there is";
  const int before = starts_so_far();
  {
    Pool pool(options());
    const pid_t worker = pool.apply<&worker_pid>();
    const pid_t supervisor = parent_of(worker);
    const rlimit none{4096, 4096};
    ASSERT_EQ(::prlimit(supervisor, RLIMIT_AS, &none, nullptr), 0);
    ::kill(worker, SIGKILL);
    ASSERT_TRUE(eventually([&] { return parent_of(worker) == 0; }));
    expect_given_up(pool, pool.apply_async<&add>(1, 1));
  }
  EXPECT_LE(starts_so_far() - before, kMostStarts);
}

TEST_P(FailingStart, NowAndThenIsNoReasonToGiveUp) {
  Pool pool(options());
  for (int i = 0; i < 30; ++i) {
    ::kill(pool.active_children().at(0).pid, SIGKILL);  // perhaps before it is ready
    ASSERT_EQ(pool.apply<&add>(i, 1), i + 1);
  }
}

INSTANTIATE_TEST_SUITE_P(By, FailingStart,
                         ::testing::Values(StartMethod::fork, StartMethod::forkserver,
                                           StartMethod::spawn),
                         [](const auto& test) { return to_string(test.param); });

}  // namespace
}  // namespace poolproof::testing
