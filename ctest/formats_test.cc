// Format 1 is frozen: the case that was kept then is run for ever.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ctest/program.h"

namespace poolproof::end_to_end {
namespace {

using testing::HasSubstr;

TEST(Format1, ACaseIsReplayed) {
  const auto ended = poolproof({"replay", POOLPROOF_FORMATS "/1/case.json", "--times", "3"});
  EXPECT_EQ(ended.code, 0) << ended.out << ended.err;
  EXPECT_THAT(ended.out, HasSubstr("3 runs: every rule kept"));
}

}  // namespace
}  // namespace poolproof::end_to_end
