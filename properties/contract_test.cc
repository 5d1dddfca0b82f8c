#include "properties/contract.h"

#include <gtest/gtest.h>

namespace poolproof::properties {
namespace {

TEST(ContractFile, PromisesTheMostByDefault) {
  const auto read = contract_from_toml("pool = \"p\"\n", "p.toml");
  ASSERT_TRUE(read.has_value()) << read.error().message();
  EXPECT_EQ(read->pool, "p");
  EXPECT_EQ(read->exit, Contract::Exit::kTerminates);
  EXPECT_EQ(read->worker_death, Contract::WorkerDeath::kReported);
  EXPECT_TRUE(read->join_needs_close);
  EXPECT_TRUE(read->known.empty());
}

TEST(ContractFile, SaysWherePoolsDiffer) {
  const auto read = contract_from_toml(R"(
pool = "concurrent.futures.ProcessPoolExecutor"
exit = "drains"
scope = "drains"
worker_death = "breaks"
join_needs_close = false
join_waits = false
replaces_workers = false
starts_workers_late = true
workers_are_daemons = false
ends_task_children = false
drop_ends_pool = false
holds_descriptors_until_drop = true
grace_ms = 1500

[[keeps]]
of = "pipe"
most = 2
each_pool = true
start_method = "spawn"
note = "Two of them."

[[known]]
rule = "NoWorkerOutlivesParent"
condition = "main-killed"
link = "https://github.com/python/cpython/issues/111873"
note = "Workers of a killed main stay for ever."

[[known]]
rule = "E3"
link = "https://github.com/python/cpython/issues/111873"
)",
                                       "ppe.toml");
  ASSERT_TRUE(read.has_value()) << read.error().message();
  EXPECT_EQ(read->exit, Contract::Exit::kDrains);
  EXPECT_EQ(read->scope, Contract::Scope::kDrains);
  EXPECT_EQ(read->worker_death, Contract::WorkerDeath::kBreaks);
  EXPECT_FALSE(read->join_needs_close);
  EXPECT_FALSE(read->join_waits);
  EXPECT_FALSE(read->replaces_workers);
  EXPECT_TRUE(read->starts_workers_late);
  EXPECT_FALSE(read->workers_are_daemons);
  EXPECT_FALSE(read->ends_task_children);
  EXPECT_FALSE(read->drop_ends_pool);
  EXPECT_TRUE(read->holds_descriptors_until_drop);
  EXPECT_EQ(read->grace, std::chrono::milliseconds(1500));
  ASSERT_EQ(read->keeps.size(), 1u);
  EXPECT_EQ(read->keeps[0].of, "pipe");
  EXPECT_EQ(read->keeps[0].most, 2);
  EXPECT_TRUE(read->keeps[0].each_pool);
  EXPECT_EQ(read->keeps[0].start_method, "spawn");
  ASSERT_EQ(read->known.size(), 2u);
  EXPECT_EQ(read->known[0].rule, "W1");
  EXPECT_EQ(read->known[0].condition, "main-killed");
  EXPECT_EQ(read->known[1].condition, "always");
}

TEST(Contract, SaysWhoseGoingMayWaitForTasks) {
  using harness::Farewell;
  const Contract strictest;
  EXPECT_FALSE(strictest.waits_at(Farewell::kPlain));
  EXPECT_FALSE(strictest.waits_at(Farewell::kScope));
  const Contract drains_at_exit{.exit = Contract::Exit::kDrains};
  EXPECT_TRUE(drains_at_exit.waits_at(Farewell::kPlain));
  EXPECT_FALSE(drains_at_exit.waits_at(Farewell::kScopeError));
  const Contract drains_blocks{.scope = Contract::Scope::kDrains};
  EXPECT_FALSE(drains_blocks.waits_at(Farewell::kPlain));
  EXPECT_TRUE(drains_blocks.waits_at(Farewell::kScopeError));
}

TEST(ContractFile, IsToldInOneLine) {
  Contract contract;
  EXPECT_EQ(in_words(contract), "ends its workers at exit, reports a dead worker");
  contract.exit = Contract::Exit::kDrains;
  contract.worker_death = Contract::WorkerDeath::kBreaks;
  EXPECT_EQ(in_words(contract), "drains at exit, breaks on a dead worker");
}

struct Bad {
  const char* what;
  const char* text;
  const char* complaint;
};

std::ostream& operator<<(std::ostream& out, const Bad& bad) {
  return out << bad.what;
}

class BadContract : public testing::TestWithParam<Bad> {};

TEST_P(BadContract, IsRefusedWithItsLine) {
  const auto read = contract_from_toml(GetParam().text, "c.toml");
  ASSERT_FALSE(read.has_value());
  EXPECT_TRUE(read.error().message().starts_with(GetParam().complaint)) << read.error().message();
  EXPECT_EQ(read.error().message().find('\n'), std::string::npos);
}

INSTANTIATE_TEST_SUITE_P(
    ContractFile, BadContract,
    testing::Values(
        Bad{"NoToml", "pool = \n", "c.toml:1: not TOML: "},
        Bad{"NoPool", "exit = \"drains\"\n", "c.toml:1: pool: expected some text"},
        Bad{"UnknownKey", "pool = \"p\"\nexits = \"drains\"\n",
            "c.toml:2: exits: expected nothing"},
        Bad{"UnknownWord", "pool = \"p\"\nexit = \"leaves\"\n",
            "c.toml:2: exit: expected one of \"terminates\", \"drains\", \"waits-for-close\""},
        Bad{"NoBoolean", "pool = \"p\"\nreplaces_workers = 1\n",
            "c.toml:2: replaces_workers: expected true or false"},
        Bad{"GraceOutOfBounds", "pool = \"p\"\ngrace_ms = 0\n",
            "c.toml:2: grace_ms: expected an integer from 1 to 60000"},
        Bad{"UnknownRule", "pool = \"p\"\n[[known]]\nrule = \"Z9\"\nlink = \"l\"\n",
            "c.toml:2: rule: expected a rule in force"},
        Bad{"UnknownCondition",
            "pool = \"p\"\n[[known]]\nrule = \"T6\"\ncondition = \"sometimes\"\nlink = \"l\"\n",
            "c.toml:2: condition: expected one of always, worker-died"},
        Bad{"NoLink", "pool = \"p\"\n[[known]]\nrule = \"T6\"\n",
            "c.toml:2: link: expected some text"},
        Bad{"KnownIsNoList", "pool = \"p\"\nknown = 3\n",
            "c.toml:2: known: expected [[known]] tables"},
        Bad{"KeepsWhat", "pool = \"p\"\n[[keeps]]\nmost = 1\n", "c.toml:2: of: expected some text"},
        Bad{"KeepsNone", "pool = \"p\"\n[[keeps]]\nof = \"pipe\"\nmost = 0\n",
            "c.toml:4: most: expected an integer from 1 to 1000"},
        Bad{"EscapeInAText", "pool = \"\\u001b[2J\"\n",
            "c.toml:1: pool: expected one line of text"}),
    [](const auto& test) { return std::string(test.param.what); });

}  // namespace
}  // namespace poolproof::properties
