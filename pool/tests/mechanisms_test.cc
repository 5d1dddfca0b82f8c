#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/capability.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <fstream>
#include <tuple>

#include "support.hpp"

// What binds the lives of workers to main's, row by row: each condition in which a worker may be,
// each accident, with each start method. Every row defeats some mechanism that looks sufficient:
// PR_SET_PDEATHSIG alone, a pipe's end of file alone, a pidfd alone.
namespace poolproof::testing {
namespace {

void be_idle(const std::string& roll) {
  sign(roll);
}
void spin(const std::string& roll) {
  sign(roll);
  const auto end = std::chrono::steady_clock::now() + 100s;
  while (std::chrono::steady_clock::now() < end) {
  }
}
void ignore_signals(const std::string& roll) {
  for (int signal = 1; signal < NSIG; ++signal) ::signal(signal, SIG_IGN);
  sign(roll);
  never_end();
}
void be_stopped(const std::string& roll) {
  sign(roll);
  ::raise(SIGSTOP);
}
void clear_death_signal(const std::string& roll) {
  ::prctl(PR_SET_PDEATHSIG, 0);
  sign(roll);
  never_end();
}
void change_user(const std::string& roll) {
  const int descriptor = open_to_sign(roll);
  if (::setresuid(65534, 65534, 65534) != 0) ::_exit(96);  // clears PDEATHSIG, too
  sign(descriptor);
  never_end();
}
void close_descriptors(const std::string& roll) {
  ::close_range(3, ~0U, 0);
  sign(roll);
  never_end();
}
/// Signs and goes on, as a process of its own.
void start_child(const std::string& roll) {
  if (::fork() != 0) return;
  sign(roll);
  never_end();
}
void have_child(const std::string& roll) {
  start_child(roll);
  sign(roll);
  never_end();
}
/// The task is over, what it started is not.
void leave_daemon(const std::string& roll) {
  if (::fork() != 0) return;
  ::setsid();
  start_child(roll);
  ::_exit(0);
}
void have_daemon(const std::string& roll) {
  leave_daemon(roll);
  sign(roll);
  never_end();
}

struct Condition {
  const char* name;
  void (*enter)(Pool& pool, const std::string& roll);
  int signatures;  // of two workers
};
void PrintTo(const Condition& condition, std::ostream* out) {
  *out << condition.name;
}

template <auto Task>
void in_both(Pool& pool, const std::string& roll) {
  for (int i = 0; i < 2; ++i) pool.apply_async<Task>(roll);
}

const Condition kConditions[] = {
    {"Idle", &in_both<&be_idle>, 2},
    {"Spinning", &in_both<&spin>, 2},
    {"IgnoringSigterm", &in_both<&ignore_signals>, 2},
    {"Stopped", &in_both<&be_stopped>, 2},
    {"DeathSignalCleared", &in_both<&clear_death_signal>, 2},
    {"UserChanged", &in_both<&change_user>, 2},
    {"DescriptorsClosed", &in_both<&close_descriptors>, 2},
    {"WithChildren", &in_both<&have_child>, 4},
    {"WithDaemonisedGrandchildren", &in_both<&have_daemon>, 4},
    {"IdleWithDaemonisedGrandchildren", &in_both<&leave_daemon>, 2},
};

using Row = std::tuple<Condition, StartMethod, Containment>;

const auto kMethods =
    ::testing::Values(StartMethod::fork, StartMethod::forkserver, StartMethod::spawn);

class Mechanisms : public ::testing::TestWithParam<Row> {
 protected:
  void SetUp() override {
    adopt_orphans();
    const bool as_root = ::getuid() == 0;
    if (std::get<0>(GetParam()).enter == &in_both<&change_user> && !as_root) {
      GTEST_SKIP() << "only root may change its user";
    }
    if (containment() == Containment::pid_namespace && !may_contain()) {
      GTEST_SKIP() << "no PID namespaces here";
    }
  }
  void TearDown() override { EXPECT_TRUE(all_descendants_end()); }

  static Containment containment() { return std::get<2>(GetParam()); }

  /// A main whose two workers are in the condition; it waits for its end. `before_waiting` runs in
  /// it last.
  pid_t start(const std::function<void()>& before_waiting = [] {}) {
    const auto [condition, method, containment] = GetParam();
    const PoolOptions options{.workers = 2, .start_method = method, .containment = containment};
    Pipe ready;
    const pid_t main = start_main([&, condition = condition] {
      auto* leaked = new Pool(options);
      condition.enter(*leaked, roll_.path());
      if (!roll_.has(condition.signatures)) ::_exit(95);
      before_waiting();
      tell(ready.write_end, 1);
      for (;;) ::pause();
    });
    EXPECT_EQ(hear(ready.read_end), 1);
    below_ = descendants_of(main);
    EXPECT_GE(below_.size(), 3U);  // the supervisor and two workers
    return main;
  }

  void expect_nobody_left() {
    EXPECT_TRUE(all_descendants_end());
    // Those of a namespace are not ours to adopt.
    EXPECT_TRUE(eventually([&] { return std::all_of(below_.begin(), below_.end(), is_dead); }));
  }

  Roll roll_;
  std::vector<pid_t> below_;
};

TEST_P(Mechanisms, MainIsKilled) {
  ::kill(start(), SIGKILL);
  expect_nobody_left();
}

TEST_P(Mechanisms, MainsProcessGroupIsKilled) {
  const pid_t main = start([] { ::setpgid(0, 0); });
  ::kill(-main, SIGKILL);
  expect_nobody_left();
}

TEST_P(Mechanisms, AStrangerHoldsTheLifeline) {
  Pipe hold;
  const pid_t main = start([&] {
    // Bypasses every fork hook; outlives main until we let go.
    if (::syscall(SYS_fork) == 0) {
      ::close(hold.write_end);
      char byte = 0;
      ::_exit(static_cast<int>(::read(hold.read_end, &byte, 1)));
    }
  });
  ::kill(main, SIGKILL);
  wait_for(main);
  const auto still = [&] {
    return std::count_if(below_.begin(), below_.end(), [](pid_t pid) { return !is_dead(pid); });
  };
  EXPECT_TRUE(eventually([&] { return still() <= 1; }));
  EXPECT_EQ(still(), 1) << "the stranger itself, which is not the pool's";
  hold.close_write_end();
  expect_nobody_left();
}

/// The one limit without a namespace: what the workers had started lives on.
TEST_P(Mechanisms, TheSupervisorIsKilled) {
  const pid_t main = start();
  const auto is_childs_child = [&](pid_t pid) { return parent_of(parent_of(pid)) == main; };
  std::vector<pid_t> workers;
  std::copy_if(below_.begin(), below_.end(), std::back_inserter(workers), is_childs_child);
  ASSERT_GE(workers.size(), 2U);
  ::kill(parent_of(workers.front()), SIGKILL);
  EXPECT_TRUE(eventually([&] {
    while (::waitpid(-1, nullptr, WNOHANG) > 0) {  // orphans are ours to reap
    }
    return std::all_of(workers.begin(), workers.end(), is_dead);
  })) << "main kills what has cleared its death signal";
  ::kill(main, SIGKILL);
  if (containment() == Containment::supervisor) {
    for (const pid_t pid : below_) {
      if (!is_dead(pid)) ::kill(pid, SIGKILL);
    }
  }
  expect_nobody_left();
}

TEST_P(Mechanisms, TheSupervisorAndMainAreKilled) {
  const bool helpless = std::get<0>(GetParam()).enter == &in_both<&clear_death_signal> ||
                        std::get<0>(GetParam()).enter == &in_both<&change_user> ||
                        std::get<0>(GetParam()).signatures > 2 ||
                        std::get<0>(GetParam()).enter == &in_both<&leave_daemon>;
  if (helpless && containment() == Containment::supervisor) {
    GTEST_SKIP() << "the limit that is documented: this takes a PID namespace";
  }
  const pid_t main = start();
  const auto is_child = [&](pid_t pid) { return parent_of(pid) == main; };
  const auto supervisor = std::find_if(below_.begin(), below_.end(), is_child);
  ASSERT_NE(supervisor, below_.end());
  ::kill(*supervisor, SIGKILL);
  ::kill(main, SIGKILL);
  expect_nobody_left();
}

std::string row_name(const ::testing::TestParamInfo<Row>& test) {
  const auto& [condition, method, containment] = test.param;
  return std::string(condition.name) + '_' + to_string(method) + '_' + to_string(containment);
}

INSTANTIATE_TEST_SUITE_P(Workers, Mechanisms,
                         ::testing::Combine(::testing::ValuesIn(kConditions), kMethods,
                                            ::testing::Values(Containment::supervisor,
                                                              Containment::pid_namespace)),
                         row_name);

/// Main becomes an ordinary user that may change its identity, and nothing else: then no pool of it
/// may kill a task that has done so. The worker lives on, which is documented; nobody waits for it.
constexpr uid_t kAnother = 65533;
void become_a_changeling() {
  ::prctl(PR_SET_KEEPCAPS, 1);
  if (::setresuid(65534, 65534, 65534) != 0) ::_exit(91);
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  const __u32 set_uid = 1U << CAP_SETUID;
  const std::array<__user_cap_data_struct, 2> sets{{{set_uid, set_uid, 0}, {0, 0, 0}}};
  if (::syscall(SYS_capset, &header, sets.data()) != 0) ::_exit(92);
}

void become_another() {
  if (::setresuid(kAnother, kAnother, kAnother) != 0) ::_exit(94);
  never_end();
}
bool is_another(pid_t pid) {
  std::ifstream status("/proc/" + std::to_string(pid) + "/status");
  for (std::string line; std::getline(status, line);) {
    if (line.rfind("Uid:\t" + std::to_string(kAnother), 0) == 0) return true;
  }
  return false;
}

class Unkillable : public ::testing::Test {
 protected:
  void SetUp() override {
    if (::getuid() != 0) GTEST_SKIP() << "only root may change its user";
    adopt_orphans();
  }
  /// A main with such a task. Its worker is known by `worker_` then.
  pid_t start(const std::function<void(Pool&)>& then) {
    Pipe worker;
    const pid_t main = start_main([&] {
      become_a_changeling();
      auto* leaked =
          new Pool({.workers = 1, .start_method = StartMethod::fork, .terminate_patience = 10ms});
      const pid_t pid = leaked->apply<&worker_pid>();
      leaked->apply_async<&become_another>();
      if (!eventually([&] { return is_another(pid); })) ::_exit(93);
      tell(worker.write_end, pid);
      then(*leaked);
    });
    worker_ = static_cast<pid_t>(hear(worker.read_end));
    return main;
  }
  void kill_worker() const {
    EXPECT_FALSE(is_dead(worker_)) << "or this tests nothing";
    ::kill(worker_, SIGKILL);
    EXPECT_TRUE(all_descendants_end());
  }

  pid_t worker_ = 0;
};

TEST_F(Unkillable, TasksKeepNoTerminateWaiting) {
  const pid_t main = start([](Pool& pool) { pool.terminate(); });
  EXPECT_EQ(wait_for(main), 0);
  kill_worker();
}

TEST_F(Unkillable, TasksKeepNoSupervisor) {
  const pid_t main = start([](Pool&) {
    for (;;) ::pause();
  });
  const pid_t supervisor = parent_of(worker_);
  ::kill(main, SIGKILL);
  wait_for(main);
  EXPECT_TRUE(eventually([&] { return is_dead(supervisor); }));
  kill_worker();
}

/// Accidents after which main and its pool live on: nobody may be killed wrongly.
class LivesOn : public ::testing::TestWithParam<StartMethod> {
 protected:
  void SetUp() override { adopt_orphans(); }
  void TearDown() override { EXPECT_TRUE(all_descendants_end()); }

  [[nodiscard]] static PoolOptions options() {
    return {.workers = 2, .start_method = GetParam(), .force_fork_with_threads = true};
  }
  static std::vector<pid_t> pids(const Pool& pool) {
    std::vector<pid_t> pids;
    for (const ChildInfo& child : pool.active_children()) pids.push_back(child.pid);
    return pids;
  }
  /// Ends main: 0 if its workers are those of before and work.
  [[noreturn]] static void leave_if_unharmed(Pool& pool, const std::vector<pid_t>& before) {
    const bool works = pool.apply<&add>(1, 2) == 3;
    ::_exit(works && pids(pool) == before ? 0 : 1);
  }
};

TEST_P(LivesOn, TheThreadThatMadeThePoolEnds) {
  const pid_t main = start_main([] {
    const int threads = running_threads();
    Pool* pool = nullptr;
    std::vector<pid_t> before;
    std::thread([&] {
      pool = new Pool(options());
      before = pids(*pool);
    }).join();
    eventually([&] { return running_threads() == threads + 1; });  // the dispatcher
    leave_if_unharmed(*pool, before);
  });
  EXPECT_EQ(wait_for(main), 0);
}

TEST_P(LivesOn, MainsFirstThreadEnds) {
  const pid_t main = start_main([] {
    auto* pool = new Pool(options());
    std::thread([pool, before = pids(*pool)] {
      const std::string first = "/proc/self/task/" + std::to_string(::getpid()) + "/stat";
      eventually([&] { return state_in(first) == 'Z'; });
      Pool late(options());
      if (late.apply<&add>(1, 2) != 3) ::_exit(2);
      leave_if_unharmed(*pool, before);
    }).detach();
    end_this_thread();
  });
  EXPECT_EQ(wait_for(main), 0);
}

TEST_P(LivesOn, AForkedChildOfMainEndsInAnyWay) {
  void (*const ways[])() = {
      [] { std::exit(5); },
      [] { ::_exit(7); },
      [] { std::quick_exit(6); },
      [] { std::abort(); },
      [] { ::raise(SIGKILL); },
      [] { ::raise(SIGTERM); },
      [] { ::execl("/bin/true", "true", static_cast<char*>(nullptr)); },
  };
  const pid_t main = start_main([&] {
    ::prctl(PR_SET_DUMPABLE, 0);
    auto* pool = new Pool(options());
    const std::vector<pid_t> before = pids(*pool);
    for (const auto way : ways) {
      for (const bool known_to_us : {true, false}) {
        const pid_t child = known_to_us ? ::fork() : static_cast<pid_t>(::syscall(SYS_fork));
        if (child == 0) way();
        ::waitpid(child, nullptr, 0);
      }
    }
    leave_if_unharmed(*pool, before);
  });
  EXPECT_EQ(wait_for(main), 0);
}

TEST_P(LivesOn, AnyNumberOfPoolsAlsoInThreads) {
  const pid_t main = start_main([] {
    Pool first(options());
    Pool second(options());
    std::vector<std::thread> threads;
    threads.reserve(4);
    std::atomic<int> right{0};
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&, i] {
        Pool own(options());
        right += own.apply<&add>(i, i) == 2 * i && first.apply<&add>(i, 1) == i + 1;
      });
    }
    for (std::thread& thread : threads) thread.join();
    ::_exit(right == 4 && second.apply<&add>(1, 2) == 3 ? 0 : 1);
  });
  EXPECT_EQ(wait_for(main), 0);
}

TEST_P(LivesOn, APoolInATaskEndsWithTheTasksWorker) {
  Pool outer({.workers = 1, .start_method = GetParam()});
  const Roll roll;
  const auto task = outer.apply_async(
      [](const std::string& path) {
        Pool inner{{.workers = 2}};
        in_both<&ignore_signals>(inner, path);
        never_end();
      },
      roll.path());
  ASSERT_TRUE(roll.has(2));
  const pid_t worker = outer.active_children().at(0).pid;
  const std::vector<pid_t> inner = descendants_of(worker);
  EXPECT_EQ(inner.size(), 3U);
  ::kill(worker, SIGKILL);
  EXPECT_THROW(task.get(), WorkerDied);
  EXPECT_TRUE(eventually([&] { return std::all_of(inner.begin(), inner.end(), is_dead); }));
}

INSTANTIATE_TEST_SUITE_P(By, LivesOn, kMethods,
                         [](const auto& test) { return to_string(test.param); });

}  // namespace
}  // namespace poolproof::testing
