#include "properties/contract_text.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "harness/sys/fd.h"

namespace poolproof::properties {
namespace {

/// Nothing of the contracts that we keep is lost.
TEST(ContractText, IsReadAsTheSameContract) {
  int files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(POOLPROOF_CONTRACTS)) {
    const auto text = sys::read_file(entry.path().string());
    ASSERT_TRUE(text) << text.error().message();
    const auto contract = contract_from_toml(*text, entry.path().string());
    ASSERT_TRUE(contract) << contract.error().message();
    const auto written = to_toml(*contract);
    const auto again = contract_from_toml(written, "written.toml");
    ASSERT_TRUE(again) << again.error().message();
    EXPECT_EQ(to_toml(*again), written);
    EXPECT_EQ(again->known.size(), contract->known.size());
    EXPECT_EQ(again->keeps.size(), contract->keeps.size());
    EXPECT_EQ(in_words(*again), in_words(*contract));
    ++files;
  }
  EXPECT_GE(files, 3);
}

TEST(ContractText, KeepsQuotesAndBackslashes) {
  Contract contract;
  contract.pool = "a \"pool\" \\ of mine";
  const auto again = contract_from_toml(to_toml(contract), "written.toml");
  ASSERT_TRUE(again) << again.error().message();
  EXPECT_EQ(again->pool, contract.pool);
}

}  // namespace
}  // namespace poolproof::properties
