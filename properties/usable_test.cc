#include "properties/usable.h"

#include <gtest/gtest.h>

#include <set>
#include <utility>

#include "properties/test_traces.h"

namespace poolproof::properties {
namespace {

using harness::Scenario;
using harness::Step;
using harness::StepResult;

class UsableTest : public ::testing::Test {
 protected:
  static StepResult failure() {
    return {.kind = StepResult::Kind::kError, .error = "OSError", .message = "no\nsemaphores"};
  }

  /// A run of the steps in which those of `failing` fail.
  void add(const std::vector<Step>& steps, const std::set<int>& failing) {
    TraceWriter writer;
    for (int step = 1; std::cmp_less_equal(step, steps.size()); ++step) {
      writer.at(step).step(step, failing.contains(step) ? failure() : StepResult());
    }
    const Scenario scenario{"fork", steps, {}};
    usable_.add(pool_, scenario, writer.done(), ++number_);
  }

  std::string trouble() const { return usable_.trouble(pool_).value_or(""); }

  Pool pool_ = executor_pool();
  Usable usable_;
  int number_ = 0;
};

TEST_F(UsableTest, APoolThatIsNeverCreatedIsATrouble) {
  for (int i = 0; i < 3; ++i) add({create_step(1), submit_step(1)}, {1, 2});
  EXPECT_EQ(trouble(),
            "ProcessPoolExecutor:fork: no case could create the pool (case 1, step 1: OSError: "
            "no\\x0asemaphores), so that nothing was tested; make it work without poolproof "
            "first; adapter: /adapters/process_pool_executor.py");
}

TEST_F(UsableTest, APoolThatTakesNoTaskIsATrouble) {
  add({create_step(1)}, {});
  EXPECT_EQ(trouble(), "");
  add({create_step(1), submit_step(1)}, {2});
  EXPECT_NE(trouble().find("took no task in any case (case 2, step 2: OSError"), std::string::npos)
      << trouble();
}

TEST_F(UsableTest, OneSuccessIsEnough) {
  add({create_step(1), submit_step(1)}, {1, 2});
  add({create_step(1), submit_step(1)}, {2});
  add({create_step(1), submit_step(1)}, {});
  EXPECT_EQ(trouble(), "");
}

TEST_F(UsableTest, WhatMustOrMayBeRefusedDoesNotCount) {
  Step close;
  close.kind = harness::StepKind::kClose;
  add({create_step(1), close, submit_step(1)}, {3});
  Step kill;
  kill.kind = harness::StepKind::kKill;
  add({create_step(1), kill, submit_step(1)}, {3});
  EXPECT_EQ(trouble(), "");
}

TEST_F(UsableTest, ACaseThatEndedBeforeIsNoAnswer) {
  usable_.add(pool_, orphan_scenario(), TraceWriter().done(), 1);
  EXPECT_EQ(trouble(), "");
}

}  // namespace
}  // namespace poolproof::properties
