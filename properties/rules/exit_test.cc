#include <gtest/gtest.h>

#include <csignal>

#include "properties/rules/made_trace.h"

namespace poolproof::properties {
namespace {

using namespace std::chrono_literals;
using harness::BodyKind;
using harness::End;
using harness::EndingKind;
using sys::Exited;
using sys::Killed;

/// A pool of one worker that ran one task; main is about to end.
Story about_to_end(EndingKind ending = EndingKind::kReturn, int code = 0) {
  Story story({create(1), submit(1), get(1)}, ending, code);
  story.begins(1).born(3).ends(1).step(2).begins(3).task(1, 3).ends(3, value("none"));
  return story;
}

// ---- E1 -----------------------------------------------------------------------------------------

TEST(ProcessExits, IsHeldWhenMainDies) {
  EXPECT_EQ(about_to_end().exits().outcome("E1"), "held");
}

TEST(ProcessExits, IsNotExercisedWithoutAnyPool) {
  EXPECT_EQ(Story({}).exits().outcome("E1"), "not exercised");
}

TEST(ProcessExits, IsNotExercisedBeforeTheEnding) {
  EXPECT_EQ(about_to_end().over(End::kFuse).outcome("E1"), "not exercised");
}

/// No such case is made, but one may be written.
TEST(ProcessExits, AsksNothingOfAMainThatHandlesTheSignalOfItsEnding) {
  Story story({create(1), of_kind(harness::StepKind::kHandle)}, EndingKind::kSigterm);
  story.begins(1).born(3).ends(1).step(2).ending().at_rest().over(End::kAtRest);
  EXPECT_EQ(story.outcome("E1"), "not exercised");
  EXPECT_TRUE(story.violated().empty()) << story.violated()[0];
}

TEST(ProcessExits, IsViolatedByAProvedHangAtExit) {
  auto story = about_to_end().ending().at_rest().over(End::kAtRest);
  EXPECT_EQ(story.outcome("E1"), "violated");
  EXPECT_EQ(
      story.says("E1"),
      "main began to end (return) and hangs: nothing can wake it: main 2 and worker 3 wait in "
      "read(pipe:[7])");
}

TEST(ProcessExits, IsViolatedAfterTheGraceOfATerminatingPool) {
  EXPECT_EQ(about_to_end().ending().after(1100ms).over(End::kDeadline).outcome("E1"), "violated");
}

TEST(ProcessExits, IsNotViolatedByTimeThatTheMachineTook) {
  auto story = about_to_end().ending().after(1100ms).add(harness::Delay{500ms});
  EXPECT_EQ(story.over(End::kFuse).outcome("E1"), "inconclusive");
}

TEST(ProcessExits, LetsADrainingPoolTakeItsTime) {
  auto story = about_to_end();
  story.contract.exit = Contract::Exit::kDrains;
  story.ending().after(1100ms).over(End::kFuse);
  EXPECT_EQ(story.outcome("E1"), "inconclusive");
  EXPECT_EQ(story.says("E1"), "main had not exited: the fuse ended the case");
}

TEST(ProcessExits, AsksForPromptnessOfEndingsWithoutCleanupAlways) {
  auto story = about_to_end(EndingKind::kOsExit);
  story.contract.exit = Contract::Exit::kDrains;
  EXPECT_EQ(story.ending().after(1100ms).over(End::kDeadline).outcome("E1"), "violated");
}

TEST(ProcessExits, DoesNotApplyWhereTheContractWaitsForClose) {
  auto story = about_to_end();
  story.contract.exit = Contract::Exit::kWaitsForClose;
  EXPECT_EQ(story.ending().at_rest().over(End::kAtRest).outcome("E1"), "not applicable");
}

TEST(ProcessExits, IsInconclusiveWhereRestIsNotProved) {
  auto story = about_to_end().ending().at_rest(false).over(End::kFuse);
  EXPECT_EQ(story.outcome("E1"), "inconclusive");
  EXPECT_NE(story.says("E1").find("a timer may be armed"), std::string::npos);
}

TEST(ProcessExits, IsNotHeldByADeathThatTheWardenCaused) {
  auto story = about_to_end().ending();
  story.over(End::kFuse).dies(Story::kMain, Killed{SIGKILL});
  EXPECT_EQ(story.outcome("E1"), "inconclusive");
}

// ---- E2 -----------------------------------------------------------------------------------------

struct Ends {
  EndingKind how;
  int code;
  const char* language;
  const char* runtime;
  sys::ExitStatus status;
  const char* outcome;
};

std::ostream& operator<<(std::ostream& out, const Ends& of) {
  return out << of.language << " " << entry(of.how).name << " " << sys::to_string(of.status);
}

class ExitStatusIsTrue : public testing::TestWithParam<Ends> {};

TEST_P(ExitStatusIsTrue, AsTheLanguageSays) {
  auto story = about_to_end(GetParam().how, GetParam().code);
  story.language = GetParam().language;
  story.runtime = GetParam().runtime;
  EXPECT_EQ(story.exits(GetParam().status).outcome("E2"), GetParam().outcome) << story.says("E2");
}

constexpr const char* kNew = "CPython 3.11.7";

INSTANTIATE_TEST_SUITE_P(
    Endings, ExitStatusIsTrue,
    testing::Values(Ends{EndingKind::kReturn, 0, "python", kNew, Exited{0}, "held"},
                    Ends{EndingKind::kReturn, 0, "python", kNew, Exited{1}, "violated"},
                    Ends{EndingKind::kReturn, 0, "python", kNew, Exited{120}, "inconclusive"},
                    Ends{EndingKind::kReturn, 0, "c++", "", Exited{120}, "violated"},
                    Ends{EndingKind::kReturn, 0, "c++", "", Killed{SIGSEGV}, "violated"},
                    Ends{EndingKind::kReturn, 0, "c++", "", Killed{SIGKILL}, "inconclusive"},
                    Ends{EndingKind::kExit, 7, "python", kNew, Exited{7}, "held"},
                    Ends{EndingKind::kExit, 7, "python", kNew, Exited{0}, "violated"},
                    Ends{EndingKind::kOsExit, 137, "c++", "", Exited{137}, "held"},
                    Ends{EndingKind::kOsExit, 137, "c++", "", Killed{SIGTERM}, "violated"},
                    Ends{EndingKind::kRaise, 0, "python", kNew, Exited{1}, "held"},
                    Ends{EndingKind::kRaise, 0, "python", kNew, Exited{0}, "violated"},
                    Ends{EndingKind::kRaise, 0, "c++", "", Killed{SIGABRT}, "held"},
                    Ends{EndingKind::kRaise, 0, "cobol", "", Exited{3}, "not exercised"},
                    Ends{EndingKind::kAbort, 0, "python", kNew, Killed{SIGABRT}, "held"},
                    Ends{EndingKind::kSigterm, 0, "python", kNew, Killed{SIGTERM}, "held"},
                    Ends{EndingKind::kSigterm, 0, "python", kNew, Exited{0}, "violated"},
                    Ends{EndingKind::kSighup, 0, "c++", "", Killed{SIGHUP}, "held"},
                    Ends{EndingKind::kSigkill, 0, "c++", "", Killed{SIGKILL}, "held"},
                    Ends{EndingKind::kSigint, 0, "python", kNew, Killed{SIGINT}, "held"},
                    Ends{EndingKind::kSigint, 0, "python", kNew, Exited{1}, "violated"},
                    Ends{EndingKind::kSigint, 0, "python", "CPython 3.7.17", Exited{1}, "held"},
                    Ends{EndingKind::kSigint, 0, "python", "PyPy 7.3", Exited{1}, "held"},
                    Ends{EndingKind::kSigint, 0, "c++", "", Killed{SIGINT}, "held"},
                    Ends{EndingKind::kCtrlC, 0, "python", kNew, Killed{SIGINT}, "held"},
                    Ends{EndingKind::kCtrlC, 0, "c++", "", Exited{0}, "violated"},
                    Ends{EndingKind::kExec, 0, "python", kNew, Exited{0}, "held"}));

TEST(ExitStatusOfAnEarlyDeath, IsViolatedWhenMainNeverReachedItsEnding) {
  Story story({create(1), submit(1)});
  story.step(1).begins(2).dies(Story::kMain, Killed{SIGSEGV}).eof();
  EXPECT_EQ(story.outcome("E2"), "violated");
  EXPECT_EQ(story.says("E2"),
            "main killed by SIGSEGV in step 2 and never reached its ending, return");
}

TEST(ExitStatusOfAnEarlyDeath, IsInconclusiveWhenTheMachineMayHaveDoneIt) {
  Story story({create(1)});
  story.begins(1).dies(Story::kMain, Killed{SIGKILL}).eof();
  EXPECT_EQ(story.outcome("E2"), "inconclusive");
}

TEST(ExitStatusOfAnEarlyDeath, IsInconclusiveForAnAdapterThatNeverStarted) {
  Story story({});
  story.trace.events.pop_back();
  story.dies(Story::kMain, Exited{1}).eof();
  EXPECT_EQ(story.outcome("E2"), "inconclusive");
}

/// The task may end it before main has learnt that it was accepted.
TEST(ExitStatusOfAnEarlyDeath, IsTheTasksInAPoolOfThreads) {
  Story story({create(1), submit(1, harness::BodyKind::kOsExit)});
  story.step(1).begins(2).begins_task(1, Story::kMain).dies(Story::kMain).eof();
  EXPECT_EQ(story.outcome("E2"), "not exercised");
}

// ---- E3 -----------------------------------------------------------------------------------------

TEST(OutputReachesEof, IsHeldWhenBothStreamsEnd) {
  auto story = about_to_end().ending().dies(Story::kMain).after(500ms).dies(3).eof();
  EXPECT_EQ(story.outcome("E3"), "held");
}

TEST(OutputReachesEof, IsNotExercisedWhereNobodyIsLeftWhenMainDies) {
  EXPECT_EQ(about_to_end().exits().outcome("E3"), "not exercised");
}

TEST(OutputReachesEof, IsNotExercisedWhileMainLives) {
  EXPECT_EQ(about_to_end().over(End::kFuse).outcome("E3"), "not exercised");
}

TEST(OutputReachesEof, IsViolatedBySurvivorsThatNeverWake) {
  auto story = about_to_end(EndingKind::kSigkill).ending().dies(Story::kMain, Killed{SIGKILL});
  EXPECT_EQ(story.at_rest().over(End::kAtRest).outcome("E3"), "violated");
}

TEST(OutputReachesEof, IsViolatedAfterTheGrace) {
  auto story = about_to_end(EndingKind::kSigkill).ending().dies(Story::kMain, Killed{SIGKILL});
  EXPECT_EQ(story.after(1100ms).over(End::kGrace).outcome("E3"), "violated");
}

TEST(OutputReachesEof, IsViolatedByALateEof) {
  auto story = about_to_end().ending().dies(Story::kMain).after(1100ms).dies(3).eof();
  EXPECT_EQ(story.outcome("E3"), "violated");
}

TEST(OutputReachesEof, DoesNotBelieveAnEofThatTheWardenCaused) {
  auto story = about_to_end().ending().dies(Story::kMain).over(End::kFuse).eof();
  EXPECT_EQ(story.outcome("E3"), "inconclusive");
}

/// What main has done without any pool hangs by its own.
TEST(ProcessExits, IsAboutMainsThatHaveAskedForAPool) {
  using harness::Neighbour;
  const auto beside = [](Neighbour which) {
    const harness::Step step{.kind = harness::StepKind::kNeighbour, .neighbour = which};
    return Story({step}).step(1).ending().at_rest().over(End::kAtRest);
  };
  for (const char* rule : {"E1", "P1"}) {
    EXPECT_EQ(beside(Neighbour::kEnds).outcome(rule), "not exercised");
    EXPECT_EQ(beside(Neighbour::kStays).outcome(rule), "violated");
  }
}

}  // namespace
}  // namespace poolproof::properties
