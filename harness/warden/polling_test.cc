#include "harness/warden/polling.h"

#include <algorithm>

#include "harness/warden/testing/subject_test.h"

namespace poolproof::testing {
namespace {

using harness::End;
using harness::Polling;
using harness::Trace;

/// Time enough for many times as many wake-ups as it takes.
constexpr harness::Settings kLong{.grace = 100ms, .fuse = 20s};
/// The same for those that must not be taken for polling in vain, if only just enough.
constexpr harness::Settings kShort{.grace = 100ms, .fuse = 2s};

class Polls : public SubjectTest, public ::testing::WithParamInterface<std::string> {
 protected:
  static Trace run_waiting(const std::string& mode, harness::Settings settings,
                           std::vector<int> steps = {1}) {
    auto work = job({mode}, settings);
    work.waiting_steps = std::move(steps);
    runner()->submit(work);
    auto finished = runner()->next(std::chrono::steady_clock::now() + 60s);
    EXPECT_TRUE(finished && finished->trace);
    return finished && finished->trace ? *std::move(finished->trace) : Trace{};
  }
};

std::string mode_name(const ::testing::TestParamInfo<std::string>& mode) {
  std::string name = mode.param;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

class PollsInVain : public Polls {};

TEST_P(PollsInVain, EndsTheCaseByCount) {
  const Trace trace = run_waiting(GetParam(), kLong);
  EXPECT_EQ(trace.end, End::kPolling) << trace;
  const auto polls = all<Polling>(trace);
  ASSERT_EQ(polls.size(), 1U) << trace;
  EXPECT_EQ(polls[0]->doubt, "");
  ASSERT_EQ(polls[0]->pollers.size(), 1U) << trace;
  EXPECT_EQ(polls[0]->pollers[0].pid, trace.main());
  EXPECT_GE(polls[0]->pollers[0].wakes, warden::PollMeter::kEnough);
  EXPECT_FALSE(proved_at_rest(trace));
}

INSTANTIATE_TEST_SUITE_P(Of, PollsInVain,
                         ::testing::Values("poll-by-sleep", "poll-by-futex", "poll-beside-sleeper"),
                         mode_name);

class PollsForSomething : public Polls {};

TEST_P(PollsForSomething, IsNotInVain) {
  const Trace trace = run_waiting(GetParam(), kShort);
  EXPECT_EQ(trace.end, End::kFuse) << trace;
  EXPECT_TRUE(all<Polling>(trace).empty()) << trace;
}

INSTANTIATE_TEST_SUITE_P(Of, PollsForSomething,
                         ::testing::Values("poll-and-read", "poll-and-work", "poll-beside-worker",
                                           "poll-beside-timer"),
                         mode_name);

class PollsInDoubt : public Polls {};

TEST_P(PollsInDoubt, DoesNotEndTheCaseAndIsRecordedWithTheDoubt) {
  const Trace trace = run_waiting(GetParam(), kShort);
  EXPECT_EQ(trace.end, End::kFuse) << trace;
  const auto polls = all<Polling>(trace);
  ASSERT_EQ(polls.size(), 1U) << trace;
  EXPECT_NE(polls[0]->doubt, "");
}

INSTANTIATE_TEST_SUITE_P(Of, PollsInDoubt, ::testing::Values("poll-in-company", "poll-the-network"),
                         mode_name);

TEST_F(Polls, MayGoOnWhereTheScenarioAskedToWait) {
  const Trace trace = run_waiting("poll-by-sleep", kShort, {0, 2});
  EXPECT_EQ(trace.end, End::kFuse) << trace;
  EXPECT_TRUE(all<Polling>(trace).empty()) << trace;
}

/// Processes that come and go are no polling, but no progress either.
TEST_F(Polls, EndACaseWhereProcessesDieAndNothingElseHappens) {
  const Trace trace = run_waiting("replace-for-ever", kLong);
  EXPECT_EQ(trace.end, End::kPolling) << trace.events.size();
  EXPECT_GE(all<harness::Born>(trace).size(), 60U);
  EXPECT_TRUE(all<Polling>(trace).empty());
  // Nobody waits: main may have been asked to.
  EXPECT_NE(run_waiting("replace-for-ever", kShort, {}).end, End::kPolling);
}

}  // namespace
}  // namespace poolproof::testing
