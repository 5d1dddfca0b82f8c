#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cerrno>
#include <cstdlib>
#include <poolproof/pool.hpp>
#include <string>

// GoogleTest's main and no `init` at all.
namespace {

class WithoutInit : public ::testing::TestWithParam<poolproof::StartMethod> {};

TEST_P(WithoutInit, TheErrorNamesTheLineToAddAndNothingIsStarted) {
  try {
    poolproof::Pool pool{{.workers = 1, .start_method = GetParam()}};
    ADD_FAILURE() << "no error";
  } catch (const poolproof::InitMissing& error) {
    const std::string text = error.what();
    EXPECT_NE(text.find("poolproof::init(argc, argv);"), std::string::npos) << text;
    EXPECT_NE(text.find(poolproof::to_string(GetParam())), std::string::npos) << text;
  }
  EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1);
  EXPECT_EQ(errno, ECHILD);
}

INSTANTIATE_TEST_SUITE_P(By, WithoutInit,
                         ::testing::Values(poolproof::StartMethod::forkserver,
                                           poolproof::StartMethod::spawn),
                         [](const auto& test) { return to_string(test.param); });

TEST(WithoutInit, ForkIsTheDefaultAndWorks) {
  poolproof::Pool pool{{.workers = 1}};
  EXPECT_EQ(pool.active_children().at(0).start_method, poolproof::StartMethod::fork);
  EXPECT_EQ(pool.apply([](int x) { return x + 1; }, 1), 2);
}

}  // namespace
