#include "properties/judging.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>

#include "properties/rules/made_trace.h"
#include "properties/test_traces.h"

namespace poolproof::properties {
namespace {

using harness::BodyKind;
using harness::End;
using testing::ElementsAre;
using testing::IsEmpty;
using Kind = harness::StepResult::Kind;

Judged judged(const Story& story) {
  auto pool = executor_pool();
  pool.contract = story.contract;
  return judge_case(pool, story.scenario, story.trace, {}, true);
}

const Violation* violation(const Judged& judged, std::string_view rule) {
  for (const auto& each : judged.violations) {
    if (each.rule->id == rule) return &each;
  }
  return nullptr;
}

/// Task 2 waits for ever, as is known; whether the join before it left its worker alive.
Story hangs_behind_a_join(bool leaves) {
  Story story({create(1), submit(1), close(), join(), get(1)});
  story.contract.known = {{.rule = "P1", .condition = "always", .link = "a link"}};
  story.begins(1).born(3).ends(1).step(2).task(1, 3).step(3).begins(4);
  if (!leaves) story.dies(3);
  harness::Snapshot seen{.step = 4, .processes = {{2, 't', 1}}};
  if (leaves) seen.processes.push_back({3, 'S', 2});
  story.ends(4).add(std::move(seen));
  return story.begins(5).at_rest().over(End::kAtRest);
}

TEST(JudgeCase, AConsequenceOfWhatIsKnownIsKnown) {
  Story story({create(1), submit(1), close(), join(), close()});
  story.contract.known = {{.rule = "P1", .condition = "always", .link = "a link"}};
  story.begins(1).born(3).ends(1).step(2).task(1, 3).step(3).begins(4).dies(3).ends(4);
  const auto hang = judged(story.begins(5).at_rest().over(End::kAtRest));
  ASSERT_NE(violation(hang, "S3"), nullptr);
  EXPECT_EQ(violation(hang, "S3")->known_link, "a link");
  EXPECT_EQ(violation(hang, "S3")->cause, rule_named("P1"));
}

/// A later hang, known or not, is not why a join left a worker alive.
TEST(JudgeCase, WhatShowedBeforeACauseDidIsNoConsequence) {
  EXPECT_EQ(violation(judged(hangs_behind_a_join(false)), "W3"), nullptr);
  const auto left = judged(hangs_behind_a_join(true));
  ASSERT_NE(violation(left, "W3"), nullptr);
  EXPECT_EQ(violation(left, "W3")->known_link, "");
  EXPECT_EQ(violation(left, "W3")->cause, nullptr);
  EXPECT_EQ(violation(left, "P1")->known_link, "a link");
}

std::vector<std::string> gaps(const Story& story) {
  return not_come_to_be(story.scenario, story.trace);
}

TEST(NotComeToBe, TellsOfAFaultThatNeverFired) {
  Story story({create(1)});
  story.scenario.fault = *harness::fault_from_string("main:read:9=SIGKILL");
  auto fired = story;
  EXPECT_THAT(gaps(story.step(1).exits()),
              ElementsAre("the fault never fired: main:read:9=SIGKILL"));
  fired.step(1).hit("main:read:9=SIGKILL").exits();
  EXPECT_THAT(gaps(fired), IsEmpty());
}

TEST(NotComeToBe, TellsOfAKillThatFoundNobody) {
  Story story({create(1), kill(harness::Victim::kBusy)});
  auto found = story;
  story.begins(1).born(3).ends(1).step(2, result(Kind::kNotFired)).exits();
  EXPECT_THAT(gaps(story), ElementsAre("step 2 found no worker to kill"));
  found.begins(1).born(3).ends(1).begins(2).dies(3, sys::Killed{SIGKILL}).ends(2, killed(3));
  EXPECT_THAT(gaps(found.exits()), IsEmpty());
}

/// Wherever it stands: main may be prepared, or refused, before.
TEST(NotComeToBe, TellsOfAPoolThatWasNotMade) {
  const auto handle = of_kind(harness::StepKind::kHandle);
  Story story({handle, create(0), create(1)});
  story.step(1).step(2, result(Kind::kRefused));
  auto made = story;
  EXPECT_THAT(gaps(story.step(3, result(Kind::kError)).exits()),
              ElementsAre("the adapter made no pool (create failed)"));
  EXPECT_THAT(gaps(made.begins(3).born(3).ends(3).exits()), IsEmpty());
}

}  // namespace
}  // namespace poolproof::properties
