// A harness that is blind says so, and nothing else.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "ctest/program.h"

namespace poolproof::end_to_end {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::Not;

class Canary : public testing::Test {
 protected:
  ~Canary() override { ::unsetenv("POOLPROOF_SHARE"); }

  /// What is installed, but with the adapter `stand_in` (none: "") in the canary's place.
  void install(const std::string& stand_in) const {
    const auto share = bin_folder() / "../share/poolproof";
    const auto copy = scratch_.path() / "share";
    fs::create_directories(copy / "adapters/mutants");
    fs::copy(share / "contracts", copy / "contracts");
    fs::copy(share / "adapters/reference", copy / "adapters/reference");
    if (!stand_in.empty()) {
      fs::copy(share / "adapters" / stand_in, copy / "adapters/mutants/workers_outlive_main");
    }
    ::setenv("POOLPROOF_SHARE", copy.c_str(), 1);
  }

  Ended check(const char* cases) const {
    return poolproof({"check", "reference:fork", "--cases", cases, "--results",
                      (scratch_.path() / "r").string()});
  }

  Scratch scratch_;
};

TEST_F(Canary, IsCaughtBeforeAllElse) {
  install("mutants/workers_outlive_main");
  const auto ended = check("100");
  EXPECT_EQ(ended.code, 0) << ended.err;
  EXPECT_THAT(ended.out, HasSubstr("canary: mutant:workers_outlive_main caught by W1 in "));
}

TEST_F(Canary, ThatIsMissedTurnsTheRunRed) {
  install("reference");  // a healthy pool: to be seen where nothing is
  const auto ended = check("100");
  EXPECT_EQ(ended.code, 3);
  EXPECT_EQ(ended.error_lines(), 1) << ended.err;
  EXPECT_THAT(ended.err, HasSubstr("the canary was missed: W1 did not catch"));
  EXPECT_THAT(ended.out, Not(HasSubstr("held")));
}

TEST_F(Canary, ThatIsNotThereOrNotWorthItIsToldSo) {
  install("");
  EXPECT_THAT(check("100").out,
              HasSubstr("canary: skipped, mutant:workers_outlive_main is not installed"));
  EXPECT_THAT(check("5").out, HasSubstr("canary: skipped, the run is short"));
}

}  // namespace
}  // namespace poolproof::end_to_end
