#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "support.hpp"

// A pool that has nothing to do takes no processor, and nobody in it wakes up to see whether there
// is something.
namespace poolproof::testing {
namespace {

/// How often somebody who polls wakes up while a pool is watched, and how often he should.
constexpr int kWakeUps = 6;
constexpr auto kPeriod = 50ms;

/// A thread by its folder in /proc; what it has had of processors so far.
struct Account {
  std::uint64_t switches = 0;  // context switches: at least one for each wake-up
  std::uint64_t run_ns = 0;
  bool operator==(const Account&) const = default;
};
using Accounts = std::map<std::string, Account>;

void PrintTo(const Account& account, std::ostream* out) {
  *out << account.switches << " switches, " << account.run_ns << " ns";
}

Account account_of(const std::string& thread) {
  Account account;
  std::ifstream(thread + "/schedstat") >> account.run_ns;
  std::ifstream status(thread + "/status");
  for (std::string word; status >> word;) {
    std::uint64_t count = 0;
    const bool is_count =
        word == "voluntary_ctxt_switches:" || word == "nonvoluntary_ctxt_switches:";
    if (is_count && status >> count) account.switches += count;
  }
  return account;
}

std::set<std::string> threads_of(pid_t pid) {
  std::set<std::string> threads;
  for (const auto& thread :
       std::filesystem::directory_iterator("/proc/" + std::to_string(pid) + "/task")) {
    threads.insert(thread.path());
  }
  return threads;
}

/// The threads of a pool: those that main has got by it, and its processes'. A sanitizer may keep
/// one of its own in each process.
class Watch {
 public:
  explicit Watch(std::set<std::string> of_main_before) : before_(std::move(of_main_before)) {}

  [[nodiscard]] Accounts accounts(const Pool& pool) const {
    Accounts all;
    for (const std::string& thread : threads_of(::getpid())) {
      if (before_.count(thread) == 0) all[thread] = account_of(thread);
    }
    for (const pid_t pid : processes_of(pool)) {
      for (const std::string& thread : threads_of(pid)) {
        const bool is_first = thread.ends_with("/" + std::to_string(pid));
        if (is_first || !kSanitized) all[thread] = account_of(thread);
      }
    }
    return all;
  }

 private:
  static std::vector<pid_t> processes_of(const Pool& pool) {
    std::vector<pid_t> pids;
    for (const ChildInfo& child : pool.active_children()) pids.push_back(child.pid);
    if (!pids.empty()) pids.push_back(parent_of(pids.front()));  // the supervisor
    return pids;
  }

  std::set<std::string> before_;
};

/// One who polls, so that the length of a look and its power to see are beyond doubt.
class Poller {
 public:
  Poller() : thread_([this] { run(); }) {
    eventually([this] { return tid_ != 0; });
  }
  ~Poller() {
    over_ = true;
    thread_.join();
  }
  Poller(const Poller&) = delete;
  Poller& operator=(const Poller&) = delete;

  void await_wake_ups(std::uint64_t count) const {
    const std::string name = "/proc/self/task/" + std::to_string(tid_);
    const std::uint64_t before = account_of(name).switches;
    EXPECT_TRUE(eventually([&] { return account_of(name).switches >= before + count; }));
  }

 private:
  void run() {
    tid_ = ::gettid();
    while (!over_) std::this_thread::sleep_for(kPeriod);
  }

  std::atomic<pid_t> tid_{0};
  std::atomic<bool> over_{false};
  std::thread thread_;
};

class Idle : public ::testing::TestWithParam<StartMethod> {
 protected:
  /// Sooner or later all sleep, and once they do nobody wakes up.
  void expect_rest(const Pool& pool, const char* when, std::size_t workers = 2) {
    Accounts before;
    const bool at_rest = eventually([&] {
      before = watch_.accounts(pool);
      poller_.await_wake_ups(1);
      return watch_.accounts(pool) == before;
    });
    EXPECT_TRUE(at_rest) << when;
    poller_.await_wake_ups(kWakeUps);
    EXPECT_EQ(watch_.accounts(pool), before) << when;
    EXPECT_GE(before.size(), workers + 2) << "them, their supervisor, and main's thread for them";
  }

  Poller poller_;
  const Watch watch_{threads_of(::getpid())};
};

TEST_P(Idle, PoolMakesNoWakeUps) {
  Pool pool{{.workers = 2, .start_method = GetParam(), .force_fork_with_threads = true}};
  expect_rest(pool, "fresh");
  pool.map<&half>(std::vector<int>(1000, 3), 1);
  pool.apply_async<&add>({.time_limit = 1000s}, 1, 1)
      .on_done([](int) {}, [](const std::exception_ptr&) {});
  expect_rest(pool, "after work");
  ::kill(pool.active_children().at(0).pid, SIGKILL);
  EXPECT_TRUE(eventually([&] { return pool.statistics().departed.workers == 1; }));
  EXPECT_TRUE(eventually([&] { return pool.active_children().size() == 2; }));
  expect_rest(pool, "after a death");
}

/// Nobody comes in the stead of who has died: there is nothing left to begin.
TEST_P(Idle, PoolThatIsClosedWaitsForItsLastTask) {
  Pool pool{{.workers = 2, .start_method = GetParam(), .force_fork_with_threads = true}};
  const Roll roll;
  const auto last = [](const std::string& path) {
    sign(open_to_sign(path), std::to_string(::getpid()) + "\n");
    ::pause();
  };
  static_cast<void>(pool.apply_async(last, roll.path()));
  pid_t busy = 0;
  EXPECT_TRUE(eventually([&] { return bool(std::ifstream(roll.path()) >> busy); }));
  pool.close();
  for (const ChildInfo& child : pool.active_children()) {
    if (child.pid != busy) ::kill(child.pid, SIGKILL);
  }
  EXPECT_TRUE(eventually([&] { return pool.statistics().departed.workers == 1; }));
  expect_rest(pool, "closed", 1);
}

INSTANTIATE_TEST_SUITE_P(By, Idle,
                         ::testing::Values(StartMethod::fork, StartMethod::forkserver,
                                           StartMethod::spawn),
                         [](const auto& test) { return to_string(test.param); });

}  // namespace
}  // namespace poolproof::testing
