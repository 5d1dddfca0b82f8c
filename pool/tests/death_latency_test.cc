#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <tuple>

#include "processors.hpp"
#include "support.hpp"

extern "C" {
#include <sys/pidfd.h>  // has no C++ guards in glibc 2.36
}

// How long after main's SIGKILL its last descendant ends. With POOLPROOF_ROUNDS=300 (./dev life)
// the 99th percentile is judged; in few rounds, of which one says little, the median, and beside
// whatever else runs on the machine. How busy that is tell bare processes, which die in turn with
// mains that have pools: as many of them, and in the same way, but without any pool.
namespace poolproof::testing {
namespace {

using Milliseconds = std::chrono::duration<double, std::milli>;

constexpr int kRoundsForATail = 300;

void spin_on(const std::string& roll) {
  sign(roll);
  const auto end = std::chrono::steady_clock::now() + 100s;
  while (std::chrono::steady_clock::now() < end) {
  }
}

/// From main's SIGKILL to the end of its last descendant.
Milliseconds time_of_death(pid_t main) {
  const auto start = std::chrono::steady_clock::now();
  ::kill(main, SIGKILL);
  // We adopt orphans: no child left is no descendant left.
  while (::waitpid(-1, nullptr, 0) > 0) {
  }
  return std::chrono::steady_clock::now() - start;
}

/// None is still on its way, which is work.
bool all_idle(const Pool& pool) {
  const PoolStatistics statistics = pool.statistics();
  return std::all_of(statistics.workers.begin(), statistics.workers.end(),
                     [](const WorkerStatistics& worker) {
                       return worker.start_up > 0ns && state_of(worker.pid) == 'S';
                     });
}

Milliseconds one_death(const PoolOptions& options, bool spinning) {
  const Roll roll;
  const Pipe ready;
  const pid_t main = start_main([&] {
    Pool pool(options);
    if (spinning) {
      for (int i = 0; i < *options.workers; ++i) pool.apply_async<&spin_on>(roll.path());
      if (!roll.has(*options.workers)) ::_exit(9);
    } else {
      pool.apply<&add>(1, 2);
      if (!eventually([&] { return all_idle(pool); })) ::_exit(9);
    }
    tell(ready.write_end, 1);
    for (;;) ::pause();
  });
  EXPECT_EQ(hear(ready.read_end), 1);
  return time_of_death(main);
}

/// In a process that stands where a supervisor does: the least that it can do. Returns when its
/// children are gone.
void kill_at_death_of(int main_pidfd, const std::string& roll, int processes, bool spinning) {
  std::vector<pid_t> children;
  children.reserve(static_cast<std::size_t>(processes));
  for (int i = 0; i < processes; ++i) {
    children.push_back(start_main([&] {
      if (spinning) spin_on(roll);
      sign(roll);
      never_end();
    }));
  }
  pollfd death{main_pidfd, POLLIN, 0};
  ::poll(&death, 1, -1);
  for (const pid_t child : children) ::kill(child, SIGKILL);
  while (::waitpid(-1, nullptr, 0) > 0) {
  }
}

/// The same without a pool.
Milliseconds bare_death(int processes, bool spinning) {
  const Roll roll;
  const pid_t main = start_main([&] {
    const int pidfd = ::pidfd_open(::getpid(), 0);
    start_main([&] { kill_at_death_of(pidfd, roll.path(), processes, spinning); });
    for (;;) ::pause();
  });
  EXPECT_TRUE(roll.has(processes));
  return time_of_death(main);
}

class Times {
 public:
  void add(Milliseconds time) {
    times_.insert(std::upper_bound(times_.begin(), times_.end(), time), time);
  }
  [[nodiscard]] double at(double part) const {
    return times_[static_cast<std::size_t>(part * static_cast<double>(times_.size() - 1))].count();
  }

 private:
  std::vector<Milliseconds> times_;  // the shortest first
};

/// k: spinning workers per processor; 0: four idle workers.
class DeathLatency : public ::testing::TestWithParam<std::tuple<StartMethod, int>> {};

TEST_P(DeathLatency, IsBounded) {
  adopt_orphans();
  const auto [method, k] = GetParam();
  const int processors = detail::usable_processors();
  const PoolOptions options{.workers = k == 0 ? 4 : k * processors, .start_method = method};
  const int count = rounds(10);
  Times times;
  Times bare;
  for (int i = 0; i < count; ++i) {
    times.add(one_death(options, k > 0));
    bare.add(bare_death(*options.workers, k > 0));
  }
  const double limit = 10.0 + 10.0 * k;
  std::printf(
      "%-10s %s%d: median %6.2f ms, p99 %6.2f ms, longest %6.2f ms; limit %2.0f ms; "
      "bare %6.2f, %6.2f, %6.2f ms; %d deaths\n",
      to_string(method), k == 0 ? "4 idle workers, k = " : "spinning,       k = ", k, times.at(0.5),
      times.at(0.99), times.at(1), limit, bare.at(0.5), bare.at(0.99), bare.at(1), count);
  if (count >= kRoundsForATail) {
    EXPECT_LE(times.at(0.99), limit) << "and of bare processes " << bare.at(0.99) << " ms";
  } else {
    EXPECT_LE(times.at(0.5), std::max((kSanitized ? 10 : 1) * limit, 3 * bare.at(0.5)));
  }
}

INSTANTIATE_TEST_SUITE_P(By, DeathLatency,
                         ::testing::Combine(::testing::Values(StartMethod::fork,
                                                              StartMethod::forkserver,
                                                              StartMethod::spawn),
                                            ::testing::Values(0, 1, 2, 4)),
                         [](const auto& test) {
                           return std::string(to_string(std::get<0>(test.param))) + "_" +
                                  std::to_string(std::get<1>(test.param)) + "SpinningPerProcessor";
                         });

}  // namespace
}  // namespace poolproof::testing
