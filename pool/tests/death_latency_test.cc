#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <tuple>

#include "processors.hpp"
#include "support.hpp"

// How long after main's SIGKILL its last descendant ends. With POOLPROOF_ROUNDS=300 (./dev life)
// the 99th percentile is judged; in few rounds, of which one says little, the median, and beside
// whatever else runs on the machine: as many bare processes, killed at once, tell how busy it is.
namespace poolproof::testing {
namespace {

using Milliseconds = std::chrono::duration<double, std::milli>;

constexpr int kRoundsForATail = 300;

void spin_on(std::string roll) {
  sign(roll);
  const auto end = std::chrono::steady_clock::now() + 100s;
  while (std::chrono::steady_clock::now() < end) {
  }
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
    }
    tell(ready.write_end, 1);
    for (;;) ::pause();
  });
  EXPECT_EQ(hear(ready.read_end), 1);
  const auto start = std::chrono::steady_clock::now();
  ::kill(main, SIGKILL);
  // We adopt orphans: no child left is no descendant left.
  while (::waitpid(-1, nullptr, 0) > 0) {
  }
  return std::chrono::steady_clock::now() - start;
}

/// The same number of children of ours that spin or sleep, killed without any pool.
Milliseconds bare_death(int processes, bool spinning) {
  const Roll roll;
  std::vector<pid_t> children;
  for (int i = 0; i < processes; ++i) {
    children.push_back(start_main([&] {
      if (spinning) spin_on(roll.path());
      sign(roll.path());
      never_end();
    }));
  }
  EXPECT_TRUE(roll.has(processes));
  const auto start = std::chrono::steady_clock::now();
  for (const pid_t child : children) ::kill(child, SIGKILL);
  while (::waitpid(-1, nullptr, 0) > 0) {
  }
  return std::chrono::steady_clock::now() - start;
}

double median_ms(std::vector<Milliseconds> times) {
  std::sort(times.begin(), times.end());
  return times[times.size() / 2].count();
}

/// k: spinning workers per processor; 0: four idle workers.
class DeathLatency : public ::testing::TestWithParam<std::tuple<StartMethod, int>> {};

TEST_P(DeathLatency, IsBounded) {
  adopt_orphans();
  const auto [method, k] = GetParam();
  const int processors = detail::usable_processors();
  const PoolOptions options{.workers = k == 0 ? 4 : k * processors, .start_method = method};
  const int count = rounds(10);
  std::vector<Milliseconds> times;
  std::vector<Milliseconds> bare;
  for (int i = 0; i < count; ++i) {
    times.push_back(one_death(options, k > 0));
    if (count < kRoundsForATail) bare.push_back(bare_death(*options.workers, k > 0));
  }
  std::sort(times.begin(), times.end());
  const auto at = [&](double part) {
    return times[static_cast<std::size_t>(part * static_cast<double>(count - 1))];
  };
  const double limit = 10.0 + 10.0 * k;
  std::printf(
      "%-10s %s%d: median %6.2f ms, p99 %6.2f ms, longest %6.2f ms; limit %2.0f ms; %d deaths\n",
      to_string(method), k == 0 ? "4 idle workers, k = " : "spinning,       k = ", k,
      at(0.5).count(), at(0.99).count(), at(1).count(), limit, count);
  if (count >= kRoundsForATail) {
    EXPECT_LE(at(0.99).count(), limit);
  } else {
    EXPECT_LE(at(0.5).count(), std::max((kSanitized ? 10 : 1) * limit, 3 * median_ms(bare)));
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
