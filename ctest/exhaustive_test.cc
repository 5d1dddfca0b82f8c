// What is complete is said, and is so.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ctest/program.h"

namespace poolproof::end_to_end {
namespace {

using testing::HasSubstr;

TEST(Exhaustive, GoesAsFarAsAskedAndClaimsNoMore) {
  const Scratch scratch;
  const auto ended = poolproof({"check", "reference:fork", "--only", "exhaustive", "--steps", "2",
                                "--results", (scratch.path() / "r").string()});
  EXPECT_EQ(ended.code, 0) << ended.err;
  EXPECT_THAT(ended.out, HasSubstr("\n24 cases in "));
  EXPECT_THAT(ended.out, HasSubstr("\ncomplete to 2 steps, 2 workers: 24 scenarios\n"));
}

TEST(Exhaustive, CutShortByTimeSaysToWhichLengthItIsComplete) {
  const Scratch scratch;
  const auto ended = poolproof({"check", "reference:fork", "--only", "exhaustive", "--steps", "6",
                                "--time", "2", "--results", (scratch.path() / "r").string()});
  EXPECT_EQ(ended.code, 0) << ended.err;
  EXPECT_THAT(ended.out, testing::ContainsRegex(
                             "\ncomplete to [1-5] steps?, 2 workers: [0-9,]+ scenarios[;\n]"));
}

}  // namespace
}  // namespace poolproof::end_to_end
