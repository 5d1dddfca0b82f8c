#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cstdlib>
#include <memory>

#include "support.hpp"

// Main ends in every way there is; nothing that it started may live on.
namespace poolproof::testing {
namespace {

struct Ending {
  const char* name;
  void (*end)();
  int status;  // as waitpid tells it; -1: any
};

void exec_another() {
  ::execl("/bin/sh", "sh", "-c", "exit 4", static_cast<char*>(nullptr));
}

const Ending kEndings[] = {
    {"Exit", [] { std::exit(5); }, 5 << 8},
    {"UnderscoreExit", [] { ::_exit(7); }, 7 << 8},
    {"QuickExit", [] { std::quick_exit(6); }, 6 << 8},
    {"UncaughtError", [] { std::terminate(); }, SIGABRT},
    {"Abort", [] { std::abort(); }, SIGABRT},
    {"Sigkill", [] { ::raise(SIGKILL); }, SIGKILL},
    {"Sigterm", [] { ::raise(SIGTERM); }, SIGTERM},
    {"Sigint", [] { ::raise(SIGINT); }, SIGINT},
    {"Exec", &exec_another, 4 << 8},
};

class MainEnds : public ::testing::TestWithParam<Ending> {
 protected:
  void SetUp() override { adopt_orphans(); }
  void TearDown() override { EXPECT_TRUE(all_descendants_end()); }

  /// Main with two workers in the given condition; then the ending.
  void expect_clean_end(void (*prepare)(Pool&)) {
    Pipe output;
    const Ending ending = GetParam();
    const pid_t main = start_main(
        [&] {
          ::prctl(PR_SET_DUMPABLE, 0);  // no core files of our own making
          auto* leaked = new Pool{{.workers = 2}};
          prepare(*leaked);
          ending.end();
        },
        output.write_end);
    output.close_write_end();
    const int status = wait_for(main);
    EXPECT_EQ(WIFSIGNALED(status) ? WTERMSIG(status) : status, ending.status);
    read_to_end(output.read_end);  // nobody holds main's output
    EXPECT_TRUE(all_descendants_end());
  }
};

TEST_P(MainEnds, WithIdleWorkers) {
  expect_clean_end([](Pool&) {});
}

TEST_P(MainEnds, WithBusyWorkers) {
  expect_clean_end([](Pool& pool) {
    for (int i = 0; i < 4; ++i) pool.apply_async<&never_end>();
  });
}

TEST_P(MainEnds, WithStubbornTasksAndDaemons) {
  expect_clean_end([](Pool& pool) {
    const auto started = pool.apply_async([] {
      ::prctl(PR_SET_PDEATHSIG, 0);
      for (const int signal : {SIGTERM, SIGINT, SIGHUP}) ::signal(signal, SIG_IGN);
      if (::fork() == 0) {
        ::setsid();
        if (::fork() == 0) never_end();
        ::_exit(0);
      }
      ::close_range(3, ~0U, 0);
      never_end();
    });
    pool.apply([] { ::kill(::getpid(), SIGCONT); });
    pool.apply_async([] { ::raise(SIGSTOP); });
  });
}

INSTANTIATE_TEST_SUITE_P(By, MainEnds, ::testing::ValuesIn(kEndings),
                         [](const auto& test) { return test.param.name; });

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
