#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <memory>

#include "support.hpp"

// Forks, threads and deaths around a pool. (Each way in which main can end: main_ends_test.cc; each
// condition of workers: mechanisms_test.cc.)
namespace poolproof::testing {
namespace {

class Life : public ::testing::Test {
 protected:
  void SetUp() override { adopt_orphans(); }
  void TearDown() override { EXPECT_TRUE(all_descendants_end()); }
};

TEST_F(Life, AStaticPoolDoesNotHangMainsExit) {
  const pid_t main = start_main([] {
    static Pool pool{{.workers = 2}};
    pool.apply_async<&never_end>();
    std::exit(3);
  });
  EXPECT_EQ(wait_for(main), 3 << 8);
}

TEST_F(Life, MainDiesRightAfterConstruction) {
  for (int i = 0; i < 20; ++i) {
    const pid_t main = start_main([] {
      const Pool pool{{.workers = 2}};
      ::raise(SIGKILL);
    });
    wait_for(main);
    EXPECT_TRUE(all_descendants_end());
  }
}

TEST_F(Life, MainDiesWhileConstructing) {
  for (int i = 0; i < 40; ++i) {
    const pid_t main = start_main([] { const Pool pool{{.workers = 4}}; });
    const auto moment = std::chrono::steady_clock::now() + i * 50us;
    while (std::chrono::steady_clock::now() < moment) {
    }
    ::kill(main, SIGKILL);
    wait_for(main);
    EXPECT_TRUE(all_descendants_end());
  }
}

TEST_F(Life, AStrangerWithCopiesOfMainsDescriptorsDoesNotHelpWorkersSurvive) {
  Pipe hold;
  Pipe output;
  const pid_t main = start_main(
      [&] {
        Pool pool{{.workers = 2}};
        pool.apply<&worker_pid>();
        // Bypasses every fork hook; outlives main until we let go.
        if (::syscall(SYS_fork) == 0) {
          ::close(STDOUT_FILENO);
          ::close(hold.write_end);
          char byte = 0;
          ::_exit(static_cast<int>(::read(hold.read_end, &byte, 1)));
        }
        ::raise(SIGKILL);
      },
      output.write_end);
  output.close_write_end();
  wait_for(main);
  read_to_end(output.read_end);  // the workers are gone, the stranger is not
  hold.close_write_end();
}

TEST_F(Life, AForkedChildDoesNoHarm) {
  Pool pool{{.workers = 2}};
  const auto pending = pool.apply_async<&never_end>();
  const pid_t child = start_main([&] {
    int wrong = 0;
    const auto expect_refused = [&](auto call) {
      try {
        call();
        ++wrong;
      } catch (const WrongProcess&) {
      }
    };
    expect_refused([&] { pool.apply<&add>(1, 1); });
    expect_refused([&] { pool.close(); });
    expect_refused([&] { pool.terminate(); });
    expect_refused([&] { pool.join(); });
    expect_refused([&] { static_cast<void>(pool.active_children()); });
    expect_refused([&] { static_cast<void>(pool.state()); });
    expect_refused([&] { pending.get(); });
    expect_refused([&] { pending.wait(1s); });
    pool.~Pool();
    ::_exit(wrong);
  });
  EXPECT_EQ(wait_for(child), 0);
  EXPECT_EQ(pool.apply<&add>(1, 1), 2);
}

TEST_F(Life, AChildThatNoForkHandlerWasToldOfIsRefused) {
  Pool pool{{.workers = 1}};
  EXPECT_EQ(pool.apply<&add>(1, 1), 2);
  const auto child = static_cast<pid_t>(::syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0));
  if (child == 0) {
    try {
      static_cast<void>(pool.state());
    } catch (const WrongProcess&) {
      ::_exit(7);
    }
    ::_exit(1);
  }
  EXPECT_EQ(wait_for(child), 7 << 8);
  EXPECT_EQ(pool.apply<&add>(1, 1), 2);
}

TEST_F(Life, AForkedChildMayExitOrHaveAPoolOfItsOwn) {
  // At a place that the worker knows, as a global pool is.
  static Pool* const pool = std::allocator<Pool>().allocate(1);
  PoolOptions options = workers(1);
  options.start_method = StartMethod::fork;
  std::construct_at(pool, options);
  const pid_t child = start_main([] {
    Pool own{{.workers = 1}};
    std::exit(own.apply<&add>(1, 1));
  });
  EXPECT_EQ(wait_for(child), 2 << 8);
  EXPECT_EQ(pool->apply<&add>(1, 1), 2);
  EXPECT_THROW(pool->apply([] { pool->apply<&add>(1, 1); }), WrongProcess) << "nor may a task";
  std::destroy_at(pool);
}

TEST_F(Life, ManyForksBesideABusyPoolDoNotDeadlock) {
  Pool pool{{.workers = 2}};
  std::vector<Future<int>> sums;
  for (int i = 0; i < 100; ++i) {
    sums.push_back(pool.apply_async<&add>(i, i));
    wait_for(start_main([] {}));
  }
  for (int i = 0; i < 100; ++i) EXPECT_EQ(sums[static_cast<std::size_t>(i)].get(), 2 * i);
}

TEST_F(Life, ThreadsAreRefusedUnlessForced) {
  Pipe hold;
  std::thread other([&] {
    char byte = 0;
    static_cast<void>(!::read(hold.read_end, &byte, 1));
  });
  EXPECT_THROW((Pool{{.workers = 1, .start_method = StartMethod::fork}}), ThreadsPresent);
  {
    Pool pool{{.workers = 1, .start_method = StartMethod::fork, .force_fork_with_threads = true}};
    EXPECT_EQ(pool.apply<&add>(1, 1), 2);
  }
  hold.close_write_end();
  other.join();
}

PoolOptions forced_fork(int count) {
  return {.workers = count, .start_method = StartMethod::fork, .force_fork_with_threads = true};
}

/// Threads that hold, again and again or for ever, what a copy of the process must do without.
class LockHolders {
 public:
  LockHolders() {
    threads_.emplace_back([this] {
      ::flockfile(stdin);  // as a thread that waits for input does
      ::flockfile(stdout);
      ++holding_;
      while (!over_) std::this_thread::sleep_for(100us);
      ::funlockfile(stdout);
      ::funlockfile(stdin);
    });
    for (int i = 0; i < 2; ++i) {
      threads_.emplace_back([this] {
        ++holding_;
        for (std::size_t n = 1; !over_; n = n * 5 % 100'003)
          std::string(n, 'x').swap(waste_[n % 2]);
      });
    }
    eventually([&] { return holding_ == 3; });
  }
  ~LockHolders() {
    over_ = true;
    for (std::thread& thread : threads_) thread.join();
  }
  LockHolders(const LockHolders&) = delete;
  LockHolders& operator=(const LockHolders&) = delete;

 private:
  std::atomic<bool> over_{false};
  std::atomic<int> holding_{0};
  static inline thread_local std::array<std::string, 2> waste_;
  std::vector<std::thread> threads_;
};

TEST_F(Life, AForcedForkNeedsNoLockThatOtherThreadsHold) {
  Pipe output;
  const pid_t main = start_main(
      [] {
        std::fputs("buffered ", stdout);
        {
          const LockHolders holders;
          for (int i = 0; i < 20; ++i) {
            Pool pool(forced_fork(2));
            const auto print = [] { return static_cast<int>(std::fputs("task ", stdout)); };
            if (pool.apply(print) < 0 || pool.apply<&add>(i, 1) != i + 1) ::_exit(1);
          }
        }
        std::fflush(stdout);  // ThreadSanitizer's _exit would do so, too
      },
      output.write_end);
  output.close_write_end();
  EXPECT_EQ(wait_for(main), 0);
  std::string expected;
  for (int i = 0; i < 20; ++i) expected += "task ";
  EXPECT_EQ(read_to_end(output.read_end), expected + "buffered ") << "main's to print, and once";
}

TEST_F(Life, AForcedForkForgetsWhatOtherStreamsHold) {
  Pipe output;
  const pid_t main = start_main(
      [] {
        std::ios::sync_with_stdio(false);
        std::cout << "main's ";
        FILE* const log = ::fdopen(::memfd_create("log", 0), "w");
        std::fputs("main's ", log);
        const auto print = [](int number) {
          // A descriptor with the number that main's log has, as an ordinary open may get it.
          ::dup2(STDOUT_FILENO, number);
          std::cout << "task's ";
        };
        {
          const LockHolders holders;
          Pool pool(forced_fork(1));
          for (int i = 0; i < 2; ++i) pool.apply(print, ::fileno(log));
        }
        std::cout.flush();
        std::fflush(log);
        struct stat written {};
        ::_exit(::fstat(::fileno(log), &written) == 0 && written.st_size == 7 ? 0 : 1);
      },
      output.write_end);
  output.close_write_end();
  EXPECT_EQ(wait_for(main), 0);
  EXPECT_EQ(read_to_end(output.read_end), "task's task's main's ");
}

TEST_F(Life, AForcedForkWaitsForNoStreamThatAThreadReads) {
  Pipe input;
  FILE* const stream = ::fdopen(::dup(input.read_end), "r");
  std::thread reader([&] { EXPECT_EQ(std::fgetc(stream), EOF); });
  EXPECT_TRUE(eventually([&] {  // it holds the stream's lock
    const bool free = ::ftrylockfile(stream) == 0;
    if (free) ::funlockfile(stream);
    return !free;
  }));
  {
    Pool pool(forced_fork(1));
    EXPECT_EQ(pool.apply<&add>(1, 1), 2);
  }
  input.close_write_end();
  reader.join();
  std::fclose(stream);
}

TEST_F(Life, NoProcessIsLeftAfterJoin) {
  const auto before = children_of_this_process();
  Pool pool{{.workers = 2}};
  const auto workers = pool.active_children();
  const pid_t supervisor = parent_of(workers.at(0).pid);
  pool.close();
  pool.join();
  EXPECT_EQ(children_of_this_process(), before);
  EXPECT_EQ(state_of(supervisor), '\0');
  for (const ChildInfo& worker : workers) EXPECT_EQ(state_of(worker.pid), '\0');
}

}  // namespace
}  // namespace poolproof::testing
