#include "harness/sys/environment.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>

namespace poolproof::sys {
namespace {

TEST(Environment, IsThatOfThisProcessByName) {
  ::setenv("POOLPROOF_ENVIRONMENT_TEST", "a=b", 1);
  const auto all = environment();
  ::unsetenv("POOLPROOF_ENVIRONMENT_TEST");
  const auto found = std::find_if(all.begin(), all.end(), [](const Variable& variable) {
    return variable.name == "POOLPROOF_ENVIRONMENT_TEST";
  });
  ASSERT_NE(found, all.end());
  EXPECT_EQ(found->value, "a=b");
  EXPECT_TRUE(std::is_sorted(all.begin(), all.end(),
                             [](const auto& a, const auto& b) { return a.name < b.name; }));
}

TEST(Kernel, IsNamed) {
  EXPECT_EQ(kernel().rfind("Linux ", 0), 0U) << kernel();
}

}  // namespace
}  // namespace poolproof::sys
