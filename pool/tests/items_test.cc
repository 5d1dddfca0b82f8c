#include <gtest/gtest.h>

#include <array>
#include <list>
#include <sstream>

#include "support.hpp"

namespace poolproof::testing {
namespace {

int odd_or_throw(int number) {
  if (number % 2 == 0) throw std::invalid_argument("even: " + std::to_string(number));
  return number;
}

int sum_of_three(int a, int b, int c) {
  return a + b + c;
}

bool inverted(bool value) {
  return !value;
}

/// A range that can be gone through once and raises at `failing`.
struct Generator {
  int count;
  int failing = -1;

  struct Iterator {
    using value_type = int;
    using difference_type = std::ptrdiff_t;
    int at;
    int failing;
    int operator*() const {
      if (at == failing) throw std::out_of_range("input " + std::to_string(at));
      return at;
    }
    Iterator& operator++() {
      ++at;
      return *this;
    }
    void operator++(int) { ++at; }
    friend bool operator==(const Iterator& a, int end) { return a.at == end; }
  };
  Iterator begin() { return {0, failing}; }
  int end() { return count; }
};

TEST(MapAsync, ReturnsAtOnce) {
  Pool pool{{.workers = 2}};
  const auto halves = pool.map_async<half>(std::vector<int>{2, 4, 6}, {.chunk_size = 2});
  EXPECT_EQ(halves.get(), (std::vector<double>{1, 2, 3}));
  EXPECT_EQ(halves.get(0ms), (std::vector<double>{1, 2, 3})) << "repeatable";
  EXPECT_TRUE(halves.ready());
  EXPECT_TRUE(halves.successful());
  const auto endless = pool.map_async([](int) { never_end(); }, std::vector<int>(4));
  EXPECT_FALSE(endless.wait(1ms));
  EXPECT_THROW(endless.get(1ms), TimeoutError);
  EXPECT_THROW(static_cast<void>(endless.successful()), ResultNotReady);
}

TEST(MapAsync, IsReadyOnlyWhenAllChunksAre) {
  Pool pool{{.workers = 2}};
  const auto mixed = pool.map_async<odd_or_throw>(std::vector<int>{2, 1, 3, 4}, {.chunk_size = 1});
  mixed.wait();
  EXPECT_FALSE(mixed.successful());
  EXPECT_THROW(mixed.get(), std::invalid_argument);
}

TEST(Map, TakesSinglePassRangesAndReportsTheirErrors) {
  Pool pool{{.workers = 2}};
  EXPECT_EQ(pool.map<half>(Generator{4}), (std::vector<double>{0, 0.5, 1, 1.5}));
  Generator failing{4, 2};
  EXPECT_THROW(pool.map<half>(failing), std::out_of_range);
  EXPECT_EQ(pool.map<inverted>(std::vector<bool>{true, false}), (std::vector<bool>{false, true}));
}

TEST(Starmap, SpreadsTuplesPairsAndArrays) {
  Pool pool{{.workers = 2}};
  EXPECT_EQ(pool.starmap<add>(std::vector<std::pair<int, int>>{{1, 2}, {3, 4}}),
            (std::vector<int>{3, 7}));
  EXPECT_EQ(pool.starmap<sum_of_three>(std::list<std::array<int, 3>>{{1, 2, 3}}),
            (std::vector<int>{6}));
  const auto join = [](const std::string& a, int b) { return a + std::to_string(b); };
  const std::vector<std::tuple<std::string, int>> items{{"a", 1}, {"b", 2}};
  EXPECT_EQ(pool.starmap(join, items, {.chunk_size = 1}), (std::vector<std::string>{"a1", "b2"}));
  EXPECT_EQ(pool.starmap_async(join, items).get().size(), 2U);
  EXPECT_EQ(pool.starmap_async<add>(std::vector<std::pair<int, int>>{}).get().size(), 0U);
}

}  // namespace
}  // namespace poolproof::testing
