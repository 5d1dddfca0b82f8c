#include "children.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>

#include "fd.hpp"
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

  const detail::Fd kernels_list(detail::children::open_list());
  for (const int file : {kernels_list.get(), kernels_list.get(), -1}) {
    SCOPED_TRACE(file);
    std::array<pid_t, 16> pids{};
    const std::size_t count = detail::children::list(file, pids.data(), pids.size());
    std::vector<pid_t> found(pids.begin(), pids.begin() + static_cast<std::ptrdiff_t>(count));
    std::sort(found.begin(), found.end());
    EXPECT_EQ(found, expected);
    EXPECT_EQ(detail::children::list(file, pids.data(), 2), 2U)
        << "never more than there is room for";
    std::vector<pid_t> by_twos;
    while (const std::size_t more = detail::children::list(file, pids.data(), 2, by_twos.size())) {
      by_twos.insert(by_twos.end(), pids.begin(), pids.begin() + static_cast<std::ptrdiff_t>(more));
    }
    std::sort(by_twos.begin(), by_twos.end());
    EXPECT_EQ(by_twos, expected);
  }
  EXPECT_EQ(detail::children::signal_all(kernels_list.get(), SIGKILL).reached, expected.size());
  for (const pid_t pid : expected) wait_for(pid);
}

}  // namespace
}  // namespace poolproof::testing
