#include <gtest/gtest.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <string>

#include "children.hpp"
#include "support.hpp"

// Pools whose workers live in a PID namespace.
namespace poolproof::testing {
namespace {

class Contained : public ::testing::TestWithParam<StartMethod> {
 protected:
  void SetUp() override {
    adopt_orphans();
    if (!may_contain()) GTEST_SKIP() << "no PID namespaces here";
  }
  void TearDown() override { EXPECT_TRUE(all_descendants_end()); }

  [[nodiscard]] static PoolOptions options(int count = 1) {
    return {
        .workers = count, .start_method = GetParam(), .containment = Containment::pid_namespace};
  }
};

TEST_P(Contained, ThePoolSaysSoAndWorks) {
  Pool pool(options(2));
  EXPECT_EQ(pool.containment(), Containment::pid_namespace);
  EXPECT_EQ(pool.map<&half>(std::vector<int>{1, 2, 3}), (std::vector<double>{0.5, 1, 1.5}));
  EXPECT_EQ(Pool({.workers = 1, .start_method = GetParam()}).containment(),
            Containment::supervisor);
}

TEST_P(Contained, PidsAreMainsForMainAndSmallForTasks) {
  Pool pool(options());
  const pid_t seen = pool.active_children().at(0).pid;
  EXPECT_FALSE(is_dead(seen));
  EXPECT_LT(pool.apply<&worker_pid>(), 10);
  EXPECT_EQ(pool.apply([] { return static_cast<int>(::getppid()); }), 0);
  try {
    pool.apply([] { ::raise(SIGSEGV); });
    ADD_FAILURE() << "no error";
  } catch (const WorkerDied& error) {
    EXPECT_EQ(error.pid(), seen);
  }
}

TEST_P(Contained, TasksCannotHarmTheNamespaceOrWhatIsOutside) {
  Pool pool(options());
  EXPECT_EQ(pool.apply([] { return ::kill(1, SIGKILL); }), 0) << "which its init ignores";
  EXPECT_EQ(pool.apply<&add>(1, 2), 3);
  EXPECT_EQ(pool.apply([](pid_t main) { return ::kill(main, 0); }, ::getpid()), -1);
}

void leave_orphans(int depth) {
  if (depth > 0 && ::fork() == 0) {
    ::setsid();
    leave_orphans(depth - 1);
    never_end();
  }
}

TEST_P(Contained, WhatADeadWorkerHadStartedDiesWithIt) {
  Pool pool(options(2));
  const auto living = [] { return descendants_of(::getpid()).size(); };
  const std::size_t before = living();
  EXPECT_THROW(pool.apply([] {
    leave_orphans(5);
    ::_exit(1);
  }),
               WorkerDied);
  EXPECT_TRUE(eventually([&] { return living() == before && pool.active_children().size() == 2; }));
  EXPECT_EQ(pool.apply<&add>(1, 2), 3);
}

/// While it lives the process `pid` can open nothing: no number of a descriptor is below the limit.
class CannotOpen {
 public:
  explicit CannotOpen(pid_t pid) : pid_(pid) {
    EXPECT_EQ(::prlimit(pid, RLIMIT_NOFILE, nullptr, &before_), 0);
    const rlimit none_but_stdio{3, before_.rlim_max};  // poll(2) takes as many
    EXPECT_EQ(::prlimit(pid, RLIMIT_NOFILE, &none_but_stdio, nullptr), 0);
  }
  ~CannotOpen() { EXPECT_EQ(::prlimit(pid_, RLIMIT_NOFILE, &before_, nullptr), 0); }
  CannotOpen(const CannotOpen&) = delete;
  CannotOpen& operator=(const CannotOpen&) = delete;

 private:
  pid_t pid_;
  rlimit before_{};
};

TEST_P(Contained, AlsoByASupervisorThatCanOpenNothing) {
  Pool pool(options());
  const pid_t worker = pool.active_children().at(0).pid;
  const pid_t supervisor = parent_of(worker);
  const auto below = [&] { return descendants_of(supervisor).size(); };
  const std::size_t before = below();
  const Roll roll;
  const auto fatal = pool.apply_async(
      [](const std::string& path) {
        leave_orphans(2);
        sign(path);
        never_end();
      },
      roll.path());
  ASSERT_TRUE(roll.has(1));
  ASSERT_TRUE(eventually([&] { return below() == before + 2; }));
  {
    const CannotOpen limited(supervisor);
    ::kill(worker, SIGKILL);
    EXPECT_TRUE(eventually([&] { return below() == before - 1; })) << "all but the worker";
  }
  EXPECT_THROW(fatal.get(kSoon), WorkerDied);
  EXPECT_EQ(pool.apply<&add>(1, 2), 3);
}

TEST_P(Contained, NothingIsLeftWhenTheSupervisorIsKilled) {
  Pool pool(options(2));
  for (int i = 0; i < 2; ++i) {
    pool.apply([] { leave_orphans(2); });
  }
  std::vector<pid_t> all;
  EXPECT_TRUE(eventually([&] {  // supervisor, init, workers, orphans
    all = descendants_of(::getpid());
    return all.size() >= 8;
  }));
  const pid_t supervisor = parent_of(pool.active_children().at(0).pid);
  ::kill(supervisor, SIGKILL);
  EXPECT_TRUE(eventually([&] { return std::all_of(all.begin(), all.end(), is_dead); }));
  EXPECT_TRUE(eventually([&] {
    try {
      pool.apply<&add>(1, 2);
      return false;
    } catch (const PoolBroken&) {
      return true;
    }
  }));
}

TEST_P(Contained, NothingIsLeftWhenMainAndItsSupervisorAreKilled) {
  Pipe pids;
  const pid_t main = start_main([&] {
    Pool pool(options(2));
    pool.apply([] { leave_orphans(2); });
    tell(pids.write_end, parent_of(pool.active_children().at(0).pid));
    for (;;) ::pause();
  });
  const auto supervisor = static_cast<pid_t>(hear(pids.read_end));
  const std::vector<pid_t> all = descendants_of(main);
  ::kill(supervisor, SIGKILL);
  ::kill(main, SIGKILL);
  EXPECT_TRUE(all_descendants_end()) << "the workers' zombies are ours to reap";
  EXPECT_TRUE(eventually([&] { return std::all_of(all.begin(), all.end(), is_dead); }));
}

TEST_P(Contained, APoolInATaskIsSafe) {
  Pool pool(options());
  const auto nested = [](Containment containment) {
    Pool inner{{.workers = 2, .containment = containment}};
    try {
      inner.apply([] {
        leave_orphans(3);
        ::_exit(1);
      });
    } catch (const WorkerDied&) {
    }
    const int sum = inner.apply<&add>(20, 22);
    inner.close();
    inner.join();
    return sum;
  };
  EXPECT_EQ(pool.apply(nested, Containment::supervisor), 42);
  EXPECT_EQ(pool.apply(nested, Containment::pid_namespace), 42);
}

TEST_P(Contained, AnOrdinaryUserGetsAUserNamespace) {
  if (::getuid() != 0) GTEST_SKIP() << "all of these tests are run as an ordinary user";
  const pid_t main = start_main([] {
    if (::setresgid(65534, 65534, 65534) != 0 || ::setresuid(65534, 65534, 65534) != 0) ::_exit(9);
    ::prctl(PR_SET_DUMPABLE, 1);  // as after an ordinary login
    try {
      Pool pool(options(2));
      if (pool.apply([] { return static_cast<int>(::getuid()); }) != 65534) ::_exit(1);
      pool.apply([] { leave_orphans(2); });
      if (pool.apply<&add>(1, 2) != 3) ::_exit(2);
    } catch (const ContainmentRefused&) {
      ::_exit(42);  // this machine does not allow it
    }
  });
  const int status = wait_for(main);
  if (status == 42 << 8) GTEST_SKIP() << "no user namespaces here";
  EXPECT_EQ(status, 0);
}

/// Makes unshare(2) fail in this process, as a container's filter does.
void forbid_namespaces() {
  sock_filter rules[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_unshare, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const sock_fprog program{static_cast<unsigned short>(std::size(rules)), rules};
  ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  if (::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0) ::_exit(94);
}

TEST_P(Contained, ARefusalIsAnErrorThatSaysWhatItTakes) {
  Pipe text;
  const pid_t main = start_main([&] {
    forbid_namespaces();
    try {
      Pool pool(options());
    } catch (const ContainmentRefused& error) {
      const std::string what = error.what();
      ::_exit(::write(text.write_end, what.data(), what.size()) > 0 ? 3 : 4);
    }
  });
  EXPECT_EQ(wait_for(main), 3 << 8);
  text.close_write_end();
  const std::string what = read_to_end(text.read_end);
  EXPECT_NE(what.find("Operation not permitted"), std::string::npos) << what;
  EXPECT_NE(what.find("user.max_user_namespaces"), std::string::npos) << what;
}

INSTANTIATE_TEST_SUITE_P(By, Contained,
                         ::testing::Values(StartMethod::fork, StartMethod::forkserver,
                                           StartMethod::spawn),
                         [](const auto& test) { return to_string(test.param); });

}  // namespace
}  // namespace poolproof::testing
