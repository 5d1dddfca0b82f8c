#include "harness/warden/injector.h"

#include <gmock/gmock.h>

#include <set>

#include "harness/warden/testing/subject_test.h"

namespace poolproof::testing {
namespace {

using harness::End;
using harness::FaultFired;
using harness::Trace;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class Faults : public SubjectTest {
 protected:
  static harness::Job faulty(const char* token, const char* who = "main") {
    return with_fault({"calls", who}, token);
  }
  /// Two steps, two tasks by a worker each; says what could be made and how the tasks ended.
  static Trace life_with(const char* token) { return done(with_fault({"faulted"}, token)); }
  static harness::Job with_fault(std::vector<std::string> words, const char* token) {
    auto work = job(std::move(words));
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

TEST_F(Faults, MeetAStepAsItBegins) {
  const Trace trace = life_with("main:before-step:2=SIGKILL");
  EXPECT_EQ(fired(trace), "main:before-step:2=SIGKILL");
  EXPECT_EQ(end_of_main(trace), "killed by SIGKILL");
  EXPECT_THAT(trace.out.text, AllOf(HasSubstr("task 2: done"), Not(HasSubstr("second"))));
}

TEST_F(Faults, MeetAStepThatIsOver) {
  const Trace trace = life_with("main:after-step:1=SIGTERM");
  EXPECT_EQ(fired(trace), "main:after-step:1=SIGTERM");
  EXPECT_EQ(end_of_main(trace), "killed by SIGTERM");
  EXPECT_THAT(trace.out.text, AllOf(HasSubstr("first process"), Not(HasSubstr("task"))));
}

TEST_F(Faults, MeetATaskThatHasBegun) {
  const Trace trace = life_with("worker:task:2=SIGKILL");
  EXPECT_EQ(fired(trace), "worker:task:2=SIGKILL");
  EXPECT_THAT(trace.out.text, AllOf(HasSubstr("task 1: done"), HasSubstr("task 2: Killed")));
  const Trace of_main = life_with("main:task:1=SIGKILL");
  EXPECT_EQ(end_of_main(of_main), "killed by SIGKILL");
}

/// By the order of their first tasks, from then on.
TEST_F(Faults, NameAWorkerByItsRole) {
  const Trace trace = life_with("worker2:write(pipe):3=SIGKILL");
  EXPECT_EQ(fired(trace), "worker2:write(pipe):3=SIGKILL");
  EXPECT_THAT(trace.out.text, AllOf(HasSubstr("task 1: done"), HasSubstr("task 2: Killed")));
  EXPECT_EQ(fired(life_with("worker3:write(pipe):1=SIGKILL")), "0 times");
}

TEST_F(Faults, HitMainsWholeGroup) {
  const Trace trace = life_with("group:task:1=SIGTERM");
  EXPECT_EQ(fired(trace), "group:task:1=SIGTERM");
  EXPECT_EQ(end_of_main(trace), "killed by SIGTERM");
  const auto born = all<harness::Born>(trace);
  EXPECT_EQ(end_of(trace, born.back()->pid), "killed by SIGTERM");
}

TEST_F(Faults, MakeEachLaterCallFailToo) {
  const Trace trace = done(faulty("main:write(pipe):2+=EPIPE"));
  EXPECT_EQ(fired(trace), "main:write(pipe):2+=EPIPE");
  EXPECT_EQ(trace.out.text, "one\n");
  EXPECT_EQ(trace.err.text, "") << "perror's own writes are to a pipe as well";
}

/// One in the middle of a call: only that thread stands, and no time counts.
TEST_F(Faults, DelayACall) {
  auto work = faulty("main:write(pipe):2=delay:600");
  work.settings.grace = 150ms;
  work.prompt_steps = {1};
  const Trace trace = done(work);
  EXPECT_EQ(fired(trace), "main:write(pipe):2=delay:600");
  EXPECT_EQ(trace.end, End::kAllDead) << trace;
  EXPECT_EQ(trace.out.text, "one\ntwo\nthree\n");
  EXPECT_GE(trace.events.back().at, 600ms);
  EXPECT_LT(trace.tree_time(0ns, trace.events.back().at), 600ms);
}

/// Nobody is there any more for whom the rest would be kept waiting.
TEST_F(Faults, EndTheirPauseWithTheirVictim) {
  for (const char* token :
       {"main.1:write(pipe):2=stop:25000", "main.1:write(pipe):2=delay:25000"}) {
    const Trace trace = done(with_fault({"kills-who-stands"}, token));
    EXPECT_EQ(fired(trace), token) << trace;
    EXPECT_EQ(trace.end, End::kAllDead) << trace;
    EXPECT_EQ(end_of_main(trace), "exited 0");
    EXPECT_LT(trace.events.back().at, 20s);
  }
}

TEST_F(Faults, DelayAStepAndATask) {
  for (const char* token : {"main:before-step:2=delay:100", "worker:task:1=delay:100"}) {
    const Trace trace = life_with(token);
    EXPECT_EQ(fired(trace), token);
    EXPECT_THAT(trace.out.text, HasSubstr("end\n"));
    EXPECT_GE(trace.events.back().at, 100ms);
  }
}

TEST_F(Faults, ReachTheLimitOfFiles) {
  const Trace trace = life_with("main:before-step:2=limit:files");
  EXPECT_THAT(trace.out.text,
              AllOf(HasSubstr("first file: ok"), HasSubstr("second file: Too many open files")));
}

TEST_F(Faults, ReachTheLimitOfMemory) {
  const Trace trace = life_with("main:before-step:2=limit:memory");
  EXPECT_THAT(trace.out.text, AllOf(HasSubstr("first memory: ok"),
                                    HasSubstr("second memory: Cannot allocate memory")));
}

TEST_F(Faults, ReachTheLimitOfProcesses) {
  const Trace trace = life_with("main:after-step:1=limit:processes");
  const auto fails = "Resource temporarily unavailable";
  EXPECT_THAT(trace.out.text,
              AllOf(HasSubstr("first process: ok"), HasSubstr(std::string("worker: ") + fails),
                    HasSubstr(std::string("second process: ") + fails)));
}

/// The last that was waited for is the worker of task 2.
TEST_F(Faults, GiveWhoIsBornThePidOfWhoIsGone) {
  const Trace trace = life_with("main:before-step:2=reuse:pids");
  EXPECT_EQ(fired(trace), "main:before-step:2=reuse:pids");
  EXPECT_THAT(trace.out.text, HasSubstr("second process: ok"));
  const auto begun = all<harness::TaskBegun>(trace);
  const auto born = all<harness::Born>(trace);
  ASSERT_EQ(begun.size(), 2U);
  const auto fired_at = place_of<FaultFired>(trace, trace.main());
  EXPECT_EQ(born.back()->pid, begun.back()->pid) << trace;
  EXPECT_EQ(end_of(trace, born.back()->pid), "exited 0");
  std::set<harness::Pid> earlier;
  for (std::size_t i = 0; i + 1 < born.size(); ++i) earlier.insert(born[i]->pid);
  EXPECT_EQ(earlier.size() + 1, born.size()) << "before the fault each has its own";
  EXPECT_LT(fired_at, trace.events.size());
}

/// Where the pids are the whole machine's they are not ours to give.
TEST_F(Faults, LeavePidsAloneOutsideOfANamespace) {
  auto* low = runner(2);
  ASSERT_NE(low, nullptr);
  low->submit(with_fault({"faulted"}, "main:before-step:2=reuse:pids"));
  const auto finished = low->next(std::chrono::steady_clock::now() + 30s);
  ASSERT_TRUE(finished && finished->trace);
  EXPECT_EQ(fired(*finished->trace), "0 times");
  EXPECT_EQ(end_of_main(*finished->trace), "exited 0");
}

TEST_F(Faults, TakeTheReaderOfStdoutAway) {
  const Trace trace = life_with("main:before-step:2=close-stdout");
  EXPECT_EQ(fired(trace), "main:before-step:2=close-stdout");
  EXPECT_EQ(end_of_main(trace), "killed by SIGPIPE");
  EXPECT_THAT(trace.out.text, AllOf(HasSubstr("task 2"), Not(HasSubstr("second"))));
}

/// Calls by which a main is started and told to go, before anything counts.
TEST_F(Faults, MayNameCallsThatTheStartMakes) {
  for (const char* call : {"sendmsg", "recvmsg", "execve", "close_range", "rt_sigaction"}) {
    const Trace trace = done(faulty((std::string("main:") + call + ":1=SIGKILL").c_str()));
    EXPECT_EQ(fired(trace), "0 times") << call;
    EXPECT_EQ(end_of_main(trace), "exited 0") << call;
  }
}

TEST_F(Faults, FindTheErrorThatSuitsTheCall) {
  EXPECT_EQ(fired(done(faulty("main:pipe2:1=errno"))), "main:pipe2:1=EMFILE");
  EXPECT_EQ(fired(done(faulty("main:write(pipe):1=errno"))), "main:write(pipe):1=EINTR");
  EXPECT_EQ(fired(done(faulty("main:exit_group:1=errno"))), "0 times");
}

/// Where no filter can be had, as for a fault that counts through all calls.
TEST_F(Faults, MeanTheSameWithoutAFilter) {
  const Trace by_name = done(faulty("main:write(pipe):3=EPIPE"));
  const int calls = all<FaultFired>(by_name).empty() ? 0 : all<FaultFired>(by_name)[0]->calls;
  EXPECT_EQ(calls, 3) << "the filter let others through";
  for (int nth = 1; nth < 60; ++nth) {
    const Trace trace = done(faulty(("main:*:" + std::to_string(nth) + "=EPIPE").c_str()));
    if (fired(trace) != "main:write(pipe):3=EPIPE") continue;
    EXPECT_EQ(trace.out.text, by_name.out.text);
    EXPECT_EQ(trace.err.text, by_name.err.text);
    return;
  }
  FAIL() << "no call of main's was the third write to a pipe";
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
