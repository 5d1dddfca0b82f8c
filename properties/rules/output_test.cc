#include <gtest/gtest.h>

#include "properties/rules/made_trace.h"

namespace poolproof::properties {
namespace {

using harness::BodyKind;
using harness::Form;
using sys::Killed;

/// Task 1 runs in worker 3 and prints; main has its outcome, and terminates the pool.
Story printed(const std::string& output) {
  Story story({create(1), submit(1, BodyKind::kPrint), get(1), terminate()});
  story.begins(1).born(3).ends(1).step(2).begins(3).task(1, 3).ends(3, value("none"));
  story.begins(4).dies(3, Killed{SIGTERM}).ends(4).exits();
  story.trace.out = {output, static_cast<std::int64_t>(output.size())};
  return story;
}

TEST(OutputIsWritten, Once) {
  EXPECT_EQ(printed("printed by task 1\n").outcome("T12"), "held");
  EXPECT_EQ(printed("").outcome("T12"), "violated");
  EXPECT_EQ(printed("printed by task 1\nprinted by task 1\n").outcome("T12"), "violated");
  EXPECT_EQ(printed("printed by task 11\n").outcome("T12"), "violated");
}

TEST(OutputIsWritten, SaysHowItsWorkerEnded) {
  EXPECT_EQ(
      printed("").says("T12"),
      "main has the outcome of task 1, which printed 1 time, but that was written 0 times: worker "
      "3 killed by SIGTERM in step 4");
}

/// The task may begin before main has it from the pool that it was accepted.
TEST(OutputIsWritten, IsKnownByHowItsWorkerEnded) {
  const auto link = [](sys::ExitStatus status) {
    Story story({create(1), submit(1, BodyKind::kPrint), get(1)});
    story.contract.known = {
        {.rule = "T12", .condition = "printed-and-cut-short", .link = "a link"}};
    story.begins(1).born(3).ends(1).begins(2).begins_task(1, 3).ends(2).begins(3).ends_task(1, 3);
    story.ends(3, value("none")).ending().dies(3, status).dies(Story::kMain).eof();
    const auto verdict = story.verdict("T12");
    const auto* violated = std::get_if<Violated>(&verdict);
    return violated == nullptr ? "none" : violated->known_link;
  };
  EXPECT_EQ(link(Killed{SIGTERM}), "a link");
  EXPECT_EQ(link(sys::Exited{0}), "");
}

TEST(OutputIsWritten, NotBeforeMainHasTheOutcome) {
  Story story({create(1), submit(1, BodyKind::kPrint), terminate()});
  story.begins(1).born(3).ends(1).step(2).begins(3).task(1, 3).dies(3, Killed{SIGTERM});
  EXPECT_EQ(story.ends(3).exits().outcome("T12"), "not exercised");
}

TEST(OutputIsWritten, ByEachItemOfAMap) {
  const auto mapped = [](const std::string& output) {
    Story story({create(1), map(1, Form::kMap, 2, BodyKind::kPrint), get(1)});
    story.begins(1).born(3).ends(1).step(2).begins(3).item(1, 1, 3).item(1, 2, 3);
    story.ends(3, value("[item:1,item:2]")).exits();
    story.trace.out = {output, static_cast<std::int64_t>(output.size())};
    return story.outcome("T12");
  };
  EXPECT_EQ(mapped("printed by task 1\nprinted by task 1\n"), "held");
  EXPECT_EQ(mapped("printed by task 1\n"), "violated");
}

TEST(OutputIsWritten, OfAnImapByThoseThatMainHasTaken) {
  const auto taken = [](const std::string& output) {
    Story story({create(1), map(1, Form::kImap, 2, BodyKind::kPrint), next(1)});
    story.begins(1).born(3).ends(1).step(2).begins(3).item(1, 1, 3).item(1, 2, 3);
    story.ends(3, value("item:1")).exits();
    story.trace.out = {output, static_cast<std::int64_t>(output.size())};
    return story.outcome("T12");
  };
  EXPECT_EQ(taken("printed by task 1\n"), "held");
  EXPECT_EQ(taken(""), "violated");
}

TEST(OutputIsWritten, IsNotKnownWhereNobodyCanSee) {
  auto closed = printed("");
  closed.scenario.inherits.insert(harness::Inherited::kStdoutClosed);
  EXPECT_EQ(closed.outcome("T12"), "not exercised");
  auto cut = printed("");
  cut.trace.out.bytes = 70'000;
  EXPECT_EQ(cut.outcome("T12"), "not exercised");
  auto faulty = printed("");
  faulty.scenario.fault = *harness::fault_from_string("main:write:1=EIO");
  EXPECT_EQ(faulty.outcome("T12"), "not exercised");
}

/// That an outcome was made up is T3's to tell, and nobody knows what was to be written.
TEST(OutputIsWritten, IsNotAskedOfATaskThatNobodySawRunning) {
  Story story({create(1), submit(1, BodyKind::kPrint), get(1)});
  story.begins(1).born(3).ends(1).step(2).step(3, value("none")).exits();
  EXPECT_EQ(story.outcome("T12"), "not exercised");
  story.trace.out = {"printed by task 1\n", 18};
  EXPECT_EQ(story.outcome("T12"), "not exercised") << "its worker may write no claims";
}

TEST(OutputIsWritten, InAPoolOfThreadsItIsMains) {
  Story story({create(1), submit(1, BodyKind::kPrint), get(1)});
  story.step(1).step(2).begins(3).task(1, Story::kMain).ends(3, value("none")).exits();
  EXPECT_EQ(story.outcome("T12"), "not exercised");
}

}  // namespace
}  // namespace poolproof::properties
