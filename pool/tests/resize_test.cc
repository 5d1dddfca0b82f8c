#include <gtest/gtest.h>
#include <sched.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <set>

#include "support.hpp"

namespace poolproof::testing {
namespace {

void nap(int milliseconds) {
  std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds));
}

bool has_workers(const Pool& pool, std::size_t count) {
  return eventually([&] { return pool.active_children().size() == count; });
}

TEST(Resize, StartsMoreWorkers) {
  Pool pool{{.workers = 1}};
  const auto first = pool.apply_async<&never_end>();
  const auto second = pool.apply_async<&add>(1, 2);
  pool.resize(3);
  EXPECT_EQ(pool.size(), 3U);
  EXPECT_EQ(second.get(), 3) << "by a new one";
  EXPECT_TRUE(has_workers(pool, 3));
}

TEST(Resize, LetsIdleWorkersGo) {
  Pool pool{{.workers = 4}};
  pool.resize(1);
  EXPECT_EQ(pool.size(), 1U);
  EXPECT_TRUE(has_workers(pool, 1));
  EXPECT_EQ(pool.apply<&add>(1, 2), 3);
}

TEST(Resize, LetsBusyWorkersFinish) {
  Pool pool{{.workers = 3}};
  std::vector<Future<void>> naps;
  naps.reserve(3);
  for (int i = 0; i < 3; ++i) naps.push_back(pool.apply_async<&nap>(50));
  pool.resize(1);
  for (const auto& done : naps) EXPECT_NO_THROW(done.get());
  EXPECT_TRUE(has_workers(pool, 1));
}

/// Who is busy for ever counts: it is one of the few, and who can leave at once leaves.
TEST(Resize, LetsGoWhoHasNothingInHand) {
  for (int turn = 0; turn < 20; ++turn) {
    Pool pool{{.workers = 3}};
    std::vector<Future<void>> naps;
    for (int i = 0; i < 2; ++i) naps.push_back(pool.apply_async<&nap>(1));
    const auto last = pool.apply_async<&never_end>();  // by any of them
    for (const auto& done : naps) done.get();
    ASSERT_TRUE(eventually([&] { return pool.statistics().workers.size() == 3; }));
    pool.resize(1);
    ASSERT_TRUE(has_workers(pool, 1));
    const auto next = pool.apply_async<&add>(1, 2);
    EXPECT_FALSE(last.ready() || next.ready());
    pool.resize(2);
    EXPECT_EQ(next.get(), 3) << "by a second one";
  }
}

TEST(Resize, LosesNothingUnderLoad) {
  Pool pool{{.workers = 2}};
  std::vector<Future<int>> sums;
  for (int i = 0; i < 400; ++i) {
    sums.push_back(pool.apply_async<&add>(i, 1));
    if (i % 20 == 0) pool.resize(1 + i / 20 % 4);
  }
  for (int i = 0; i < 400; ++i) ASSERT_EQ(sums[static_cast<std::size_t>(i)].get(), i + 1);
  pool.resize(2);
  EXPECT_TRUE(has_workers(pool, 2));
}

TEST(Resize, GrowsAgainWhileSomeAreLeaving) {
  Pool pool{{.workers = 3}};
  for (int i = 0; i < 30; ++i) pool.resize(1 + i % 3);
  EXPECT_TRUE(has_workers(pool, 3));
  EXPECT_EQ(pool.apply<&add>(1, 2), 3);
}

TEST(Resize, RefusesWhatCannotBe) {
  Pool pool{{.workers = 1}};
  EXPECT_THROW(pool.resize(0), std::invalid_argument);
  EXPECT_THROW(pool.resize(1025), std::invalid_argument);
  pool.close();
  EXPECT_THROW(pool.resize(2), PoolNotRunning);
}

TEST(Resize, ToManyDoesNotKeepTheEndFromReachingWhatTasksStarted) {
  rlimit files{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &files), 0);
  if (files.rlim_max < 2100) GTEST_SKIP() << "so many workers take two thousand descriptors";
  const Limit enough(RLIMIT_NOFILE, files.rlim_max);
  for (int i = 0; i < rounds(4); ++i) {
    Pool pool{{.workers = 2}};
    const pid_t started = pool.apply([] {
      const pid_t pid = ::fork();
      if (pid == 0) {
        never_end();
        ::_exit(0);
      }
      return pid;
    });
    // It comes to none of the commands yet. Too short a nap proves nothing, but fails nobody.
    ::kill(parent_of(pool.active_children().front().pid), SIGSTOP);
    pool.resize(1000);
    nap(20);
    pool.terminate();
    const bool ended = eventually([&] { return is_dead(started); }, 1s);
    EXPECT_TRUE(ended);
    if (!ended) ::kill(started, SIGKILL);
  }
}

TEST(Resize, KeepsAClosedPoolDraining) {
  Pool pool{{.workers = 3}};
  const auto naps = pool.map_async<nap>(std::vector<int>(9, 5), {.chunk_size = 1});
  pool.resize(1);
  pool.close();
  EXPECT_TRUE(pool.join(kSoon));
  EXPECT_TRUE(naps.successful());
}

TEST(Statistics, TellHowWorkersSpendTheirTime) {
  Pool pool{{.workers = 1, .initializer = {[](int milliseconds) { nap(milliseconds); }, 30}}};
  pool.apply<&nap>(40);
  pool.apply<&nap>(0);
  const PoolStatistics statistics = pool.statistics();
  ASSERT_EQ(statistics.workers.size(), 1U);
  const WorkerStatistics& worker = statistics.workers[0];
  EXPECT_EQ(worker.pid, pool.active_children().at(0).pid);
  EXPECT_EQ(worker.name, pool.active_children().at(0).name);
  EXPECT_EQ(worker.tasks, 2U);
  EXPECT_GE(worker.working, 40ms);
  EXPECT_GE(worker.initialising, 30ms);
  EXPECT_GT(worker.start_up, 0ns);
  const auto lifetime = std::chrono::steady_clock::now() - worker.started;
  EXPECT_LE(worker.start_up + worker.initialising + worker.waiting + worker.working, lifetime);
}

/// All threads of this process: whoever else wakes up runs first.
void let_all_others_run_first() {
  const sched_param none{};
  for (const pid_t thread : threads_of_this_process()) {
    if (::sched_setscheduler(thread, SCHED_IDLE, &none) != 0) ::_exit(95);
  }
}

/// From here on with all that it starts.
void stay_on_one_processor() {
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(static_cast<std::size_t>(::sched_getcpu()), &one);
  if (::sched_setaffinity(0, sizeof one, &one) != 0) ::_exit(96);
}

bool both_have_started(const Pool& pool) {
  const std::vector<WorkerStatistics> now = pool.statistics().workers;
  return now.size() == 2 && std::all_of(now.begin(), now.end(),
                                        [](const auto& worker) { return worker.start_up > 0ns; });
}

TEST(Statistics, AWorkerIsReadyAfterItWasAskedForHoweverFastItIs) {
  if (kSanitized) GTEST_SKIP() << "what a sanitizer adds takes long where all others run first";
  const pid_t main = start_main([] {
    stay_on_one_processor();
    Pool pool{{.workers = 1}};
    let_all_others_run_first();
    pool.resize(2);
    const bool started = eventually([&] { return both_have_started(pool); }, kSoon / 2);
    pool.terminate();
    pool.join();
    ::_exit(started ? 0 : 1);
  });
  EXPECT_EQ(wait_for(main), 0);
}

TEST(Statistics, CountTheDepartedAndTheQueued) {
  PoolOptions options = workers(1);
  options.tasks_per_worker = 2;
  Pool pool(options);
  for (int i = 0; i < 6; ++i) pool.apply<&nap>(0);
  EXPECT_TRUE(eventually([&] { return pool.statistics().departed.workers == 3; }));
  EXPECT_EQ(pool.statistics().departed.tasks, 6U);
  const auto running = pool.apply_async<&never_end>();
  EXPECT_TRUE(eventually([&] { return pool.statistics().queued == 0; }));
  const auto queued = pool.apply_async<&never_end>();
  EXPECT_EQ(pool.statistics().queued, 1U);
  queued.cancel();
  EXPECT_EQ(pool.statistics().queued, 0U);
}

}  // namespace
}  // namespace poolproof::testing
