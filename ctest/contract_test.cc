// poolproof contract: what is promised, and what is kept.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ctest/program.h"

namespace poolproof::end_to_end {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr const char* kDiffers = "in the contract that is here";

TEST(ContractCommand, PrintsWhatAPoolIsHeldTo) {
  const auto ended = poolproof({"contract", "reference:fork"});
  EXPECT_EQ(ended.code, 0) << ended.err;
  EXPECT_THAT(ended.out, StartsWith("pool = \"reference\"\nexit = \"terminates\"\n"));
}

TEST(ContractCommand, InfersThatTheReferencePoolPromisesTheMost) {
  const auto ended =
      poolproof({"contract", "reference:fork", "--infer", "--cases", "600", "--seed", "c0de"}, 170);
  ASSERT_EQ(ended.code, 0) << ended.err;
  EXPECT_THAT(ended.out, Not(HasSubstr(kDiffers)));
  EXPECT_THAT(ended.out, Not(HasSubstr("[[known]]")));
  EXPECT_THAT(ended.out, HasSubstr("main is gone, and a task was cut short"));
}

/// By other means than the contract that we wrote for it.
TEST(ContractCommand, InfersThatAnExecutorDrainsAndBreaks) {
  if (poolproof({"pools"}).out.find("ProcessPoolExecutor") == std::string::npos)
    GTEST_SKIP() << "no Python that has ProcessPoolExecutor is here";
  const auto ended = poolproof(
      {"contract", "ProcessPoolExecutor:fork", "--infer", "--cases", "240", "--seed", "c0de"}, 170);
  ASSERT_EQ(ended.code, 0) << ended.err;
  EXPECT_THAT(ended.out, HasSubstr("exit = \"drains\""));
  EXPECT_THAT(ended.out, HasSubstr("worker_death = \"breaks\""));
  EXPECT_THAT(ended.out, HasSubstr("join_needs_close = false"));
  EXPECT_THAT(ended.out, HasSubstr("rule = \"W1\""));
}

/// What main has of it until it is dropped is no reason to think that its join does not wait.
TEST(ContractCommand, InfersThatAJoinWaitsThoughThePipesAreKept) {
  if (poolproof({"pools"}).out.find("multiprocessing.Pool") == std::string::npos)
    GTEST_SKIP() << "no Python that has multiprocessing.Pool is here";
  const auto ended = poolproof(
      {"contract", "multiprocessing.Pool:fork", "--infer", "--cases", "240", "--seed", "c0de"},
      170);
  ASSERT_EQ(ended.code, 0) << ended.err;
  EXPECT_THAT(ended.out, HasSubstr("join_waits = true"));
  EXPECT_THAT(ended.out, HasSubstr("holds_descriptors_until_drop = true"));
}

TEST(ContractCommand, WantsAPoolThatIsHere) {
  const auto ended = poolproof({"contract", "no-such-pool"});
  EXPECT_EQ(ended.code, 2);
  EXPECT_EQ(ended.error_lines(), 1) << ended.err;
}

}  // namespace
}  // namespace poolproof::end_to_end
