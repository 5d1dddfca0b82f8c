// Faults in cases and sweeps, by the built program.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "ctest/program.h"

namespace poolproof::end_to_end {
namespace {

using testing::AllOf;
using testing::ContainsRegex;
using testing::HasSubstr;

std::string mutant(const char* name) {
  return (bin_folder() / "../share/poolproof/adapters/mutants" / name).string();
}
std::string reference_contract() {
  return (bin_folder() / "../share/poolproof/contracts/reference.toml").string();
}

class Sweep : public testing::Test {
 protected:
  Ended sweep(std::vector<std::string> arguments) const {
    std::vector<std::string> command{
        (bin_folder() / "poolproof").string(), "check", "--sweep", "kill", "--results",
        (scratch_.path() / "results").string()};
    command.insert(command.end(), arguments.begin(), arguments.end());
    return run(command, 240);
  }
  Scratch scratch_{"/var/tmp"};
};

TEST_F(Sweep, FindsWorkersThatOutliveMain) {
  const auto ended = sweep({"--adapter", mutant("workers_outlive_main"), "--contract",
                            reference_contract(), "--role", "main", "--time", "6"});
  EXPECT_EQ(ended.code, 1) << ended.out << ended.err;
  EXPECT_THAT(ended.out, HasSubstr("F W1 NoWorkerOutlivesParent"));
}

TEST_F(Sweep, ItsFindingsCanBeReplayed) {
  const auto ended = sweep({"--adapter", mutant("workers_outlive_main"), "--contract",
                            reference_contract(), "--role", "main", "--time", "6"});
  ASSERT_EQ(ended.code, 1) << ended.out << ended.err;
  const auto found = ended.out.find("  W1-");
  ASSERT_NE(found, std::string::npos) << ended.out;
  const auto folder = ended.out.substr(found + 2, ended.out.find('/', found) - found - 2);
  std::vector<std::string> replay{(bin_folder() / "poolproof").string(),
                                  "replay",
                                  (scratch_.path() / "results" / folder / "case.json").string(),
                                  "--adapter",
                                  mutant("workers_outlive_main"),
                                  "--contract",
                                  reference_contract()};
  const auto again = run(replay, 120);
  EXPECT_EQ(again.code, 1) << again.out << again.err;
  // Another fault can be put into it, by hand.
  replay.insert(replay.end(), {"--fault", "main:after-step:1=SIGKILL"});
  const auto otherwise = run(replay, 120);
  EXPECT_EQ(otherwise.code, 1) << otherwise.out << otherwise.err;
  EXPECT_THAT(otherwise.out, HasSubstr("fault: main:after-step:1=SIGKILL"));
  // One that never came says nothing about the pool.
  replay.back() = "worker9:getpid:1=SIGKILL";
  const auto never = run(replay, 120);
  EXPECT_NE(never.code, 0) << never.out;
  EXPECT_THAT(never.out, HasSubstr("never fired"));
  replay.back() = "main:after-step:1=nothing";
  EXPECT_EQ(run(replay, 120).code, 2);
}

TEST_F(Sweep, SaysHowManyPointsThereWere) {
  const auto ended = sweep({"reference", "--role", "worker", "--json"});
  EXPECT_EQ(ended.code, 0) << ended.out << ended.err;
  EXPECT_THAT(ended.out, HasSubstr("\"complete\":true"));
  EXPECT_THAT(ended.out, ContainsRegex("\"points\":[1-9][0-9]"));
}

/// What was not reached is told, not left out, and --strict minds it.
TEST_F(Sweep, TellsWhatItHadNoTimeFor) {
  const std::vector<std::string> command{"reference", "--role", "main",
                                         "--time",    "0.1",    "--strict"};
  const auto ended = sweep(command);
  EXPECT_NE(ended.code, 0) << ended.out << ended.err;
  EXPECT_THAT(ended.out, AllOf(HasSubstr("reference:spawn main: create, return\n  not reached"),
                               HasSubstr("+ cut short")));
}

TEST_F(Sweep, RefusesWhatIsNoFault) {
  const auto ended =
      run({(bin_folder() / "poolproof").string(), "check", "--sweep", "frobnicate"}, 60);
  EXPECT_EQ(ended.code, 2);
  EXPECT_THAT(ended.err, AllOf(HasSubstr("--sweep takes kill"), HasSubstr("frobnicate")));
  EXPECT_EQ(
      run({(bin_folder() / "poolproof").string(), "check", "--faults", "--sweep", "kill"}, 60).code,
      2);
  // getpid cannot be interrupted.
  EXPECT_EQ(run({(bin_folder() / "poolproof").string(), "check", "--sweep", "EINTR"}, 60).code, 2);
}

TEST_F(Sweep, WithoutAnyoneOfTheRoleFails) {
  const auto ended =
      sweep({"multiprocessing.Pool:fork", "--role", "helper", "--python", "/usr/bin/python3"});
  EXPECT_EQ(ended.code, 3) << ended.out << ended.err;
  EXPECT_THAT(ended.out, HasSubstr("no helper was seen"));
}

}  // namespace
}  // namespace poolproof::end_to_end
