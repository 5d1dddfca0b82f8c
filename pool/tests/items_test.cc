#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <list>
#include <numeric>
#include <optional>
#include <set>
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

int add_one(int number) {
  return number + 1;
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

pid_t pid_for(int /*item*/) {
  return worker_pid();
}

/// How many chunks: with one task for each, whoever has done his quota of one leaves.
TEST(Map, TakesOptionsOrTheSizeOfChunks) {
  Pool pool{{.workers = 2, .tasks_per_worker = 1}};
  const auto pid = [](int item) { return pid_for(item); };
  const auto workers_of = [](const std::vector<int>& pids) {
    return std::set<pid_t>(pids.begin(), pids.end()).size();
  };
  const std::vector<int> items(6);
  const MapOptions by_three{.chunk_size = 3};
  EXPECT_EQ(workers_of(pool.map(pid, items, {.chunk_size = 2})), 3U);
  EXPECT_EQ(workers_of(pool.map(pid, items, by_three)), 2U);
  EXPECT_EQ(workers_of(pool.map<pid_for>(items, by_three)), 2U);
  EXPECT_EQ(workers_of(pool.map<pid_for>({1, 2, 3}, {.chunk_size = 1})), 3U);
  EXPECT_EQ(workers_of(pool.map<pid_for>(Generator{6}, {.chunk_size = 2})), 3U);
  // What was written before there were options means what it did.
  EXPECT_EQ(workers_of(pool.map(pid, items, 3)), 2U);
  EXPECT_EQ(workers_of(pool.map(pid, items, {3})), 2U);
  EXPECT_EQ(workers_of(pool.map(pid, items, {})), 6U);
  EXPECT_EQ(workers_of(pool.map<pid_for>({1, 2, 3}, 3)), 1U);
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

/// Their items have no type: the function's parameters give it.
TEST(Items, MayBeAListInBraces) {
  Pool pool{{.workers = 2}};
  EXPECT_EQ(pool.map<add_one>({1, 2, 3}), (std::vector<int>{2, 3, 4}));
  EXPECT_EQ(pool.map<add_one>({}).size(), 0U);
  EXPECT_EQ(pool.map_async<half>({1, 3}, {.chunk_size = 1}).get(), (std::vector<double>{0.5, 1.5}));
  const auto length = [](std::string_view text) { return text.size(); };
  EXPECT_EQ(pool.map(length, {"a", "bcd"}, 1), (std::vector<std::size_t>{1, 3}));
  EXPECT_EQ(pool.map_async(length, {"a"}).get(), (std::vector<std::size_t>{1}));
  EXPECT_EQ(pool.starmap<add>({{1, 2}, {3, 4}}), (std::vector<int>{3, 7}));
  const auto product = [](int a, double b) { return a * b; };
  EXPECT_EQ(pool.starmap(product, {{2, 1.5}, {3, 1}}), (std::vector<double>{3, 3}));
  std::vector<int> in_order;
  for (const int one : pool.imap<add_one>({1, 2, 3}, {.chunk_size = 2})) in_order.push_back(one);
  EXPECT_EQ(in_order, (std::vector<int>{2, 3, 4}));
  int sum = 0;
  for (const int one : pool.imap_unordered([](int x) { return x; }, {1, 2, 3})) sum += one;
  EXPECT_EQ(sum, 6);
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

std::string text_of_next(ResultStream<int>& stream) {
  try {
    const auto value = stream.next();
    return value ? std::to_string(*value) : "end";
  } catch (const std::exception& error) {
    return error.what();
  }
}

TEST(Imap, GivesResultsInTheOrderOfTheInput) {
  Pool pool{{.workers = 3}};
  std::vector<int> items(200);
  std::iota(items.begin(), items.end(), 0);
  for (const std::size_t chunk : {1, 7, 1000}) {
    std::vector<double> halves;
    for (const double value : pool.imap<half>(items, {.chunk_size = chunk})) {
      halves.push_back(value);
    }
    ASSERT_EQ(halves.size(), items.size()) << chunk;
    for (std::size_t i = 0; i < items.size(); ++i) EXPECT_EQ(halves[i], items[i] / 2.0);
  }
}

TEST(Imap, TakesRangesTemporariesIteratorsAndLambdas) {
  Pool pool{{.workers = 2}};
  const auto to_vector = [](auto stream) {
    return std::vector<double>(stream.begin(), stream.end());
  };
  const std::list<int> list{2, 4};
  const std::vector<double> halves{1, 2};
  EXPECT_EQ(to_vector(pool.imap<half>(list)), halves);
  EXPECT_EQ(to_vector(pool.imap<half>(std::vector<int>{2, 4})), halves);
  EXPECT_EQ(to_vector(pool.imap<half>(list.begin(), list.end())), halves);
  EXPECT_EQ(to_vector(pool.imap([](int x) { return x / 2.0; }, list)), halves);
  std::istringstream text("2 4");
  using Numbers = std::istream_iterator<int>;
  EXPECT_EQ(to_vector(pool.imap<half>(Numbers(text), Numbers())), halves);
  EXPECT_TRUE(to_vector(pool.imap<half>(std::vector<int>{})).empty());
}

TEST(Imap, GoesOnAfterAnItemThatFailed) {
  Pool pool{{.workers = 2}};
  for (const std::size_t chunk : {1, 2, 10}) {
    auto stream = pool.imap<odd_or_throw>(std::vector<int>{1, 2, 3}, {.chunk_size = chunk});
    EXPECT_EQ(text_of_next(stream), "1");
    EXPECT_EQ(text_of_next(stream), "even: 2");
    EXPECT_EQ(text_of_next(stream), "3");
    EXPECT_EQ(text_of_next(stream), "end");
    EXPECT_EQ(text_of_next(stream), "end") << "repeatable";
  }
}

TEST(Imap, LetsALoopStepOverAnItemThatFailed) {
  Pool pool{{.workers = 2}};
  auto stream = pool.imap<odd_or_throw>(std::vector<int>{1, 2, 3});
  int sum = 0;
  int errors = 0;
  for (auto item = stream.begin(); item != stream.end(); ++item) {
    try {
      sum += *item;
    } catch (const RemoteTrace& error) {
      EXPECT_EQ(error.message, "even: 2");
      EXPECT_GT(error.worker_pid, 0);
      ++errors;
    }
  }
  EXPECT_EQ(sum, 4);
  EXPECT_EQ(errors, 1);
}

/// Stops reading half-way through what it has written if `first` is negative.
struct Fussy {
  int first = 0;
  int second = 0;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(first);
    if (Archive::is_loading::value && first < 0) throw std::range_error("negative");
    archive(second);
  }
};

int sum_of(Fussy value) {
  return value.first + value.second;
}

TEST(Imap, AnItemThatCannotBeReadDoesNotSpoilTheNext) {
  Pool pool{{.workers = 2}};
  const std::vector<Fussy> items{{1, 10}, {-2, 20}, {3, 30}, {-4, 40}, {-5, 50}, {6, 60}};
  for (const std::size_t chunk : {1, 2, 4, 10}) {
    auto stream = pool.imap<sum_of>(items, {.chunk_size = chunk});
    const std::string type = "poolproof::testing::(anonymous namespace)::Fussy";
    const std::string no = "poolproof: argument 1, of type " + type + ", cannot be read: negative";
    for (const std::string& text : {std::string("11"), no, std::string("33"), no, no,
                                    std::string("66"), std::string("end")}) {
      EXPECT_EQ(text_of_next(stream), text) << chunk;
    }
  }
}

TEST(Imap, AnErrorOfTheInputIsItsLastItem) {
  Pool pool{{.workers = 2}};
  for (const std::size_t chunk : {1, 2, 10}) {
    auto stream = pool.imap<add_one>(Generator{5, 3}, {.chunk_size = chunk});
    EXPECT_EQ(text_of_next(stream), "1");
    EXPECT_EQ(text_of_next(stream), "2");
    EXPECT_EQ(text_of_next(stream), "3");
    EXPECT_EQ(text_of_next(stream), "input 3");
    EXPECT_EQ(text_of_next(stream), "end");
  }
}

struct Unserializable {
  int number = 0;
  template <class Archive>
  void save(Archive& archive) const {
    if (number == 1) throw std::domain_error("cannot be saved");
    archive(number);
  }
  template <class Archive>
  void load(Archive& archive) {
    archive(number);
  }
};

TEST(Imap, AnItemThatCannotBeSentFailsAlone) {
  Pool pool{{.workers = 1}};
  for (const std::size_t chunk : {1, 2, 10}) {
    auto stream = pool.imap([](const Unserializable& item) { return item.number; },
                            std::vector<Unserializable>{{0}, {1}, {2}}, {.chunk_size = chunk});
    EXPECT_EQ(text_of_next(stream), "0");
    EXPECT_EQ(text_of_next(stream), "cannot be saved");
    EXPECT_EQ(text_of_next(stream), "2");
    EXPECT_EQ(text_of_next(stream), "end");
  }
}

TEST(Imap, ADeadWorkerFailsItsItemAlone) {
  Pool pool{{.workers = 2}};
  const auto die_at_2 = [](int i) {
    if (i == 2) ::_exit(1);
    return i;
  };
  auto stream = pool.imap(die_at_2, std::vector<int>{1, 2, 3});
  EXPECT_EQ(stream.next(), 1);
  EXPECT_THROW(stream.next(), WorkerDied);
  EXPECT_EQ(stream.next(), 3);
}

TEST(Imap, KeepsABoundedNumberInFlight) {
  Pool pool{{.workers = 2}};
  int taken = 0;
  struct Counting {
    using value_type = int;
    using difference_type = std::ptrdiff_t;
    int* taken;
    int operator*() const { return ++*taken; }
    Counting& operator++() { return *this; }
    void operator++(int) {}
    bool operator==(std::default_sentinel_t) const { return false; }  // it has no end
  };
  auto stream = pool.imap<add_one>(Counting{&taken}, std::default_sentinel, {.ahead = 5});
  EXPECT_EQ(taken, 5);
  for (int i = 1; i <= 1000; ++i) {
    EXPECT_EQ(stream.next(), i + 1);
    EXPECT_LE(taken, i + 5);
  }
}

TEST(Imap, NextHasADeadline) {
  Pool pool{{.workers = 1}};
  auto stream = pool.imap(
      [](int milliseconds) {
        std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds));
        return milliseconds;
      },
      std::vector<int>{50});
  EXPECT_THROW(stream.next(1ms), TimeoutError);
  EXPECT_EQ(stream.next(kSoon), 50) << "it stays usable";
  EXPECT_EQ(stream.next(0ms), std::nullopt);
}

/// Without an end; each step waits.
struct Slow {
  using value_type = int;
  using difference_type = std::ptrdiff_t;
  int* taken;
  int operator*() const {
    std::this_thread::sleep_for(5ms);
    return ++*taken;
  }
  Slow& operator++() { return *this; }
  void operator++(int) {}
  bool operator==(std::default_sentinel_t) const { return false; }
};

TEST(Imap, HandsOutWhatIsReadyBeforeItWaitsForMore) {
  Pool pool{{.workers = 1}};
  for (const bool ordered : {true, false}) {
    int taken = 0;
    auto stream =
        ordered ? pool.imap<add_one>(Slow{&taken}, std::default_sentinel, {.ahead = 3})
                : pool.imap_unordered<add_one>(Slow{&taken}, std::default_sentinel, {.ahead = 3});
    EXPECT_EQ(taken, 3);
    EXPECT_EQ(pool.apply<&add>(1, 1), 2);  // so those are ready, the worker being one
    for (int i = 1; i <= 3; ++i) EXPECT_EQ(stream.next(), i + 1);
    EXPECT_EQ(taken, 3);
    EXPECT_EQ(stream.next(), 5);
    EXPECT_GE(taken, 4);
  }
}

int at_most_four(int number) {
  if (number > 4) never_end();
  return number;
}

TEST(Imap, NextTakesOnePortionAtMostAfterItsDeadline) {
  Pool pool{{.workers = 1}};
  int taken = 0;
  auto stream = pool.imap<at_most_four>(Slow{&taken}, std::default_sentinel, {.ahead = 8});
  for (int i = 1; i <= 4; ++i) EXPECT_EQ(stream.next(), i);
  for (const int before = taken; taken < before + 3;) {
    const int now = taken;
    EXPECT_THROW(stream.next(0ms), TimeoutError);
    ASSERT_EQ(taken, now + 1);
  }
}

/// Who asks now and then gets on, too.
TEST(Imap, NextThatNeverWaitsComesToTheEnd) {
  Pool pool{{.workers = 1}};
  auto stream = pool.imap<add_one>(std::vector<int>{1, 2, 3, 4, 5}, {.ahead = 1});
  std::vector<int> values;
  EXPECT_TRUE(eventually([&] {
    try {
      const std::optional<int> value = stream.next(0ms);
      if (value) values.push_back(*value);
      return !value;
    } catch (const TimeoutError&) {
      return false;
    }
  }));
  EXPECT_EQ(values, (std::vector<int>{2, 3, 4, 5, 6}));
}

TEST(Imap, OfAClosedPoolStillGivesWhatWasTaken) {
  Pool pool{{.workers = 1}};
  auto stream = pool.imap<add_one>(std::vector<int>{1, 2, 3}, {.ahead = 2});
  pool.close();
  pool.join();
  EXPECT_EQ(stream.next(), 2);
  EXPECT_EQ(stream.next(), 3);
  EXPECT_THROW(stream.next(), PoolNotRunning);
  EXPECT_EQ(stream.next(), std::nullopt);
  EXPECT_THROW(pool.imap<add_one>(std::vector<int>{1}), PoolNotRunning);
}

TEST(Imap, OfATerminatedPoolFailsAtOnce) {
  Pool pool{{.workers = 1}};
  auto ordered = pool.imap([](int) { never_end(); }, std::vector<int>{1, 2});
  auto unordered = pool.imap_unordered([](int) { never_end(); }, std::vector<int>{1, 2});
  pool.terminate();
  EXPECT_THROW(ordered.next(), Terminated);
  EXPECT_THROW(unordered.next(), Terminated);
}

TEST(Imap, OutlivesItsPool) {
  std::optional<ResultStream<int>> stream;
  {
    Pool pool{{.workers = 1}};
    stream.emplace(pool.imap_unordered<add_one>(std::vector<int>{1, 2}));
    EXPECT_EQ(stream->next(), 2);
  }
  try {
    EXPECT_EQ(stream->next(), 3);
  } catch (const Terminated&) {  // it was still running
  }
  EXPECT_EQ(stream->next(), std::nullopt);
}

TEST(Imap, RunsFunctionsWithoutAResult) {
  Pool pool{{.workers = 2}};
  int count = 0;
  for ([[maybe_unused]] auto nothing : pool.imap([](int) {}, std::vector<int>(5))) ++count;
  EXPECT_EQ(count, 5);
}

TEST(Imap, RefusesChunksOfNothing) {
  Pool pool{{.workers = 1}};
  EXPECT_THROW(pool.imap<add_one>(std::vector<int>{1}, {.chunk_size = 0}), std::invalid_argument);
  const auto negative = static_cast<std::size_t>(-1);
  EXPECT_THROW(pool.imap<add_one>(std::vector<int>{1}, {.chunk_size = negative}),
               std::invalid_argument);
  EXPECT_THROW(pool.map<add_one>(std::vector<int>{1}, -1), std::invalid_argument);
  EXPECT_THROW(pool.map<add_one>(std::vector<int>{}, -1), std::invalid_argument);
  EXPECT_EQ(pool.map<add_one>(std::vector<int>{1}, 0), std::vector<int>{2});
}

TEST(Imap, IsRefusedInAForkedChild) {
  Pool pool{{.workers = 1}};
  auto stream = pool.imap<add_one>(std::vector<int>{1, 2});
  const pid_t child = start_main([&] { EXPECT_THROW(stream.next(), WrongProcess); });
  EXPECT_EQ(wait_for(child), 0);
}

TEST(ImapUnordered, GivesEachResultOnceAsTheyCome) {
  Pool pool{{.workers = 2}};
  const auto nap = [](int milliseconds) {
    std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds));
    return milliseconds;
  };
  auto stream = pool.imap_unordered(nap, std::vector<int>{300, 0, 0, 0});
  std::vector<int> order;
  for (const int value : stream) order.push_back(value);
  EXPECT_EQ(order, (std::vector<int>{0, 0, 0, 300}));
}

TEST(ImapUnordered, LosesNothingOfALongInput) {
  Pool pool{{.workers = 3}};
  for (const std::size_t chunk : {1, 10}) {
    std::vector<bool> seen(2000);
    for (const int value : pool.imap_unordered<add_one>(Generator{2000}, {.chunk_size = chunk})) {
      ASSERT_FALSE(seen.at(static_cast<std::size_t>(value) - 1));
      seen.at(static_cast<std::size_t>(value) - 1) = true;
    }
    EXPECT_EQ(std::count(seen.begin(), seen.end(), false), 0);
  }
}

}  // namespace
}  // namespace poolproof::testing
