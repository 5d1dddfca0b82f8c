#include <gtest/gtest.h>

#include "support.hpp"

namespace poolproof::testing {
namespace {

std::string pattern(std::size_t size) {
  std::string bytes(size, '\0');
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<char>(i * 7 + i / 251);
  return bytes;
}

class Payload : public ::testing::TestWithParam<std::size_t> {};

TEST_P(Payload, ArrivesIntactBothWays) {
  Pool pool{{.workers = 1}};
  const std::string bytes = pattern(GetParam());
  EXPECT_TRUE(pool.apply<&echo>(bytes) == bytes);
}

INSTANTIATE_TEST_SUITE_P(AnySize, Payload,
                         ::testing::Values(0, 1, 65535, 65536, 65537, 212959, 212960, 212961,
                                           1 << 20, 8 << 20));

TEST(PayloadQueue, ManyLargeOnesDoNotDeadlock) {
  Pool pool{{.workers = 2}};
  const std::string bytes = pattern(1 << 20);
  std::vector<Future<std::string>> echoes;
  echoes.reserve(16);
  for (int i = 0; i < 16; ++i) echoes.push_back(pool.apply_async<&echo>(bytes));
  for (const auto& echoed : echoes) EXPECT_TRUE(echoed.get() == bytes);
}

TEST(PayloadQueue, LargeErrorsArriveToo) {
  Pool pool{{.workers = 1}};
  try {
    pool.apply([] { throw std::runtime_error(std::string(1 << 20, 'x')); });
    FAIL();
  } catch (const std::runtime_error& error) {
    EXPECT_EQ(std::string(error.what()).size(), std::size_t{1} << 20);
  }
}

TEST(PayloadQueue, AWorkerKilledWhileReceivingHandsItsTaskOn) {
  Pool pool{{.workers = 1}};
  const std::string bytes = pattern(8 << 20);
  for (int i = 0; i < 10; ++i) {
    const pid_t worker = pool.apply<&worker_pid>();
    ::kill(worker, SIGSTOP);
    const auto echoed = pool.apply_async<&echo>(bytes);  // can't be written in full
    ::kill(worker, SIGKILL);
    EXPECT_TRUE(echoed.get() == bytes);
  }
}

TEST(PayloadQueue, AWorkerKilledWhileSendingFailsItsTaskAlone) {
  PoolOptions options = workers(1);
  Pool pool(options);
  for (int i = 0; i < 10; ++i) {
    const auto torn = pool.apply_async([] {
      ::alarm(0);
      std::string bytes(32 << 20, 'x');
      std::thread([] { ::kill(::getpid(), SIGKILL); }).detach();
      return bytes;
    });
    try {
      EXPECT_EQ(torn.get().size(), std::size_t{32} << 20);  // it was faster
    } catch (const WorkerDied& error) {
      EXPECT_EQ(std::get<Killed>(error.status()).signal, SIGKILL);
    }
    EXPECT_EQ(pool.apply<&add>(1, 1), 2);
  }
}

}  // namespace
}  // namespace poolproof::testing
