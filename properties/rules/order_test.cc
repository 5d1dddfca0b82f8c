#include <gtest/gtest.h>

#include "properties/rules/made_trace.h"
#include "properties/rules/outcome.h"

namespace poolproof::properties {
namespace {

using namespace std::chrono_literals;
using harness::BodyKind;
using harness::Form;
using Kind = harness::StepResult::Kind;

Story mapped(Form form, std::vector<harness::Step> then, BodyKind body = BodyKind::kNothing) {
  std::vector<harness::Step> steps{create(2), map(1, form, 3, body)};
  steps.insert(steps.end(), then.begin(), then.end());
  Story story(std::move(steps));
  story.begins(1).born(3).born(4).ends(1).step(2);
  story.item(1, 1, 3).item(1, 3, 4).item(1, 2, 3);
  return story;
}

std::string told(std::string list, Form form = Form::kMap) {
  return mapped(form, {get(1)}).step(3, value(std::move(list))).exits().outcome("T4");
}

TEST(OrderIsKept, IsHeldByAMapInTheOrderOfItsItems) {
  EXPECT_EQ(told("[item:1,item:2,item:3]"), "held");
  EXPECT_EQ(told("[item:1,item:2,item:3]", Form::kStarmap), "held");
}

TEST(OrderIsKept, IsViolatedByAnotherOrderOrCount) {
  for (const char* list : {"[item:1,item:3,item:2]", "[item:1,item:2]", "[]",
                           "[item:1,item:2,item:3,item:3]", "[item:1,item:1,item:3]"}) {
    EXPECT_EQ(told(list), "violated") << list;
    EXPECT_EQ(told(list, Form::kStarmap), "violated") << list;
  }
}

TEST(OrderIsKept, IsNotExercisedByWhatComesToNoValue) {
  EXPECT_EQ(mapped(Form::kMap, {get(1)}, BodyKind::kRaise)
                .step(3, result(Kind::kTaskError, "task 1"))
                .exits()
                .outcome("T4"),
            "not exercised");
  EXPECT_EQ(mapped(Form::kMap, {close()}).step(3).exits().outcome("T4"), "not exercised");
}

/// An imap of two whose second input raises, and what its nexts come to.
TEST(OrderIsKept, AsksForThoseBeforeTheInputThatRaises) {
  const auto raising = [](std::vector<harness::StepResult> results, std::string_view rule) {
    auto asked = map(1, Form::kImap, 2);
    asked.raises_at = 2;
    std::vector<harness::Step> steps{create(1), asked};
    steps.insert(steps.end(), results.size(), next(1));
    Story story(steps);
    story.step(1).step(2).item(1, 1, 3);
    int step = 3;
    for (auto& result : results) story.step(step++, std::move(result));
    return story.exits().outcome(rule);
  };
  const auto error = result(Kind::kTaskError, "input 2 of task 1");
  const auto over = result(Kind::kExhausted);
  EXPECT_EQ(raising({value("item:1"), error, over}, "T4"), "held");
  EXPECT_EQ(raising({value("item:1"), error, over}, "T3"), "held");
  EXPECT_EQ(raising({value("item:1"), over}, "T3"), "violated");
  EXPECT_EQ(raising({value("item:1"), result(Kind::kTaskError, "task 1")}, "T3"), "violated");
  EXPECT_EQ(raising({value("item:1"), result(Kind::kTaskError, "input 2 of task 12")}, "T3"),
            "violated");
  EXPECT_EQ(raising({over}, "T4"), "violated");
}

/// Nexts with these results, one after the other.
std::string taken(Form form, const std::vector<harness::StepResult>& results) {
  std::vector<harness::Step> nexts(results.size(), next(1));
  auto story = mapped(form, nexts);
  int step = 3;
  for (const auto& result : results) story.step(step++, result);
  return story.exits().outcome("T4");
}

TEST(OrderIsKept, IsHeldByAnImapInItsOrder) {
  EXPECT_EQ(taken(Form::kImap, {value("item:1")}), "held");
  EXPECT_EQ(taken(Form::kImap, {value("item:1"), value("item:2"), value("item:3"),
                                result(Kind::kExhausted), result(Kind::kExhausted)}),
            "held");
  EXPECT_EQ(taken(Form::kImap, {result(Kind::kTimeout), value("item:1")}), "held");
}

TEST(OrderIsKept, IsViolatedByAnImapOutOfOrder) {
  EXPECT_EQ(taken(Form::kImap, {value("item:2")}), "violated");
  EXPECT_EQ(taken(Form::kImap, {value("item:1"), value("item:3")}), "violated");
  EXPECT_EQ(taken(Form::kImap, {value("item:1"), value("item:1")}), "violated");
}

TEST(OrderIsKept, LetsAnUnorderedImapGiveEachOnceInAnyOrder) {
  const auto any = Form::kImapUnordered;
  EXPECT_EQ(taken(any, {value("item:3"), value("item:1"), value("item:2")}), "held");
  EXPECT_EQ(taken(any, {value("item:3"), value("item:3")}), "violated");
  EXPECT_EQ(taken(any, {value("item:4")}), "violated");
}

TEST(OrderIsKept, IsViolatedByAStreamThatEndsEarly) {
  for (const auto form : {Form::kImap, Form::kImapUnordered})
    EXPECT_EQ(taken(form, {value("item:1"), result(Kind::kExhausted)}), "violated");
}

/// What T3 says of an imap of one item whose input raises at one, and which says that it is over.
std::string hushed_up(int raises_at) {
  auto raising = map(1, Form::kImap, 1);
  raising.raises_at = raises_at;
  Story story({create(1), raising, next(1), next(1)});
  story.begins(1).born(3).ends(1).step(2);
  if (raises_at > 1) {
    story.begins(3).item(1, 1, 3).ends(3, value("item:1"));
  } else {
    story.step(3, result(Kind::kExhausted));
  }
  return story.step(4, result(Kind::kExhausted)).exits().outcome("T3");
}

TEST(OutcomeIsTrue, AsksForTheErrorOfAnInputOnlyWhereItGetsThere) {
  EXPECT_EQ(hushed_up(1), "violated");
  EXPECT_EQ(hushed_up(2), "held");  // there is no second item: what is shrunk may be such a case
}

TEST(OutcomeIsTrue, IsViolatedByAMapThatGivesWhatCameBeforeItsInputRaised) {
  auto raising = map(1, Form::kMap, 2);
  raising.raises_at = 2;
  Story story({create(1), raising, get(1)});
  story.begins(1).born(3).ends(1).step(2).begins(3).item(1, 1, 3);
  auto told = story;
  story.ends(3, value("[item:1]")).exits();
  EXPECT_EQ(story.says("T3"),
            "get (step 3) of task 1 (nothing) gives the value [item:1], though its input raises at "
            "item 2");
  told.ends(3, result(Kind::kTaskError, "input 2 of task 1")).exits();
  EXPECT_EQ(told.outcome("T3"), "held");
}

TEST(OrderIsKept, KnowsNothingBehindAnError) {
  EXPECT_EQ(taken(Form::kImap, {result(Kind::kWorkerDied), value("item:3")}), "not exercised");
}

TEST(ItemValues, TellTheItem) {
  EXPECT_EQ(item_values(map(1, Form::kMap, 2)), (std::vector<std::string>{"item:1", "item:2"}));
  auto echo = map(1, Form::kMap, 2, BodyKind::kEcho);
  echo.body.amount = 1;
  const auto values = item_values(echo);
  ASSERT_EQ(values.size(), 2u);
  EXPECT_NE(values[0], values[1]);
  EXPECT_TRUE(item_values(map(1, Form::kMap, 2, BodyKind::kNever)).empty());
}

// ---- Items under the other rules ----------------------------------------------------------------

TEST(NoTaskRunsTwice, TellsItemsApart) {
  EXPECT_EQ(mapped(Form::kMap, {}).exits().outcome("T2"), "held");
  auto twice = mapped(Form::kMap, {}).item(1, 3, 3).exits();
  EXPECT_EQ(twice.outcome("T2"), "violated");
  EXPECT_EQ(twice.says("T2"), "task 1 (item 3) began in process 4 and again in process 3");
}

TEST(OutcomeIsTrue, AsksWhetherEachValueIsAnItems) {
  const auto outcome = [](std::string list) {
    return mapped(Form::kMap, {get(1)}).step(3, value(std::move(list))).exits().outcome("T3");
  };
  EXPECT_EQ(outcome("[item:3,item:2,item:1]"), "held");
  EXPECT_EQ(outcome("[item:1,none,item:3]"), "violated");
}

TEST(CloseDrains, CountsItems) {
  const auto outcome = [](int items) {
    Story story({create(1), map(1, Form::kMap, 2), close(), join()});
    story.begins(1).born(3).ends(1).step(2).begins(3).ends(3).begins(4);
    for (int item = 1; item <= items; ++item) story.item(1, item, 3);
    return story.dies(3).ends(4).exits().outcome("S5");
  };
  EXPECT_EQ(outcome(2), "held");
  EXPECT_EQ(outcome(1), "violated");
}

TEST(TaskQuotaIsKept, CountsItemsThatTravelTogetherAsOne) {
  const auto outcome = [](std::optional<int> chunk) {
    auto small = create(1);
    small.quota = 1;
    auto whole = map(1, Form::kMap, 2);
    whole.chunk = chunk;
    Story story({small, whole, get(1)});
    story.begins(1).born(3).ends(1).step(2).item(1, 1, 3).item(1, 2, 3);
    return story.step(3, value("[item:1,item:2]")).exits().outcome("W6");
  };
  EXPECT_EQ(outcome(2), "held");
  EXPECT_EQ(outcome(std::nullopt), "held");
  EXPECT_EQ(outcome(1), "violated");
}

TEST(WorkerDeathIsReported, IsViolatedByAWaitForALostItem) {
  Story story({create(1), map(1, Form::kMap, 2), kill(harness::Victim::kBusy), get(1)});
  story.begins(1).born(3).ends(1).step(2).begins_item(1, 1, 3);
  story.begins(3).dies(3, sys::Killed{9}).ends(3, killed(3)).born(4).item(1, 2, 4);
  story.begins(4).at_rest().over(harness::End::kAtRest);
  EXPECT_EQ(story.outcome("T6"), "violated");
}

}  // namespace
}  // namespace poolproof::properties
