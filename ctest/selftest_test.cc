// poolproof selftest, by the built program: what passes it, and what fails it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "ctest/program.h"

namespace poolproof::end_to_end {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class Selftest : public testing::Test {
 protected:
  fs::path share() const { return fs::canonical(bin_folder() / "../share/poolproof"); }

  /// A share folder of the test's own with this table, the contracts and, as the reference pool,
  /// the adapter at `reference`.
  Ended with_table(const std::string& table, const fs::path& reference,
                   std::vector<std::string> arguments = {}) const {
    const auto adapters = scratch_.path() / "adapters";
    fs::create_directories(adapters);
    fs::create_directory_symlink(share() / "contracts", scratch_.path() / "contracts");
    fs::create_directory_symlink(share() / "adapters/mutants", adapters / "mutants");
    fs::create_symlink(reference, adapters / "reference");
    scratch_.file("mutants.json", table);
    std::vector<std::string> command{"env", "POOLPROOF_SHARE=" + scratch_.path().string(),
                                     (bin_folder() / "poolproof").string(), "selftest"};
    command.insert(command.end(), arguments.begin(), arguments.end());
    return run(command, 120);
  }

  Scratch scratch_{"/var/tmp"};
};

TEST_F(Selftest, CatchesAMutantAndDoesNotBlameThePool) {
  const auto ended = poolproof({"selftest", "rings_have_names", "--time", "6"}, 120);
  EXPECT_EQ(ended.code, 0) << ended.out << ended.err;
  EXPECT_THAT(ended.out, HasSubstr("1 of 1 mutant caught in"));
  EXPECT_THAT(ended.out, HasSubstr("reference:spawn"));
}

TEST_F(Selftest, FailsForAMutantThatItsRuleDoesNotCatch) {
  const auto ended = with_table(R"([{"name": "rings_have_names", "rule": "S2"}])",
                                share() / "adapters/reference", {"--time", "8"});
  EXPECT_EQ(ended.code, 1) << ended.out << ended.err;
  EXPECT_THAT(ended.out, HasSubstr("survivor: rings_have_names survived S2"));
}

TEST_F(Selftest, FailsForAPoolThatIsNotHealthy) {
  const auto ended = with_table(R"([{"name": "rings_have_names", "rule": "R2"}])",
                                share() / "adapters/mutants/pool_leaves_a_file",
                                {"rings_have_names", "--time", "30"});
  EXPECT_EQ(ended.code, 1) << ended.out << ended.err;
  EXPECT_THAT(ended.out, HasSubstr("blamed: reference:fork breaks R3 NoFileLeft"));
}

TEST_F(Selftest, FailsForARuleThatNoMutantNeeds) {
  const auto ended = with_table(R"([{"name": "rings_have_names", "rule": "R2"}])",
                                share() / "adapters/reference", {"--time", "8"});
  EXPECT_EQ(ended.code, 1) << ended.out << ended.err;
  EXPECT_THAT(ended.out, HasSubstr("unneeded: W1 NoWorkerOutlivesParent"));
}

TEST_F(Selftest, RefusesAnUnknownMutantAndAMissingTable) {
  const auto unknown = poolproof({"selftest", "no_such_mutant"});
  EXPECT_EQ(unknown.code, 2);
  EXPECT_EQ(unknown.error_lines(), 1) << unknown.err;
  const auto missing = run({"env", "POOLPROOF_SHARE=" + scratch_.path().string(),
                            (bin_folder() / "poolproof").string(), "selftest"});
  EXPECT_EQ(missing.code, 3);
  EXPECT_THAT(missing.err, HasSubstr("mutants.json"));
}

TEST_F(Selftest, WithoutTheBuildTreeNoMutantIsGenerated) {
  const auto ended = run({"env", "POOLPROOF_SHARE=" + scratch_.path().string(),
                          (bin_folder() / "poolproof").string(), "selftest", "--generated", "1"});
  EXPECT_EQ(ended.code, 3);
  EXPECT_EQ(ended.error_lines(), 1) << ended.err;
  EXPECT_THAT(ended.err, HasSubstr("need poolproof's source and build tree"));
  EXPECT_EQ(poolproof({"selftest", "exit_drains", "--generated", "1"}).code, 2);
}

}  // namespace
}  // namespace poolproof::end_to_end
