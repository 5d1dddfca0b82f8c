#include "properties/rules/reading.h"

#include <gtest/gtest.h>

#include "properties/rules/made_trace.h"

namespace poolproof::properties {
namespace {

using namespace std::chrono_literals;
using harness::BodyKind;
using harness::End;
using harness::EndingKind;
using harness::Victim;
using sys::Exited;
using sys::Killed;
using Fate = Reading::Fate;
using Role = Reading::Role;

/// A reading together with what it refers to.
struct Read {
  explicit Read(Story told) : story(std::move(told)) {}
  Story story;
  Evidence evidence{story.scenario, story.trace, story.contract, story.language, story.runtime};
  Reading reading{evidence};
};

TEST(Reading, AWorkerIsWhoBeganATaskOrIsListed) {
  Story story({create(3), submit(1), workers()});
  story.begins(1).born(3).born(4).born(5).ends(1).step(2).task(1, 3);
  const Read read(story.step(3, listing({{.pid = 4}})));
  EXPECT_EQ(read.reading.process(2)->role, Role::kMain);
  EXPECT_EQ(read.reading.process(3)->role, Role::kWorker);
  EXPECT_EQ(read.reading.process(4)->role, Role::kWorker);
  EXPECT_EQ(read.reading.process(5)->role, Role::kHelper);
}

TEST(Reading, AWorkerIsWhomAKillStepHit) {
  Story story({create(1), kill(Victim::kIdle)});
  story.begins(1).born(3).ends(1).begins(2).dies(3, Killed{9});
  const Read read(story.ends(2, killed(3)));
  EXPECT_EQ(read.reading.process(3)->role, Role::kWorker);
  EXPECT_EQ(read.reading.losses().size(), 1u);
}

TEST(Reading, AWorkerThatBeginsATaskHasLeftTheOneBefore) {
  Story story({create(1), submit(1, BodyKind::kExit), submit(2)});
  story.step(1).born(3).step(2).begins_task(1, 3).step(3).begins_task(2, 3);
  const Read read(std::move(story));
  EXPECT_EQ(read.reading.runs(1).front().how, "left");
  EXPECT_FALSE(read.reading.runs(2).front().ended);
}

/// Worker 3 is killed in task 1, and what main launches gets its pid.
TEST(Reading, APidIsOfWhoHadItThen) {
  Story story({create(1), submit(1, BodyKind::kKillSelf), of_kind(harness::StepKind::kLaunch)});
  story.step(1).born(3).step(2).begins_task(1, 3).dies(3, Killed{9});
  story.begins(3).born(3).add(harness::OwnChild{Story::kMain, 3});
  const Read read(story.ends(3));
  EXPECT_EQ(read.reading.process(3)->role, Role::kOwn);
  EXPECT_FALSE(read.reading.process(3)->dying);
  const auto& run = read.reading.runs(1).front();
  EXPECT_EQ(read.reading.worker_of(run)->role, Role::kWorker);
  EXPECT_TRUE(read.reading.cut_short(run));
  ASSERT_EQ(read.reading.losses().size(), 1u);
  EXPECT_TRUE(read.reading.is_by(run, *read.reading.losses().front()));
}

/// Its successor's tasks are its own, and so is its death.
TEST(Reading, AWorkerWithThePidOfADeadOneIsAnother) {
  Story story({create(1), submit(1, BodyKind::kKillSelf), submit(2), submit(3)});
  story.step(1).born(3).step(2).begins_task(1, 3).dies(3, Killed{9}).born(3).step(3);
  story.task(2, 3).step(4).begins_task(3, 3);
  const Read read(std::move(story));
  EXPECT_TRUE(read.reading.cut_short(read.reading.runs(1).front()));
  EXPECT_TRUE(read.reading.runs(2).front().ended);
  EXPECT_FALSE(read.reading.cut_short(read.reading.runs(3).front()));
  EXPECT_EQ(read.reading.losses().size(), 1u);
}

/// A list that the pool has not brought up to date makes nobody a worker.
TEST(Reading, MainsOwnProgramIsNoWorkerByItsPid) {
  Story story({create(1), of_kind(harness::StepKind::kLaunch), workers()});
  story.step(1).born(3).task(1, 3).dies(3).begins(2).born(3);
  story.add(harness::OwnChild{Story::kMain, 3}).ends(2);
  const Read read(story.step(3, listing({{.pid = 3}})));
  EXPECT_EQ(read.reading.process(3)->role, Role::kOwn);
}

TEST(Reading, WhoIsBornInABodyIsATasksChild) {
  Story story({create(1), submit(1)});
  story.step(1).born(3).step(2).begins_task(1, 3).born(4, 3).ends_task(1, 3).born(5, 3);
  const Read read(std::move(story));
  EXPECT_EQ(read.reading.process(4)->role, Role::kTaskChild);
  EXPECT_EQ(read.reading.process(5)->role, Role::kHelper);
}

TEST(Reading, ATaskInMainsOwnProcessMakesNoWorkerOfIt) {
  Story story({create(1), submit(1)});
  const Read read(story.step(1).step(2).task(1, Story::kMain));
  EXPECT_EQ(read.reading.process(2)->role, Role::kMain);
  EXPECT_EQ(read.reading.runs(1).size(), 1u);
}

TEST(Reading, WhatComesAfterTheWardensFirstKillIsNotTheSubjectsDoing) {
  Story story({create(1), submit(1), get(1)});
  story.step(1).born(3).step(2).begins(3);
  story.add(harness::KilledByWarden{3}).dies(3, Killed{9});
  story.ends(3, result(harness::StepResult::Kind::kWorkerDied)).dies(2);
  const Read read(std::move(story));
  EXPECT_FALSE(read.reading.main_died());
  EXPECT_TRUE(read.reading.process(3)->killed_by_warden);
  EXPECT_TRUE(read.reading.process(2)->killed_by_warden);
  EXPECT_FALSE(read.reading.run(3).ended);
  EXPECT_EQ(read.reading.pending(), 3);
}

TEST(Reading, AWorkerThatEndsAfterCloseIsNoLoss) {
  Story story({create(2), submit(1), kill(Victim::kIdle), close(), join()});
  story.begins(1).born(3).born(4).ends(1).step(2).task(1, 3).begins(3).dies(3, Killed{9});
  story.ends(3, killed(3)).born(5).begins_task(1, 5).ends_task(1, 5);
  const Read read(story.step(4).begins(5).dies(4).dies(5).ends(5));
  const auto lost = read.reading.losses();
  ASSERT_EQ(lost.size(), 1u);
  EXPECT_EQ(lost.front()->pid, 3);
}

/// Whether worker 3, which ran task 1, counts as lost, and its death as one that may disturb.
struct DeathCounts {
  bool as_loss;
  bool as_death;
  bool operator==(const DeathCounts&) const = default;
};
DeathCounts counts(Story story) {
  const Read read(std::move(story));
  return {!read.reading.losses().empty(), read.reading.any_death_before(read.reading.end())};
}

Story one_worker(BodyKind body = BodyKind::kNothing, std::int64_t amount = 0) {
  return Story({create(1), submit(1, body, amount)}).begins(1).born(3).ends(1).step(2);
}

TEST(Reading, AWorkerThatIsLetGoBetweenTasksIsNoLoss) {
  EXPECT_EQ(counts(one_worker().task(1, 3).dies(3).born(4)), (DeathCounts{false, false}));
  EXPECT_EQ(counts(one_worker().task(1, 3).dies(3, Exited{1}).born(4)), (DeathCounts{true, true}));
  EXPECT_EQ(counts(one_worker().task(1, 3).dies(3, Killed{15})), (DeathCounts{true, true}));
}

TEST(Reading, AWorkerWhoseTaskExitsIsLost) {
  const auto exits = [](BodyKind body) { return one_worker(body, 0).begins_task(1, 3).dies(3); };
  EXPECT_EQ(counts(exits(BodyKind::kExit)), (DeathCounts{true, true}));
  EXPECT_EQ(counts(exits(BodyKind::kOsExit)), (DeathCounts{true, true}));
  EXPECT_EQ(counts(exits(BodyKind::kNever)), (DeathCounts{true, true}));
}

TEST(Reading, AnExitWithoutTheClaimOfItsTaskCountsInDoubt) {
  EXPECT_TRUE(counts(one_worker(BodyKind::kExit, 256).dies(3)).as_death);
  EXPECT_FALSE(counts(one_worker(BodyKind::kExit, 1).dies(3)).as_death);
  EXPECT_FALSE(counts(one_worker(BodyKind::kNever).dies(3)).as_death);
}

TEST(Reading, WhoWasGoneBeforeThePoolDoesNotCount) {
  Story story({create(1), submit(1)});
  story.born(3).dies(3, Exited{1}).begins(1).born(4).ends(1).step(2).task(1, 4);
  EXPECT_EQ(counts(story), (DeathCounts{false, false}));
  EXPECT_EQ(counts(story.dies(4, Killed{9})), (DeathCounts{true, true}));
}

TEST(Reading, AnyDeathCountsWhereDeathsAreNotExact) {
  auto story = one_worker();
  story.trace.exact = false;
  EXPECT_TRUE(counts(story).as_death);
}

TEST(Reading, AStepsFateIsToldByTheProofTheGraceOrNeither) {
  const auto fate = [](Story story) { return Read(std::move(story)).reading.fate(1); };
  const Story story({create(1)});
  EXPECT_EQ(fate(story), Fate::kNotBegun);
  EXPECT_EQ(fate(Story(story).step(1)), Fate::kEnded);
  EXPECT_EQ(fate(Story(story).begins(1).dies(2)), Fate::kMainDied);
  EXPECT_EQ(fate(Story(story).begins(1).at_rest().over(End::kAtRest)), Fate::kHangs);
  EXPECT_EQ(fate(Story(story).at_rest().begins(1).over(End::kFuse)), Fate::kUnclear);
  EXPECT_EQ(fate(Story(story).begins(1).after(2s).over(End::kDeadline)), Fate::kLate);
  EXPECT_EQ(fate(Story(story).begins(1).after(900ms).over(End::kFuse)), Fate::kUnclear);
}

TEST(Reading, StepsAreMainsAlone) {
  Story story({create(1)});
  story.born(3).add(harness::StepBegun{3, 1}).add(harness::EndingBegun{3});
  story.add(harness::StepBegun{2, 77}).add(harness::StepEnded{2, -1, {}});
  const Read read(std::move(story));
  EXPECT_FALSE(read.reading.run(1).begun);
  EXPECT_FALSE(read.reading.ending_begun());
}

TEST(Reading, ATaskIsAcceptedOnlyIfSubmitReturned) {
  Story story({create(1), submit(1), submit(2)});
  story.step(1).step(2).step(3, result(harness::StepResult::Kind::kRefused));
  EXPECT_EQ(Read(std::move(story)).reading.accepted(), (std::map<int, int>{{1, 2}}));
}

TEST(Reading, TellsDeathsByTheStepTheyCameIn) {
  Story story({create(2), submit(1)});
  story.begins(1).born(3).born(4).dies(3, Killed{9}).ends(1).dies(4, Killed{15});
  const Read read(std::move(story));
  EXPECT_EQ(read.reading.how_died(*read.reading.process(3)), "killed by SIGKILL in step 1");
  EXPECT_EQ(read.reading.how_died(*read.reading.process(4)), "killed by SIGTERM after step 1");
}

TEST(Durations, AreToldInMillisecondsUpToASecond) {
  EXPECT_EQ(in_words(999ms), "999 ms");
  EXPECT_EQ(in_words(1234ms), "1.2 s");
}

}  // namespace
}  // namespace poolproof::properties
