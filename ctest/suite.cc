// A pool's rules as GoogleTest cases whose names are claims: W1.NoWorkerOutlivesParent. The
// campaign is a case of its own (a CTest fixture's set-up, PoolproofAddPool.cmake); the rules read
// what it left. Listing needs no arguments and starts nothing.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/launch.h"
#include "properties/rules.h"

namespace {

using poolproof::properties::Rule;
using poolproof::properties::rule_table;

/// What CTest hands over, as --name=value.
struct Settings {
  std::string pool;
  std::string program;  // poolproof itself
  std::filesystem::path results;
  int seconds = 20;
  int cases = 0;  // 0: as many as fit into the time
  bool skip_unstable = false;
};
Settings settings;

void read_settings(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    const auto equals = std::min(word.find('='), word.size());
    const auto name = word.substr(0, equals);
    const std::string value(word.substr(std::min(equals + 1, word.size())));
    if (name == "--pool") settings.pool = value;
    if (name == "--skip-unstable") settings.skip_unstable = true;
    if (name == "--program") settings.program = value;
    if (name == "--results") settings.results = value;
    if (name == "--seconds") settings.seconds = std::atoi(value.c_str());
    if (name == "--cases") settings.cases = std::atoi(value.c_str());
  }
}

/// The campaign's line about a rule; nullopt when there is none.
std::optional<nlohmann::json> verdict_on(const Rule& rule) {
  std::ifstream file(settings.results / "verdicts.jsonl");
  for (std::string line; std::getline(file, line);) {
    auto object = nlohmann::json::parse(line, nullptr, false);
    if (object.is_object() && object.value("type", "") == "verdict" &&
        object.value("rule", "") == rule.id) {
      return object;
    }
  }
  return std::nullopt;
}

TEST(Campaign, RunsCasesAndLeavesVerdicts) {
  ASSERT_FALSE(settings.pool.empty()) << "run by ctest, or give --pool, --program, --results";
  std::filesystem::remove_all(settings.results);
  std::vector<std::string> command{settings.program,
                                   "check",
                                   settings.pool,
                                   "--time",
                                   std::to_string(settings.seconds),
                                   "--results",
                                   settings.results.string()};
  // The same cases each time: a test that fails now and then tells nobody what changed.
  command.insert(command.end(), {"--seed", "7f3a21"});
  if (settings.cases > 0)
    command.insert(command.end(), {"--cases", std::to_string(settings.cases)});
  const auto limit = std::chrono::seconds(settings.seconds * 2 + 30);
  const auto output = poolproof::harness::run_command(command, limit);
  ASSERT_TRUE(output) << output.error().message();
  std::cout << output->out << output->err;
  // Whatever else it says: only a run that had no pool ends so.
  const bool found_nothing =
      output->status == poolproof::sys::ExitStatus(poolproof::sys::Exited{3});
  if (found_nothing && (output->out + output->err).find("absent: ") != std::string::npos) {
    GTEST_SKIP() << settings.pool << " is absent here";
  }
  // 1 says that a rule is violated: that is for the rules' own entries to report.
  const auto* exited = std::get_if<poolproof::sys::Exited>(&output->status);
  ASSERT_TRUE(exited != nullptr && (exited->code == 0 || exited->code == 1))
      << to_string(output->status);
  ASSERT_TRUE(std::filesystem::exists(settings.results / "verdicts.jsonl"));
}

class RuleCase : public testing::Test {
 public:
  explicit RuleCase(const Rule& rule) : rule_(rule) {}
  void TestBody() override;

 private:
  const Rule& rule_;
};

void RuleCase::TestBody() {
  if (!std::filesystem::exists(settings.results / "verdicts.jsonl"))
    GTEST_SKIP() << "the pool is absent here";
  const auto verdict = verdict_on(rule_);
  ASSERT_TRUE(verdict) << "the campaign said nothing about " << rule_.id;
  const std::string outcome = verdict->value("outcome", "");
  const std::string told = verdict->dump();
  if (outcome == "not-applicable" || outcome == "not-exercised") GTEST_SKIP() << told;
  const bool unclear = outcome == "inconclusive";
  const bool unstable = unclear && verdict->value("violated", 0) > 0;
  if (unstable && settings.skip_unstable) GTEST_SKIP() << "does not repeat: " << told;
  // A hang beside a task that sleeps cannot be proved, and lasts longer than what a short campaign
  // has.
  const bool few = verdict->value("inconclusive", 0) * 10 <= verdict->value("cases", 0);
  if (unclear && few && settings.skip_unstable) GTEST_SKIP() << "unclear in a few: " << told;
  EXPECT_TRUE(outcome == "held" || outcome == "known") << rule_.sentence << '\n' << told;
}

}  // namespace

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  read_settings(argc, argv);
  for (const Rule& rule : rule_table()) {
    testing::RegisterTest(std::string(rule.id).c_str(), std::string(rule.name).c_str(), nullptr,
                          nullptr, __FILE__, __LINE__,
                          [&rule]() -> testing::Test* { return new RuleCase(rule); });
  }
  return RUN_ALL_TESTS();
}
