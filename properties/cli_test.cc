#include "properties/cli.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <vector>

#include "properties/test_traces.h"
#include "properties/text.h"

namespace poolproof::properties {
namespace {

using ::testing::HasSubstr;

struct Said {
  int exit_code = 0;
  std::string out;
  std::string err;
};

Said poolproof(std::vector<const char*> words) {
  words.insert(words.begin(), "poolproof");
  ::testing::internal::CaptureStdout();
  ::testing::internal::CaptureStderr();
  Said said;
  said.exit_code = run_cli(static_cast<int>(words.size()), words.data());
  std::fflush(stdout);
  said.out = ::testing::internal::GetCapturedStdout();
  said.err = ::testing::internal::GetCapturedStderr();
  return said;
}

/// A case file of the test's own, which goes with it.
class CaseFile {
 public:
  explicit CaseFile(const std::string& text) { std::ofstream(path_) << text; }
  ~CaseFile() { std::remove(path_.c_str()); }
  CaseFile(const CaseFile&) = delete;
  CaseFile& operator=(const CaseFile&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_ =
      ::testing::TempDir() + "poolproof-cli-test-" + std::to_string(::getpid()) + ".json";
};

TEST(CommandLine, HelpIsAsInTheGoldenFile) {
  std::string text;
  for (const auto* command : {"check", "endings", "replay", "selftest", "pools"}) {
    text += poolproof({command, "--help"}).out;
  }
  text = poolproof({"--help"}).out + text;
  EXPECT_TRUE(is_golden("help.txt", text));
  for (const auto& line : lines_of(text)) EXPECT_LE(line.size(), kLineWidth) << line;
}

TEST(CommandLine, BadUsageIsOneLineAndTwo) {
  const std::vector<std::vector<const char*>> bad{
      {},
      {"chekc"},
      {"check", "--cases", "x"},
      {"check", "--jobs", "0"},
      {"check", "--time", "-1"},
      {"check", "--seed", "xyz"},
      {"check", "--rules", "W1,Q7"},
      {"check", "--rules", "W1,,E1"},
      {"check", "--rules", ","},
      {"check", "--rules", ""},
      {"check", ""},
      {"check", "--adapter", ""},
      {"check", "--junit", ""},
      {"check", "--results", ""},
      {"endings", "--python", ""},
      {"check", "--frobnicate"},
      {"check", "--contract", "some.toml"},
      {"check", "--adapter", "/nowhere/adapter"},
      {"check", "--adapter", "/etc/passwd"},
      {"check", "--junit", "/nowhere/junit.xml"},
      {"check", "--junit", "/"},
      {"check", "--junit", "x.xml", "--sweep", "kill"},
      {"check", "--only", "luck"},
      {"check", "--only", "exhaustive", "--faults"},
      {"check", "--only", "random", "--sweep", "kill"},
      {"check", "--steps", "3"},
      {"check", "--regressions", "/nowhere"},
      {"check", "--regressions", "/etc/passwd", "--keep-regressions"},
      {"check", "--keep-regressions", "--sweep", "kill"},
      {"check", "--only", "exhaustive", "--steps", "0"},
      {"replay"},
      {"replay", "/nowhere/case.json"},
      {"explain", "Q7"},
      {"contract", "reference", "--time", "3"},
  };
  for (const auto& words : bad) {
    const auto said = poolproof(words);
    EXPECT_EQ(said.exit_code, 2) << said.err;
    EXPECT_EQ(said.out, "");
    EXPECT_TRUE(said.err.starts_with("poolproof: ")) << said.err;
    EXPECT_EQ(std::count(said.err.begin(), said.err.end(), '\n'), 1) << said.err;
  }
}

TEST(CommandLine, AMisspeltCommandIsToldWhatThereIs) {
  EXPECT_THAT(poolproof({"chekc"}).err, HasSubstr("there are: check, endings, replay"));
}

TEST(CommandLine, BadUsageSaysWhatIsExpectedAndWhereToReadOn) {
  EXPECT_EQ(poolproof({"check", "--time", "abc"}).err,
            "poolproof: --time: expected a number from 0.1 to 1000000, not 'abc' (see 'poolproof "
            "check --help')\n");
  EXPECT_EQ(poolproof({"check", "--role", "chief"}).err,
            "poolproof: --role: expected one of main, worker, helper, not 'chief' (see 'poolproof "
            "check --help')\n");
  EXPECT_EQ(poolproof({"check", "--rule", "W1"}).err,
            "poolproof: check knows no '--rule' (see 'poolproof check --help')\n");
  EXPECT_EQ(poolproof({"explain", "W1", "W2"}).err,
            "poolproof: explain does not take 'W2' (see 'poolproof explain --help')\n");
  EXPECT_EQ(poolproof({"replay"}).err,
            "poolproof: replay: case is required (see 'poolproof replay --help')\n");
  EXPECT_THAT(poolproof({}).err, HasSubstr("a command is needed: check, "));
  EXPECT_THAT(poolproof({"--frob"}).err,
              HasSubstr("a command comes first, not '--frob'; there are"));
  EXPECT_EQ(poolproof({"check", "--role", "worker"}).err, "poolproof: --role goes with --sweep\n");
  EXPECT_EQ(poolproof({"contract"}).err,
            "poolproof: contract: which pool? 'poolproof pools' lists them\n");
  EXPECT_EQ(poolproof({"check", "--adapter", "/dev/../tmp"}).err,
            "poolproof: --adapter /dev/../tmp: is a folder\n");
}

TEST(CommandLine, AFindingsFolderStandsForItsCase) {
  EXPECT_EQ(poolproof({"replay", "/"}).err,
            "poolproof: open /case.json: No such file or directory (wanted: the case.json of a "
            "finding, or its folder)\n");
  EXPECT_EQ(
      poolproof({"replay", ""}).err,
      "poolproof: a case without a name (wanted: the case.json of a finding, or its folder)\n");
}

TEST(CommandLine, BadCaseFilesAreOneLineAndTwo) {
  for (const auto* text :
       {"", "garbage", "[]", "{\"format\": 99}", "{\"format\": 1, \"evil\": 1}"}) {
    const CaseFile saved(text);
    const auto& path = saved.path();
    const auto said = poolproof({"replay", path.c_str()});
    EXPECT_EQ(said.exit_code, 2) << text;
    EXPECT_THAT(said.err, HasSubstr(path));
    EXPECT_EQ(std::count(said.err.begin(), said.err.end(), '\n'), 1) << said.err;
  }
}

TEST(CommandLine, VersionAndRulesNeedNothingElse) {
  EXPECT_EQ(poolproof({"--version"}).exit_code, 0);
  EXPECT_THAT(poolproof({"rules"}).out, HasSubstr("W1 NoWorkerOutlivesParent"));
  EXPECT_THAT(poolproof({"explain", "NoDeadlock"}).out, HasSubstr("P1 NoDeadlock"));
  EXPECT_THAT(poolproof({"explain", "p1"}).out, HasSubstr("P1 NoDeadlock"));
}

}  // namespace
}  // namespace poolproof::properties
