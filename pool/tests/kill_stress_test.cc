#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "support.hpp"

// Workers are killed at random moments, over thousands of tasks: each task ends exactly once.
namespace poolproof::testing {
namespace {

constexpr int kWorkers = 3;
constexpr int kSingly = 100;  // tasks of a round
constexpr int kMapped = 50;
constexpr int kRounds = kSanitized ? 6 : 34;
constexpr std::size_t kNumbers = std::size_t{kRounds} * (kSingly + kMapped);

/// Sizes from nothing to 100 KiB: in the ring, and in files.
std::string payload_of(int number) {
  const std::size_t size = static_cast<std::size_t>(number) * 7919 % (100 * 1024 + 1);
  return std::string(number % 3 == 0 ? size : size % 2000, static_cast<char>('a' + number % 26));
}
std::string answer(int number) {
  return std::to_string(number) + payload_of(number);
}

// The tasks, whose first deed is to say that they run.
std::string run(int number, const std::string& payload, const std::string& roll) {
  std::array<char, sizeof number> entry{};
  std::memcpy(entry.data(), &number, sizeof number);
  sign(open_to_sign(roll), {entry.data(), entry.size()});
  return std::to_string(number) + payload;
}
std::string run_mapped(int number, const std::string& roll) {
  return run(number, payload_of(number), roll);
}

/// How often each number was signed.
std::vector<int> runs_by_number(const Roll& roll, std::size_t numbers) {
  std::vector<int> runs(numbers);
  std::ifstream file(roll.path(), std::ios::binary);
  std::array<char, sizeof(int)> entry{};
  while (file.read(entry.data(), entry.size())) {
    int number = 0;
    std::memcpy(&number, entry.data(), sizeof number);
    ++runs.at(static_cast<std::size_t>(number));
  }
  return runs;
}

/// Kills one of the pool's workers now and then, until it goes.
class Killer {
 public:
  Killer(Pool& pool, unsigned seed) : pool_(pool), random_(seed), thread_([this] { run(); }) {}
  ~Killer() { stop(); }
  Killer(const Killer&) = delete;
  Killer& operator=(const Killer&) = delete;
  void stop() {
    stopped_ = true;
    if (thread_.joinable()) thread_.join();
  }
  [[nodiscard]] int kills() const { return kills_; }

 private:
  void run() {
    for (unsigned turn = 0; !stopped_; ++turn) {
      std::this_thread::sleep_for(std::chrono::microseconds(random_() % 2000));
      // Who kills all that start breaks the pool, and rightly.
      const std::vector<pid_t> pids = candidates(turn % 4 == 0);
      if (!pids.empty()) kills_ += ::kill(pids[random_() % pids.size()], SIGKILL) == 0;
    }
  }
  /// The workers that have come to take tasks; if there are any, and `starting`, the others, too.
  [[nodiscard]] std::vector<pid_t> candidates(bool starting) const {
    std::vector<pid_t> ready;
    std::vector<pid_t> all;
    for (const WorkerStatistics& worker : pool_.statistics().workers) {
      if (worker.pid <= 0) continue;
      all.push_back(worker.pid);
      if (worker.start_up.count() > 0) ready.push_back(worker.pid);
    }
    return starting && !ready.empty() ? all : ready;
  }

  Pool& pool_;
  std::mt19937 random_;
  std::atomic<bool> stopped_{false};
  std::atomic<int> kills_{0};
  std::thread thread_;
};

/// What came of each task: of those with callbacks, by those too.
struct Outcomes {
  std::atomic<int> values{0};
  std::atomic<int> deaths{0};
};

template <class Get>
void count(Get&& get, const auto& expected, Outcomes& outcomes) {
  try {
    EXPECT_TRUE(get() == expected);
    ++outcomes.values;
  } catch (const WorkerDied&) {
    ++outcomes.deaths;
  }
}

class KillStress : public ::testing::TestWithParam<StartMethod> {
 protected:
  void run_round(Pool& pool, int first) {
    std::vector<std::pair<int, std::string>> items(kMapped);
    for (int i = 0; i < kMapped; ++i) items[i] = {first + kSingly + i, roll_.path()};
    std::vector<Future<std::string>> singles;
    const auto mapped = pool.starmap_async<&run_mapped>(items, {.chunk_size = 1});
    for (int number = first; number < first + kSingly; ++number) {
      singles.push_back(pool.apply_async<&run>(number, payload_of(number), roll_.path()));
      called_[number] = 0;
      singles.back().on_done(
          [this, number](const std::string&) { ++called_[number]; },
          [this, number](const std::exception_ptr&) { called_[number] += 1000; });
    }
    for (int i = 0; i < kSingly; ++i) {
      const int before = outcomes_.values;
      count([&] { return singles[i].get(60s); }, answer(first + i), outcomes_);
      was_value_[first + i] = outcomes_.values > before;
    }
    std::vector<std::string> expected;
    expected.reserve(items.size());
    for (const auto& item : items) expected.push_back(answer(item.first));
    count([&] { return mapped.get(60s); }, expected, maps_);
  }

  std::vector<std::atomic<int>> called_ = std::vector<std::atomic<int>>(kNumbers);
  std::vector<bool> was_value_ = std::vector<bool>(kNumbers);
  const Roll roll_;
  Outcomes outcomes_;
  Outcomes maps_;
};

TEST_P(KillStress, EachTaskEndsOnce) {
  adopt_orphans();
  const Belongings before;
  {
    Pool pool{{.workers = kWorkers, .start_method = GetParam()}};
    Killer killer(pool, 1);
    for (int round = 0; round < kRounds; ++round) run_round(pool, round * (kSingly + kMapped));
    killer.stop();
    EXPECT_GT(killer.kills(), 0);
    EXPECT_TRUE(eventually([&] { return pool.active_children().size() == kWorkers; }));
    // Those of the last kill may still have had tasks ahead.
    EXPECT_EQ(pool.map<&half>(std::vector<int>(50, 3), 1), std::vector<double>(50, 1.5));
    pool.close();
    EXPECT_TRUE(pool.join(60s));
    std::fprintf(stderr, "kills %d deaths %d\n", killer.kills(), outcomes_.deaths.load());
    RecordProperty("kills", killer.kills());
    RecordProperty("deaths", outcomes_.deaths);
  }
  EXPECT_EQ(outcomes_.values + outcomes_.deaths, kRounds * kSingly);
  EXPECT_EQ(maps_.values + maps_.deaths, kRounds);
  const std::vector<int> runs = runs_by_number(roll_, kNumbers);
  for (int number = 0; number < kRounds * 150; ++number) {
    const bool single = number % 150 < kSingly;
    EXPECT_LE(runs[number], 1) << "runs of task " << number;
    if (was_value_[number]) {
      EXPECT_EQ(runs[number], 1) << "runs of task " << number;
    }
    const int expected = single ? (was_value_[number] ? 1 : 1000) : 0;
    EXPECT_EQ(called_[number], expected) << "callbacks of task " << number;
  }
  EXPECT_TRUE(children_of_this_process().empty());
  before.expect_nothing_more();
}

INSTANTIATE_TEST_SUITE_P(By, KillStress,
                         ::testing::Values(StartMethod::fork, StartMethod::forkserver,
                                           StartMethod::spawn),
                         [](const auto& test) { return to_string(test.param); });

}  // namespace
}  // namespace poolproof::testing
