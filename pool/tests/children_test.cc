#include "children.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>

#include "support.hpp"

namespace poolproof::testing {
namespace {

TEST(Children, AreFoundWithAndWithoutTheKernelsList) {
  std::vector<pid_t> expected(5);
  for (pid_t& pid : expected) pid = start_main([] { never_end(); });
  const pid_t zombie = start_main([] {});
  expected.push_back(zombie);
  ASSERT_TRUE(eventually([&] { return state_of(zombie) == 'Z'; }));
  std::sort(expected.begin(), expected.end());

  for (const auto list : {&detail::children::list, &detail::children::list_by_parents}) {
    std::array<pid_t, 16> pids{};
    const std::size_t count = list(pids.data(), pids.size());
    std::vector<pid_t> found(pids.begin(), pids.begin() + static_cast<std::ptrdiff_t>(count));
    std::sort(found.begin(), found.end());
    EXPECT_EQ(found, expected);
    EXPECT_EQ(list(pids.data(), 2), 2U) << "never more than there is room for";
  }
  EXPECT_EQ(detail::children::signal_all(SIGKILL).reached, expected.size());
  for (const pid_t pid : expected) wait_for(pid);
}

}  // namespace
}  // namespace poolproof::testing
