#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <map>
#include <set>

#include "support.hpp"

namespace poolproof::testing {
namespace {

int preset = 0;

void set_preset(int number) {
  preset = number;
}
int get_preset() {
  return preset;
}

TEST(TasksPerWorker, AFreshOneTakesThePlaceOfOneThatHasDoneItsShare) {
  PoolOptions options = workers(2);
  options.tasks_per_worker = 3;
  Pool pool(options);
  std::map<pid_t, int> tasks;
  for (int i = 0; i < 30; ++i) ++tasks[pool.apply<&worker_pid>()];
  EXPECT_GE(tasks.size(), 10U);
  for (const auto& [pid, count] : tasks) EXPECT_LE(count, 3) << pid;
}

// MUSEUM M11: there the last result of a worker gets lost.
TEST(TasksPerWorker, LosesNoResult) {
  PoolOptions options = workers(2);
  options.tasks_per_worker = 1;
  Pool pool(options);
  std::vector<Future<int>> sums;
  for (int i = 0; i < 200; ++i) sums.push_back(pool.apply_async<&add>(i, 1));
  for (int i = 0; i < 200; ++i) ASSERT_EQ(sums[static_cast<std::size_t>(i)].get(), i + 1);
  EXPECT_LE(pool.active_children().size(), 2U);
}

// MUSEUM M12: there main blocks writing to a worker that has left.
TEST(TasksPerWorker, DoesNotHoldUpLargeTasks) {
  PoolOptions options = workers(1);
  options.tasks_per_worker = 1;
  Pool pool(options);
  const std::string bytes(8 << 20, 'x');
  const auto first = pool.apply_async<&echo>(bytes);
  const auto second = pool.apply_async<&echo>(bytes);
  EXPECT_TRUE(first.get() == bytes);
  EXPECT_TRUE(second.get() == bytes);
}

// MUSEUM M21: there new workers are started meanwhile.
TEST(TasksPerWorker, TerminateLeavesNobody) {
  adopt_orphans();
  for (int i = 0; i < 20; ++i) {
    PoolOptions options = workers(2);
    options.tasks_per_worker = 1;
    Pool pool(options);
    for (int task = 0; task < 20; ++task) pool.apply_async<&add>(task, 1);
    pool.terminate();
    EXPECT_TRUE(children_of_this_process().empty());
  }
}

TEST(TasksPerWorker, AChunkCountsAsOne) {
  PoolOptions options = workers(1);
  options.tasks_per_worker = 2;
  Pool pool(options);
  const auto pid = [](int) { return worker_pid(); };
  const std::vector<pid_t> pids = pool.map(pid, std::vector<int>(12), 3);
  EXPECT_EQ(std::set<pid_t>(pids.begin(), pids.end()).size(), 2U);
}

TEST(TasksPerWorker, CloseAndJoinEnd) {
  PoolOptions options = workers(2);
  options.tasks_per_worker = 2;
  Pool pool(options);
  const auto sums =
      pool.map_async([](int x) { return x + 1; }, std::vector<int>(21, 1), {.chunk_size = 1});
  pool.close();
  EXPECT_TRUE(pool.join(kSoon));
  EXPECT_EQ(sums.get(), std::vector<int>(21, 2));
}

TEST(TasksPerWorker, MustBePositive) {
  PoolOptions options = workers(1);
  options.tasks_per_worker = 0;
  EXPECT_THROW(Pool{options}, std::invalid_argument);
}

TEST(Initializer, RunsBeforeTheFirstTaskOfEachWorker) {
  Pool pool{{.workers = 2, .initializer = [] { preset = 42; }}};
  for (const pid_t pid : {pool.active_children().at(0).pid, pool.active_children().at(1).pid}) {
    EXPECT_EQ(pool.apply<&get_preset>(), 42);
    ::kill(pid, SIGKILL);
  }
  for (int i = 0; i < 20; ++i) EXPECT_EQ(pool.apply<&get_preset>(), 42) << "replacements too";
  EXPECT_EQ(preset, 0);
}

TEST(Initializer, TakesArguments) {
  Pool lambda{{.workers = 1, .initializer = {[](int number) { preset = number; }, 7}}};
  EXPECT_EQ(lambda.apply<&get_preset>(), 7);
  Pool function{{.workers = 1, .initializer = initializer<set_preset>(8)}};
  EXPECT_EQ(function.apply<&get_preset>(), 8);
}

TEST(Initializer, DoesNotCountAsATask) {
  Pool pool{{.workers = 1, .tasks_per_worker = 2, .initializer = [] { preset = 1; }}};
  const pid_t first = pool.apply<&worker_pid>();
  EXPECT_EQ(pool.apply<&worker_pid>(), first);
  EXPECT_NE(pool.apply<&worker_pid>(), first);
  EXPECT_EQ(pool.apply<&get_preset>(), 1);
}

// cpython#87472: there workers are started without end.
TEST(Initializer, ThatThrowsBreaksThePoolWithItsError) {
  Pool pool{{.workers = 2, .initializer = [] { throw std::runtime_error("no database"); }}};
  const auto task = [&] { pool.apply<&add>(1, 1); };
  try {
    task();
    FAIL();
  } catch (const PoolBroken& error) {
    const std::string text = error.what();
    EXPECT_NE(text.find("the initializer failed: std::runtime_error: no database"),
              std::string::npos)
        << text;
  }
  EXPECT_THROW(task(), PoolBroken);
  EXPECT_THROW(task(), PoolNotRunning) << "which it is too";
  pool.join();
  EXPECT_TRUE(pool.active_children().empty());
}

TEST(Initializer, ThatThrowsFailsWhatIsQueued) {
  Pipe pipe;
  Pool pool{{.workers = 1, .initializer = [] {
               std::this_thread::sleep_for(20ms);
               throw 42;
             }}};
  const auto queued = pool.apply_async<&add>(1, 1);
  EXPECT_THROW(queued.get(), PoolBroken);
}

TEST(Initializer, ThatLeavesBreaksThePoolToo) {
  Pool pool{{.workers = 1, .initializer = [] { ::_exit(3); }}};
  try {
    pool.apply<&add>(1, 1);
    FAIL();
  } catch (const PoolBroken& error) {
    EXPECT_NE(std::string(error.what()).find("exit status 3"), std::string::npos) << error.what();
  }
}

TEST(Initializer, ThatKillsItsWorkerIsNoStorm) {
  const auto count_and_die = [](const std::string& starts) {
    sign(starts);
    ::raise(SIGKILL);
  };
  const Roll starts;
  {
    Pool pool{{.workers = 1, .initializer = {count_and_die, starts.path()}}};
    try {
      pool.apply<&add>(1, 1);
      FAIL();
    } catch (const PoolBroken& error) {
      EXPECT_NE(std::string(error.what()).find("signal 9"), std::string::npos) << error.what();
    }
  }
  EXPECT_TRUE(starts.has(2)) << "somebody may have killed it";
  EXPECT_LT(std::filesystem::file_size(starts.path()), 20U);
}

TEST(Initializer, AWorkerKilledWithinIsReplaced) {
  Pool pool{{.workers = 1, .initializer = [] { std::this_thread::sleep_for(50ms); }}};
  ::kill(pool.active_children().at(0).pid, SIGKILL);
  EXPECT_EQ(pool.apply<&add>(1, 1), 2);
}

}  // namespace
}  // namespace poolproof::testing
