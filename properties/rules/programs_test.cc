#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <utility>

#include "properties/rules/made_trace.h"

namespace poolproof::properties {
namespace {

using harness::End;
using harness::OwnChild;
using harness::Program;
using harness::Signalled;
using harness::Snapshot;
using sys::Exited;
using sys::Killed;

harness::Step launch(Program program) {
  auto step = of_kind(harness::StepKind::kLaunch);
  step.program = program;
  return step;
}
harness::Step reap() {
  return of_kind(harness::StepKind::kReap);
}

/// A pool of one worker, 3; main has launched its program, 9, in step 2; then terminate, join,
/// reap.
Story launching(Program program) {
  Story story({create(1), launch(program), terminate(), join(), reap()});
  story.begins(1).born(3).ends(1, listing({{3, "", {}, {}}}));
  story.begins(2).born(9).add(OwnChild{Story::kMain, 9});
  if (program == Program::kEnds) story.dies(9);
  return story.ends(2);
}
Story& pool_ends(Story& story) {
  return story.begins(3).dies(3).ends(3).step(4);
}
/// Main's own end of a program that stays.
Story& reaped(Story& story) {
  return story.begins(5).dies(9, Killed{SIGKILL}).ends(5, value("killed 9")).exits();
}

TEST(ForeignProcessesAreLeftAlone, IsHeldWhenTheProgramIsMainsToEnd) {
  auto story = launching(Program::kStays);
  EXPECT_EQ(reaped(pool_ends(story)).outcome("I1"), "held");
  EXPECT_TRUE(story.violated().empty());
}

TEST(ForeignProcessesAreLeftAlone, IsHeldWhenTheZombieIsMainsToReap) {
  auto story = launching(Program::kEnds);
  pool_ends(story).add(Snapshot{4, {{Story::kMain, 'S', 1}, {9, 'Z', Story::kMain}}, -1, 1});
  story.step(5, value("exited 0")).exits();
  EXPECT_EQ(story.outcome("I1"), "held");
  EXPECT_TRUE(story.violated().empty());  // W3: it is no zombie of the pool's
}

/// Another pool is there, and is asked to work when the first is over.
Story asked_neighbour(harness::StepResult answer) {
  const auto neighbour = [](harness::Neighbour way) {
    return harness::Step{.kind = harness::StepKind::kNeighbour, .neighbour = way};
  };
  Story story({create(1), neighbour(harness::Neighbour::kStays), terminate(),
               neighbour(harness::Neighbour::kWorks)});
  story.begins(1).born(3).ends(1).begins(2).born(9).ends(2).begins(3).dies(3).ends(3).begins(4);
  return story.ends(4, std::move(answer)).exits();
}

TEST(ForeignProcessesAreLeftAlone, AsksThatAnotherPoolWorks) {
  using Kind = harness::StepResult::Kind;
  EXPECT_EQ(asked_neighbour({}).outcome("I1"), "held");
  auto broken = asked_neighbour(result(Kind::kError, "gone"));
  EXPECT_EQ(broken.outcome("I1"), "violated");
  EXPECT_NE(broken.says("I1").find("neighbour (step 4) fails with"), std::string::npos);
  EXPECT_EQ(asked_neighbour(result(Kind::kRefused)).outcome("I1"), "not exercised");
}

TEST(ForeignProcessesAreLeftAlone, LeavesAnotherPoolToWhoeverHurtIt) {
  const harness::StepResult gone = result(harness::StepResult::Kind::kError, "gone");
  auto story = asked_neighbour(gone);
  story.scenario.steps[0] = sleep_for(std::chrono::milliseconds(1));
  EXPECT_EQ(story.outcome("I1"), "not exercised");
  Story hurt({create(1),
              {.kind = harness::StepKind::kFork},
              {.kind = harness::StepKind::kNeighbour, .neighbour = harness::Neighbour::kWorks}});
  hurt.begins(1).born(3).ends(1).born(9).begins(2).born(8).add(OwnChild{Story::kMain, 8});
  hurt.add(Signalled{9, SIGTERM, 8}).dies(9, Killed{SIGTERM}).dies(8).ends(2).begins(3);
  EXPECT_EQ(hurt.ends(3, gone).exits().outcome("I1"), "not exercised");
}

TEST(ForeignProcessesAreLeftAlone, IsViolatedByASignalOfThePools) {
  for (const harness::Pid sender : {Story::kMain, harness::Pid{3}}) {
    auto story = launching(Program::kStays);
    story.begins(3).add(Signalled{9, SIGTERM, sender}).dies(3).ends(3).step(4);
    EXPECT_EQ(reaped(story).outcome("I1"), "violated");
    EXPECT_EQ(story.says("I1"), sender == 3 ? "worker 3 sent SIGTERM to main's own program 9"
                                            : "main 2 sent SIGTERM to main's own program 9");
  }
}

/// The terminal's Ctrl-C is for the whole process group, and so is main's.
TEST(ForeignProcessesAreLeftAlone, LetsMainEndItsProcessGroup) {
  const auto interrupted = [](harness::EndingKind how, harness::Pid sender, bool at_the_end) {
    Story story({create(1), launch(Program::kStays), submit(1)}, how);
    story.begins(1).born(3).ends(1).begins(2).born(9).add(OwnChild{Story::kMain, 9}).ends(2);
    story.begins(3);
    if (!at_the_end) story.add(Signalled{9, SIGINT, sender});
    story.ends(3);
    if (at_the_end) story.add(Signalled{9, SIGINT, sender});
    return story.exits(Killed{SIGINT}).outcome("I1");
  };
  using harness::EndingKind;
  EXPECT_EQ(interrupted(EndingKind::kCtrlC, Story::kMain, true), "held");
  EXPECT_EQ(interrupted(EndingKind::kCtrlC, Story::kMain, false), "violated");
  EXPECT_EQ(interrupted(EndingKind::kCtrlC, 3, true), "violated");
  EXPECT_EQ(interrupted(EndingKind::kSigint, Story::kMain, true), "violated");
}

/// And then waits for ever, which is no affair of the program's.
TEST(ForeignProcessesAreLeftAlone, LetsMainEndItsProcessGroupAndHang) {
  for (const auto how : {harness::EndingKind::kCtrlC, harness::EndingKind::kReturn}) {
    Story story({create(1), launch(Program::kStays)}, how);
    story.begins(1).born(3).ends(1).begins(2).born(9).add(OwnChild{Story::kMain, 9}).ends(2);
    story.ending().add(Signalled{9, SIGINT, Story::kMain});
    story.dies(9, Killed{SIGINT}).at_rest().over(harness::End::kAtRest);
    EXPECT_EQ(story.outcome("I1"), how == harness::EndingKind::kCtrlC ? "held" : "violated");
  }
}

/// The pid was a worker's: what that one was sent says nothing of the program.
TEST(ForeignProcessesAreLeftAlone, IsViolatedByASignalToAPidThatWasAWorkers) {
  for (const bool again : {false, true}) {
    Story story({create(1), submit(1), launch(Program::kStays), terminate(), reap()});
    story.begins(1).born(3).ends(1).begins(2).begins_task(1, 3).add(Signalled{3, SIGTERM, 2});
    story.dies(3, Killed{SIGTERM}).born(4).ends(2);
    story.begins(3).hit("main:before-step:3=reuse:pids").born(3);
    story.add(OwnChild{Story::kMain, 3}).ends(3).begins(4);
    if (again) story.add(Signalled{3, SIGTERM, Story::kMain});
    story.dies(4).ends(4).begins(5).dies(3, Killed{SIGKILL}).ends(5, value("killed 9")).exits();
    EXPECT_EQ(story.outcome("I1"), again ? "violated" : "held");
    EXPECT_EQ(story.says("I1"), again ? "main 2 sent SIGTERM to main's own program 3" : "");
  }
}

TEST(ForeignProcessesAreLeftAlone, IsViolatedByADeathBeforeMainAsksForIt) {
  auto story = launching(Program::kStays);
  story.begins(3).dies(9, Killed{SIGKILL}).dies(3).ends(3).step(4);
  story.step(5, value("killed 9")).exits();
  EXPECT_EQ(story.says("I1"), "main's own program 9 killed by SIGKILL in step 3, and not by main");
}

TEST(ForeignProcessesAreLeftAlone, IsViolatedByAWaitThatFindsNobody) {
  auto story = launching(Program::kEnds);
  pool_ends(story).step(5, value("no child")).exits();
  EXPECT_EQ(story.says("I1"),
            "main's own program 9 was reaped by somebody else: reap (step 5) finds no such child");
}

TEST(ForeignProcessesAreLeftAlone, IsViolatedByAZombieThatIsGone) {
  auto story = launching(Program::kEnds);
  pool_ends(story).add(Snapshot{4, {{Story::kMain, 'S', 1}}, -1, 1}).exits();
  EXPECT_EQ(story.says("I1"),
            "main's own program 9 has ended, and was reaped by somebody else than main");
}

TEST(ForeignProcessesAreLeftAlone, WhatMainsReapDoesIsMains) {
  auto story = launching(Program::kStays);
  pool_ends(story).begins(5).add(Signalled{9, SIGTERM, Story::kMain});
  story.dies(9, Killed{SIGTERM}).ends(5, value("killed 15")).exits();
  EXPECT_EQ(story.outcome("I1"), "held");
}

TEST(ForeignProcessesAreLeftAlone, WhereSigchldIsIgnoredTheKernelReaps) {
  auto story = launching(Program::kEnds);
  story.scenario.inherits = {harness::Inherited::kSigchldIgnored};
  pool_ends(story).add(Snapshot{4, {{Story::kMain, 'S', 1}}, -1, 1});
  story.step(5, value("no child")).exits();
  EXPECT_EQ(story.outcome("I1"), "held");
}

/// It is ended with main, and by nobody of the pool.
TEST(ForeignProcessesAreLeftAlone, ADeathByMainsEndIsNobodysDoing) {
  auto story = launching(Program::kStays);
  pool_ends(story).ending().dies(Story::kMain).dies(9, Killed{SIGKILL}).eof();
  EXPECT_EQ(story.outcome("I1"), "held");
  EXPECT_TRUE(story.violated().empty());
}

/// Nobody saw when it was killed: the record has the last moment in which it was known to live.
TEST(ForeignProcessesAreLeftAlone, ADeathThatIsSeenAfterMainsEndIsNobodysDoing) {
  auto story = launching(Program::kStays);
  story.add(harness::Dying{9, Killed{SIGKILL}});
  pool_ends(story).ending().dies(Story::kMain);
  story.add(harness::Dead{9, Killed{SIGKILL}}).eof();
  EXPECT_EQ(story.outcome("I1"), "held");
}

TEST(ForeignProcessesAreLeftAlone, AClaimThatIsReadLateIsStillMains) {
  auto story = launching(Program::kStays);
  pool_ends(story).begins(5);
  const auto claim = story.trace.events.size() - 1;
  story.dies(9, Killed{SIGKILL});
  std::swap(story.trace.events[claim].kind, story.trace.events[claim + 1].kind);
  std::swap(story.trace.events[claim].at, story.trace.events[claim + 1].at);
  story.ends(5, value("killed 9")).exits();
  EXPECT_EQ(story.outcome("I1"), "held");
}

/// Main's first thread may be gone before main is, where it has others.
TEST(ForeignProcessesAreLeftAlone, ADeathJustBeforeMainsIsNobodysDoing) {
  for (const bool alone : {false, true}) {
    auto at_exit = launching(Program::kStays);
    pool_ends(at_exit);
    if (!alone) at_exit.add(harness::ThreadBorn{Story::kMain, 21});
    at_exit.ending().dies(9, Killed{SIGKILL}).dies(Story::kMain).eof();
    EXPECT_EQ(at_exit.outcome("I1"), alone ? "violated" : "held");
  }
  auto in_a_step = launching(Program::kStays);
  in_a_step.begins(3).dies(9, Killed{SIGKILL}).dies(Story::kMain, Killed{SIGKILL}).dies(3).eof();
  EXPECT_EQ(in_a_step.outcome("I1"), "held");
}

TEST(ForeignProcessesAreLeftAlone, WhereMainHangsItLives) {
  auto story = launching(Program::kStays);
  story.begins(3).dies(9, Killed{SIGKILL}).at_rest().over(End::kAtRest);
  EXPECT_EQ(story.outcome("I1"), "violated");
}

TEST(ForeignProcessesAreLeftAlone, WhatHappensAtMainsExitIsThePools) {
  auto story = launching(Program::kStays);
  pool_ends(story).ending().add(Signalled{9, SIGTERM, Story::kMain}).dies(9, Killed{SIGTERM});
  story.dies(Story::kMain).eof();
  EXPECT_EQ(story.outcome("I1"), "violated");
}

TEST(ForeignProcessesAreLeftAlone, ASignalOfNobodyInTheTreeIsNobodysDoing) {
  auto story = launching(Program::kStays);
  story.begins(3).add(Signalled{9, SIGCONT, 0}).dies(3).ends(3).step(4);
  EXPECT_EQ(reaped(story).outcome("I1"), "held");
}

/// No such program here, a library that is missing: it says so, and leaves.
TEST(ForeignProcessesAreLeftAlone, AProgramThatExitsByItselfIsNobodysDoing) {
  auto story = launching(Program::kStays);
  story.dies(9, Exited{127});
  pool_ends(story).step(5, value("exited 127")).exits();
  EXPECT_EQ(story.outcome("I1"), "held");
}

TEST(ForeignProcessesAreLeftAlone, AFaultThatHitsItIsNotThePools) {
  auto story = launching(Program::kStays);
  story.scenario.fault = *harness::fault_from_string("group:before-step:3=SIGTERM");
  ASSERT_TRUE(story.scenario.fault);
  story.begins(3)
      .hit("group:before-step:3=SIGTERM")
      .dies(9, Killed{SIGTERM})
      .dies(3)
      .ends(3)
      .step(4);
  story.step(5, value("killed 15")).exits();
  EXPECT_EQ(story.outcome("I1"), "not exercised");
}

TEST(ForeignProcessesAreLeftAlone, IsNotExercisedWithoutAPool) {
  Story story({launch(Program::kStays), reap(), create(1)});
  story.begins(1).born(9).add(OwnChild{Story::kMain, 9}).ends(1);
  story.begins(2).dies(9, Killed{SIGKILL}).ends(2, value("killed 9")).step(3).exits();
  EXPECT_EQ(story.outcome("I1"), "not exercised");
}

TEST(ForeignProcessesAreLeftAlone, IsNotExercisedWhereTheProgramWasNotStarted) {
  auto story = Story({create(1), launch(Program::kStays)});
  story.begins(1).born(3).ends(1);
  story.step(2, result(harness::StepResult::Kind::kError, "no memory")).exits();
  EXPECT_EQ(story.outcome("I1"), "not exercised");
}

/// Its death is no loss of the pool's, and a hung main is not its affair.
TEST(ForeignProcessesAreLeftAlone, AProgramIsNobodysWorker) {
  auto story = launching(Program::kEnds);
  story.begins(3).at_rest().over(End::kAtRest);
  EXPECT_EQ(story.outcome("S4"), "violated");
  EXPECT_EQ(story.outcome("T6"), "not exercised");
  EXPECT_EQ(story.outcome("I1"), "held");
}

}  // namespace
}  // namespace poolproof::properties
