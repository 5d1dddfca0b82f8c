#include "harness/warden/delay.h"

#include <gtest/gtest.h>

namespace poolproof::warden {
namespace {

using harness::Nanoseconds;
using namespace std::chrono_literals;

constexpr ThreadId kSelf{1, 1};
constexpr ThreadId kA{10, 10};
constexpr ThreadId kB{10, 11};

class Delay : public ::testing::Test {
 protected:
  std::map<ThreadId, Nanoseconds> waited_{{kSelf, 0ns}};
  DelayMeter meter_{kSelf, [this](ThreadId thread) -> std::optional<Nanoseconds> {
                      const auto found = waited_.find(thread);
                      if (found == waited_.end()) return std::nullopt;
                      return found->second;
                    }};
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

}  // namespace
}  // namespace poolproof::warden
