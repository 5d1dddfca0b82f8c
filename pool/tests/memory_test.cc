#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <new>
#include <optional>
#include <vector>

#include "support.hpp"

// Main has no memory for a moment, at each place where it asks for some in turn: no result may be
// lost for that, and no worker.
namespace poolproof::testing {
namespace {

enum class Victim { nobody, caller, pool, everybody };

std::atomic<Victim> victim{Victim::nobody};
std::atomic<int> until_failure{0};
thread_local bool is_caller = false;

void* allocate(std::size_t size) {
  const Victim who = victim.load();
  if (who == Victim::everybody) throw std::bad_alloc();
  if (who != Victim::nobody && (who == Victim::caller) == is_caller &&
      until_failure.fetch_sub(1) == 0) {
    throw std::bad_alloc();
  }
  if (void* const memory = std::malloc(size)) return memory;
  throw std::bad_alloc();
}

/// While it lives, one allocation of the victim's fails.
class Shortage {
 public:
  Shortage(Victim who, int place) {
    is_caller = true;
    until_failure = place;
    victim = who;
  }
  ~Shortage() { victim = Victim::nobody; }
  Shortage(const Shortage&) = delete;
  Shortage& operator=(const Shortage&) = delete;

  [[nodiscard]] static bool has_come() { return until_failure < 0; }
};

/// While it lives, there is no memory at all.
struct Famine {
  Famine() { victim = Victim::everybody; }
  ~Famine() { victim = Victim::nobody; }
  Famine(const Famine&) = delete;
  Famine& operator=(const Famine&) = delete;
};

/// Calls `body` with each place in turn; it returns whether there is such a place.
template <class Body>
void at_each_place(Body body) {
  int place = 0;
  while (body(place) && !::testing::Test::HasFailure()) ++place;
  EXPECT_GT(place, 0);
}

TEST(Memory, ThatASubmissionLacksCostsNoResult) {
  at_each_place([](int place) {
    SCOPED_TRACE(place);
    Pool pool{{.workers = 1}};
    const pid_t worker = pool.active_children().at(0).pid;
    const auto first = pool.apply_async<&add>(1, 1);
    // Then it has answered, and the next submission reads that.
    EXPECT_TRUE(eventually(
        [&] { return pool.statistics().workers.at(0).tasks == 1 && state_of(worker) == 'S'; }));
    bool has_come = false;
    std::optional<Future<int>> second;
    try {
      const Shortage shortage(Victim::caller, place);
      second = pool.apply_async<&add>(2, 2);
      has_come = shortage.has_come();
    } catch (const std::bad_alloc&) {
      has_come = true;
    }
    EXPECT_TRUE(first.wait(kSoon));
    EXPECT_TRUE(!second || second->wait(kSoon));
    EXPECT_TRUE(pool.apply_async<&add>(3, 3).wait(kSoon));
    pool.close();
    EXPECT_TRUE(pool.join(kSoon));
    return has_come;
  });
}

TEST(Memory, ThatItsThreadLacksFromTheBeginningCostsNothing) {
  const Shortage shortage(Victim::pool, 0);
  Pool pool{{.workers = 1}};
  EXPECT_EQ(pool.apply_async<&add>(1, 1).get(kSoon), 2);
}

TEST(Memory, ThatThePoolItselfLacksCostsNoResult) {
  at_each_place([](int place) {
    SCOPED_TRACE(place);
    Pool pool{{.workers = 2, .tasks_per_worker = 20, .initializer = {[](int) {}, 7}}};
    pool.apply<&add>(1, 1);
    bool has_come = false;
    std::vector<Future<int>> sums;
    {
      const Shortage shortage(Victim::pool, place);
      const auto fatal = pool.apply_async([] { ::_exit(1); });
      for (int i = 0; i < 100; ++i) sums.push_back(pool.apply_async<&add>(i, 1));
      const auto overdue = pool.apply_async<&never_end>({.time_limit = 1ms});
      for (int i = 0; i < 10; ++i) sums.push_back(pool.apply_async<&add>(i, 1));
      // Nobody waits: all is for the pool's own thread to do.
      EXPECT_TRUE(eventually([&] {
        return fatal.ready() && overdue.ready() &&
               std::all_of(sums.begin(), sums.end(), [](const auto& sum) { return sum.ready(); });
      }));
      has_come = shortage.has_come();
    }
    EXPECT_TRUE(eventually([&] { return pool.active_children().size() == 2; }));
    EXPECT_TRUE(pool.apply_async<&add>(3, 3).wait(kSoon));
    pool.close();
    EXPECT_TRUE(pool.join(kSoon));
    return has_come;
  });
}

/// What main, its worker and a helper of the test's tell each other.
struct Stage {
  std::atomic<pid_t> main{0}, worker{0};
  std::atomic<bool> is_last_begun{false};
};
Stage* stage = nullptr;

int once_main_is_stopped(int number) {
  EXPECT_TRUE(eventually([] { return state_of(stage->main) == 'T'; }));
  return number;
}
void tell_and_never_end() {
  stage->is_last_begun = true;
  never_end();
}

/// Stops main until the worker has given two answers, begun the next task, and died. Whether it
/// came to that: main may have been stopped before it had handed out all three.
bool stop_main_until_its_worker_is_dead() {
  bool all = eventually([] { return stage->worker != 0; });
  ::kill(stage->main, SIGSTOP);
  all = all && eventually([] { return stage->is_last_begun.load(); }, 200ms);
  ::kill(stage->worker, SIGKILL);
  all = eventually([] { return is_dead(stage->worker); }) && all;
  ::kill(stage->main, SIGCONT);
  return all;
}

/// Then it finds both answers in the ring, and lacks memory for the second.
TEST(Memory, ThatIsLackedAtADeathCostsNoAnswerBeforeIt) {
  void* const shared =
      ::mmap(nullptr, sizeof(Stage), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(shared, MAP_FAILED);
  bool is_exercised = false;
  for (int attempt = 0; attempt < 50 && !is_exercised && !HasFailure(); ++attempt) {
    stage = new (shared) Stage;
    stage->main = ::getpid();
    const pid_t helper = ::fork();
    if (helper == 0) ::_exit(stop_main_until_its_worker_is_dead() ? 0 : 1);
    Pool pool{{.workers = 1, .start_method = StartMethod::fork}};
    const pid_t worker = pool.active_children().at(0).pid;
    const auto first = pool.apply_async<&once_main_is_stopped>(1);
    const auto second = pool.apply_async<&once_main_is_stopped>(2);
    const auto last = pool.apply_async<&tell_and_never_end>();
    {
      const Shortage shortage(Victim::pool, 0);
      stage->worker = worker;
      is_exercised = wait_for(helper) == 0;
      if (!is_exercised) continue;
      EXPECT_TRUE(eventually([&] { return last.ready(); }));
      EXPECT_TRUE(shortage.has_come());
    }
    EXPECT_EQ(first.get(kSoon), 1);
    EXPECT_EQ(second.get(kSoon), 2);
    EXPECT_THROW(last.get(kSoon), WorkerDied);
  }
  EXPECT_TRUE(is_exercised);
  ::munmap(shared, sizeof(Stage));
}

TEST(Memory, ThatTerminateLacksKeepsNothingPending) {
  at_each_place([](int place) {
    SCOPED_TRACE(place);
    Pool pool{{.workers = 2}};
    std::vector<Future<void>> pending;
    for (int i = 0; i < 10; ++i) pending.push_back(pool.apply_async<&never_end>());
    bool has_come = false;
    {
      const Shortage shortage(Victim::caller, place);
      pool.terminate();
      has_come = shortage.has_come();
    }
    EXPECT_TRUE(pool.join(kSoon));
    for (const auto& future : pending) EXPECT_THROW(future.get(kSoon), Terminated);
    return has_come;
  });
}

TEST(Memory, ThatLacksForGoodKeepsNoTerminateWaiting) {
  Pool pool{{.workers = 2}};
  std::vector<Future<void>> pending;
  for (int i = 0; i < 10; ++i) pending.push_back(pool.apply_async<&never_end>());
  bool has_ended = false;
  {
    const Famine famine;
    pool.terminate();
    has_ended = pool.join(kSoon);
  }
  EXPECT_TRUE(has_ended);
  for (const auto& future : pending) EXPECT_THROW(future.get(kSoon), Terminated);
}

std::atomic<int>* begun = nullptr;

void begin_and_never_end() {
  ++*begun;
  never_end();
}

/// Its workers die in the initializer then, of which nobody asks what there is to say.
TEST(Memory, ThatLacksForGoodKeepsNoTerminateWaitingForTheInitializer) {
  void* const shared =
      ::mmap(nullptr, sizeof *begun, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(shared, MAP_FAILED);
  begun = new (shared) std::atomic<int>(0);
  Pool pool{{.workers = 2,
             .start_method = StartMethod::fork,
             .initializer = initializer<&begin_and_never_end>()}};
  ASSERT_TRUE(eventually([] { return *begun == 2; }));
  bool has_ended = false;
  {
    const Famine famine;
    pool.terminate();
    has_ended = pool.join(kSoon);
  }
  EXPECT_TRUE(has_ended);
  ::munmap(shared, sizeof *begun);
}

}  // namespace
}  // namespace poolproof::testing

// Not inlined: where one of the two is, GCC 12 takes them for a mismatched pair.
[[gnu::noinline]] void* operator new(std::size_t size) {
  return poolproof::testing::allocate(size);
}
[[gnu::noinline]] void operator delete(void* memory) noexcept {
  std::free(memory);
}
[[gnu::noinline]] void operator delete(void* memory, std::size_t /*size*/) noexcept {
  std::free(memory);
}
