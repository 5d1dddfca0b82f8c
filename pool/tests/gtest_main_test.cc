#include <gtest/gtest.h>

#include <poolproof/pool.hpp>

// A program whose main is GoogleTest's: an environment calls `init`. In a copy of the program that
// is before any test, which thus runs once only.
namespace {

class PoolproofEnvironment : public ::testing::Environment {
  void SetUp() override { poolproof::init(); }
};
const auto* const environment = ::testing::AddGlobalTestEnvironment(new PoolproofEnvironment);

int runs = 0;

TEST(GTestMain, HasPoolsOfEachStartMethod) {
  ++runs;
  for (const auto method : {poolproof::StartMethod::fork, poolproof::StartMethod::forkserver,
                            poolproof::StartMethod::spawn}) {
    poolproof::Pool pool{{.workers = 2, .start_method = method}};
    EXPECT_EQ(pool.apply([](int x) { return x + 1; }, 1), 2);
    const int seen = pool.apply([] { return runs; });
    EXPECT_EQ(seen, method == poolproof::StartMethod::fork ? 1 : 0) << "no test has run there";
  }
}

}  // namespace
