#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <iterator>
#include <optional>
#include <tuple>

#include "children.hpp"
#include "support.hpp"

namespace poolproof {
inline void PrintTo(Containment containment, std::ostream* out) {
  *out << to_string(containment);
}
}  // namespace poolproof

// Pools within tasks of pools, of each start method in each, contained and not: whatever ends the
// outer one, its worker or main ends all that is below.
namespace poolproof::testing {
namespace {

struct Kind {
  StartMethod method;
  Containment containment;
};

PoolOptions options_of(const Kind& kind, int count) {
  return {.workers = count,
          .start_method = kind.method,
          .containment = kind.containment,
          .force_fork_with_threads = kSanitized};  // which may have threads of its own
}

/// That of a worker, which outlives the task that made it.
Pool* inner = nullptr;

void open_inner(Kind kind, int count) {
  inner = new Pool(options_of(kind, count));
}

int sum_of_inner(int a, int b) {
  return inner->apply<&add>(a, b);
}

constexpr int kDaemons = 2;

/// Daemons, each the child of the one before, which nobody but a subreaper finds. Each signs.
void leave_daemons(const std::string& roll, int count = kDaemons) {
  if (count == 0 || ::fork() != 0) return;
  ::setsid();
  leave_daemons(roll, count - 1);
  sign(roll);
  never_end();
}

void stay(const std::string& roll) {
  leave_daemons(roll);
  sign(roll);
  never_end();
}

constexpr int kInnerWorkers = 2;
constexpr int kSignatures = kInnerWorkers * (1 + kDaemons);  // and as many processes
constexpr int kSignaturesOfTwo = 2 * kSignatures;

/// All workers are in tasks that do not end, as is this one.
void open_busy_inner(Kind kind, const std::string& roll) {
  open_inner(kind, kInnerWorkers);
  for (int i = 0; i < kInnerWorkers; ++i) inner->apply_async<&stay>(roll);
  never_end();
}

void leave_daemons_and_die(const std::string& roll) {
  leave_daemons(roll);
  ::_exit(1);
}

bool inner_worker_dies(const std::string& roll) {
  try {
    inner->apply<&leave_daemons_and_die>(roll);
    return false;
  } catch (const WorkerDied&) {
    return true;
  }
}

/// How much more of this process there is after a pool than before.
int left_by_a_whole_life(Kind kind, const std::string& roll) {
  pid_t children[16];
  const int descriptors = open_descriptors();
  const int threads = running_threads();
  {
    open_inner(kind, 2);
    if (sum_of_inner(1, 2) != 3 || !inner_worker_dies(roll) || sum_of_inner(1, 2) != 3) return -1;
    inner->close();
    if (!inner->join(kSoon)) return -2;
    delete inner;
  }
  eventually([&] { return running_threads() == threads; });
  return open_descriptors() - descriptors + running_threads() - threads +
         static_cast<int>(detail::children::list_by_parents(children, std::size(children)));
}

int nest(Kind kind, int depth) {
  if (depth == 0) return 1;
  Pool pool(options_of(kind, 1));
  return 1 + pool.apply<&nest>(kind, depth - 1);
}

void nest_for_ever(Kind kind, const std::string& roll, int depth) {
  if (depth == 0) stay(roll);
  Pool pool(options_of(kind, 1));
  pool.apply<&nest_for_ever>(kind, roll, depth - 1);
}

class NestedPools
    : public ::testing::TestWithParam<std::tuple<StartMethod, StartMethod, Containment>> {
 protected:
  void SetUp() override {
    adopt_orphans();
    if (of_outer().containment == Containment::pid_namespace && !may_contain()) {
      GTEST_SKIP() << "no PID namespaces here";
    }
    before_.emplace();
  }
  void TearDown() override {
    if (before_) before_->expect_nothing_more();
  }

  [[nodiscard]] static Kind of_outer() {
    return {std::get<0>(GetParam()), std::get<Containment>(GetParam())};
  }
  [[nodiscard]] static Kind of_inner() {
    return {std::get<1>(GetParam()), std::get<Containment>(GetParam())};
  }
  static std::size_t processes_below() { return descendants_of(::getpid()).size(); }

 private:
  std::optional<Belongings> before_;
};

std::string name_of(const ::testing::TestParamInfo<NestedPools::ParamType>& test) {
  const auto [of_outer, of_inner, containment] = test.param;
  return std::string(to_string(of_outer)) + "_" + to_string(of_inner) + "_" +
         to_string(containment);
}

const auto kAllMethods =
    ::testing::Values(StartMethod::fork, StartMethod::forkserver, StartMethod::spawn);
const auto kAllContainments =
    ::testing::Values(Containment::supervisor, Containment::pid_namespace);

TEST_P(NestedPools, LeaveNothingInTheirTask) {
  Pool pool(options_of(of_outer(), 1));
  const Roll roll;
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(pool.apply<&left_by_a_whole_life>(of_inner(), roll.path()), 0);
  }
}

TEST_P(NestedPools, MayOutliveTheirTaskAndEndWithItsPool) {
  for (const bool in_order : {true, false}) {
    Pool pool(options_of(of_outer(), 1));
    pool.apply<&open_inner>(of_inner(), 2);
    EXPECT_EQ(pool.apply<&sum_of_inner>(1, 2), 3);
    in_order ? pool.close() : pool.terminate();
    EXPECT_TRUE(pool.join(kSoon));
    EXPECT_TRUE(all_descendants_end());
  }
}

TEST_P(NestedPools, WhatADeadWorkerOfTheInnerOneHadStartedDiesWithIt) {
  Pool pool(options_of(of_outer(), 1));
  pool.apply<&open_inner>(of_inner(), 2);
  const Roll roll;
  const std::size_t before = processes_below();
  EXPECT_TRUE(pool.apply<&inner_worker_dies>(roll.path()));
  EXPECT_TRUE(eventually([&] { return processes_below() == before; }));
  EXPECT_EQ(pool.apply<&sum_of_inner>(1, 2), 3) << "and all others live";
}

TEST_P(NestedPools, DieWithTheirWorkerAndNobodyElseDoes) {
  Pool pool(options_of(of_outer(), 2));
  const Roll roll;
  const std::size_t before = processes_below();
  const auto doomed = pool.apply_async<&open_busy_inner>(of_inner(), roll.path());
  const auto other = pool.apply_async<&open_busy_inner>(of_inner(), roll.path());
  ASSERT_TRUE(roll.has(kSignaturesOfTwo));
  const std::size_t busy = processes_below();
  EXPECT_GT(busy, before + kSignaturesOfTwo) << "there are supervisors, too";
  EXPECT_TRUE(doomed.cancel());
  EXPECT_TRUE(eventually([&] { return processes_below() == before + (busy - before) / 2; }));
  EXPECT_FALSE(other.ready());
  for (const ChildInfo& child : pool.active_children()) ::kill(child.pid, SIGKILL);
  EXPECT_THROW(other.get(kSoon), WorkerDied);
  EXPECT_TRUE(eventually([&] { return processes_below() == before; }));
  EXPECT_EQ(pool.apply<&add>(1, 2), 3);
}

TEST_P(NestedPools, DieWithMain) {
  const Roll roll;
  const pid_t main = start_main([&] {
    Pool pool(options_of(of_outer(), 2));
    for (int i = 0; i < 2; ++i) pool.apply_async<&open_busy_inner>(of_inner(), roll.path());
    never_end();
  });
  ASSERT_TRUE(roll.has(kSignaturesOfTwo));
  const std::vector<pid_t> all = descendants_of(main);
  EXPECT_GT(all.size(), std::size_t{kSignaturesOfTwo});
  ::kill(main, SIGKILL);
  EXPECT_TRUE(all_descendants_end());
  EXPECT_TRUE(eventually([&] { return std::all_of(all.begin(), all.end(), is_dead); }));
}

INSTANTIATE_TEST_SUITE_P(By, NestedPools,
                         ::testing::Combine(kAllMethods, kAllMethods, kAllContainments), name_of);

class DeeplyNestedPools : public NestedPools {};

TEST_P(DeeplyNestedPools, Work) {
  Pool pool(options_of(of_outer(), 1));
  EXPECT_EQ(pool.apply<&nest>(of_inner(), 4), 5);
}

TEST_P(DeeplyNestedPools, DieWithMain) {
  const Roll roll;
  const pid_t main = start_main([&] {
    Pool pool(options_of(of_outer(), 1));
    pool.apply<&nest_for_ever>(of_inner(), roll.path(), 4);
  });
  ASSERT_TRUE(roll.has(1 + kDaemons));
  ::kill(main, SIGKILL);
}

INSTANTIATE_TEST_SUITE_P(By, DeeplyNestedPools,
                         ::testing::Combine(kAllMethods, kAllMethods, kAllContainments), name_of);

}  // namespace
}  // namespace poolproof::testing
