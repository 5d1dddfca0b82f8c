// What one run finds, the next one tries first.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "ctest/program.h"

namespace poolproof::end_to_end {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class Regressions : public testing::Test {
 protected:
  Ended check(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), "check");
    arguments.insert(arguments.end(),
                     {"--regressions", folder(), "--results", (scratch_.path() / "r").string()});
    return poolproof(std::move(arguments));
  }
  std::string folder() const { return (scratch_.path() / "kept").string(); }

  Scratch scratch_;
};

TEST_F(Regressions, AreKeptByOneRunAndTriedFirstByTheNext) {
  const auto found = check({"mutant:workers_outlive_main", "--rules", "W1", "-x",
                            "--keep-regressions", "--only", "exhaustive"});
  ASSERT_EQ(found.code, 1) << found.err;
  EXPECT_THAT(found.out, HasSubstr("regressions: 1 kept (" + folder() + "/)"));
  const auto again =
      check({"mutant:workers_outlive_main", "--rules", "W1", "--only", "regressions"});
  EXPECT_EQ(again.code, 1) << again.err;
  EXPECT_THAT(again.out, HasSubstr("regressions: 1 run, 1 violated (" + folder() + "/)"));
  EXPECT_THAT(again.out, HasSubstr("\n1 case in "));
}

TEST_F(Regressions, ForOtherPoolsAreCountedAndABadFileIsOneLine) {
  fs::create_directories(folder());
  scratch_.file("kept/broken.json", "{\"format\": 1");
  scratch_.file("kept/other.json",
                R"({"format": 1, "pool": "elsewhere@1", "seed": 1, "settings": {}, "scenario":
                 {"start_method": "", "steps": [], "ending": {"how": "return"}}})");
  const auto ended = check({"reference:fork", "--cases", "5"});
  EXPECT_EQ(ended.code, 3) << ended.out;
  EXPECT_EQ(ended.error_lines(), 1) << ended.err;
  EXPECT_THAT(ended.err, HasSubstr("kept/broken.json: "));
  EXPECT_THAT(ended.out, HasSubstr("regressions: 1 for other pools"));
}

}  // namespace
}  // namespace poolproof::end_to_end
