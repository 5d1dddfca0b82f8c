#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <type_traits>

#include "support.hpp"

namespace poolproof::testing {
namespace {

void expect_refuses_work(Pool& pool) {
  const std::string how = pool.state() == PoolState::closed ? "closed" : "terminated";
  try {
    pool.apply<&add>(1, 1);
    FAIL();
  } catch (const PoolNotRunning& error) {
    EXPECT_EQ(error.what(), "pool not running: it was " + how +
                                " and takes no more tasks; make another one for them");
  }
  EXPECT_THROW(pool.apply<&add>(1, 1), PoolNotRunning);
  EXPECT_THROW(pool.apply_async<&add>(1, 1), PoolNotRunning);
  EXPECT_THROW(pool.map<half>(std::vector<int>{1}), PoolNotRunning);
  EXPECT_THROW(pool.map<half>(std::vector<int>{}), PoolNotRunning);
}

TEST(States, SubmitAfterCloseIsRefused) {
  Pool pool{{.workers = 1}};
  EXPECT_EQ(pool.state(), PoolState::running);
  pool.close();
  EXPECT_EQ(pool.state(), PoolState::closed);
  expect_refuses_work(pool);
  pool.join();
  expect_refuses_work(pool);
}

TEST(States, SubmitAfterTerminateIsRefused) {
  Pool pool{{.workers = 1}};
  pool.terminate();
  EXPECT_EQ(pool.state(), PoolState::terminated);
  expect_refuses_work(pool);
  pool.join();
  expect_refuses_work(pool);
}

TEST(States, JoinBeforeCloseIsRefused) {
  Pool pool{{.workers = 1}};
  EXPECT_THROW(pool.join(), PoolStillRunning);
  EXPECT_THROW(static_cast<void>(pool.join(0ms)), PoolStillRunning);
  EXPECT_EQ(pool.apply<&add>(1, 1), 2) << "and the pool goes on";
}

TEST(States, EndingsMayBeRepeatedInAnyOrder) {
  Pool pool{{.workers = 2}};
  pool.close();
  pool.close();
  pool.join();
  pool.join();
  pool.terminate();
  EXPECT_EQ(pool.state(), PoolState::terminated);
  pool.close();
  EXPECT_EQ(pool.state(), PoolState::terminated);
  pool.terminate();
  pool.join();
}

TEST(States, EndingsMayComeFromSeveralThreads) {
  for (int round = 0; round < 10; ++round) {
    Pool pool{{.workers = 2}};
    for (int i = 0; i < 20; ++i) pool.apply_async<&add>(i, i);
    std::vector<std::thread> threads;
    for (int i = 0; i < 2; ++i) {
      threads.emplace_back([&] {
        pool.close();
        pool.join();
      });
      threads.emplace_back([&] {
        pool.terminate();
        pool.join();
      });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(pool.state(), PoolState::terminated);
  }
}

TEST(States, SubmissionsMayComeFromSeveralThreads) {
  Pool pool{{.workers = 2}};
  std::atomic<int> right = 0;
  std::vector<std::thread> threads;
  threads.reserve(4);
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 100; ++i) right += pool.apply<&add>(t, i) == t + i;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(right, 400);
}

TEST(States, CloseDrainsWhatWasAccepted) {
  Pool pool{{.workers = 2}};
  std::vector<Future<int>> sums;
  sums.reserve(100);
  for (int i = 0; i < 100; ++i) sums.push_back(pool.apply_async<&add>(i, i));
  pool.close();
  pool.join();
  for (int i = 0; i < 100; ++i) {
    ASSERT_TRUE(sums[static_cast<std::size_t>(i)].ready());
    EXPECT_EQ(sums[static_cast<std::size_t>(i)].get(), 2 * i);
  }
}

TEST(States, TerminateFailsPendingResultsAtOnce) {
  Pool pool{{.workers = 1}};
  const auto running = pool.apply_async<&never_end>();
  const auto queued = pool.apply_async<&add>(1, 1);
  pool.terminate();
  EXPECT_TRUE(running.ready());
  EXPECT_THROW(running.get(), Terminated);
  EXPECT_THROW(queued.get(), Terminated);
  EXPECT_FALSE(queued.successful());
}

TEST(States, DestructionIsTerminateAndJoin) {
  std::optional<Future<void>> pending;
  pid_t worker = 0;
  {
    Pool pool{{.workers = 1}};
    worker = pool.apply<&worker_pid>();
    pending = pool.apply_async<&never_end>();
  }
  EXPECT_THROW(pending->get(), Terminated);
  EXPECT_EQ(state_of(worker), '\0');
}

TEST(States, JoinWithATimeoutComesBack) {
  Pool pool{{.workers = 1}};
  const auto running = pool.apply_async<&never_end>();
  pool.close();
  EXPECT_FALSE(pool.join(1ms));
  EXPECT_FALSE(pool.join(0ms));
  EXPECT_FALSE(pool.join(-1s));
  EXPECT_FALSE(pool.join(std::chrono::steady_clock::now()));
  EXPECT_FALSE(running.ready());
  pool.terminate();
  EXPECT_TRUE(pool.join(kSoon));
}

TEST(States, WaitsForAResultEndAtTheirDeadline) {
  Pool pool{{.workers = 1}};
  const auto running = pool.apply_async([] {
    never_end();
    return 1;
  });
  EXPECT_FALSE(running.wait(1ms));
  EXPECT_THROW(running.get(1ms), TimeoutError);
  EXPECT_THROW(running.get(0ms), TimeoutError);
  EXPECT_THROW(running.get(-1s), TimeoutError);
  EXPECT_THROW(running.get(std::chrono::steady_clock::now()), TimeoutError);
  EXPECT_THROW(static_cast<void>(running.successful()), ResultNotReady);
  EXPECT_FALSE(running.ready());
  const auto later = pool.apply_async<&add>(1, 1);
  pool.terminate();
  EXPECT_TRUE(later.wait(std::chrono::hours::max()));
}

TEST(States, TerminateEscalatesToSigkill) {
  PoolOptions options = workers(1);
  options.terminate_patience = 20ms;
  Pool pool(options);
  const Pipe started;
  const auto stubborn = pool.apply_async([] {
    ::signal(SIGTERM, SIG_IGN);
    ::kill(::getpid(), SIGCONT);
    never_end();
  });
  const pid_t worker = pool.active_children().at(0).pid;
  ASSERT_TRUE(eventually([&] {  // it ignores SIGTERM from now on
    return pool.active_children().empty() || state_of(worker) == 'S';
  }));
  pool.terminate();
  EXPECT_EQ(state_of(worker), '\0');
}

TEST(States, TerminateOfAnIdlePoolTakesNoTime) {
  auto best = std::chrono::steady_clock::duration::max();
  for (int i = 0; i < 10; ++i) {
    Pool pool{{.workers = 2}};
    pool.apply<&add>(1, 1);
    const auto start = std::chrono::steady_clock::now();
    pool.terminate();
    best = std::min(best, std::chrono::steady_clock::now() - start);
  }
  EXPECT_LT(best, kSanitized ? 100ms : 5ms);
}

TEST(States, TerminateEndsAStoppedWorker) {
  Pool pool{{.workers = 1}};
  const pid_t worker = pool.active_children().at(0).pid;
  ASSERT_EQ(::kill(worker, SIGSTOP), 0);
  ASSERT_TRUE(eventually([&] { return state_of(worker) == 'T'; }));
  pool.terminate();
  EXPECT_EQ(state_of(worker), '\0');
}

TEST(States, TerminateRightAfterConstructionDoesNotLoseItsSignal) {
  for (int i = 0; i < 50; ++i) {
    PoolOptions options = workers(2);
    options.terminate_patience = 5s;
    const auto start = std::chrono::steady_clock::now();
    { Pool pool(options); }
    EXPECT_LT(std::chrono::steady_clock::now() - start, 4s);
  }
}

static_assert(!std::is_copy_constructible_v<Pool> && !std::is_move_constructible_v<Pool>);
static_assert(!std::is_copy_assignable_v<Pool> && !std::is_move_assignable_v<Pool>);

TEST(States, WaitsTakeAnInstantToo) {
  Pool pool{{.workers = 1}};
  const auto endless = pool.apply_async<&never_end>();
  const auto all = pool.map_async<half>(std::vector<int>{1, 2});
  auto each = pool.imap<half>(std::vector<int>{1});
  const auto soon = std::chrono::steady_clock::now() + 5ms;
  EXPECT_FALSE(endless.wait(soon));
  EXPECT_THROW(endless.get(soon), TimeoutError);
  EXPECT_THROW(all.get(soon), TimeoutError);
  EXPECT_THROW(each.next(soon), TimeoutError);
  pool.close();
  EXPECT_FALSE(pool.join(soon));
  endless.cancel();
  EXPECT_TRUE(pool.join(std::chrono::steady_clock::now() + kSoon));
}

}  // namespace
}  // namespace poolproof::testing
