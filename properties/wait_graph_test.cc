#include "properties/wait_graph.h"

#include <gtest/gtest.h>

#include "properties/rules/made_trace.h"

namespace poolproof::properties {
namespace {

using harness::AtRest;
using harness::Pid;
using harness::Resource;
using harness::Wait;
using Lines = std::vector<std::string>;

/// Main 2 with its workers 3 and 4, which have run a task.
Story family() {
  Story story({create(2)});
  story.begins(1).born(3).born(4).ends(1).task(1, 3).task(2, 4);
  return story;
}

Lines graph(const AtRest& rest) {
  auto story = family();
  story.add(rest);
  return wait_graph(story.trace);
}

std::string signature(AtRest rest) {
  rest.proved = true;
  auto story = family();
  story.add(std::move(rest));
  return wait_signature(story.trace);
}

Wait read_of(Pid pid, const std::string& pipe) {
  return {pid, pid, "read", pipe, "", {{"byte", pipe}}};
}
Wait write_to(Pid pid, const std::string& pipe) {
  return {pid, pid, "write", pipe, "", {{"room", pipe}}};
}
Wait futex(Pid pid, const std::string& word, Pid owner = 0) {
  return {pid, pid, "futex", "0x7f10", "", {{"wake", word, owner}}};
}

TEST(WaitGraph, TellsWhoHoldsTheOtherEndAndWhatTheyWaitFor) {
  const AtRest rest{
      true,
      {read_of(2, "pipe:[7]"), futex(3, "futex:00:01:9+0x10"), futex(4, "futex:00:01:9+0x10")},
      {{"pipe:[7]", "", {{2, 5, "r"}, {3, 6, "w"}, {4, 6, "w"}}},
       {"futex:00:01:9+0x10", "", {{3, -1, "map"}, {4, -1, "map"}}}}};
  EXPECT_EQ(
      graph(rest),
      (Lines{"main 2 waits for a byte on pipe 7, whose write end is held by workers 3 and 4, "
             "which wait for a wake at futex 0x7f10",
             "workers 3 and 4 wait for a wake at futex 0x7f10, which workers 3 and 4 share"}));
}

TEST(WaitGraph, SaysThatNoLiveWakerIsLeft) {
  const AtRest rest{true,
                    {read_of(3, "pipe:[7]"), read_of(4, "pipe:[8]")},
                    {{"pipe:[7]", "", {{3, 5, "r"}, {3, 6, "w"}}},
                     {"pipe:[8]", "", {{4, 5, "r"}, {4, 6, "w"}, {4, 9, "rw"}}}}};
  EXPECT_EQ(graph(rest),
            (Lines{"worker 3 waits for a byte on pipe 7; the only write end left is its own fd 6",
                   "worker 4 waits for a byte on pipe 8; the only write ends left are its own fds "
                   "6 and 9"}));
}

TEST(WaitGraph, StatesACycleOnce) {
  const AtRest rest{
      true,
      {read_of(2, "pipe:[7]"), write_to(3, "pipe:[8]"), read_of(4, "pipe:[7]")},
      {{"pipe:[7]", "", {{2, 5, "r"}, {3, 6, "w"}}}, {"pipe:[8]", "", {{2, 7, "r"}, {3, 8, "w"}}}}};
  EXPECT_EQ(graph(rest),
            (Lines{"main 2 and worker 4 wait for a byte on pipe 7, whose write end is held by "
                   "worker 3, which waits for room in pipe 8",
                   "worker 3 waits for room in pipe 8, whose read end is held by main 2, which "
                   "waits for a byte on pipe 7",
                   "cycle: main 2 waits for worker 3, worker 3 for main 2"}));
}

TEST(WaitGraph, NamesThreadsOfOneProcess) {
  const AtRest rest{true,
                    {futex(2, "futex:0x7f10"),
                     {2, 6, "futex", "0x7f10", "", {{"wake", "futex:0x7f10"}}},
                     {2, 7, "read", "pipe:[7]", "", {{"byte", "pipe:[7]"}}}},
                    {{"pipe:[7]", "", {{2, 5, "r"}, {2, 6, "w"}, {3, 6, "w"}}}}};
  EXPECT_EQ(graph(rest),
            (Lines{"the first thread and thread 6 of main 2 wait for a wake at futex 0x7f10, which "
                   "only its own threads know",
                   "thread 7 of main 2 waits for a byte on pipe 7, whose write end is held by "
                   "worker 3, and by itself (fd 6)"}));
}

TEST(WaitGraph, TellsTheOwnerOfALockWhereItIsKnown) {
  const AtRest rest{true,
                    {futex(2, "futex:0x7f10", 6),
                     {2, 6, "wait4", "children", "", {{"exit", "process:[3]"}}},
                     futex(3, "futex:0x7f10", 2)},
                    {}};
  EXPECT_EQ(graph(rest),
            (Lines{"main 2 waits for a wake at futex 0x7f10, a lock that thread 6 of main 2 holds",
                   "thread 6 of main 2 waits for the end of worker 3, which waits for a wake at "
                   "futex 0x7f10",
                   "worker 3 waits for a wake at futex 0x7f10, a lock that main 2 holds",
                   "cycle: main 2 waits for worker 3, worker 3 for main 2"}));
}

TEST(WaitGraph, FollowsASocketToItsOtherEnd) {
  const AtRest rest{true,
                    {{2, 2, "recvfrom", "socket:[8]", "", {{"byte", "socket:[8]"}}},
                     {3, 3, "recvfrom", "socket:[5]", "", {{"byte", "socket:[5]"}}}},
                    {{"socket:[8]", "socket:[9]", {{2, 4, "rw"}}},
                     {"socket:[9]", "socket:[8]", {{4, 4, "rw"}}},
                     {"socket:[5]", "", {{3, 4, "rw"}}}}};
  EXPECT_EQ(graph(rest),
            (Lines{"main 2 waits for a byte on socket 8, whose other end is held by worker 4",
                   "worker 3 waits for a byte on socket 5"}));
}

TEST(WaitGraph, TellsSeveralGoalsOfOneCall) {
  const AtRest rest{
      true,
      {{2,
        2,
        "poll",
        "pipe:[7] pipe:[8] anon_inode:[eventfd]",
        "",
        {{"byte", "pipe:[7]"}, {"byte", "pipe:[8]"}, {"event", "eventfd:[3]"}, {"signal", ""}}}},
      {{"pipe:[7]", "", {{3, 6, "w"}}},
       {"pipe:[8]", "", {{4, 6, "w"}}},
       {"eventfd:[3]", "", {{2, 9, "rw"}}}}};
  EXPECT_EQ(
      graph(rest),
      Lines{"main 2 waits for a byte on pipes 7 and 8, whose write ends are held by workers 3 "
            "and 4, or for an event of eventfd 3; the only descriptor left is its own fd 9, "
            "or for a signal"});
}

TEST(WaitGraph, SaysWhatIsInDoubt) {
  const AtRest rest{false, {{3, 3, "call 300", "", "not known to be untimed", {}}}, {}};
  EXPECT_EQ(graph(rest), Lines{"worker 3 waits in call 300() (in doubt: not known to be untimed)"});
}

TEST(WaitGraph, IsEmptyWhereNothingRested) {
  EXPECT_EQ(wait_graph(family().trace), Lines{});
  EXPECT_EQ(wait_signature(family().trace), "");
}

TEST(WaitSignature, LeavesOutWhatDiffersFromRunToRun) {
  const AtRest one{true,
                   {read_of(2, "pipe:[7]"), read_of(3, "pipe:[8]")},
                   {{"pipe:[7]", "", {{3, 6, "w"}, {4, 6, "w"}}}, {"pipe:[8]", "", {{3, 6, "w"}}}}};
  const AtRest other{true,
                     {read_of(2, "pipe:[90]"), read_of(3, "pipe:[91]"), read_of(4, "pipe:[92]")},
                     {{"pipe:[90]", "", {{4, 3, "w"}}},
                      {"pipe:[91]", "", {{3, 8, "w"}}},
                      {"pipe:[92]", "", {{4, 8, "w"}}}}};
  EXPECT_EQ(signature(one), "main: byte of pipe from worker; worker: byte of pipe from itself");
  EXPECT_EQ(signature(one), signature(other));
}

TEST(WaitSignature, TellsDifferentHangsApart) {
  const AtRest reading{true, {read_of(2, "pipe:[7]")}, {{"pipe:[7]", "", {{3, 6, "w"}}}}};
  const AtRest alone{true, {read_of(2, "pipe:[7]")}, {{"pipe:[7]", "", {{2, 6, "w"}}}}};
  const AtRest writing{true, {write_to(2, "pipe:[7]")}, {{"pipe:[7]", "", {{3, 6, "r"}}}}};
  EXPECT_NE(signature(reading), signature(alone));
  EXPECT_NE(signature(reading), signature(writing));
}

}  // namespace
}  // namespace poolproof::properties
