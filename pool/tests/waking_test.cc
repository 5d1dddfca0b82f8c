// Small tasks wait for a worker who is awake; what turns out long must not be waited for.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "support.hpp"

namespace poolproof::testing {
namespace {

/// All that the pool knows of its workers is that tasks take next to nothing.
void make_it_expect_small_tasks(Pool& pool) {
  for (int i = 0; i < 3; ++i) pool.map([](int x) { return x; }, std::vector<int>(200), 1);
  std::this_thread::sleep_for(5ms);  // nothing shows when the last of its threads has gone to sleep
}

struct Behind {
  Future<void> long_one;
  std::vector<Future<int>> short_ones;

  [[nodiscard]] bool all_there() const {
    return std::all_of(short_ones.begin(), short_ones.end(),
                       [](const auto& future) { return future.ready(); });
  }
};

Behind submit_behind_a_long_one(Pool& pool) {
  make_it_expect_small_tasks(pool);
  Behind behind{pool.apply_async<&never_end>(), {}};
  for (int i = 0; i < 20; ++i) behind.short_ones.push_back(pool.apply_async<&add>(i, 1));
  return behind;
}

TEST(Waking, WhatWaitsBehindALongTaskGoesToAnother) {
  Pool pool{{.workers = 2}};
  for (int round = 0; round < 20; ++round) {
    const Behind behind = submit_behind_a_long_one(pool);
    for (int i = 0; i < 20; ++i)
      EXPECT_EQ(behind.short_ones[static_cast<std::size_t>(i)].get(kSoon), i + 1);
    behind.long_one.cancel();
  }
}

TEST(Waking, AlsoIfNobodyWaitsForIt) {
  Pool pool{{.workers = 2}};
  for (int round = 0; round < 20; ++round) {
    const Behind behind = submit_behind_a_long_one(pool);
    EXPECT_TRUE(eventually([&] { return behind.all_there(); }));
    behind.long_one.cancel();
  }
}

TEST(Waking, AlsoWhileOthersAnswer) {
  Pool pool{{.workers = 3}};
  const Behind behind = submit_behind_a_long_one(pool);
  const auto deadline = std::chrono::steady_clock::now() + kSoon;
  while (!behind.all_there() && std::chrono::steady_clock::now() < deadline) pool.apply<&add>(1, 1);
  EXPECT_TRUE(behind.all_there());
}

/// Signs, and waits until all have.
bool meet(const std::string& roll, int all) {
  sign(roll);
  return eventually([&] { return std::filesystem::file_size(roll) >= static_cast<unsigned>(all); });
}

TEST(Waking, TasksThatWaitForEachOtherMeet) {
  Pool pool{{.workers = 3}};
  for (int round = 0; round < 20; ++round) {
    make_it_expect_small_tasks(pool);
    const Roll roll;
    std::vector<Future<bool>> met;
    met.reserve(3);
    for (int i = 0; i < 3; ++i) met.push_back(pool.apply_async<&meet>(roll.path(), 3));
    for (const auto& each : met) EXPECT_TRUE(each.get(2 * kSoon));
  }
}

std::string large() {
  return std::string(std::size_t{64} << 10, 'x');
}

/// Who reads a large answer reads all that the socket has, which may be what was to wake the
/// dispatcher for the answers behind it.
TEST(Waking, WhatCameBehindALargeAnswerIsReadThoughNobodyAsksForIt) {
  Pool pool{{.workers = 1}};
  for (int round = 0; round < 12000; ++round) {
    auto first = pool.apply_async<&large>();
    std::vector<Future<int>> others;
    others.reserve(6);
    for (int i = 0; i < 6; ++i) others.push_back(pool.apply_async<&add>(i, round));
    ASSERT_EQ(first.get(kSoon).size(), large().size());
    ASSERT_TRUE(eventually([&] {
      return std::all_of(others.begin(), others.end(), [](const auto& one) { return one.ready(); });
    })) << "round "
        << round;
  }
}

}  // namespace
}  // namespace poolproof::testing
