#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdlib>
#include <tuple>

#include "support.hpp"

// Main ends in every way there is, with each start method; nothing that it started may live on.
namespace poolproof::testing {
namespace {

struct Ending {
  const char* name;
  void (*end)();
  int status;  // as waitpid tells it
};
void PrintTo(const Ending& ending, std::ostream* out) {
  *out << ending.name;
}

void exec_another() {
  ::execl("/bin/sh", "sh", "-c", "exit 4", static_cast<char*>(nullptr));
}

void exec_in_another_thread() {
  std::thread(exec_another).join();
}

/// The process lives on in another thread, which ends it.
void end_the_first_thread() {
  static const pid_t first = ::getpid();
  std::thread([] {
    const std::string stat = "/proc/self/task/" + std::to_string(first) + "/stat";
    eventually([&] { return state_in(stat) == 'Z'; });
    ::_exit(9);
  }).detach();
  end_this_thread();
}

const Ending kEndings[] = {
    {"Exit", [] { std::exit(5); }, 5 << 8},
    {"UnderscoreExit", [] { ::_exit(7); }, 7 << 8},
    {"QuickExit", [] { std::quick_exit(6); }, 6 << 8},
    {"UncaughtError", &end_by_terminate, SIGABRT},
    {"Abort", [] { std::abort(); }, SIGABRT},
    {"Sigkill", [] { ::raise(SIGKILL); }, SIGKILL},
    {"Sigterm", [] { ::raise(SIGTERM); }, SIGTERM},
    {"Sigint", [] { ::raise(SIGINT); }, SIGINT},
    {"Exec", &exec_another, 4 << 8},
    {"ExecInAnotherThread", &exec_in_another_thread, 4 << 8},
    {"FirstThreadBeforeTheOthers", &end_the_first_thread, 9 << 8},
};

class MainEnds : public ::testing::TestWithParam<std::tuple<Ending, StartMethod>> {
 protected:
  void SetUp() override { adopt_orphans(); }
  void TearDown() override { EXPECT_TRUE(all_descendants_end()); }

  /// Main with two workers in the given condition; then the ending.
  void expect_clean_end(void (*prepare)(Pool&)) {
    Pipe output;
    const auto [ending, method] = GetParam();
    const pid_t main = start_main(
        [&, ending = ending, method = method] {
          ::prctl(PR_SET_DUMPABLE, 0);  // no core files of our own making
          auto* leaked = new Pool{{.workers = 2, .start_method = method}};
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

// The orphans of tasks are found in /proc, which takes a descriptor.
TEST_P(MainEnds, WithASupervisorThatCanOpenNothing) {
  expect_clean_end([](Pool& pool) {
    const pid_t supervisor = parent_of(pool.active_children().at(0).pid);
    const rlimit none_but_stdio{3, 3};
    if (::prlimit(supervisor, RLIMIT_NOFILE, &none_but_stdio, nullptr) != 0) ::_exit(95);
    pool.apply([] {
      if (::fork() == 0) never_end();
    });
  });
}

INSTANTIATE_TEST_SUITE_P(By, MainEnds,
                         ::testing::Combine(::testing::ValuesIn(kEndings),
                                            ::testing::Values(StartMethod::fork,
                                                              StartMethod::forkserver,
                                                              StartMethod::spawn)),
                         [](const auto& test) {
                           return std::get<0>(test.param).name + std::string("_") +
                                  to_string(std::get<1>(test.param));
                         });

class AStoppedSupervisor : public ::testing::TestWithParam<StartMethod> {};

TEST_P(AStoppedSupervisor, LeavesIdleWorkersToEndAndDoesTheRestWhenItGoesOn) {
  adopt_orphans();
  Pipe told;
  const Roll roll;
  const pid_t main = start_main([&] {
    auto* leaked = new Pool{{.workers = 2, .start_method = GetParam()}};
    // Its worker is busy for ever, or until it is killed.
    leaked->apply_async(
        [](const std::string& path) {
          sign(path);
          never_end();
        },
        roll.path());
    if (!roll.has(1)) ::_exit(95);
    const pid_t idle = leaked->apply<&worker_pid>();
    tell(told.write_end, idle);
    tell(told.write_end, parent_of(idle));
    for (;;) ::pause();
  });
  const auto idle = static_cast<pid_t>(hear(told.read_end));
  const auto supervisor = static_cast<pid_t>(hear(told.read_end));
  ASSERT_EQ(::kill(supervisor, SIGSTOP), 0);
  ASSERT_TRUE(eventually([&] { return state_of(supervisor) == 'T'; }));
  ::kill(main, SIGKILL);
  wait_for(main);
  EXPECT_TRUE(eventually([&] { return is_dead(idle); }));
  EXPECT_FALSE(is_dead(supervisor));
  ASSERT_EQ(::kill(supervisor, SIGCONT), 0);
  EXPECT_TRUE(all_descendants_end());
}

INSTANTIATE_TEST_SUITE_P(By, AStoppedSupervisor,
                         ::testing::Values(StartMethod::fork, StartMethod::forkserver,
                                           StartMethod::spawn),
                         [](const auto& test) { return to_string(test.param); });

}  // namespace
}  // namespace poolproof::testing
