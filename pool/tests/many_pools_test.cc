#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <cstddef>
#include <iterator>
#include <memory>
#include <optional>
#include <set>

#include "support.hpp"

// Any number of pools in one main: alive together, made and ended by several threads at once, and
// within tasks of each other. None harms another, and none leaves anything.
namespace poolproof::testing {
namespace {

using Pools = std::vector<std::unique_ptr<Pool>>;

constexpr int kPools = 16;
constexpr int kThreads = 4;
constexpr StartMethod kMethods[] = {StartMethod::fork, StartMethod::forkserver, StartMethod::spawn};

PoolOptions by(StartMethod method, int count = 1) {
  return {.workers = count, .start_method = method, .force_fork_with_threads = true};
}

/// What tasks are expected to leave behind.
void daemonise() {
  if (::fork() != 0) return;
  ::setsid();
  if (::fork() == 0) never_end();
  ::_exit(0);
}

void stay(const std::string& roll) {
  daemonise();
  sign(roll);
  never_end();
}

bool works(Pool& pool) {
  return pool.apply_async<&add>(20, 22).get(kSoon) == 42;
}

bool breaks(Pool& pool) {
  return eventually([&] {
    try {
      works(pool);
      return false;
    } catch (const PoolBroken&) {
      return true;
    }
  });
}

void close_and_join(Pool& pool) {
  pool.close();
  EXPECT_TRUE(pool.join(kSoon));
}

/// One of all ways, by number; how the pool's object ends is left to its owner.
void end(Pool& pool, int way) {
  switch (way % 3) {
    case 0:
      return close_and_join(pool);
    case 1:
      return pool.terminate();
    default:
      return;
  }
}

class ManyPools : public ::testing::TestWithParam<StartMethod> {
 protected:
  void SetUp() override {
    adopt_orphans();
    before_.emplace();
  }
  void TearDown() override { before_->expect_nothing_more(); }

  [[nodiscard]] static PoolOptions options(int count = 1) { return by(GetParam(), count); }
  [[nodiscard]] static Pools make() {
    Pools pools;
    for (int i = 0; i < kPools; ++i) pools.push_back(std::make_unique<Pool>(options(1 + i % 2)));
    return pools;
  }

 private:
  std::optional<Belongings> before_;
};

TEST_P(ManyPools, AreUsedInTurns) {
  const Pools pools = make();
  for (int round = 0; round < 5; ++round) {
    std::vector<Future<int>> sums;
    std::vector<MapFuture<double>> halves;
    for (int i = 0; i < kPools; ++i) {
      Pool& pool = *pools[static_cast<std::size_t>(i)];
      sums.push_back(pool.apply_async<&add>(i, round));
      halves.push_back(pool.map_async<&half>(std::vector<int>{i, i + 1, i + 2}));
    }
    for (int i = kPools; i-- > 0;) {  // not as they were given out
      EXPECT_EQ(sums[static_cast<std::size_t>(i)].get(kSoon), i + round);
      EXPECT_EQ(halves[static_cast<std::size_t>(i)].get(kSoon),
                (std::vector<double>{half(i), half(i + 1), half(i + 2)}));
    }
  }
}

TEST_P(ManyPools, ShareNeitherWorkersNorSupervisors) {
  const Pools pools = make();
  std::set<pid_t> workers;
  std::set<pid_t> supervisors;
  std::size_t asked = 0;
  for (const auto& pool : pools) {
    asked += pool->size();
    for (const ChildInfo& child : pool->active_children()) {
      workers.insert(child.pid);
      supervisors.insert(parent_of(child.pid));
    }
  }
  EXPECT_EQ(workers.size(), asked);
  EXPECT_EQ(supervisors.size(), pools.size());
}

TEST_P(ManyPools, EndWithoutTheOthers) {
  Pools pools = make();
  for (int way = 0; !pools.empty(); ++way) {
    // The first, the last, the one in the middle, and so on.
    const std::size_t at = way % 3 == 0 ? 0 : way % 3 == 1 ? pools.size() - 1 : pools.size() / 2;
    if (way % 4 == 3) {
      ::kill(parent_of(pools[at]->active_children().at(0).pid), SIGKILL);
      EXPECT_TRUE(breaks(*pools[at]));
    } else {
      end(*pools[at], way % 4);
    }
    pools.erase(pools.begin() + static_cast<std::ptrdiff_t>(at));
    for (const auto& pool : pools) EXPECT_TRUE(works(*pool)) << way;
  }
}

TEST_P(ManyPools, ADeadWorkerIsALossToItsPoolAlone) {
  const Pools pools = make();
  const Roll roll;
  std::vector<Future<void>> tasks;
  for (const auto& pool : pools) tasks.push_back(pool->apply_async<&stay>(roll.path()));
  ASSERT_TRUE(roll.has(kPools));
  for (const auto& child : pools[7]->active_children()) ::kill(child.pid, SIGKILL);
  EXPECT_THROW(tasks[7].get(kSoon), WorkerDied);
  EXPECT_TRUE(works(*pools[7]));
  for (std::size_t i = 0; i < pools.size(); ++i) EXPECT_EQ(tasks[i].ready(), i == 7);
}

TEST_P(ManyPools, AllDieWithMain) {
  const Roll roll;
  const pid_t main = start_main([&] {
    const Pools pools = make();
    for (const auto& pool : pools) pool->apply_async<&stay>(roll.path());
    if (!roll.has(kPools)) ::_exit(9);
    ::raise(SIGKILL);
  });
  EXPECT_EQ(wait_for(main), SIGKILL);
}

INSTANTIATE_TEST_SUITE_P(By, ManyPools, ::testing::ValuesIn(kMethods),
                         [](const auto& test) { return to_string(test.param); });

TEST(ManyPoolsOfAllMethods, AreUsedInTurnsAndEndInAnyOrder) {
  adopt_orphans();
  const Belongings before;
  Pools pools;
  for (int i = 0; i < kPools - 1; ++i) {
    pools.push_back(std::make_unique<Pool>(PoolOptions{
        .workers = 1, .start_method = kMethods[i % 3]}));  // their threads are no hurdle
  }
  for (int i = 0; !pools.empty(); ++i) {
    std::vector<Future<int>> sums;
    sums.reserve(pools.size());
    for (const auto& pool : pools) sums.push_back(pool->apply_async<&add>(i, 1));
    for (const auto& sum : sums) EXPECT_EQ(sum.get(kSoon), i + 1);
    const auto at = pools.begin() + i * std::ptrdiff_t{7} % std::ssize(pools);
    end(**at, i);
    pools.erase(at);
  }
  before.expect_nothing_more();
}

/// Runs `body` with the numbers from 0 on, at once.
template <class Body>
void in_threads(Body body) {
  std::vector<std::thread> threads;
  threads.reserve(kThreads);
  for (int i = 0; i < kThreads; ++i) threads.emplace_back([&body, i] { body(i); });
  for (std::thread& thread : threads) thread.join();
}

class PoolsInThreads : public ManyPools {
 protected:
  static int repeats() { return rounds(kSanitized ? 4 : 12); }
};

TEST_P(PoolsInThreads, AreMadeUsedAndEndedAtOnce) {
  in_threads([](int thread) {
    for (int i = 0; i < repeats(); ++i) {
      Pool pool(options(2));
      const auto pending = i % 2 == 0 ? pool.apply_async<&add>(1, 1) : pool.apply_async([] {
        never_end();
        return 0;
      });
      EXPECT_EQ(pool.map_async<&half>(std::vector<int>{i, 1}).get(kSoon),
                (std::vector<double>{half(i), 0.5}));
      end(pool, i % 2 == 0 ? thread + i : 1);
      if (i % 2 != 0) {
        EXPECT_THROW(pending.get(0ms), Terminated);
      }
    }
  });
}

TEST_P(PoolsInThreads, ComeAndGoBesideOneThatAllUse) {
  Pool common(options(2));
  in_threads([&](int thread) {
    for (int i = 0; i < repeats(); ++i) {
      const auto pending = common.apply_async<&add>(thread, i);
      Pool own(options());
      EXPECT_TRUE(works(own));
      EXPECT_EQ(pending.get(kSoon), thread + i);
      end(own, thread + i);
      EXPECT_TRUE(works(common));
    }
  });
}

TEST_P(PoolsInThreads, ComeAndGoBesideForksOfMains) {
  in_threads([&](int thread) {
    for (int i = 0; i < repeats(); ++i) {
      if (thread % 2 == 0) {
        EXPECT_EQ(wait_for(start_main([] {})), 0);
      } else {
        Pool pool(options());
        EXPECT_TRUE(works(pool));
      }
    }
  });
}

TEST_P(PoolsInThreads, AreEndedByOneWhileOthersUseThem) {
  for (int i = 0; i < repeats(); ++i) {
    Pool pool(options(2));
    std::atomic<int> done{0};
    in_threads([&](int thread) {
      if (thread == 0) {
        EXPECT_TRUE(eventually([&] { return done > 10; }));
        return i % 2 == 0 ? pool.terminate() : close_and_join(pool);
      }
      try {
        for (;; ++done) EXPECT_TRUE(works(pool));
      } catch (const PoolNotRunning&) {  // closed, or terminated before the call
      } catch (const Terminated&) {      // in it
      }
    });
  }
}

TEST_P(PoolsInThreads, AreEndedByAllAtOnce) {
  for (int i = 0; i < repeats(); ++i) {
    Pool pool(options(2));
    pool.apply_async<&never_end>();
    in_threads([&](int thread) {
      if (thread % 2 == 0) pool.close();
      pool.terminate();
      EXPECT_TRUE(pool.join(kSoon));
      EXPECT_TRUE(pool.active_children().empty());
    });
  }
}

TEST_P(PoolsInThreads, OutliveTheThreadThatMadeThem) {
  std::unique_ptr<Pool> pool;
  std::thread([&] { pool = std::make_unique<Pool>(options(2)); }).join();
  const pid_t worker = pool->active_children().at(0).pid;
  for (int i = 0; i < 10; ++i) std::thread([&] { EXPECT_TRUE(works(*pool)); }).join();
  EXPECT_FALSE(is_dead(worker));
  ::kill(worker, SIGKILL);  // its place is filled by whoever is there
  std::thread([&] {
    EXPECT_TRUE(eventually([&] { return is_dead(worker) && works(*pool); }));
  }).join();
  std::thread([&] { pool.reset(); }).join();
}

INSTANTIATE_TEST_SUITE_P(By, PoolsInThreads, ::testing::ValuesIn(kMethods),
                         [](const auto& test) { return to_string(test.param); });

}  // namespace
}  // namespace poolproof::testing
