#include <gtest/gtest.h>

#include <cstdlib>
#include <poolproof/init.hpp>

// The same tests run twice: with the start method that a program has by default, and with the one
// that it has by default once it has called `init`.
int main(int argc, char** argv) {
  if (!std::getenv("POOLPROOF_TESTS_WITHOUT_INIT")) poolproof::init(argc, argv);
  ::testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
