#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <future>
#include <memory>

#include "support.hpp"

namespace poolproof::testing {
namespace {

int fail(int number) {
  throw std::invalid_argument("not " + std::to_string(number));
}

std::string text_of(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const std::exception& e) {
    return e.what();
  }
}

void ignore(const std::exception_ptr&) {}

TEST(Callbacks, OneOfTheTwoIsCalledOnce) {
  std::atomic<int> values{0};
  std::atomic<int> errors{0};
  {
    Pool pool{{.workers = 2}};
    for (int i = 0; i < 20; ++i) {
      const auto count_value = [&](int) { ++values; };
      const auto count_error = [&](const std::exception_ptr&) { ++errors; };
      pool.apply_async<&add>(i, 1).on_done(count_value, count_error);
      pool.apply_async<&fail>(i).on_done(count_value, count_error);
    }
    pool.close();
    pool.join();
    EXPECT_EQ(values, 20) << "join waits for them";
    EXPECT_EQ(errors, 20);
  }
  EXPECT_EQ(values + errors, 40);
}

TEST(Callbacks, GetTheValueOrTheError) {
  Pool pool{{.workers = 1}};
  std::promise<int> sum;
  std::promise<std::string> text;
  std::promise<void> nothing;
  pool.apply_async<&add>(1, 2).on_value([&](int value) { sum.set_value(value); });
  pool.apply_async<&fail>(7).on_error([&](const auto& e) { text.set_value(text_of(e)); });
  pool.apply_async([] {}).on_value([&] { nothing.set_value(); });
  EXPECT_EQ(sum.get_future().get(), 3);
  EXPECT_EQ(text.get_future().get(), "not 7");
  EXPECT_EQ(nothing.get_future().wait_for(kSoon), std::future_status::ready);
}

TEST(Callbacks, OfAMapGetAllValuesOnce) {
  Pool pool{{.workers = 2}};
  std::promise<std::vector<double>> halves;
  std::promise<std::string> text;
  pool.map_async<half>(std::vector<int>{2, 4, 6}).on_value([&](std::vector<double> values) {
    halves.set_value(std::move(values));
  });
  pool.map_async<fail>(std::vector<int>{5, 6}).on_error([&](const auto& e) {
    text.set_value(text_of(e));
  });
  std::promise<std::size_t> empty;
  pool.map_async<half>(std::vector<int>{}).on_value([&](const auto& v) {
    empty.set_value(v.size());
  });
  EXPECT_EQ(halves.get_future().get(), (std::vector<double>{1, 2, 3}));
  EXPECT_EQ(text.get_future().get(), "not 5");
  EXPECT_EQ(empty.get_future().get(), 0U);
}

TEST(Callbacks, AddedToAReadyResultStillRun) {
  Pool pool{{.workers = 1}};
  const auto ready = pool.apply_async<&add>(1, 2);
  ready.wait();
  std::promise<std::thread::id> where;
  ready.on_value([&](int) { where.set_value(std::this_thread::get_id()); });
  EXPECT_NE(where.get_future().get(), std::this_thread::get_id());
  pool.close();
  pool.join();
  std::thread::id after;
  ready.on_value([&](int) { after = std::this_thread::get_id(); });
  EXPECT_EQ(after, std::this_thread::get_id()) << "the pool has no thread any more";
}

TEST(Callbacks, RunInTheOrderOfTheirResultsOnOneThread) {
  Pool pool{{.workers = 1}};
  std::vector<int> order;
  std::vector<std::thread::id> threads;
  for (int i = 0; i < 10; ++i) {
    pool.apply_async<&add>(i, 0).on_value([&](int value) {
      order.push_back(value);
      threads.push_back(std::this_thread::get_id());
    });
  }
  pool.close();
  pool.join();
  EXPECT_EQ(order, (std::vector<int>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}));
  for (const auto thread : threads) EXPECT_EQ(thread, threads.front());
}

TEST(Callbacks, ASlowOneDelaysNoResult) {
  Pool pool{{.workers = 1}};
  std::promise<void> go_on;
  pool.apply_async<&add>(1, 1).on_value([&](int) { go_on.get_future().wait(); });
  EXPECT_EQ(pool.apply<&add>(2, 2), 4);
  pool.close();
  EXPECT_FALSE(pool.join(1ms)) << "join waits for callbacks too";
  go_on.set_value();
  pool.join();
}

TEST(Callbacks, AfterAJoinThatGaveUpComeInTheirTurn) {
  Pool pool{{.workers = 1}};
  const auto ready = pool.apply_async<&add>(1, 1);
  std::promise<void> begun;
  std::promise<void> go_on;
  std::vector<std::thread::id> threads;
  const auto note = [&](int) { threads.push_back(std::this_thread::get_id()); };
  pool.apply_async<&add>(2, 2).on_value([&](int value) {
    begun.set_value();
    go_on.get_future().wait();
    note(value);
  });
  pool.close();
  EXPECT_FALSE(pool.join(1ms));
  EXPECT_EQ(ready.get(), 2);
  begun.get_future().wait();
  ready.on_value(note);
  EXPECT_TRUE(threads.empty()) << "it waits for the one before it, which has not ended";
  go_on.set_value();
  pool.join();
  ASSERT_EQ(threads.size(), 2U);
  EXPECT_EQ(threads[0], threads[1]);
}

TEST(Callbacks, MayUseThePoolAndTheirOwnResult) {
  Pool pool{{.workers = 1}};
  std::promise<int> sum;
  const auto first = pool.apply_async<&add>(1, 2);
  first.on_value(
      [&, first](int value) { sum.set_value(value + first.get() + pool.apply<&add>(10, 20)); });
  EXPECT_EQ(sum.get_future().get(), 36);
}

// MUSEUM M19, CPython bpo-42963: there it hangs.
TEST(Callbacks, MayTerminateThePool) {
  for (int i = 0; i < 20; ++i) {
    Pool pool{{.workers = 2}};
    const auto endless = pool.apply_async<&never_end>();
    std::promise<bool> joined;
    pool.apply_async<&fail>(1).on_error([&](const std::exception_ptr&) {
      pool.terminate();
      joined.set_value(pool.join(kSoon));
    });
    EXPECT_THROW(endless.get(), Terminated);
    EXPECT_TRUE(joined.get_future().get());
    pool.join();
    EXPECT_EQ(pool.state(), PoolState::terminated);
  }
}

TEST(Callbacks, OfPendingTasksHearOfTheEnd) {
  std::atomic<int> terminated{0};
  {
    Pool pool{{.workers = 1}};
    for (int i = 0; i < 5; ++i) {
      pool.apply_async<&never_end>().on_error([&](const std::exception_ptr& error) {
        EXPECT_THROW(std::rethrow_exception(error), Terminated);
        ++terminated;
      });
    }
  }
  EXPECT_EQ(terminated, 5);
}

TEST(Callbacks, ThatThrowDoNoHarm) {
  PoolOptions options = workers(1);
  std::vector<std::string> errors;
  options.on_callback_error = [&](const std::exception_ptr& e) {
    errors.push_back(text_of(e));
    throw std::logic_error("the sink leaks");
  };
  Pool pool(options);
  std::atomic<int> later{0};
  pool.apply_async<&add>(1, 1).on_value([](int) { throw std::runtime_error("by value"); });
  pool.apply_async<&fail>(1).on_error([](const auto&) { throw std::runtime_error("by error"); });
  pool.apply_async<&add>(1, 1).on_value([&](int) { ++later; });
  EXPECT_EQ(pool.apply<&add>(2, 2), 4);
  pool.close();
  pool.join();
  EXPECT_EQ(errors, (std::vector<std::string>{"by value", "by error"}));
  EXPECT_EQ(later, 1);
}

TEST(Callbacks, ThatThrowAreToldOnStandardErrorByDefault) {
  ::testing::internal::CaptureStderr();
  {
    Pool pool{{.workers = 1}};
    pool.apply_async<&add>(1, 1).on_value([](int) { throw std::runtime_error("oh"); });
    pool.close();
    pool.join();
  }
  EXPECT_EQ(::testing::internal::GetCapturedStderr(),
            "poolproof: error in a callback: std::runtime_error: oh\n");
}

TEST(Callbacks, LeaveNoThreadBehind) {
  const int before = running_threads();
  {
    Pool pool{{.workers = 1}};
    pool.apply_async<&add>(1, 1).on_value([](int) {});
    pool.terminate();
    pool.join();
    EXPECT_EQ(running_threads(), before);
  }
  EXPECT_EQ(running_threads(), before);
}

TEST(Callbacks, AreRefusedInAForkedChild) {
  Pool pool{{.workers = 1}};
  const auto sum = pool.apply_async<&add>(1, 1);
  sum.wait();
  const pid_t child = start_main([&] { EXPECT_THROW(sum.on_error(&ignore), WrongProcess); });
  EXPECT_EQ(wait_for(child), 0);
}

}  // namespace
}  // namespace poolproof::testing
