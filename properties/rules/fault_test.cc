// What a case's fault excuses, and what it does not.
#include <gtest/gtest.h>

#include <csignal>

#include "properties/rules/made_trace.h"

namespace poolproof::properties {
namespace {

using namespace std::chrono_literals;
using harness::End;
using sys::Exited;
using sys::Killed;
using Kind = harness::StepResult::Kind;

/// A worker that has begun the one task; main waits for it.
Story in_the_task() {
  Story story({create(1), submit(1), get(1), close(), join()});
  story.begins(1).born(3).ends(1).step(2).begins(3).begins_task(1, 3);
  return story;
}

constexpr const char* kKill = "worker:task:1=SIGKILL";
constexpr const char* kError = "main:sendmsg(socket):1=ENOBUFS";

TEST(Fault, ThatKillsABusyWorkerAsksForAReport) {
  auto story = in_the_task().hit(kKill, 3).dies(3, Killed{SIGKILL});
  EXPECT_EQ(Story(story).ends(3, result(Kind::kWorkerDied)).outcome("T6"), "held");
  story.at_rest().over(End::kAtRest);
  EXPECT_EQ(story.outcome("T6"), "violated");
  EXPECT_EQ(story.outcome("P1"), "violated");
}

/// Another signal's victim, or another worker's death, is not the fault's doing.
TEST(Fault, AsksForNoReportOfADeathThatItDidNotCause) {
  auto other = in_the_task().hit("worker:task:1=SIGTERM", 3).dies(3, Killed{SIGKILL});
  EXPECT_EQ(other.at_rest().over(End::kAtRest).outcome("T6"), "not exercised");
  auto elsewhere = in_the_task().hit("main:task:1=SIGKILL").dies(3, Killed{SIGKILL});
  EXPECT_EQ(elsewhere.at_rest().over(End::kAtRest).outcome("T6"), "not exercised");
}

TEST(Fault, MayBeWhyAWorkerDied) {
  auto story = in_the_task().hit("worker:task:1=SIGTERM", 3).dies(3, Killed{SIGTERM});
  story.ends(3, result(Kind::kWorkerDied)).step(4).step(5).exits();
  EXPECT_NE(story.outcome("T3"), "violated");
  auto without = in_the_task().dies(3, Killed{SIGTERM});
  without.ends(3, result(Kind::kWorkerDied)).step(4).step(5).exits();
  EXPECT_EQ(without.outcome("T3"), "violated");
}

TEST(Fault, ThatMakesCallsFailExcusesAnErrorButNoWrongValue) {
  auto story = in_the_task().hit(kError).ends_task(1, 3).ends(3, result(Kind::kError)).exits();
  EXPECT_NE(story.outcome("T3"), "violated");
  auto wrong = in_the_task().hit(kError).ends_task(1, 3).ends(3, value("42")).exits();
  EXPECT_EQ(wrong.outcome("T3"), "violated");
  auto earlier = in_the_task().ends_task(1, 3).ends(3, result(Kind::kError)).hit(kError).exits();
  EXPECT_EQ(earlier.outcome("T3"), "violated");
}

/// Who asks for a task's error may not have the memory to read it; what another task raised is no
/// such word.
TEST(Fault, ThatTakesMainsMemoryExcusesALostErrorButNoOther) {
  const auto told = [](const char* message, bool is_short) {
    Story story({create(1), submit(1, harness::BodyKind::kRaise), get(1), close(), join()});
    story.begins(1).born(3).ends(1).step(2).begins(3).begins_task(1, 3);
    if (is_short) story.hit("main:task:1=limit:memory");
    return story.ends_task(1, 3, "raised").ends(3, result(Kind::kTaskError, message)).exits();
  };
  EXPECT_EQ(told("std::bad_alloc", true).outcome("T3"), "not exercised");
  EXPECT_EQ(told("std::bad_alloc", false).outcome("T3"), "violated");
  EXPECT_EQ(told("task 2 raised", true).outcome("T3"), "violated");
  EXPECT_EQ(told("task 1 raised", true).outcome("T3"), "held");
}

TEST(Fault, ThatMakesCallsFailExcusesNoHang) {
  Story story({create(1), terminate(), join()});
  story.begins(1).born(3).ends(1).begins(2).hit(kError).at_rest().over(End::kAtRest);
  EXPECT_EQ(story.outcome("S4"), "violated");
  EXPECT_EQ(story.outcome("P1"), "violated");
}

TEST(Fault, ThatMakesCallsFailExcusesAnEndingThatSaysSo) {
  for (const bool excused : {true, false}) {
    Story story({create(1), close(), close(), terminate(), join()});
    story.begins(1).born(3).ends(1).step(2).begins(3);
    story.hit(excused ? kError : "main:read:1=delay:5").ends(3, result(Kind::kError));
    story.begins(4).ends(4, result(Kind::kError)).exits();
    EXPECT_EQ(story.outcome("S3") == "violated", !excused);
    EXPECT_EQ(story.outcome("S4") == "violated", !excused);
  }
}

TEST(Fault, ThatKillsAWorkerMayBeWhyATaskIsNotDrained) {
  for (const char* fault : {"worker:task:1=SIGTERM", "worker:task:1=stop:5"}) {
    Story story({create(1), submit(1), close(), join()});
    story.begins(1).born(3).ends(1).step(2).step(3).begins(4).begins_task(1, 3).hit(fault, 3);
    story.dies(3, Killed{SIGTERM}).ends(4).exits();
    EXPECT_EQ(story.outcome("S5") == "violated", std::string_view(fault).ends_with("stop:5"));
  }
}

/// A pool that has no supervisor, or can make no worker, is over, and join of one that is over is
/// no mistake.
TEST(Fault, ThatBreaksThePoolLeavesOpenWhatIsRefused) {
  for (const bool helper : {true, false}) {
    Story story({create(1), join()});
    story.begins(1).born(4).born(3, 4).begins_task(1, 3).ends_task(1, 3).ends(1).begins(2);
    story.hit("main.1:before-step:2=SIGKILL", helper ? 4 : 3).ends(2).exits();
    EXPECT_EQ(story.outcome("S2"), helper ? "not exercised" : "violated");
  }
  Story story({create(1), join()});
  story.begins(1).born(3).ends(1).begins(2).hit("main:before-step:2=limit:processes").ends(2);
  EXPECT_EQ(story.exits().outcome("S2"), "not exercised");
}

TEST(Fault, ThatHitsMainLeavesItsStatusOpen) {
  auto hit = in_the_task().hit("main:mmap:1=ENOMEM").ends_task(1, 3).exits(Killed{SIGABRT});
  EXPECT_EQ(hit.outcome("E2"), "not exercised");
  auto other = in_the_task().hit("worker1:mmap:1=ENOMEM", 3).ends_task(1, 3).ending();
  other.dies(3).dies(Story::kMain, Killed{SIGABRT});
  EXPECT_EQ(other.outcome("E2"), "violated");
  // No process can be made by anybody, so that main itself may fail.
  auto limit = in_the_task().hit("worker:task:1=limit:processes", 3).ends_task(1, 3).ending();
  limit.dies(3).dies(Story::kMain, Killed{SIGABRT});
  EXPECT_EQ(limit.outcome("E2"), "not exercised");
}

/// Who is only kept waiting does as it would have done, and so do those around it.
TEST(Fault, ThatOnlyDelaysExcusesNothing) {
  for (const char* fault :
       {"main:task:1=stop:50", "main:getpid:1=delay:50", "main:task:1=reuse:pids"}) {
    auto status = in_the_task().hit(fault).ends_task(1, 3).ending().dies(3);
    EXPECT_EQ(status.dies(Story::kMain, Exited{7}).outcome("E2"), "violated") << fault;
  }
  for (const char* fault : {"worker:task:1=stop:50", "worker1:getpid:1=delay:50"}) {
    auto died = in_the_task().hit(fault, 3).dies(3, Killed{SIGTERM});
    died.ends(3, result(Kind::kWorkerDied)).step(4).step(5).exits();
    EXPECT_EQ(died.outcome("T3"), "violated") << fault;
    // A worker that was let go on and then left in peace was not lost: no get may be told so.
    auto left = in_the_task().hit(fault, 3).ends_task(1, 3).dies(3);
    left.ends(3, result(Kind::kWorkerDied)).step(4).step(5).exits();
    EXPECT_EQ(left.outcome("T3"), "violated") << fault;
  }
}

/// A worker that left in its task has died in it, whoever has its pid by now.
TEST(Fault, ThatReusesAPidTakesNoDeathFromItsWorker) {
  Story story({create(1), submit(1, harness::BodyKind::kOsExit, 0),
               of_kind(harness::StepKind::kLaunch), get(1)});
  story.begins(1).born(3).ends(1).step(2).begins_task(1, 3).dies(3, Exited{0});
  story.begins(3).hit("main:before-step:3=reuse:pids").born(3);
  story.add(harness::OwnChild{Story::kMain, 3}).ends(3);
  story.step(4, result(Kind::kWorkerDied)).exits();
  EXPECT_EQ(story.outcome("T3"), "held") << story.says("T3");
  EXPECT_EQ(story.outcome("T6"), "held") << story.says("T6");
}

/// Whom it comes upon is dead already: that is not its doing.
TEST(Fault, ExcusesNoDeathBeforeIt) {
  auto story = in_the_task().ends_task(1, 3).dies(3);
  story.hit("main:before-step:4=limit:processes")
      .ends(3, result(Kind::kWorkerDied))
      .step(4)
      .step(5);
  EXPECT_EQ(story.exits().outcome("T3"), "violated");
}

TEST(Fault, ThatTakesTheReaderOfStdoutLeavesStderrToBeJudged) {
  auto story = in_the_task().hit("main:task:1=close-stdout").ends_task(1, 3).ends(3, value("none"));
  story.ending().dies(Story::kMain).after(1100ms).over(End::kGrace);
  EXPECT_EQ(story.outcome("E3"), "violated");
  EXPECT_EQ(story.says("E3").find("stdout"), std::string::npos) << story.says("E3");
}

// ---- P3 -----------------------------------------------------------------------------------------

TEST(RecoverableFromAnywhere, IsNotExercisedWithoutAFault) {
  EXPECT_EQ(in_the_task().ends_task(1, 3).ends(3).step(4).step(5).exits().outcome("P3"),
            "not exercised");
}

TEST(RecoverableFromAnywhere, IsHeldWhenAllComesToItsEnd) {
  auto story = in_the_task().hit(kKill, 3).dies(3, Killed{SIGKILL});
  EXPECT_EQ(story.ends(3, result(Kind::kWorkerDied)).step(4).step(5).exits().outcome("P3"), "held");
}

TEST(RecoverableFromAnywhere, IsViolatedByWhatItIsImpliedBy) {
  auto story = in_the_task().hit(kKill, 3).dies(3, Killed{SIGKILL}).at_rest().over(End::kAtRest);
  EXPECT_EQ(story.outcome("P3"), "violated");
  EXPECT_EQ(story.says("P3"), story.says("P1"));
}

TEST(RecoverableFromAnywhere, IsUnclearWhereThoseAre) {
  auto story = in_the_task().hit(kKill, 3).dies(3, Killed{SIGKILL});
  story.at_rest(false).over(End::kFuse);
  EXPECT_EQ(story.outcome("P3"), "inconclusive");
}

/// A pool whose workers cannot be made says so of their tasks, though none has died.
TEST(OutcomeIsTrue, AllowsABrokenPoolWhereNoProcessCanBeMade) {
  for (const bool limited : {true, false}) {
    Story story({create(1), submit(1), get(1)});
    story.begins(1).ends(1).step(2);
    if (limited) story.hit("main:before-step:3=limit:processes");
    story.step(3, result(harness::StepResult::Kind::kWorkerDied)).exits();
    EXPECT_EQ(story.outcome("T3") == "violated", !limited);
  }
}

/// A pool that cannot read what its workers say may take them for dead, and says so before it has
/// ended them.
TEST(OutcomeIsTrue, AllowsABrokenPoolWhereMainsReadFails) {
  for (const bool failing : {true, false}) {
    auto story = in_the_task().ends_task(1, 3);
    if (failing) story.hit("main:read(pipe):2=EIO");
    story.ends(3, result(Kind::kWorkerDied)).dies(3, Killed{SIGTERM}).step(4).step(5).exits();
    EXPECT_EQ(story.outcome("T3") == "violated", !failing);
  }
}

}  // namespace
}  // namespace poolproof::properties
