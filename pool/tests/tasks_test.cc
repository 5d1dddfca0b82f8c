#include <gtest/gtest.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <deque>
#include <functional>
#include <list>
#include <memory>
#include <numeric>
#include <sstream>

#include "support.hpp"

namespace poolproof::testing {
namespace {

struct Point {
  int x = 0;
  int y = 0;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(x, y);
  }
  [[nodiscard]] int sum() const { return x + y; }
};

Point mirrored(Point point) {
  return {point.y, point.x};
}
std::unique_ptr<int> boxed(std::unique_ptr<int> number) {
  return std::make_unique<int>(*number + 1);
}
int size_of(const std::string& text) noexcept {
  return static_cast<int>(text.size());
}
void nothing() {}
void nothing_with(int) {}
bool is_odd(int number) {
  return number % 2 != 0;
}

TEST(Pool, RunsAFunctionInAnotherProcess) {
  Pool pool{{.workers = 2}};
  EXPECT_EQ(pool.apply<&add>(2, 3), 5);
  EXPECT_NE(pool.apply<&worker_pid>(), ::getpid());
}

TEST(Pool, ConvertsArgumentsToTheParametersTypes) {
  Pool pool{{.workers = 1}};
  EXPECT_EQ(pool.apply<&half>(7.9), 3.5);
  EXPECT_EQ(pool.apply<&echo>("text"), "text");
  EXPECT_EQ(pool.apply<size_of>("four"), 4);
}

TEST(Pool, TakesLambdasFunctorsAndMembers) {
  Pool pool{{.workers = 1}};
  EXPECT_EQ(pool.apply([](int x) { return x + 1; }, 3), 4);
  EXPECT_EQ(pool.apply([](auto a, auto b) { return a + b; }, std::string("a"), "b"), "ab");
  EXPECT_EQ(pool.apply(std::plus<int>(), 3, 4), 7);
  EXPECT_EQ(pool.apply<&Point::sum>(Point{3, 4}), 7);
}

TEST(Pool, CarriesUserTypesMoveOnlyTypesAndNothing) {
  Pool pool{{.workers = 1}};
  EXPECT_EQ(pool.apply<&mirrored>(Point{1, 2}).x, 2);
  EXPECT_EQ(*pool.apply<&boxed>(std::make_unique<int>(4)), 5);
  pool.apply<&nothing>();
  static_assert(std::is_void_v<decltype(pool.apply<&nothing>())>);
}

TEST(Pool, ReturnsAFutureAtOnce) {
  Pool pool{{.workers = 1}};
  const Future<int> sum = pool.apply_async<&add>(20, 22);
  EXPECT_EQ(sum.get(), 42);
  EXPECT_EQ(sum.get(), 42) << "get is repeatable";
  EXPECT_TRUE(sum.ready());
  EXPECT_TRUE(sum.successful());
}

TEST(Pool, RunsQueuedTasksWhileMainDoesNothing) {
  Pool pool{{.workers = 2}};
  std::vector<Future<int>> sums;
  sums.reserve(50);
  for (int i = 0; i < 50; ++i) sums.push_back(pool.apply_async<&add>(i, 1));
  EXPECT_TRUE(eventually([&] {
    return std::all_of(sums.begin(), sums.end(), [](const auto& sum) { return sum.ready(); });
  }));
}

/// Given ahead to either of two busy workers, and taken back for the one that has finished.
TEST(Pool, BringsAResultFromAnotherWorkerThanTheTaskWasFirstGivenTo) {
  Pool pool(workers(2));
  for (int round = 0; round < 20; ++round) {
    auto soon = pool.apply_async([] { std::this_thread::sleep_for(2ms); });
    auto late = pool.apply_async([] { std::this_thread::sleep_for(60s); });
    auto wanted = pool.apply_async<nothing>();
    const auto since = std::chrono::steady_clock::now();
    wanted.get(kSoon);
    ASSERT_LT(std::chrono::steady_clock::now() - since, kSoon / 2) << "round " << round;
    soon.get(kSoon);
    late.cancel();
  }
}

TEST(Pool, UsesEveryWorkerAtOnce) {
  Pool pool{{.workers = 3}};
  pool.apply_async<&never_end>();
  pool.apply_async<&never_end>();
  EXPECT_EQ(pool.apply<&add>(1, 1), 2) << "by the third";
  pool.apply_async<&never_end>();
  EXPECT_FALSE(pool.apply_async<&add>(1, 1).wait(5ms)) << "there is no fourth";
}

TEST(Pool, MapKeepsTheOrderOfItsInput) {
  Pool pool{{.workers = 3}};
  std::vector<int> items(1000);
  std::iota(items.begin(), items.end(), 0);
  const std::vector<double> halves = pool.map<half>(items);
  ASSERT_EQ(halves.size(), items.size());
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(halves[static_cast<std::size_t>(i)], i / 2.0);
}

TEST(Pool, MapTakesAnyRangeAndChunkSize) {
  Pool pool{{.workers = 2}};
  EXPECT_EQ(pool.map<half>(std::list<int>{2, 4, 6}), (std::vector<double>{1, 2, 3}));
  EXPECT_EQ(pool.map<half>({2, 4}), (std::vector<double>{1, 2}));
  EXPECT_EQ(pool.map<half>(std::deque<int>{2, 4, 6}, 2), (std::vector<double>{1, 2, 3}));
  EXPECT_EQ(pool.map<half>(std::vector<int>{2, 4, 6}, 1000), (std::vector<double>{1, 2, 3}));
  EXPECT_EQ(pool.map([](int x) { return x * x; }, std::vector<int>{1, 2, 3}),
            (std::vector<int>{1, 4, 9}));
  EXPECT_EQ(pool.map<is_odd>(std::vector<int>{1, 2, 3}), (std::vector<bool>{true, false, true}));
  EXPECT_EQ(pool.map<size_of>(std::vector<std::string>{"", "a"}), (std::vector<int>{0, 1}));
  EXPECT_TRUE(pool.map<half>(std::vector<int>{}).empty());
  pool.map<nothing_with>(std::vector<int>{1, 2, 3});
}

TEST(Pool, DefaultChunkSizeIsThatOfMultiprocessing) {
  using detail::default_chunk_size;
  EXPECT_EQ(default_chunk_size(1, 4), 1U);
  EXPECT_EQ(default_chunk_size(16, 4), 1U);
  EXPECT_EQ(default_chunk_size(17, 4), 2U);
  EXPECT_EQ(default_chunk_size(33, 4), 3U);
  EXPECT_EQ(default_chunk_size(100, 4), 7U);
  EXPECT_EQ(default_chunk_size(1000, 2), 125U);
  EXPECT_EQ(default_chunk_size(7, 8), 1U);
}

int odd_or_throw(int number) {
  if (number % 2 == 0) throw std::invalid_argument("even: " + std::to_string(number));
  return number;
}

TEST(Pool, MapThrowsTheErrorOfTheFirstFailedChunk) {
  Pool pool{{.workers = 2}};
  try {
    pool.map<odd_or_throw>(std::vector<int>{1, 3, 4, 6, 7}, 1);
    FAIL();
  } catch (const std::invalid_argument& error) {
    EXPECT_STREQ(error.what(), "even: 4");
  }
  EXPECT_EQ(pool.map<odd_or_throw>(std::vector<int>{1, 3}), (std::vector<int>{1, 3}));
}

TEST(Pool, HasAsManyWorkersAsMainMayUseProcessors) {
  cpu_set_t mine;
  ASSERT_EQ(::sched_getaffinity(0, sizeof mine, &mine), 0);
  const Pool pool;
  EXPECT_EQ(pool.size(), static_cast<std::size_t>(CPU_COUNT(&mine)));
  EXPECT_EQ(pool.active_children().size(), pool.size());
}

TEST(Pool, RefusesLessThanOneWorker) {
  EXPECT_THROW(Pool{{.workers = 0}}, std::invalid_argument);
  EXPECT_THROW(Pool{{.workers = -1}}, std::invalid_argument);
}

TEST(Pool, ListsItsWorkersAsPythonDoes) {
  Pool pool{{.workers = 2, .start_method = StartMethod::fork}};
  const std::vector<ChildInfo> children = pool.active_children();
  ASSERT_EQ(children.size(), 2U);
  for (const ChildInfo& child : children) {
    EXPECT_EQ(child.name.rfind("ForkPoolWorker-", 0), 0U);
    EXPECT_EQ(child.parent, ::getpid());
    EXPECT_TRUE(child.daemon);
    EXPECT_TRUE(child.alive);
    EXPECT_FALSE(is_dead(child.pid));
  }
  std::ostringstream text;
  text << ChildInfo{"ForkPoolWorker-1", 7, 3, true, true, StartMethod::fork};
  EXPECT_EQ(text.str(), "<ForkProcess name='ForkPoolWorker-1' pid=7 parent=3 started daemon>");
  pool.terminate();
  EXPECT_TRUE(pool.active_children().empty());
}

TEST(Pool, WorksWithinATask) {
  Pool pool{{.workers = 1}};
  const int sum = pool.apply([] {
    Pool nested{{.workers = 2}};
    return nested.apply<&add>(1, 2);
  });
  EXPECT_EQ(sum, 3);
}

TEST(Pool, TwoAtOnceDoNotDisturbEachOther) {
  Pool first{{.workers = 1}};
  {
    Pool second{{.workers = 1}};
    EXPECT_EQ(second.apply<&add>(1, 1), 2);
    EXPECT_EQ(first.apply<&add>(2, 2), 4);
  }
  EXPECT_EQ(first.apply<&add>(3, 3), 6);
}

}  // namespace
}  // namespace poolproof::testing
