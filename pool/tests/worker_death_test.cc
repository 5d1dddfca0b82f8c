#include <gtest/gtest.h>
#include <pthread.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <poolproof/pool.hpp>

#include <cstdlib>
#include <iostream>

#include "support.hpp"

namespace poolproof::testing {
namespace {

int same_number(int number) {
  return number;
}

template <class Body>
ExitStatus death_of(Pool& pool, Body body) {
  try {
    pool.apply(body);
  } catch (const WorkerDied& error) {
    EXPECT_GT(error.pid(), 0);
    return error.status();
  }
  ADD_FAILURE() << "it did not die";
  return {};
}

TEST(WorkerDeath, IsReportedWithItsStatus) {
  Pool pool{{.workers = 1}};
  EXPECT_EQ(death_of(pool, [] { ::_exit(3); }), ExitStatus(Exited{3}));
  EXPECT_EQ(death_of(pool, [] { std::exit(200); }), ExitStatus(Exited{200}));
  EXPECT_EQ(death_of(pool, [] { ::pthread_exit(nullptr); }), ExitStatus(Exited{0}));
  EXPECT_EQ(death_of(pool, [] { ::kill(::getpid(), SIGKILL); }), ExitStatus(Killed{SIGKILL}));
  EXPECT_EQ(death_of(pool, [] { ::raise(SIGTERM); }), ExitStatus(Killed{SIGTERM}));
  EXPECT_EQ(std::get<Killed>(death_of(pool, [] { std::abort(); })).signal, SIGABRT);
  EXPECT_EQ(std::get<Killed>(death_of(pool, [] { ::raise(SIGSEGV); })).signal, SIGSEGV);
  EXPECT_EQ(std::get<Killed>(death_of(pool, [] { end_by_terminate(); })).signal, SIGABRT);
  EXPECT_EQ(pool.apply<&add>(1, 1), 2) << "and the pool goes on";
}

TEST(WorkerDeath, FailsTheTaskInItsHandsAlone) {
  Pool pool{{.workers = 2}};
  const auto fatal = pool.apply_async([] { ::_exit(1); });
  std::vector<Future<int>> others;
  others.reserve(20);
  for (int i = 0; i < 20; ++i) others.push_back(pool.apply_async<&add>(i, 1));
  EXPECT_THROW(fatal.get(), WorkerDied);
  for (int i = 0; i < 20; ++i) EXPECT_EQ(others[static_cast<std::size_t>(i)].get(), i + 1);
}

TEST(WorkerDeath, LetsMapThrowAndThePoolGoOn) {
  Pool pool{{.workers = 2}};
  const auto die_at_3 = [](int i) {
    if (i == 3) ::_exit(1);
    return i;
  };
  EXPECT_THROW(pool.map(die_at_3, std::vector<int>{1, 2, 3, 4}, 1), WorkerDied);
  EXPECT_EQ(pool.map(die_at_3, std::vector<int>{1, 2}), (std::vector<int>{1, 2}));
}

/// Of so many that not all children of the supervisor are listed at once.
TEST(WorkerDeath, EndsWhatTheWorkerStartedHoweverManyThereAre) {
  if (kSanitized) GTEST_SKIP() << "such a pool takes minutes";
  Pool pool{{.workers = 300}};
  const auto start_child = [] {
    const pid_t child = ::fork();
    if (child == 0) never_end();
    return std::pair(::getpid(), child);
  };
  const auto [worker, child] = pool.apply(start_child);
  ASSERT_FALSE(is_dead(child));
  ::kill(worker, SIGKILL);
  EXPECT_TRUE(eventually([child = child] { return is_dead(child); }));
  EXPECT_EQ(pool.apply<&add>(1, 1), 2);
}

TEST(WorkerDeath, WithTheSupervisorCountsInTheStatistics) {
  Pool pool{{.workers = 2}};
  pool.map<&same_number>(std::vector<int>(10), 1);
  ::kill(parent_of(pool.active_children().at(0).pid), SIGKILL);
  ASSERT_TRUE(eventually([&] { return pool.state() == PoolState::terminated; }));
  pool.join();
  const PoolStatistics statistics = pool.statistics();
  EXPECT_TRUE(statistics.workers.empty());
  EXPECT_EQ(statistics.departed.workers, 2U);
  EXPECT_EQ(statistics.departed.tasks, 10U);
}

/// The kernel does not, since a task has seen to that, and main may not.
TEST(WorkerDeath, ThatNobodyBringsAboutIsNotWaitedFor) {
  if (::getuid() != 0) GTEST_SKIP() << "only root has a user to change";
  adopt_orphans();
  const Roll roll;
  Pipe pids;
  const pid_t main = start_main([&] {
    Pool pool{{.workers = 1}};
    const pid_t worker = pool.apply<&worker_pid>();
    tell(pids.write_end, worker);
    tell(pids.write_end, parent_of(worker));
    const auto endless = pool.apply_async(
        [](const std::string& path) {
          ::prctl(PR_SET_PDEATHSIG, 0);
          sign(path);
          never_end();
        },
        roll.path());
    if (!roll.has(1)) ::_exit(1);
    if (::setresgid(65534, 65534, 65534) != 0 || ::setresuid(65534, 65534, 65534) != 0) ::_exit(2);
    tell(pids.write_end, 0);
    try {
      endless.get(kSoon);
    } catch (const PoolBroken&) {
      pool.join();
      ::_exit(3);
    }
  });
  const auto worker = static_cast<pid_t>(hear(pids.read_end));
  const auto supervisor = static_cast<pid_t>(hear(pids.read_end));
  hear(pids.read_end);
  ::kill(supervisor, SIGKILL);
  EXPECT_EQ(wait_for(main), 3 << 8);
  ::kill(worker, SIGKILL);
  EXPECT_TRUE(all_descendants_end());
}

TEST(WorkerDeath, AnIdleWorkerIsReplaced) {
  Pool pool{{.workers = 2}};
  for (int i = 0; i < 100; ++i) {
    const auto before = pool.active_children();
    ASSERT_EQ(before.size(), 2U);
    // Idle, not on its way: a pool gives up on workers none of which gets that far.
    ASSERT_TRUE(eventually([&] { return state_of(before[0].pid) == 'S'; }));
    ASSERT_EQ(::kill(before[0].pid, SIGKILL), 0);
    ASSERT_TRUE(eventually([&] {
      const auto now = pool.active_children();
      return now.size() == 2 && now[0].pid != before[0].pid && now[1].pid == before[1].pid;
    }));
  }
  EXPECT_EQ(pool.apply<&add>(1, 1), 2);
}

TEST(WorkerDeath, ABusyWorkerIsReplaced) {
  Pool pool{{.workers = 1}};
  for (int i = 0; i < 100; ++i) {
    const auto fatal = pool.apply_async<&never_end>();
    const auto next = pool.apply_async<&add>(i, 1);
    const pid_t worker = pool.active_children().at(0).pid;
    ASSERT_TRUE(eventually([&] { return state_of(worker) == 'S'; }));
    ASSERT_EQ(::kill(worker, SIGKILL), 0);
    EXPECT_EQ(next.get(), i + 1);
    // Begun: it fails. Still on its way: the next worker has it, and never ends.
    if (!fatal.wait(5ms)) {
      ASSERT_EQ(::kill(pool.active_children().at(0).pid, SIGKILL), 0);
    }
    EXPECT_THROW(fatal.get(), WorkerDied);
    ASSERT_TRUE(eventually([&] { return pool.active_children().size() == 1; }));
  }
}

TEST(WorkerDeath, ATaskNotYetBegunGoesToAnotherWorker) {
  Pool pool{{.workers = 1}};
  for (int i = 0; i < 50; ++i) {
    const pid_t worker = pool.apply<&worker_pid>();
    ASSERT_EQ(::kill(worker, SIGSTOP), 0);
    ASSERT_TRUE(eventually([&] { return state_of(worker) == 'T'; }));
    const auto sum = pool.apply_async<&add>(i, 1);
    ASSERT_EQ(::kill(worker, SIGKILL), 0);
    EXPECT_EQ(sum.get(), i + 1);
  }
}

int deaths_at_exit = 0;

TEST(WorkerDeath, AResultSentBeforeDeathCounts) {
  Pool pool{{.workers = 1}};
  for (int i = 0; i < 50; ++i) {
    const auto sent = pool.apply_async<&worker_pid>();
    const auto fatal = pool.apply_async([] { ::raise(SIGKILL); });
    EXPECT_THROW(fatal.get(), WorkerDied);
    EXPECT_GT(sent.get(), 0);
    const pid_t worker = pool.apply<&worker_pid>();
    ::kill(worker, SIGKILL);
    // On another processor it could begin one more task before the signal is there.
    ASSERT_TRUE(eventually([&] { return is_dead(worker); }));
    EXPECT_EQ(pool.apply<&add>(1, i), 1 + i);
  }
}

TEST(WorkerDeath, ExitInATaskRunsNoHandlerOfMains) {
  Pipe output;
  const pid_t main = start_main(
      [] {
        std::atexit([] {
          deaths_at_exit = 1;
          std::fputs("handler\n", stdout);
          std::fflush(stdout);
        });
        Pool pool{{.workers = 1}};
        const auto leave = [] {
          std::fputs("task ", stdout);
          std::exit(0);
        };
        try {
          pool.apply(leave);
        } catch (const WorkerDied&) {
        }
      },
      output.write_end);
  output.close_write_end();
  EXPECT_EQ(read_to_end(output.read_end), "task ");
  EXPECT_EQ(wait_for(main), 0);
}

TEST(WorkerDeath, TakesItsDescendantsAlong) {
  Pool pool{{.workers = 2}};
  const auto have_children = [] {
    int pids[2];
    if (::pipe(pids) != 0) ::_exit(1);
    const pid_t child = ::fork();
    if (child == 0) {
      never_end();
      ::_exit(0);
    }
    if (::fork() == 0) {
      ::setsid();
      const pid_t daemon = ::fork();
      if (daemon != 0) {
        tell(pids[1], daemon);
        ::_exit(0);
      }
      never_end();
      ::_exit(0);
    }
    const auto orphan = static_cast<int>(hear(pids[0]));
    return std::vector<int>{child, orphan, ::getpid()};
  };
  const std::vector<int> first = pool.apply(have_children);
  const auto busy = pool.apply_async<&never_end>();  // the next one goes to the other worker
  const std::vector<int> second = pool.apply(have_children);
  ASSERT_EQ(::kill(first[2], SIGKILL), 0);
  EXPECT_TRUE(eventually([&] { return is_dead(first[0]) && is_dead(first[1]); }));
  EXPECT_FALSE(is_dead(second[0]));
  EXPECT_FALSE(is_dead(second[1])) << "another worker's descendants live on";
  pool.terminate();
  EXPECT_TRUE(is_dead(second[0]));
  EXPECT_TRUE(is_dead(second[1]));
}

TEST(WorkerDeath, LeavesNoZombie) {
  Pool pool{{.workers = 2}};
  const pid_t worker = pool.apply<&worker_pid>();
  ASSERT_EQ(::kill(worker, SIGKILL), 0);
  EXPECT_TRUE(eventually([&] { return state_of(worker) == '\0'; }));
}

TEST(WorkerDeath, AForkThatReturnsFromATaskDoesNoHarm) {
  Pool pool{{.workers = 1}};
  EXPECT_EQ(pool.apply([] {
    ::fork();
    return 1;
  }),
            1);
  EXPECT_EQ(pool.apply<&add>(1, 1), 2);
}

TEST(SupervisorDeath, BreaksThePoolButNothingElse) {
  adopt_orphans();
  {
    Pool pool{{.workers = 2}};
    const auto running = pool.apply_async<&never_end>();
    const auto workers = pool.active_children();
    const pid_t supervisor = parent_of(workers.at(0).pid);
    ASSERT_EQ(::kill(supervisor, SIGKILL), 0);
    try {
      running.get();
      FAIL();
    } catch (const PoolBroken& error) {
      EXPECT_STREQ(error.what(), "the pool's supervisor died: signal 9 (Killed)");
    }
    EXPECT_TRUE(eventually([&] { return pool.state() == PoolState::terminated; }));
    EXPECT_THROW(pool.apply<&add>(1, 1), PoolNotRunning);
    pool.join();
    EXPECT_EQ(state_of(supervisor), '\0');
    for (const ChildInfo& worker : workers) EXPECT_EQ(state_of(worker.pid), '\0');
  }
  EXPECT_TRUE(all_descendants_end());
}

/// A large argument is a file, and the task that has it will not end any more.
TEST(SupervisorDeath, GivesBackWhatTheTasksWereHanded) {
  const int descriptors = open_descriptors();
  Pool pool{{.workers = 1}};
  const auto running = pool.apply_async([](const std::string&) { never_end(); },
                                        std::string(std::size_t{1} << 20, 'x'));
  ASSERT_EQ(::kill(parent_of(pool.active_children().at(0).pid), SIGKILL), 0);
  EXPECT_THROW(running.get(), PoolBroken);
  pool.join();
  EXPECT_EQ(open_descriptors(), descriptors);
}

TEST(SupervisorDeath, AStoppedOneDoesNotHoldUpTerminate) {
  Pool pool{{.workers = 1}};
  const pid_t supervisor = parent_of(pool.active_children().at(0).pid);
  ASSERT_EQ(::kill(supervisor, SIGSTOP), 0);
  const auto start = std::chrono::steady_clock::now();
  pool.terminate();
  EXPECT_LT(std::chrono::steady_clock::now() - start, 1s);
}

}  // namespace
}  // namespace poolproof::testing
