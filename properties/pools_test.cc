#include "properties/pools.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "properties/test_traces.h"

namespace poolproof::properties {
namespace {

using harness::CommandOutput;
using ::testing::HasSubstr;
using Argv = std::span<const std::string>;

const char* const kReference = R"({"protocol": 0, "name": "reference", "version": "0.1.0",
  "language": "c++", "runtime": "poolproof 0.1.0", "start_methods": ["fork"],
  "steps": ["create"], "bodies": ["nothing"], "endings": ["return"], "program": {}})";
const char* const kPython = R"({"protocol": 0, "name": "multiprocessing.Pool", "version": "3.11.7",
  "language": "python", "runtime": "CPython 3.11.7", "start_methods": ["fork", "spawn"],
  "steps": ["create"], "bodies": ["nothing"], "endings": ["return"], "program": {}})";

/// A share folder with adapters that exist and contracts that are empty; what adapters say is
/// canned.
class PoolsTest : public ::testing::Test {
 protected:
  PoolsTest() : share_(std::filesystem::path(::testing::TempDir()) / unique_name()) {
    for (const auto* file :
         {"reference", "multiprocessing_pool.py", "process_pool_executor.py", "mutants/unbound"}) {
      write(share_ / "adapters" / file, "");
    }
    for (const auto* pool : {"reference", "multiprocessing.Pool", "ProcessPoolExecutor"}) {
      write(share_ / "contracts" / (std::string(pool) + ".toml"),
            "pool = \"" + std::string(pool) + "\"\n");
    }
  }
  ~PoolsTest() override { std::filesystem::remove_all(share_); }

  static std::string unique_name() {
    const auto* test = ::testing::UnitTest::GetInstance()->current_test_info();
    return std::string("poolproof-pools-") + test->name();
  }
  static void write(const std::filesystem::path& path, const std::string& text) {
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path) << text;
  }

  sys::Result<CommandOutput> answer(Argv argv) const {
    if (argv.back().starts_with("import sys")) return python_;
    for (const auto& word : argv) {
      if (word.ends_with("reference") || word.ends_with("unbound")) return reference_;
      if (word.ends_with("multiprocessing_pool.py")) return said(kPython);
    }
    return CommandOutput{sys::Exited{0}, R"({"absent": "no such module"})", ""};
  }
  static CommandOutput said(const std::string& text) { return {sys::Exited{0}, text, ""}; }

  Pools find(const std::vector<std::string>& names) const {
    return PoolFinder({.share = share_, .pythons = pythons_, .adapter = adapter_, .contract = {}},
                      [this](Argv argv, std::chrono::milliseconds) { return answer(argv); })
        .find(names);
  }
  std::string why_absent() const {
    const auto pools = find({"reference"});
    return pools.absent.empty() ? "found" : pools.absent.front().why;
  }

  std::filesystem::path share_;
  std::vector<std::string> pythons_;
  std::string adapter_;
  sys::Result<CommandOutput> python_ = said("/usr/bin/python3\n");
  sys::Result<CommandOutput> reference_ = said(kReference);
};

std::vector<std::string> names_of(const Pools& pools) {
  std::vector<std::string> names;
  for (const auto& pool : pools.found) names.push_back(pool.name.text());
  return names;
}

TEST(PoolName, HasThreePartsTheLastTwoOptional) {
  const auto name = PoolName::parse("multiprocessing.Pool:spawn@3.8");
  EXPECT_EQ(name.implementation, "multiprocessing.Pool");
  EXPECT_EQ(name.variant, "spawn");
  EXPECT_EQ(name.version, "3.8");
  EXPECT_EQ(name.text(), "multiprocessing.Pool:spawn@3.8");
  EXPECT_EQ(PoolName::parse("reference").text(), "reference");
}

TEST(PoolName, AVersionCoversWhatItBegins) {
  const auto full = PoolName::parse("a:b@3.8.18");
  EXPECT_TRUE(PoolName::parse("a@3.8").covers(full));
  EXPECT_TRUE(PoolName::parse("a").covers(full));
  EXPECT_FALSE(PoolName::parse("a@3.8.1").covers(full));
  EXPECT_FALSE(PoolName::parse("a:c").covers(full));
}

TEST_F(PoolsTest, EachStartMethodIsAPool) {
  EXPECT_THAT(names_of(find({})),
              ::testing::ElementsAre("reference:fork@0.1.0", "multiprocessing.Pool:fork@3.11.7",
                                     "multiprocessing.Pool:spawn@3.11.7"));
}

TEST_F(PoolsTest, PythonPoolsAreRunByTheResolvedInterpreter) {
  python_ = said("/opt/build/python\n");
  const auto pools = find({"multiprocessing.Pool:spawn"});
  ASSERT_EQ(pools.found.size(), 1U);
  EXPECT_EQ(pools.found[0].command.front(), "/opt/build/python");
  EXPECT_EQ(pools.found[0].start_method, "spawn");
}

TEST_F(PoolsTest, WhatIsNotInstalledIsAbsentWithItsReason) {
  const auto pools = find({});
  ASSERT_EQ(pools.absent.size(), 1U);
  EXPECT_EQ(pools.absent[0].implementation, "ProcessPoolExecutor");
  EXPECT_EQ(pools.absent[0].why, "no such module");
}

TEST_F(PoolsTest, AnInterpreterThatCannotRunMakesItsPoolsAbsent) {
  python_ = sys::Error(std::make_error_code(std::errc::permission_denied), "run /opt/bin/python3");
  const auto pools = find({"multiprocessing.Pool"});
  ASSERT_EQ(pools.absent.size(), 1U);
  EXPECT_EQ(pools.absent[0].why, "run /opt/bin/python3: Permission denied");
}

TEST_F(PoolsTest, UnknownNamesAreToldWithWhatThereIs) {
  const auto pools = find({"reference", "loky"});
  EXPECT_EQ(names_of(pools).size(), 1U);
  ASSERT_EQ(pools.unmatched, std::vector<std::string>{"loky"});
  EXPECT_EQ(unknown_pool("loky", find({})),
            "no pool is named 'loky'; there are: reference:fork, multiprocessing.Pool:fork, "
            "multiprocessing.Pool:spawn, ProcessPoolExecutor (absent)");
}

TEST_F(PoolsTest, MutantsAreFoundByNameOnly) {
  const auto pools = find({"mutant:unbound"});
  ASSERT_EQ(pools.found.size(), 1U);
  EXPECT_EQ(pools.found[0].label(), "mutant:unbound");
  EXPECT_EQ(pools.found[0].start_method, "fork");
  EXPECT_EQ(find({"mutant:../../sh"}).found.size(), 0U);
}

TEST_F(PoolsTest, AMissingAdapterSaysSo) {
  std::filesystem::remove(share_ / "adapters/reference");
  EXPECT_THAT(why_absent(), HasSubstr("adapters/reference does not exist"));
}

TEST_F(PoolsTest, ACrashingAdapterIsQuotedInOneLine) {
  reference_ = CommandOutput{sys::Killed{11}, "", "Traceback:\n  x\nImportError: no \x1b[31m\n\n"};
  EXPECT_THAT(why_absent(), HasSubstr("--describe killed by SIGSEGV: ImportError: no \\x1b[31m"));
}

TEST_F(PoolsTest, AnAdapterWithoutTheKitIsToldWhereThatIs) {
  reference_ = CommandOutput{sys::Exited{1}, "",
                             "ModuleNotFoundError: No module named 'poolproof_adapter'\n"};
  EXPECT_THAT(why_absent(), HasSubstr("it is in " + (share_ / "adapters").string()));
}

TEST_F(PoolsTest, SilenceGarbageAndOtherProtocolsAreRefused) {
  for (const auto* text : {"", "garbage", "[]", R"({"protocol": 99})"}) {
    reference_ = said(text);
    EXPECT_THAT(why_absent(), HasSubstr("adapters/reference --describe")) << text;
    EXPECT_EQ(why_absent().find('\n'), std::string::npos) << text;
  }
}

TEST_F(PoolsTest, AHangingAdapterSaysSo) {
  reference_ = sys::Error("adapters/reference --describe: no answer within 10 s, killed");
  EXPECT_THAT(why_absent(), HasSubstr("no answer within 10 s"));
}

TEST_F(PoolsTest, OnesOwnAdapterReplacesAllOthers) {
  adapter_ = "python3 " + (share_ / "adapters/multiprocessing_pool.py").string();
  const auto pools = find({});
  EXPECT_EQ(names_of(pools).size(), 2U);
  EXPECT_EQ(pools.found[0].command.front(), "python3");
}

TEST_F(PoolsTest, AreListedAsInTheGoldenFile) {
  auto pools = find({});
  for (auto& pool : pools.found) {
    pool.command.back() = "/usr/share/poolproof/adapters/" +
                          std::filesystem::path(pool.command.back()).filename().string();
  }
  EXPECT_TRUE(is_golden("pools.txt", pools_in_words(pools)));
}

}  // namespace
}  // namespace poolproof::properties
