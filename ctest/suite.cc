// A pool's rules as GoogleTest cases whose names are claims: W1.NoWorkerOutlivesParent. The campaign is
// a case of its own (a CTest fixture's set-up, PoolproofAddPool.cmake); the rules read what it left.
// Listing needs no environment and starts nothing.
#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "harness/launch.h"
#include "properties/rules.h"

namespace {

using poolproof::properties::Rule;
using poolproof::properties::rule_table;

std::string setting(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : "";
}

std::filesystem::path results() { return setting("POOLPROOF_SUITE_RESULTS"); }

/// The campaign's line about a rule; nullopt when there is none.
std::optional<nlohmann::json> verdict_on(const Rule& rule) {
  std::ifstream file(results() / "verdicts.jsonl");
  for (std::string line; std::getline(file, line);) {
    auto object = nlohmann::json::parse(line, nullptr, false);
    if (object.is_object() && object.value("type", "") == "verdict" && object.value("rule", "") == rule.id) {
      return object;
    }
  }
  return std::nullopt;
}

TEST(Campaign, RunsCasesAndLeavesVerdicts) {
  const std::string pool = setting("POOLPROOF_SUITE_POOL");
  ASSERT_FALSE(pool.empty()) << "run by ctest, or set POOLPROOF_SUITE_POOL, _PROGRAM, _RESULTS, _SECONDS";
  std::filesystem::remove_all(results());
  std::vector<std::string> command{setting("POOLPROOF_SUITE_PROGRAM"), "check", pool, "--time",
                                   setting("POOLPROOF_SUITE_SECONDS"), "--results", results().string()};
  if (const auto cases = setting("POOLPROOF_SUITE_CASES"); cases != "0") {
    command.insert(command.end(), {"--cases", cases});
  }
  const auto limit = std::chrono::seconds(std::stoi(setting("POOLPROOF_SUITE_SECONDS")) * 2 + 30);
  const auto output = poolproof::harness::run_command(command, limit);
  ASSERT_TRUE(output) << output.error().message();
  std::cout << output->out << output->err;
  if (output->err.find("absent") != std::string::npos || output->out.find("absent") != std::string::npos) {
    GTEST_SKIP() << pool << " is absent here";
  }
  // 1 says that a rule is violated: that is for the rules' own entries to report.
  const auto* exited = std::get_if<poolproof::sys::Exited>(&output->status);
  ASSERT_TRUE(exited != nullptr && (exited->code == 0 || exited->code == 1)) << to_string(output->status);
  ASSERT_TRUE(std::filesystem::exists(results() / "verdicts.jsonl"));
}

class RuleCase : public testing::Test {
 public:
  explicit RuleCase(const Rule& rule) : rule_(rule) {}
  void TestBody() override;

 private:
  const Rule& rule_;
};

void RuleCase::TestBody() {
  if (!std::filesystem::exists(results() / "verdicts.jsonl")) GTEST_SKIP() << "the pool is absent here";
  const auto verdict = verdict_on(rule_);
  ASSERT_TRUE(verdict) << "the campaign said nothing about " << rule_.id;
  const std::string outcome = verdict->value("outcome", "");
  const std::string told = verdict->dump();
  if (outcome == "not-applicable" || outcome == "not-exercised") GTEST_SKIP() << told;
  EXPECT_TRUE(outcome == "held" || outcome == "known") << rule_.sentence << '\n' << told;
}

}  // namespace

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  for (const Rule& rule : rule_table()) {
    testing::RegisterTest(std::string(rule.id).c_str(), std::string(rule.name).c_str(), nullptr, nullptr, __FILE__,
                          __LINE__, [&rule]() -> testing::Test* { return new RuleCase(rule); });
  }
  return RUN_ALL_TESTS();
}
