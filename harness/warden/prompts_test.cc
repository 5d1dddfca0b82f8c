#include "harness/warden/prompts.h"

#include <gtest/gtest.h>

namespace poolproof::warden {
namespace {

using namespace std::chrono_literals;
using harness::Event;

TEST(Prompts, AreOpenFromTheirBeginningToTheirEnd) {
  Prompts prompts({2});
  prompts.note({5ms, harness::StepBegun{1, 2}}, 3ms);
  ASSERT_EQ(prompts.open().size(), 1U);
  EXPECT_EQ(prompts.open()[0].begun, 5ms);
  EXPECT_EQ(prompts.open()[0].delay, 3ms);
  prompts.note({9ms, harness::StepEnded{1, 2, {}}}, 4ms);
  EXPECT_TRUE(prompts.open().empty());
}

TEST(Prompts, AreThoseOnlyThatWereAskedFor) {
  Prompts prompts({2});
  prompts.note({5ms, harness::StepBegun{1, 1}}, 0ms);
  prompts.note({6ms, harness::EndingBegun{1}}, 0ms);
  EXPECT_TRUE(prompts.open().empty());
}

TEST(Prompts, OfTheEndingEndWithMain) {
  Prompts prompts({0});
  prompts.note({5ms, harness::EndingBegun{1}}, 0ms);
  ASSERT_EQ(prompts.open().size(), 1U);
  EXPECT_EQ(prompts.open()[0].step, 0);
  prompts.note_main_dead();
  EXPECT_TRUE(prompts.open().empty());
}

}  // namespace
}  // namespace poolproof::warden
