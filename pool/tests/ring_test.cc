#include "ring.hpp"

#include <gtest/gtest.h>

#include <deque>
#include <memory>
#include <random>
#include <thread>

#include "support.hpp"

// The rings as memory, both sides in one process.
namespace poolproof::testing {
namespace {

using namespace detail;

struct Sides {
  std::unique_ptr<SharedRing> memory = std::make_unique<SharedRing>();
  TaskWriter tasks{*memory};
  TaskReader begin{*memory};
  ResultWriter results{*memory};
  ResultReader answers{*memory};

  bool give(std::uint64_t number, std::string_view payload = {}) {
    FrameHeader header;
    header.kind = FrameKind::task;
    header.task = number;
    header.size = payload.size();
    return tasks.write(header, payload) && tasks.publish();
  }
  std::uint64_t begin_next() {
    Record record;
    return begin.begin(record) ? record.header.task : 0;
  }
  bool answer(std::uint64_t number, std::string_view payload = {}) {
    FrameHeader header;
    header.kind = FrameKind::value;
    header.task = number;
    header.size = payload.size();
    return results.write(header, payload);
  }
};

TEST(Ring, CarriesTasksInOrderWithTheirPayload) {
  Sides sides;
  EXPECT_FALSE(sides.begin.available());
  EXPECT_TRUE(sides.give(1, "one"));
  EXPECT_TRUE(sides.give(2));
  Record record;
  ASSERT_TRUE(sides.begin.begin(record));
  EXPECT_EQ(record.header.task, 1U);
  EXPECT_EQ(record.payload, "one");
  ASSERT_TRUE(sides.begin.begin(record));
  EXPECT_EQ(record.payload, "");
  EXPECT_FALSE(sides.begin.begin(record));
  EXPECT_EQ(sides.tasks.in_hands(), 2U);
  EXPECT_EQ(sides.tasks.begun(), 2U);
}

TEST(Ring, HoldsWhatFitsAndTakesMoreOnceThatIsAnswered) {
  Sides sides;
  const std::string payload(kLargestInRing, 'x');
  std::uint64_t given = 0;
  while (sides.give(given + 1, payload)) ++given;
  EXPECT_GE(given, 3U);
  for (std::uint64_t round = 0; round < 1000; ++round) {
    ASSERT_EQ(sides.begin_next(), round + 1);
    sides.tasks.retire();
    ASSERT_TRUE(sides.give(++given, payload)) << round;
  }
}

TEST(Ring, RecallsWhatHasNotBeenBegunButNeverTheOldest) {
  Sides sides;
  for (std::uint64_t i = 1; i <= 5; ++i) ASSERT_TRUE(sides.give(i));
  EXPECT_EQ(sides.tasks.recall(2), 2U);
  EXPECT_EQ(sides.tasks.recall(100), 2U);
  EXPECT_EQ(sides.begin_next(), 1U);
  EXPECT_EQ(sides.tasks.recall(100), 0U);
  ASSERT_TRUE(sides.give(6, "again"));
  EXPECT_EQ(sides.tasks.recall(100), 1U) << "the one in work is the oldest";
  ASSERT_TRUE(sides.give(7));
  EXPECT_EQ(sides.begin_next(), 7U);
  EXPECT_EQ(sides.begin_next(), 0U);
}

TEST(Ring, ResultsWaitForRoom) {
  Sides sides;
  const std::string payload(kLargestInRing, 'x');
  std::uint64_t sent = 0;
  while (sides.answer(sent + 1, payload)) ++sent;
  Record record;
  std::uint64_t read = 0;
  for (int round = 0; round < 1000; ++round) {
    ASSERT_EQ(sides.answers.next(record), ResultReader::Found::record);
    ASSERT_EQ(record.header.task, ++read);
    ASSERT_EQ(record.payload, payload);
    sides.answers.release();
    ASSERT_TRUE(sides.answer(++sent, payload));
  }
}

TEST(Ring, NoGarbageHurtsItsReader) {
  std::mt19937_64 random(1);
  int garbage = 0;
  const int rounds = kSanitized ? 2'000 : 20'000;
  for (int round = 0; round < rounds; ++round) {
    Sides sides;
    ASSERT_TRUE(sides.give(1));
    sides.begin_next();
    ASSERT_TRUE(sides.answer(1, "payload"));
    // Some bytes of the header, or a counter, are not what they were.
    auto* const bytes = sides.memory->result_bytes.data();
    for (int i = 0; i < 4; ++i) bytes[random() % 48] = static_cast<char>(random());
    if (round % 2 != 0) sides.memory->results_written = random() >> (random() % 64);
    if (round % 3 != 0) sides.memory->tasks = random() >> (random() % 64);
    Record record;
    while (sides.answers.next(record) == ResultReader::Found::record) {
      ASSERT_GE(record.payload.data(), bytes);
      ASSERT_LE(record.payload.data() + record.payload.size(), bytes + kRingBytes);
    }
    garbage += sides.answers.next(record) == ResultReader::Found::garbage;
    EXPECT_LE(sides.tasks.begun(), sides.tasks.in_hands());
    EXPECT_EQ(sides.tasks.recall(100), 0U);
  }
  EXPECT_GT(garbage, rounds / 20);
}

/// A worker in a thread: answers each task with its payload, sleeping when there is none.
void serve(SharedRing& memory, std::uint64_t count) {
  TaskReader tasks(memory);
  ResultWriter results(memory);
  Sleeper sleeper;
  Waker waker;
  for (std::uint64_t done = 0; done < count;) {
    Record record;
    if (tasks.begin(record)) {
      FrameHeader header = record.header;
      header.kind = FrameKind::value;
      while (!results.write(header, record.payload)) std::this_thread::yield();
      waker.ring(memory.for_results);
      ++done;
      continue;
    }
    const std::uint32_t seen = sleeper.lie_down(memory.for_tasks, Rest::futex);
    const bool awake = tasks.available();
    ASSERT_TRUE(awake || Sleeper::sleep(memory.for_tasks, seen, deadline_after(kSoon)));
    sleeper.get_up(memory.for_tasks);
  }
}

// Main gives, takes back, gives again, and sleeps whenever it has nothing to do; nothing is lost,
// doubled or reordered, and nobody oversleeps.
TEST(Ring, NothingIsLostBetweenTwoWhoSleepWhenTheyCan) {
  const std::uint64_t count = kSanitized ? 20'000 : 200'000;
  auto memory = std::make_unique<SharedRing>();
  std::thread worker([&] { serve(*memory, count); });
  TaskWriter tasks(*memory);
  ResultReader results(*memory);
  Sleeper sleeper;
  Waker waker;
  std::mt19937_64 random(2);
  std::deque<std::uint64_t> in_hands;
  std::uint64_t given = 0;
  std::uint64_t answered = 0;
  while (answered < count) {
    const std::uint64_t batch = random() % 4 == 0 ? random() % 100 : 1;
    for (std::uint64_t i = 0; i < batch && given < count; ++i) {
      FrameHeader header;
      header.task = given + 1;
      const std::string payload(random() % 300, static_cast<char>(given));
      header.size = payload.size();
      if (!tasks.write(header, payload)) break;
      in_hands.push_back(++given);
    }
    ASSERT_TRUE(tasks.publish());
    if (random() % 8 == 0) {
      for (std::uint32_t back = tasks.recall(static_cast<std::uint32_t>(random() % 20)); back > 0;
           --back) {
        ASSERT_EQ(in_hands.back(), given--);
        in_hands.pop_back();
      }
    }
    waker.ring(memory->for_tasks);
    const std::uint32_t seen = sleeper.lie_down(memory->for_results, Rest::futex);
    if (!in_hands.empty() && !results.available()) {
      ASSERT_TRUE(Sleeper::sleep(memory->for_results, seen, deadline_after(kSoon)));
    }
    sleeper.get_up(memory->for_results);
    Record record;
    while (results.next(record) == ResultReader::Found::record) {
      ASSERT_EQ(record.header.task, in_hands.front());
      ASSERT_EQ(record.payload.size(), record.header.size);
      in_hands.pop_front();
      tasks.retire();
      ++answered;
    }
    results.release();
  }
  worker.join();
}

}  // namespace
}  // namespace poolproof::testing
