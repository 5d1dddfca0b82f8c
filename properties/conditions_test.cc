#include "properties/conditions.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <optional>

#include "properties/rules/made_trace.h"

namespace poolproof::properties {
namespace {

using namespace std::chrono_literals;
using harness::BodyKind;
using harness::EndingKind;
using harness::Victim;
using sys::Killed;

/// The names of all conditions that hold, but "always".
std::string holding(const Story& story) {
  std::string names;
  for (const Condition& condition : condition_table()) {
    if (condition.name == "always" || !condition.holds(story.scenario, story.trace)) continue;
    names += names.empty() ? "" : ", ";
    names += condition.name;
  }
  return names;
}

TEST(Conditions, HaveNames) {
  for (const Condition& condition : condition_table()) {
    EXPECT_EQ(condition_named(condition.name), &condition);
    EXPECT_NE(condition_names().find(condition.name), std::string::npos);
  }
  EXPECT_EQ(condition_named("sometimes"), nullptr);
}

TEST(Conditions, MayHaveToHoldTogether) {
  EXPECT_TRUE(are_conditions("fork"));
  EXPECT_TRUE(are_conditions("main-killed, fork"));
  for (const char* wrong : {"", "main-killed,fork", "main-killed, ", "main-killed, sometimes"})
    EXPECT_FALSE(are_conditions(wrong)) << wrong;
  Story story({create(1)}, EndingKind::kSigkill);
  story.scenario.start_method = "fork";
  story.step(1).exits(Killed{SIGKILL});
  EXPECT_TRUE(all_hold("main-killed, fork", story.scenario, story.trace));
  EXPECT_FALSE(all_hold("main-killed, spawn", story.scenario, story.trace));
  EXPECT_FALSE(all_hold("task-raised, fork", story.scenario, story.trace));
}

TEST(Conditions, TellWhatTasksLeaveBehind) {
  Story story({create(1), submit(1, BodyKind::kLeaveChild), submit(2, BodyKind::kIgnoreSigterm)});
  story.begins(1).born(3).ends(1).step(2).step(3);
  EXPECT_EQ(holding(Story(story).exits()), "") << "they may stand in a queue for ever";
  EXPECT_EQ(holding(story.task(1, 3).task(2, 3).exits()), "task-left-child, ignores-sigterm");
  Story pools({create(1), submit(1, BodyKind::kUsePool), submit(2, BodyKind::kLeavePool)});
  pools.begins(1).born(3).ends(1).step(2).task(1, 3);
  EXPECT_EQ(holding(Story(pools).exits()), "task-made-pool");
  EXPECT_EQ(holding(pools.step(3).task(2, 3).exits()), "task-left-child, task-made-pool");
}

TEST(Conditions, TellOfACtrlCFromItsBeginOn) {
  Story story({create(1)}, EndingKind::kCtrlC);
  EXPECT_EQ(holding(story.step(1)), "");
  EXPECT_EQ(holding(story.exits(Killed{SIGINT})), "ctrl-c");
  EXPECT_EQ(holding(Story({create(1)}, EndingKind::kSigint).step(1).exits(Killed{SIGINT})), "");
}

TEST(Conditions, TellOfAnotherPoolThatIsStillThere) {
  const auto beside = [](harness::Neighbour which) {
    Story story({create(1), {.kind = harness::StepKind::kNeighbour, .neighbour = which}});
    return holding(story.step(1).step(2).exits());
  };
  EXPECT_EQ(beside(harness::Neighbour::kStays), "beside-another-pool");
  EXPECT_EQ(beside(harness::Neighbour::kEnds), "");
}

TEST(Conditions, TellOfMapsOfNothing) {
  Story story({create(1), map(1, harness::Form::kMap, 0)});
  EXPECT_EQ(holding(story.step(1).step(2).exits()), "mapped-nothing");
  Story stream({create(1), map(1, harness::Form::kImap, 0)});
  EXPECT_EQ(holding(stream.step(1).step(2).exits()), "");
}

TEST(Conditions, TellWhoPrintedAndHowThatOneEnded) {
  const auto printed = [](sys::ExitStatus status) {
    Story story({create(1), submit(1, BodyKind::kPrint), get(1)});
    story.begins(1).born(3).ends(1).step(2).begins(3).task(1, 3).ends(3, value("none"));
    return holding(story.ending().dies(3, status).exits());
  };
  EXPECT_EQ(printed(Killed{15}), "printed-and-cut-short");
  EXPECT_EQ(printed(sys::Exited{0}), "");
  EXPECT_EQ(printed(sys::Exited{1}), "");
  Story leaves({create(1), submit(1, BodyKind::kPrint), submit(2, BodyKind::kOsExit)});
  leaves.begins(1).born(3).ends(1).step(2).step(3).task(1, 3).begins_task(2, 3);
  EXPECT_EQ(holding(leaves.dies(3).exits()),
            "worker-died, busy-worker-died, printed-and-cut-short");
}

TEST(Conditions, NoneHoldsInAPlainRun) {
  Story story({create(1), submit(1), get(1), close(), join()});
  story.begins(1).born(3).ends(1).step(2).begins(3).task(1, 3).ends(3, value("none"));
  story.step(4).begins(5).dies(3).ends(5);
  EXPECT_EQ(holding(Story(story).exits()), "joined-after-close, drained-later");
}

TEST(Conditions, TellAMainThatIsKilledWhileItEndsAPool) {
  for (const auto& step : {terminate(), close()}) {
    Story story({create(1), step});
    story.begins(1).born(3).ends(1).begins(2).hit("main:before-step:2=SIGTERM");
    const bool held =
        holding(story.dies(Story::kMain, Killed{SIGTERM})).find("main-killed-ending") !=
        std::string::npos;
    EXPECT_EQ(held, step.kind == harness::StepKind::kTerminate);
  }
}

/// A pool that is given up may end in a thread of its own, beside main.
TEST(Conditions, TellAMainThatEndsSoonAfterItGaveUpAPool) {
  const auto ended = [](EndingKind how, std::chrono::milliseconds later) {
    Story story({create(1), drop()}, how);
    story.begins(1).born(3).ends(1).step(2).after(later).ending();
    const auto status = how == EndingKind::kSigkill ? sys::ExitStatus(Killed{SIGKILL})
                                                    : sys::ExitStatus(sys::Exited{0});
    return holding(story.dies(Story::kMain, status));
  };
  using ::testing::HasSubstr;
  using ::testing::Not;
  EXPECT_THAT(ended(EndingKind::kSigkill, 20ms), HasSubstr("main-killed-ending"));
  EXPECT_THAT(ended(EndingKind::kOsExit, 20ms), HasSubstr("main-killed-ending"));
  EXPECT_THAT(ended(EndingKind::kReturn, 20ms), Not(HasSubstr("main-killed-ending")));
  EXPECT_THAT(ended(EndingKind::kSigkill, 1500ms), Not(HasSubstr("main-killed-ending")));
}

TEST(Conditions, TellABusyWorkersDeath) {
  Story story({create(1), submit(1, BodyKind::kNever), kill(Victim::kBusy)});
  story.begins(1).born(3).ends(1).step(2).begins_task(1, 3).begins(3).dies(3, Killed{9});
  EXPECT_EQ(holding(story.ends(3, killed(3)).exits()), "worker-died, busy-worker-died");
}

TEST(Conditions, TellAnIdleWorkersDeath) {
  Story story({create(1), submit(1), kill(Victim::kIdle)});
  story.begins(1).born(3).ends(1).step(2).task(1, 3).begins(3).dies(3, Killed{9});
  EXPECT_EQ(holding(story.ends(3, killed(3)).exits()), "worker-died, idle-worker-killed");
}

TEST(Conditions, TellAnIdleWorkersDeathByASignalToTheGroupThatMainHandles) {
  Story story({create(1), of_kind(harness::StepKind::kHandle), submit(1), get(1), submit(2)});
  story.begins(1).born(3).ends(1).step(2).step(3).begins(4).task(1, 3).ends(4, value("none"));
  story.hit("group:before-step:5=SIGTERM").dies(3, Killed{SIGTERM});
  EXPECT_EQ(holding(Story(story).step(5)), "worker-died, idle-worker-killed");
  EXPECT_EQ(holding(story.dies(Story::kMain, Killed{SIGTERM})).find("idle"), std::string::npos);
}

TEST(Conditions, TellAnIdleWorkersDeathByTheFault) {
  Story story({create(1), submit(1)});
  story.begins(1).born(3).born(4).ends(1).begins(2).hit("main.1:before-step:2=SIGTERM", 3);
  EXPECT_EQ(holding(Story(story).dies(3, Killed{SIGTERM}).ends(2)), "idle-worker-killed");
  EXPECT_EQ(holding(Story(story).ends(2)), "") << "it lived on";
  Story busy = Story(story).ends(2).begins_task(1, 3).dies(3, Killed{SIGTERM});
  EXPECT_EQ(holding(busy), "worker-died, busy-worker-died");
  Story helper({create(1), submit(1)});
  helper.begins(1).born(3).born(4, 3).ends(1).begins(2).hit("main.1:before-step:2=SIGTERM", 3);
  EXPECT_EQ(holding(helper.dies(3, Killed{SIGTERM}).ends(2)), "") << "a helper, not a worker";
}

TEST(Conditions, TellAGetOfWhatWasPendingAtTerminate) {
  Story story({create(1), submit(1), terminate(), get(1)});
  EXPECT_EQ(holding(story.step(1).step(2).step(3).begins(4)), "terminated, after-terminate");
  auto waits = of_kind(harness::StepKind::kWait);
  waits.task = 1;
  Story waiting({create(1), submit(1), terminate(), waits});
  EXPECT_EQ(holding(waiting.step(1).step(2).step(3).begins(4)), "terminated, after-terminate");
  Story known({create(1), submit(1), get(1), terminate(), get(1)});
  known.step(1).step(2).step(3, value("none")).step(4).begins(5);
  EXPECT_EQ(holding(known), "terminated");
}

TEST(Conditions, TellADropWithTasksPending) {
  Story story({create(1), submit(1), drop()});
  EXPECT_EQ(holding(story.step(1).step(2).step(3)), "dropped, dropped-pending");
}

TEST(Conditions, TellHowMainEnded) {
  const auto ended = [](EndingKind how, bool busy) {
    Story story({create(1), submit(1)}, how);
    story.begins(1).born(3).ends(1).step(2).begins_task(1, 3);
    if (!busy) story.ends_task(1, 3);
    return holding(story.exits());
  };
  EXPECT_EQ(ended(EndingKind::kSigkill, false), "main-killed");
  EXPECT_EQ(ended(EndingKind::kOsExit, true), "main-killed, main-killed-busy");
  EXPECT_EQ(ended(EndingKind::kReturn, true), "exit-busy");
  EXPECT_EQ(ended(EndingKind::kReturn, false), "");
  const harness::Step beside{.kind = harness::StepKind::kNeighbour,
                             .neighbour = harness::Neighbour::kBusy};
  EXPECT_EQ(holding(Story({create(1), beside}).step(1).step(2).exits()),
            "exit-busy, beside-another-pool");
}

TEST(Conditions, TellThatTheFaultKilledMainInItsCleanup) {
  Story story({create(1)});
  story.step(1).ending().hit("main:futex:1=SIGKILL");
  EXPECT_EQ(holding(Story(story).dies(Story::kMain, Killed{9})), "main-killed, main-killed-ending");
  EXPECT_EQ(holding(Story(story).dies(Story::kMain)), "") << "it came through";
}

TEST(Conditions, JoinBeforeCloseIsNotAfterIt) {
  Story story({create(1), join(), close()});
  EXPECT_EQ(holding(story.step(1).step(2).step(3)), "");
}

TEST(Conditions, TellWhatTasksDidAndHowWorkersStart) {
  Story story({create(1), submit(1, BodyKind::kRaise), submit(2, BodyKind::kEcho, 65536)});
  story.scenario.start_method = "spawn";
  story.begins(1).born(3).ends(1).step(2);
  EXPECT_EQ(holding(Story(story).step(3).exits()), "large-payload, spawn") << "none has begun";
  EXPECT_EQ(holding(story.task(1, 3).step(3).exits()), "task-raised, large-payload, spawn");
}

TEST(Conditions, TellWhatMainInherits) {
  using harness::Inherited;
  const auto with = [](Inherited inherited) {
    Story story({create(1)});
    story.scenario.inherits = {inherited};
    return holding(story.step(1).exits());
  };
  EXPECT_EQ(with(Inherited::kSigchldIgnored), "sigchld-ignored");
  EXPECT_EQ(with(Inherited::kSigtermBlocked), "sigterm-blocked");
  EXPECT_EQ(with(Inherited::kSigintIgnored), "sigint-ignored");
  EXPECT_EQ(with(Inherited::kStdinClosed), "stream-closed");
  EXPECT_EQ(with(Inherited::kStdoutClosed), "stream-closed");
  EXPECT_EQ(with(Inherited::kSpareDescriptors), "");
}

/// That main asked for one excuses nothing before it was called.
TEST(Conditions, CallbackRaisedAsksForACall) {
  const auto holding_for = [](harness::Callback callback, bool called) {
    auto step = submit(1);
    step.callback = callback;
    Story story({create(1), step});
    story.step(1).step(2);
    if (called) story.calls_back(1, "value");
    return holding(story.exits());
  };
  EXPECT_EQ(holding_for(harness::Callback::kRaises, true), "callback-raised");
  EXPECT_EQ(holding_for(harness::Callback::kRaises, false), "");
  EXPECT_EQ(holding_for(harness::Callback::kReturns, true), "");
  EXPECT_EQ(holding_for(harness::Callback::kTerminates, true), "callback-terminated");
}

TEST(Conditions, TellWhatCannotCross) {
  using harness::BodyKind;
  const auto holding_for = [](BodyKind body, bool begins) {
    Story story({create(1), submit(1, body)});
    story.begins(1).born(3).ends(1).step(2);
    if (begins) story.task(1, 3);
    return holding(story.exits());
  };
  EXPECT_EQ(holding_for(BodyKind::kUnbuildableError, true), "unreadable-outcome");
  EXPECT_EQ(holding_for(BodyKind::kUnreadableValue, true), "unreadable-outcome");
  EXPECT_EQ(holding_for(BodyKind::kUnreadableValue, false), "");
  EXPECT_EQ(holding_for(BodyKind::kUnreadableArgument, false), "unreadable-argument");
  EXPECT_EQ(holding_for(BodyKind::kInterrupt, true), "task-interrupted");
}

TEST(Conditions, TellWhoCalls) {
  auto twice = close();
  twice.caller = harness::Caller::kThreads;
  EXPECT_EQ(holding(Story({create(1), twice}).step(1).step(2).exits()), "called-at-once");
  EXPECT_EQ(holding(Story({create(1), twice}).step(1).exits()), "");
}

TEST(Conditions, TellWhatProcessesOfThePoolsHaveOfMainsSigterm) {
  using harness::StepKind;
  const auto born_behind = [](StepKind kind, std::vector<harness::Pid> parents) {
    Story story({of_kind(StepKind::kSleep), of_kind(kind), create(1), of_kind(StepKind::kHandle)});
    story.step(1);
    if (parents.size() > 1) story.born(3);
    story.step(2).begins(3);
    for (const auto parent : parents) story.born(parent == Story::kMain ? 4 : 5, parent);
    return holding(story.ends(3).exits());
  };
  EXPECT_EQ(born_behind(StepKind::kMask, {Story::kMain}), "sigterm-blocked");
  EXPECT_EQ(born_behind(StepKind::kIgnore, {Story::kMain}), "sigterm-ignored");
  EXPECT_EQ(born_behind(StepKind::kIgnore, {Story::kMain, 4}), "sigterm-ignored");
  EXPECT_EQ(born_behind(StepKind::kHandle, {Story::kMain}), "sigterm-handled");
  EXPECT_EQ(born_behind(StepKind::kHandle, {3, 3}), "");
  EXPECT_EQ(born_behind(StepKind::kIgnore, {3, 3}), "") << "its parent was there before";
  EXPECT_EQ(born_behind(StepKind::kMask, {}), "");

  Story story({of_kind(StepKind::kIgnore), of_kind(StepKind::kHandle), create(1)});
  EXPECT_EQ(holding(Story(story).step(1).step(2).begins(3).born(3).ends(3).exits()),
            "sigterm-handled")
      << "main ignores it no more";
}

/// A worker, 3, and main's own child, 9, in step 2; the worker is killed meanwhile, or not.
std::string holding_after_fork(harness::ChildEnd end, std::optional<int> signal,
                               harness::Pid killer = 9) {
  harness::Step fork{.kind = harness::StepKind::kFork};
  fork.child_end = end;
  Story story({create(1), fork});
  story.begins(1).born(3).ends(1).begins(2).born(9).add(harness::OwnChild{Story::kMain, 9});
  if (signal) story.add(harness::Signalled{3, *signal, killer}).dies(3, Killed{*signal});
  return holding(story.dies(9).ends(2, value("exited 0")).exits());
}

/// The fork alone excuses nothing.
TEST(Conditions, MainForkedAsksForAWorkerThatTheChildKilled) {
  using harness::ChildEnd;
  EXPECT_NE(holding_after_fork(ChildEnd::kReturn, SIGTERM).find("main-forked"), std::string::npos);
  EXPECT_EQ(holding_after_fork(ChildEnd::kReturn, std::nullopt).find("main-forked"),
            std::string::npos);
  EXPECT_EQ(holding_after_fork(ChildEnd::kReturn, SIGKILL).find("main-forked"), std::string::npos);
  EXPECT_EQ(holding_after_fork(ChildEnd::kReturn, SIGTERM, Story::kMain).find("main-forked"),
            std::string::npos);
  EXPECT_EQ(holding_after_fork(ChildEnd::kOsExit, SIGTERM).find("main-forked"), std::string::npos);
  EXPECT_EQ(holding_after_fork(ChildEnd::kStays, std::nullopt), "main-forked-stays");
  EXPECT_EQ(holding_after_fork(ChildEnd::kPools, std::nullopt), "main-forked-pools");
  EXPECT_EQ(holding_after_fork(ChildEnd::kSubmits, std::nullopt), "") << "it has come back";
  EXPECT_EQ(holding_after_fork(ChildEnd::kEndsPool, std::nullopt), "");
}

TEST(Conditions, MainForkedSubmitsAsksForAChildThatWaits) {
  harness::Step fork{.kind = harness::StepKind::kFork};
  fork.child_end = harness::ChildEnd::kSubmits;
  Story story({create(1), fork});
  story.begins(1).born(3).ends(1).begins(2).born(9).add(harness::OwnChild{Story::kMain, 9});
  EXPECT_EQ(holding(story.at_rest().over(harness::End::kAtRest)), "main-forked-submits");
}

TEST(Conditions, CopyStartedWorkersAsksForAProcessOfTheChilds) {
  for (const auto end : {harness::ChildEnd::kSubmits, harness::ChildEnd::kPools}) {
    harness::Step fork{.kind = harness::StepKind::kFork};
    fork.child_end = end;
    Story story({create(1), fork});
    story.begins(1).born(3).ends(1).begins(2).born(9).add(harness::OwnChild{Story::kMain, 9});
    story.born(10, 9).dies(9).ends(2, value("exited 0")).dies(10).exits();
    EXPECT_EQ(holding(story),
              end == harness::ChildEnd::kSubmits ? "copy-started-workers" : "main-forked-pools");
  }
}

TEST(Conditions, TellWhetherWhatWasAcceptedRanAfterAll) {
  Story story({create(1), submit(1), close(), join()});
  story.begins(1).born(3).ends(1).step(2).step(3).step(4);
  EXPECT_EQ(holding(Story(story).ending().task(1, 3).dies(3).dies(Story::kMain).eof()),
            "joined-after-close, drained-later, exit-busy");
  EXPECT_EQ(holding(Story(story).ending().dies(3).dies(Story::kMain).eof()), "joined-after-close");
}

}  // namespace
}  // namespace poolproof::properties
