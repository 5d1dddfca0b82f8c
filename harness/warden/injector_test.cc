#include "harness/warden/injector.h"

#include <gmock/gmock.h>

#include "harness/warden/testing/subject_test.h"

namespace poolproof::testing {
namespace {

using harness::End;
using harness::FaultFired;
using harness::Trace;

class Faults : public SubjectTest {
 protected:
  static harness::Job faulty(const char* token, const char* who = "main") {
    auto work = job({"calls", who});
    auto fault = harness::fault_from_string(token);
    EXPECT_TRUE(fault);
    if (fault) work.scenario.fault = *fault;
    return work;
  }
  static Trace done(const harness::Job& work) {
    runner()->submit(work);
    auto finished = runner()->next(std::chrono::steady_clock::now() + 30s);
    EXPECT_TRUE(finished && finished->trace);
    return finished && finished->trace ? std::move(*finished->trace) : Trace{};
  }
  static std::string fired(const Trace& trace) {
    const auto found = all<FaultFired>(trace);
    return found.size() == 1 ? found[0]->token : std::to_string(found.size()) + " times";
  }
};

TEST_F(Faults, KillAtTheCallThatTheyNameAndBeforeItIsMade) {
  const Trace trace = done(faulty("main:write(pipe):2=SIGKILL"));
  EXPECT_EQ(fired(trace), "main:write(pipe):2=SIGKILL");
  EXPECT_EQ(end_of_main(trace), "killed by SIGKILL");
  EXPECT_EQ(trace.out.text, "one\n");
  const auto main = trace.main();
  EXPECT_LT(place_of<FaultFired>(trace, main), place_of<harness::Dying>(trace, main)) << trace;
}

TEST_F(Faults, NameTheCallThatABareNumberMet) {
  const Trace by_name = done(faulty("main:pipe2:1=SIGKILL"));
  ASSERT_EQ(fired(by_name), "main:pipe2:1=SIGKILL");
  const int calls = all<FaultFired>(by_name)[0]->calls;
  const Trace by_number = done(faulty(("main:*:" + std::to_string(calls) + "=SIGKILL").c_str()));
  EXPECT_EQ(fired(by_number), "main:pipe2:1=SIGKILL");
}

TEST_F(Faults, CountMainsCallsFromItsFirstStepOn) {
  const Trace trace = done(faulty("main:*:1=SIGKILL"));
  ASSERT_EQ(fired(trace).substr(0, 5), "main:");
  EXPECT_GE(place_of<FaultFired>(trace, trace.main()),
            place_of<harness::StepBegun>(trace, trace.main()));
}

TEST_F(Faults, MakeACallFailWithoutMakingIt) {
  const Trace trace = done(faulty("main:write(pipe):2=EPIPE"));
  EXPECT_EQ(fired(trace), "main:write(pipe):2=EPIPE");
  EXPECT_EQ(trace.out.text, "one\nthree\n");
  EXPECT_EQ(trace.err.text, "two: Broken pipe\n");
  EXPECT_EQ(end_of_main(trace), "exited 0");
}

/// The pause is nobody's fault: no time of it counts.
TEST_F(Faults, StopForAWhileWithoutAVerdictByTime) {
  auto work = faulty("main:write(pipe):1=stop:600");
  work.settings.grace = 150ms;
  work.prompt_steps = {1};
  const Trace trace = done(work);
  EXPECT_EQ(fired(trace), "main:write(pipe):1=stop:600");
  EXPECT_EQ(trace.end, End::kAllDead) << trace;
  EXPECT_EQ(trace.out.text, "one\ntwo\nthree\n");
  EXPECT_LT(trace.tree_time(0ns, trace.events.back().at), 600ms);
}

TEST_F(Faults, HitAChildByItsBirth) {
  const Trace trace = done(faulty("main.1:write(pipe):3=SIGKILL", "child"));
  EXPECT_EQ(fired(trace), "main.1:write(pipe):3=SIGKILL");
  EXPECT_EQ(trace.out.text, "one\ntwo\n");
  EXPECT_EQ(end_of_main(trace), "exited 0");
  const auto born = all<harness::Born>(trace);
  ASSERT_EQ(born.size(), 2U);
  EXPECT_EQ(end_of(trace, born[1]->pid), "killed by SIGKILL");
}

TEST_F(Faults, ThatMeetNoCallLeaveNoTrace) {
  const Trace trace = done(faulty("main:write(pipe):99=SIGKILL"));
  EXPECT_EQ(fired(trace), "0 times");
  EXPECT_EQ(end_of_main(trace), "exited 0");
}

TEST_F(Faults, AreRefusedWhereNobodyTraces) {
  auto* low = runner(3);
  ASSERT_NE(low, nullptr);
  low->submit(faulty("main:write:1=SIGKILL"));
  const auto finished = low->next(std::chrono::steady_clock::now() + 30s);
  ASSERT_TRUE(finished);
  ASSERT_FALSE(finished->trace);
  EXPECT_THAT(finished->trace.error().message(), ::testing::HasSubstr("ptrace"));
}

}  // namespace
}  // namespace poolproof::testing
