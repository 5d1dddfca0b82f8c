#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>
#include <string>
#include <tuple>
#include <vector>

#include "ring.hpp"
#include "support.hpp"

// A task that overwrites all that its worker shares with main costs its own worker, no more.
namespace poolproof::testing {
namespace {

/// The ring of this worker, by /proc; null if it can't be found.
detail::SharedRing* own_ring() {
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) {
    std::istringstream fields(line);
    std::uintptr_t begin = 0;
    std::uintptr_t end = 0;
    char dash = 0;
    fields >> std::hex >> begin >> dash >> end;
    constexpr std::size_t kPage = 4096;
    const bool is_it = line.find("rw-s") != std::string::npos &&
                       line.find("/memfd:poolproof") != std::string::npos &&
                       end - begin == (sizeof(detail::SharedRing) + kPage - 1) / kPage * kPage;
    // NOLINTNEXTLINE(performance-no-int-to-ptr): where /proc says that it is
    if (is_it) return reinterpret_cast<detail::SharedRing*>(begin);
  }
  return nullptr;
}

enum class Filling { zeros, ones, random };
void PrintTo(Filling filling, std::ostream* out) {
  *out << (filling == Filling::zeros ? "zeros" : filling == Filling::ones ? "ones" : "random");
}

/// All of the mapping, doorbells and counters too. By bytes that no compiler may leave out. That it
/// is a race with whoever reads is the point, and nothing for ThreadSanitizer to tell.
__attribute__((no_sanitize("thread"))) void overwrite_range(void* at, std::size_t size,
                                                            Filling filling, unsigned seed) {
  std::vector<char> garbage(size, filling == Filling::ones ? '\xff' : '\0');
  std::mt19937 random(seed);
  if (filling == Filling::random) {
    for (char& byte : garbage) byte = static_cast<char>(random());
  }
  auto* const to = static_cast<volatile char*>(at);
  for (std::size_t i = 0; i < garbage.size(); ++i) to[i] = garbage[i];
}

void overwrite(detail::SharedRing* ring, Filling filling, unsigned seed) {
  overwrite_range(ring, sizeof *ring, filling, seed);
}

int overwrite_now(Filling filling, unsigned seed) {
  overwrite(own_ring(), filling, seed);
  return 1;
}

/// Nothing but the doorbells, by which all are woken.
void overwrite_doorbells(detail::SharedRing* ring, Filling filling, unsigned seed) {
  for (detail::Doorbell* bell : {&ring->for_tasks, &ring->for_room, &ring->for_results}) {
    overwrite_range(bell, sizeof *bell, filling, seed);
  }
}

int overwrite_doorbells_now(Filling filling, unsigned seed) {
  overwrite_doorbells(own_ring(), filling, seed);
  return 4;
}

/// While the worker waits for a message.
int overwrite_doorbells_soon(Filling filling, unsigned seed, const std::string& roll) {
  detail::SharedRing* const ring = own_ring();
  std::thread([=] {
    eventually([&] {
      return (ring->for_tasks.asleep.load() & 3) == static_cast<unsigned>(detail::Rest::socket);
    });
    overwrite_doorbells(ring, filling, seed);
    sign(roll);
  }).detach();
  return 5;
}

/// Once main has read the answer of this task, while the worker waits for the next or has it.
/// Signs then; the answer is the worker's pid.
int overwrite_soon(Filling filling, unsigned seed, const std::string& roll) {
  detail::SharedRing* const ring = own_ring();
  const std::uint64_t before = ring->results_written.load();
  std::thread([=] {
    eventually([&] { return ring->results_read.load() > before; });
    overwrite(ring, filling, seed);
    sign(roll);
  }).detach();
  return ::getpid();
}

/// Until the worker is killed; also while main reads what it was given.
int overwrite_for_ever(unsigned seed) {
  detail::SharedRing* const ring = own_ring();
  std::thread([=] {
    for (unsigned i = 0;; ++i) overwrite(ring, Filling::random, seed + i);
  }).detach();
  return 3;
}

class Garbage : public ::testing::TestWithParam<std::tuple<StartMethod, Filling>> {
 protected:
  void SetUp() override { descriptors_ = open_descriptors(); }
  /// `pool` has two workers and goes on; what it started goes with it.
  void expect_unharmed(Pool& pool) const {
    std::vector<int> numbers(100);
    for (int i = 0; i < 100; ++i) numbers[i] = i;
    const std::vector<double> halves = pool.map<&half>(numbers, 1);
    for (int i = 0; i < 100; ++i) EXPECT_EQ(halves[i], i / 2.0);
    EXPECT_TRUE(eventually([&] { return pool.active_children().size() == 2; }));
    static_cast<void>(pool.statistics());
    pool.close();
    EXPECT_TRUE(pool.join(kSoon));
    EXPECT_EQ(open_descriptors(), descriptors_);
  }
  /// Of a task that a worker may have had besides: before the garbage, and main had not read the
  /// answer, or after it.
  template <class T>
  static void expect_result_or_death(const Future<T>& future, const T& result) {
    try {
      EXPECT_EQ(future.get(kSoon), result);
    } catch (const WorkerDied&) {
    }
  }
  static int pid_or_none(const Future<int>& future) {
    try {
      return future.get();
    } catch (const WorkerDied&) {
      return 0;
    }
  }
  static bool is_active(const Pool& pool, int pid) {
    const std::vector<ChildInfo> now = pool.active_children();
    return std::any_of(now.begin(), now.end(),
                       [&](const ChildInfo& child) { return child.pid == pid; });
  }
  /// So that nobody is left who has garbage and was given nothing since.
  static void replace_workers(const Pool& pool) {
    const std::vector<ChildInfo> before = pool.active_children();
    for (const ChildInfo& child : before) ::kill(child.pid, SIGKILL);
    EXPECT_TRUE(eventually([&] {
      const std::vector<ChildInfo> now = pool.active_children();
      const auto is_old = [&](const ChildInfo& child) {
        return std::any_of(before.begin(), before.end(),
                           [&](const ChildInfo& old) { return old.pid == child.pid; });
      };
      return now.size() == 2 && std::none_of(now.begin(), now.end(), is_old);
    }));
  }
  [[nodiscard]] static PoolOptions options() {
    return {.workers = 2, .start_method = std::get<0>(GetParam())};
  }
  static Filling filling() { return std::get<1>(GetParam()); }
  static unsigned seeds() { return filling() == Filling::random ? 20 : 3; }

 private:
  int descriptors_ = 0;
};

TEST_P(Garbage, WithinATaskKillsItsWorkerAlone) {
  Pool pool(options());
  for (unsigned seed = 0; seed < seeds(); ++seed) {
    const auto hostile = pool.apply_async<&overwrite_now>(filling(), seed);
    const auto limited =
        pool.apply_async<&overwrite_now>({.time_limit = 100s}, filling(), seed + 1000);
    const auto innocent = pool.apply_async<&echo>(std::string(50'000, 'x'));
    ASSERT_TRUE(hostile.wait(kSoon)) << seed;
    EXPECT_THROW(hostile.get(), WorkerDied) << seed;
    ASSERT_TRUE(limited.wait(kSoon)) << seed;
    EXPECT_THROW(limited.get(), WorkerDied) << seed;
    expect_result_or_death(innocent, std::string(50'000, 'x'));
  }
  expect_unharmed(pool);
}

/// The next task of that worker may fail with it, or be done.
TEST_P(Garbage, BetweenTasksIsNoticedWithTheNext) {
  Pool pool(options());
  for (unsigned seed = 0; seed < seeds(); ++seed) {
    const Roll roll;
    const auto hostile = pool.apply_async<&overwrite_soon>(filling(), seed, roll.path());
    ASSERT_TRUE(hostile.wait(kSoon));
    // The worker may notice the first of it, and leave before the last, or before main has its pid.
    EXPECT_TRUE(eventually([&] {
      return std::filesystem::file_size(roll.path()) > 0 || !is_active(pool, pid_or_none(hostile));
    }));
    for (int i = 0; i < 4; ++i) expect_result_or_death(pool.apply_async<&add>(i, 1), i + 1);
  }
  replace_workers(pool);
  expect_unharmed(pool);
}

/// A value that lies there while it is overwritten is another one; nobody else sees to that.
TEST_P(Garbage, BesideTheNextTaskOfItsWorkerHarmsNobodyElse) {
  Pool pool(options());
  for (unsigned seed = 0; seed < seeds(); ++seed) {
    const Roll roll;
    const auto hostile = pool.apply_async<&overwrite_soon>(filling(), seed, roll.path());
    EXPECT_TRUE(hostile.wait(kSoon));
    for (int i = 0; i < 4; ++i) EXPECT_TRUE(pool.apply_async<&add>(i, 1).wait(kSoon));
  }
  replace_workers(pool);
  expect_unharmed(pool);
}

/// Nobody is harmed, and nobody left asleep.
TEST_P(Garbage, InTheDoorbellsAloneWakesAllTheSame) {
  PoolOptions one = options();
  one.workers = 1;
  Pool pool(one);
  for (unsigned seed = 0; seed < seeds(); ++seed) {
    EXPECT_EQ(pool.apply_async<&overwrite_doorbells_now>(filling(), seed).get(kSoon), 4);
    const Roll roll;
    const auto soon = pool.apply_async<&overwrite_doorbells_soon>(filling(), seed, roll.path());
    EXPECT_EQ(soon.get(kSoon), 5);
    EXPECT_TRUE(roll.has(1));
    EXPECT_EQ(pool.apply_async<&add>(1, 1).get(kSoon), 2);
  }
}

/// How such a worker's task ends is a matter of chance; main and the other worker go on.
TEST_P(Garbage, WithoutEndHarmsNobodyElse) {
  Pool pool(options());
  for (unsigned seed = 0; seed < seeds(); ++seed) {
    const auto hostile = pool.apply_async<&overwrite_for_ever>(seed * 1000);
    hostile.wait(10ms);
    hostile.cancel();
    replace_workers(pool);
    EXPECT_EQ(pool.apply_async<&add>(1, 1).get(kSoon), 2);
  }
  expect_unharmed(pool);
}

INSTANTIATE_TEST_SUITE_P(
    By, Garbage,
    ::testing::Combine(::testing::Values(StartMethod::fork, StartMethod::forkserver,
                                         StartMethod::spawn),
                       ::testing::Values(Filling::zeros, Filling::ones, Filling::random)),
    [](const auto& test) {
      return std::string(to_string(std::get<0>(test.param))) + '_' +
             ::testing::PrintToString(std::get<1>(test.param));
    });

}  // namespace
}  // namespace poolproof::testing
