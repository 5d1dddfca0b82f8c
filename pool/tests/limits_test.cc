#include <gtest/gtest.h>
#include <unistd.h>

#include <random>
#include <set>

#include "duration.hpp"
#include "support.hpp"

namespace poolproof::testing {
namespace {

/// Tells its pid through a pipe that the worker was forked with... there is none: by a file name.
int spin() {
  for (volatile bool go_on = true; go_on;) {
  }
  return 0;
}

void nap(int milliseconds) {
  std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds));
}

TEST(Limits, TheLargestIsNoLimit) {
  Pool pool{{.workers = 1}};
  EXPECT_EQ(pool.apply_async<&add>({.time_limit = std::chrono::nanoseconds::max()}, 1, 1).get(), 2);
}

TEST(Limits, AreTakenByTheCallsThatWait) {
  Pool pool{{.workers = 1}};
  constexpr auto kShort = std::chrono::milliseconds(50);
  EXPECT_THROW(pool.apply<&never_end>({.time_limit = kShort}), TimeLimitExceeded);
  EXPECT_THROW(pool.apply(
                   {.time_limit = kShort}, [](int ms) { nap(ms); }, 60'000),
               TimeLimitExceeded);
  EXPECT_THROW(pool.map<&nap>({60'000}, {.time_limit = kShort}), TimeLimitExceeded);
  EXPECT_THROW(pool.starmap<&nap>({{60'000}}, {.time_limit = kShort}), TimeLimitExceeded);
  EXPECT_EQ(pool.apply<&add>({.time_limit = kSoon}, 1, 1), 2);
  EXPECT_THROW(pool.apply<&add>({.time_limit = -kShort}, 1, 1), std::invalid_argument);
}

TEST(Deadlines, OfAnySizeDoNotOverflow) {
  Pool pool{{.workers = 1}};
  const auto endless = pool.apply_async<&never_end>();
  EXPECT_FALSE(endless.wait(std::chrono::seconds(-10'000'000'000)));
  EXPECT_EQ(detail::deadline_after(std::chrono::days::max()), detail::kNever);
  EXPECT_EQ(detail::deadline_after(std::chrono::hours::max()), detail::kNever);
  const auto long_ago = detail::deadline_after(std::chrono::hours::min());
  EXPECT_LE(long_ago, std::chrono::steady_clock::now());
  endless.cancel();
}

TEST(Cancel, AQueuedTaskNeverRuns) {
  Pool pool{{.workers = 1}};
  const auto running = pool.apply_async<&never_end>();
  const auto queued = pool.apply_async<&add>(1, 1);
  const auto next = pool.apply_async<&add>(2, 2);
  EXPECT_TRUE(queued.cancel());
  EXPECT_THROW(queued.get(), Cancelled);
  EXPECT_FALSE(queued.cancel()) << "it has its outcome";
  EXPECT_FALSE(next.ready());
  EXPECT_TRUE(running.cancel());
  EXPECT_EQ(next.get(), 4);
}

TEST(Cancel, GivesBackTheMemoryOfWhatIsQueuedBehindAnother) {
  Pool pool{{.workers = 1}};
  const auto running = pool.apply_async<&never_end>();
  // More than a worker is given ahead: some wait in the queue.
  std::vector<Future<int>> waiting;
  waiting.reserve(300);
  for (int i = 0; i < 300; ++i) waiting.push_back(pool.apply_async<&add>(i, 1));
  const int descriptors = open_descriptors();
  const std::string large(100'000, 'x');  // a file each
  for (int i = 0; i < 300; ++i) EXPECT_TRUE(pool.apply_async<&echo>(large).cancel());
  EXPECT_LE(open_descriptors(), descriptors + 60);
  running.cancel();
  int next = 0;
  for (const auto& future : waiting) EXPECT_EQ(future.get(kSoon), ++next);
}

TEST(Cancel, ARunningTaskIsStoppedAndItsWorkerReplaced) {
  Pool pool{{.workers = 1}};
  const pid_t worker = pool.apply<&worker_pid>();
  const auto endless = pool.apply_async<&spin>();
  ASSERT_TRUE(eventually([&] { return state_of(worker) == 'R'; }));
  EXPECT_TRUE(endless.cancel());
  EXPECT_THROW(endless.get(0ms), Cancelled) << "at once";
  EXPECT_TRUE(eventually([&] { return is_dead(worker); }));
  EXPECT_NE(pool.apply<&worker_pid>(), worker);
  EXPECT_EQ(pool.active_children().size(), 1U);
}

TEST(Cancel, AFinishedTaskKeepsItsResult) {
  Pool pool{{.workers = 1}};
  const auto sum = pool.apply_async<&add>(1, 2);
  sum.wait();
  const pid_t worker = pool.apply<&worker_pid>();
  EXPECT_FALSE(sum.cancel());
  EXPECT_EQ(sum.get(), 3);
  EXPECT_EQ(pool.apply<&worker_pid>(), worker);
}

// pebble#153: there the kill hits whatever the worker does next.
TEST(Cancel, NeverHitsAnotherTask) {
  Pool pool{{.workers = 2}};
  int cancelled = 0;
  for (int i = 0; i < 500; ++i) {
    const auto doomed = pool.apply_async<&add>(i, 1);
    const auto next = pool.apply_async<&add>(i, 2);
    const auto last = pool.apply_async<&add>(i, 3);
    if (i % 3 != 0) nap(0);
    if (doomed.cancel()) ++cancelled;
    ASSERT_EQ(next.get(), i + 2);
    ASSERT_EQ(last.get(), i + 3);
  }
  RecordProperty("cancelled", cancelled);
}

void work_for(std::chrono::nanoseconds time) {
  const auto end = std::chrono::steady_clock::now() + time;
  while (std::chrono::steady_clock::now() < end) {
  }
}

// Nor where the worker goes on to it just then.
TEST(Cancel, AtTheVeryEndOfATaskDoesNotHitTheNext) {
  Pool pool{{.workers = 1}};
  std::mt19937 random(1);
  for (int i = 0; i < rounds(kSanitized ? 100 : 500); ++i) {
    const auto doomed = pool.apply_async<&work_for>(20us);
    const auto next = pool.apply_async<&work_for>(100us);
    work_for(std::chrono::microseconds(random() % 60));
    doomed.cancel();
    ASSERT_NO_THROW(next.get()) << i;
  }
}

TEST(Cancel, StopsAWholeMap) {
  Pool pool{{.workers = 2}};
  std::vector<int> items(50, 100'000);
  const auto naps = pool.map_async<nap>(items, {.chunk_size = 1});
  EXPECT_TRUE(naps.cancel());
  EXPECT_THROW(naps.get(), Cancelled);
  EXPECT_EQ(pool.apply<&add>(1, 1), 2);
}

TEST(Cancel, LetsAClosedPoolEnd) {
  Pool pool{{.workers = 1}};
  const auto endless = pool.apply_async<&never_end>();
  const auto queued = pool.apply_async<&never_end>();
  pool.close();
  EXPECT_TRUE(queued.cancel());
  EXPECT_TRUE(endless.cancel());
  EXPECT_TRUE(pool.join(kSoon));
}

TEST(Cancel, AfterTheEndIsNoError) {
  Pool pool{{.workers = 1}};
  const auto endless = pool.apply_async<&never_end>();
  pool.terminate();
  EXPECT_FALSE(endless.cancel());
  EXPECT_THROW(endless.get(), Terminated);
}

TEST(TimeLimit, StopsTheTaskAndNamesItsWorker) {
  Pool pool{{.workers = 1}};
  const pid_t worker = pool.apply<&worker_pid>();
  try {
    pool.apply_async<&spin>({.time_limit = 20ms}).get();
    FAIL();
  } catch (const TimeLimitExceeded& error) {
    EXPECT_EQ(error.pid(), worker);
    EXPECT_EQ(error.limit(), 20ms);
    EXPECT_NE(std::string(error.what()).find("its limit of 20 ms; worker"), std::string::npos)
        << error.what();
  }
  EXPECT_TRUE(eventually([&] { return is_dead(worker); }));
  EXPECT_EQ(pool.apply<&add>(1, 1), 2);
}

TEST(TimeLimit, IsToldInAUnitThatFitsIt) {
  EXPECT_EQ(detail::to_text(2s), "2 s");
  EXPECT_EQ(detail::to_text(1500ms), "1.5 s");
  EXPECT_EQ(detail::to_text(std::chrono::hours(48) + 500ms), "172800.5 s");
  EXPECT_EQ(detail::to_text(60ms), "60 ms");
  EXPECT_EQ(detail::to_text(1ms + 5ns), "1.000005 ms");
  EXPECT_EQ(detail::to_text(250us), "250 us");
  EXPECT_EQ(detail::to_text(7ns), "7 ns");
}

TEST(TimeLimit, DoesNotCountTheTimeInTheQueue) {
  Pool pool{{.workers = 1}};
  const auto first = pool.apply_async<&nap>(100);
  const auto second = pool.apply_async<&add>({.time_limit = 50ms}, 1, 2);
  EXPECT_EQ(second.get(), 3);
}

TEST(TimeLimit, IsThatOfEachItemOfAMap) {
  Pool pool{{.workers = 1}};
  const std::vector<int> items(10, 20);  // together longer than the limit
  EXPECT_NO_THROW(
      pool.map_async<nap>(items, {.chunk_size = 10, .time_limit = kSanitized ? 190ms : 150ms})
          .get());
  EXPECT_THROW(
      pool.map_async<nap>(std::vector<int>{1, 100'000}, {.chunk_size = 2, .time_limit = 20ms})
          .get(),
      TimeLimitExceeded);
  EXPECT_THROW(pool.map<nap>(std::vector<int>{1, 100'000}, {.time_limit = 20ms}),
               TimeLimitExceeded);
}

TEST(TimeLimit, OfThePoolHoldsUnlessTheTaskSaysOtherwise) {
  PoolOptions options = workers(1);
  options.time_limit = 20ms;
  Pool pool(options);
  EXPECT_THROW(pool.apply<&spin>(), TimeLimitExceeded);
  EXPECT_NO_THROW(pool.apply_async<&nap>({.time_limit = 100s}, 50).get());
}

/// Main may signal nobody any more: the supervisor does it.
TEST(Limits, AreKeptByAPoolWhoseMainHasGivenUpItsPrivileges) {
  if (::getuid() != 0) GTEST_SKIP() << "only root has any";
  const pid_t main = start_main([] {
    Pool pool{{.workers = 1}};
    if (pool.apply<&add>(1, 1) != 2) ::_exit(1);
    if (::setresgid(65534, 65534, 65534) != 0 || ::setresuid(65534, 65534, 65534) != 0) ::_exit(2);
    const auto endless = pool.apply_async<&never_end>();
    if (!eventually([&] { return pool.statistics().queued == 0; })) ::_exit(3);
    if (!endless.cancel()) ::_exit(4);
    if (pool.apply_async<&add>(2, 2).get(kSoon) != 4) ::_exit(5);
    try {
      pool.apply_async<&spin>({.time_limit = 20ms}).get(kSoon);
      ::_exit(6);
    } catch (const TimeLimitExceeded&) {
    }
    if (pool.apply_async<&add>(3, 3).get(kSoon) != 6) ::_exit(7);
    pool.apply_async<&never_end>();
  });
  EXPECT_EQ(wait_for(main), 0) << "its destructor has ended all";
}

TEST(TimeLimit, MustBePositive) {
  PoolOptions options = workers(1);
  options.time_limit = 0s;
  EXPECT_THROW(Pool{options}, std::invalid_argument);
  Pool pool{{.workers = 1}};
  EXPECT_THROW(pool.apply_async<&spin>({.time_limit = -1s}), std::invalid_argument);
  EXPECT_THROW(pool.map<&nap>(std::vector<int>{1}, {.time_limit = 0s}), std::invalid_argument);
  EXPECT_THROW(pool.imap<&nap>(std::vector<int>{1}, {.time_limit = 0s}), std::invalid_argument);
}

}  // namespace
}  // namespace poolproof::testing
