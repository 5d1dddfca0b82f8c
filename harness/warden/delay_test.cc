#include "harness/warden/delay.h"

#include <gtest/gtest.h>

#include <set>

namespace poolproof::warden {
namespace {

using harness::Nanoseconds;
using namespace std::chrono_literals;

constexpr ThreadId kSelf{1, 1};
constexpr ThreadId kA{10, 10};
constexpr ThreadId kB{10, 11};

class Delay : public ::testing::Test, public Scheduler {
 protected:
  std::optional<sys::ScheduleTimes> times(ThreadId thread) const override {
    const auto found = waited_.find(thread);
    if (found == waited_.end()) return std::nullopt;
    const auto ran = ran_.find(thread);
    return sys::ScheduleTimes{ran != ran_.end() ? ran->second : 0ns, found->second};
  }
  bool is_runnable(ThreadId thread) const override { return runnable_.contains(thread); }

  std::map<ThreadId, Nanoseconds> waited_{{kSelf, 0ns}};
  std::map<ThreadId, Nanoseconds> ran_;
  std::set<ThreadId> runnable_;
  DelayMeter meter_{kSelf, *this, 2};
};

TEST_F(Delay, StartsAtZeroWhateverWasBefore) {
  waited_[kSelf] = 5s;
  meter_.sample({}, 100ms);
  EXPECT_EQ(meter_.total(), 0ns);
}

TEST_F(Delay, TakesTheWorstThreadOfASpan) {
  meter_.sample({}, 0ms);
  waited_[kA] = 3ms;
  waited_[kB] = 5ms;
  meter_.sample({kA, kB}, 20ms);
  EXPECT_EQ(meter_.total(), 5ms);
  waited_[kA] = 7ms;
  waited_[kB] = 6ms;
  meter_.sample({kA, kB}, 40ms);
  EXPECT_EQ(meter_.total(), 5ms + 4ms);
}

TEST_F(Delay, AddsItsOwn) {
  meter_.sample({}, 0ms);
  waited_[kA] = 3ms;
  waited_[kSelf] = 2ms;
  meter_.sample({kA}, 20ms);
  EXPECT_EQ(meter_.total(), 5ms);
}

TEST_F(Delay, IsNeverLongerThanTheSpan) {
  meter_.sample({}, 0ms);
  waited_[kA] = 900ms;
  meter_.sample({kA}, 20ms);
  EXPECT_EQ(meter_.total(), 20ms);
}

TEST_F(Delay, CountsAThreadThatEndsInBetween) {
  meter_.sample({}, 0ms);
  waited_[kA] = 6ms;
  meter_.note_end(kA);
  waited_.erase(kA);
  meter_.sample({}, 20ms);
  EXPECT_EQ(meter_.total(), 6ms);
  meter_.sample({}, 40ms);
  EXPECT_EQ(meter_.total(), 6ms);
}

TEST_F(Delay, CountsAThreadOnceThatIsStillThereAfterItsEnd) {
  meter_.sample({}, 0ms);
  waited_[kA] = 6ms;
  meter_.note_end(kA);
  meter_.sample({kA}, 20ms);
  meter_.sample({kA}, 40ms);
  EXPECT_EQ(meter_.total(), 6ms);
}

/// After an exec by another thread the leader's number has that thread's, smaller, account.
TEST_F(Delay, DoesNotShrink) {
  meter_.sample({}, 0ms);
  waited_[kA] = 9ms;
  meter_.sample({kA}, 20ms);
  waited_[kA] = 1ms;
  meter_.sample({kA}, 40ms);
  EXPECT_EQ(meter_.total(), 9ms);
  waited_[kA] = 3ms;
  meter_.sample({kA}, 60ms);
  EXPECT_EQ(meter_.total(), 11ms);
}

TEST_F(Delay, GivesAReusedNumberAFreshAccount) {
  meter_.sample({}, 0ms);
  waited_[kA] = 9ms;
  meter_.sample({kA}, 20ms);
  waited_.erase(kA);
  meter_.sample({}, 40ms);
  waited_[kA] = 4ms;
  meter_.sample({kA}, 60ms);
  EXPECT_EQ(meter_.total(), 13ms);
}

/// The kernel adds a wait to the account when it is over, 900 ms at once.
TEST_F(Delay, CountsAWaitThatGoesOn) {
  meter_.sample({kA}, 0ms);
  waited_[kA] = 1ms;
  ran_[kA] = 3ms;
  meter_.sample({kA}, 20ms);
  runnable_ = {kA};
  for (auto now = 40ms; now <= 900ms; now += 20ms) meter_.sample({kA}, now);
  EXPECT_EQ(meter_.total(), 1ms + 880ms);
  waited_[kA] += 880ms;
  ran_[kA] += 2ms;
  meter_.sample({kA}, 920ms);
  EXPECT_EQ(meter_.total(), 1ms + 880ms) << "the same wait twice";
}

TEST_F(Delay, CountsWhatAWaitTookBeyondItsAdvance) {
  waited_[kA] = 0ms;
  meter_.sample({kA}, 0ms);
  runnable_ = {kA};
  meter_.sample({kA}, 20ms);
  waited_[kA] = 35ms;
  meter_.sample({kA}, 40ms);
  EXPECT_EQ(meter_.total(), 35ms);
}

TEST_F(Delay, DoesNotCountAThreadThatRunsOrSleeps) {
  waited_[kA] = 0ms;
  waited_[kB] = 0ms;
  meter_.sample({kA, kB}, 0ms);
  runnable_ = {kA};
  for (auto now = 20ms; now <= 200ms; now += 20ms) {
    ran_[kA] += 20ms;
    meter_.sample({kA, kB}, now);
  }
  EXPECT_EQ(meter_.total(), 0ms);
}

/// Four threads that spin share two processors, and nobody else wants them: what they wait for is
/// each other, and tree time goes on but for the little that an account may be behind.
TEST_F(Delay, DoesNotCountWhatTheTreesOwnThreadsTake) {
  const std::vector<ThreadId> spinning{{10, 10}, {10, 11}, {10, 12}, {10, 13}};
  for (auto now = 0ms; now <= 1s; now += 20ms) {
    meter_.sample(now > 0ms ? spinning : std::vector<ThreadId>{}, now);
    for (const auto& thread : spinning) {
      ran_[thread] += 10ms;
      waited_[thread] += 10ms;
    }
  }
  EXPECT_LE(meter_.total(), 20ms);
}

/// The same tree beside others, who get half of each processor.
TEST_F(Delay, CountsWhatOthersTakeOfProcessorsThatTheTreeWants) {
  const std::vector<ThreadId> spinning{{10, 10}, {10, 11}, {10, 12}, {10, 13}};
  for (auto now = 0ms; now <= 1s; now += 20ms) {
    meter_.sample(now > 0ms ? spinning : std::vector<ThreadId>{}, now);
    for (const auto& thread : spinning) {
      ran_[thread] += 5ms;
      waited_[thread] += 15ms;
    }
  }
  EXPECT_EQ(meter_.total(), 50 * 15ms);
}

/// Whoever stops the warden for that long stops the others too; the kernel may not know of it.
TEST_F(Delay, CountsASpanInWhichTheWardenItselfDidNotRun) {
  meter_.sample({}, 0ms);
  meter_.sample({}, 20ms);
  meter_.sample({}, 1020ms);
  EXPECT_EQ(meter_.total(), 1s);
}

}  // namespace
}  // namespace poolproof::warden
