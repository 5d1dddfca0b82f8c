#include <dlfcn.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <bit>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <sstream>
#include <stdexcept>
#include <vector>

#include "image.hpp"
#include "support.hpp"

// What the start methods have in common, and where they differ.
namespace poolproof::testing {
namespace {

int as_of_main = 0;
const pid_t made_by = ::getpid();

int read_global() {
  return as_of_main;
}
pid_t read_maker() {
  return made_by;
}
pid_t parent() {
  return ::getppid();
}

class Starts : public ::testing::TestWithParam<StartMethod> {
 protected:
  [[nodiscard]] PoolOptions options(int count = 1) const {
    PoolOptions options = workers(count);
    options.start_method = GetParam();
    return options;
  }
};

TEST_P(Starts, TasksOfAllKindsAreFound) {
  Pool pool(options(2));
  EXPECT_EQ(pool.apply<&add>(1, 2), 3);
  EXPECT_EQ(pool.apply([](int x) { return 2 * x; }, 3), 6);
  EXPECT_EQ(pool.apply([](int x) { return 3 * x; }, 3), 9);
  EXPECT_EQ(pool.map<&half>(std::vector<int>{1, 2}), (std::vector<double>{0.5, 1}));
  EXPECT_EQ(pool.apply<&echo>(std::string(300'000, 'x')).size(), 300'000U);
}

TEST_P(Starts, ErrorsComeBack) {
  Pool pool(options());
  EXPECT_THROW(pool.apply([] { throw std::out_of_range("far"); }), std::out_of_range);
  EXPECT_THROW(pool.apply([] { ::_exit(3); }), WorkerDied);
  EXPECT_EQ(pool.apply<&add>(1, 2), 3) << "and the dead are replaced";
}

TEST_P(Starts, NamesAndTextOfWorkers) {
  Pool pool(options());
  const ChildInfo child = pool.active_children().at(0);
  const char* const kind = GetParam() == StartMethod::fork         ? "Fork"
                           : GetParam() == StartMethod::forkserver ? "ForkServer"
                                                                   : "Spawn";
  std::ostringstream text;
  text << child;
  const std::string begin = std::string("<") + kind + "Process name='" + kind + "PoolWorker-";
  EXPECT_EQ(text.str().substr(0, begin.size()), begin);
  const std::string end = "' pid=" + std::to_string(child.pid) +
                          " parent=" + std::to_string(::getpid()) + " started daemon>";
  EXPECT_EQ(text.str().substr(text.str().size() - end.size()), end);
}

TEST_P(Starts, GlobalsAreMainsWithForkOnly) {
  as_of_main = 7;
  Pool pool(options());
  as_of_main = 8;
  EXPECT_EQ(pool.apply<&read_global>(), GetParam() == StartMethod::fork ? 7 : 0);
}

TEST_P(Starts, StaticObjectsAreMadeAnewOncePerProgramStarted) {
  Pool pool(options());
  const pid_t supervisor = pool.apply<&parent>();
  const pid_t worker = pool.apply<&worker_pid>();
  const pid_t maker = pool.apply<&read_maker>();
  switch (GetParam()) {
    case StartMethod::fork:
      EXPECT_EQ(maker, made_by);
      break;
    case StartMethod::forkserver:
      EXPECT_EQ(maker, supervisor);
      break;
    case StartMethod::spawn:
      EXPECT_EQ(maker, worker);
      break;
  }
}

TEST_P(Starts, ThreadsOfMainsMatterToForkOnly) {
  Pipe hold;
  std::thread other([&] {
    char byte = 0;
    static_cast<void>(!::read(hold.read_end, &byte, 1));
  });
  if (GetParam() == StartMethod::fork) {
    EXPECT_THROW(Pool{options()}, ThreadsPresent);
  } else {
    Pool pool(options());
    EXPECT_EQ(pool.apply<&add>(1, 2), 3);
  }
  hold.close_write_end();
  other.join();
}

TEST_P(Starts, WhatAnotherThreadForksMeanwhileDoesNotDelayTheEnd) {
  std::atomic<bool> enough{false};
  std::vector<pid_t> children;
  std::thread other([&] {
    while (!enough) {
      const pid_t child = ::fork();
      if (child == 0) {
        never_end();
        ::_exit(0);
      }
      children.push_back(child);
      std::this_thread::sleep_for(1ms);
    }
  });
  PoolOptions both = options(2);
  both.force_fork_with_threads = true;
  bool ended = true;
  for (int i = 0; i < rounds(10) && ended; ++i) {
    Pool pool(both);
    pool.close();
    ended = pool.join(5s);
    if (!ended) {  // or the destructor would wait for them
      enough = true;
      other.join();
      for (const pid_t child : children) ::kill(child, SIGKILL);
    }
  }
  EXPECT_TRUE(ended);
  enough = true;
  if (other.joinable()) other.join();
  for (const pid_t child : children) {
    ::kill(child, SIGKILL);
    wait_for(child);
  }
}

TEST_P(Starts, ATaskMayHaveAPoolOfItsOwn) {
  Pool pool(options());
  const auto nested = [] {
    Pool inner{{.workers = 2}};
    return inner.apply<&add>(20, 22);
  };
  EXPECT_EQ(pool.apply(nested), 42);
}

TEST_P(Starts, NothingOfMainsIsInherited) {
  const int leak = ::dup(STDERR_FILENO);  // not close-on-exec
  Pool pool(options());
  EXPECT_EQ(pool.apply([](int fd) { return ::fcntl(fd, F_GETFD); }, leak), -1);
  ::close(leak);
}

TEST_P(Starts, SignalsOfAWorkerAreAsInAFreshProgram) {
  const auto before = ::signal(SIGTERM, SIG_IGN);
  {
    Pool pool(options());
    const int wrong = pool.apply([] {
      int count = 0;
      for (int signal = 1; signal < NSIG; ++signal) {
        struct sigaction action {};
        if (::sigaction(signal, nullptr, &action) == 0) count += action.sa_handler != SIG_DFL;
      }
      sigset_t mask;
      ::sigprocmask(SIG_BLOCK, nullptr, &mask);
      for (int signal = 1; signal < NSIG; ++signal) {
        count += ::sigismember(&mask, signal) == 1 ? 100 : 0;
      }
      return count;
    });
    EXPECT_EQ(wrong, 0);
  }
  ::signal(SIGTERM, before);
}

TEST_P(Starts, OutputOfATaskIsWrittenWhenItsResultArrives) {
  Pipe output;
  const pid_t main = start_main(
      [&] {
        Pool pool(options());
        pool.apply([] { std::fputs("task ", stdout); });
        if (::write(STDOUT_FILENO, "main", 4) != 4) ::_exit(1);
      },
      output.write_end);
  output.close_write_end();
  EXPECT_EQ(read_to_end(output.read_end), "task main");
  EXPECT_EQ(wait_for(main), 0);
}

detail::Invoke library_function() {
  // dlsym: where it is, and not where the program jumps to it from.
  return std::bit_cast<detail::Invoke>(::dlsym(RTLD_DEFAULT, "qsort"));
}

TEST_P(Starts, AFunctionOfASharedLibraryIsFoundByItsName) {
  const std::uint64_t name = detail::image::code_of(library_function());
  Pool pool(options());
  EXPECT_TRUE(pool.apply(
      [](std::uint64_t told) { return detail::image::function_at(told) == library_function(); },
      name));
}

std::string surroundings() {
  const char* const variable = std::getenv("POOLPROOF_TEST_VARIABLE");
  return std::filesystem::current_path().string() + ' ' + (variable ? variable : "none");
}

/// Also of workers that take another's place later.
TEST_P(Starts, DirectoryAndEnvironmentAreAsThePoolsConstructionFoundThem) {
  const pid_t main = start_main([&] {
    std::filesystem::current_path("/tmp");
    ::setenv("POOLPROOF_TEST_VARIABLE", "before", 1);
    Pool pool(options());
    std::filesystem::current_path("/");
    ::setenv("POOLPROOF_TEST_VARIABLE", "after", 1);
    if (pool.apply<&surroundings>() != "/tmp before") ::_exit(1);
    ::kill(pool.apply<&worker_pid>(), SIGKILL);
    if (pool.apply<&surroundings>() != "/tmp before") ::_exit(2);
  });
  EXPECT_EQ(wait_for(main), 0);
}

void say(const char* word) {
  if (::write(STDOUT_FILENO, word, std::strlen(word)) < 0) ::_exit(97);
}

struct SaysItsEnd {
  ~SaysItsEnd() { say("thread_local "); }
};

// What main has registered is main's. With start method fork libc keeps two things from being so:
// the documents say which.
TEST_P(Starts, ExitInATaskRunsWhatTheDocumentsSay) {
  Pipe output;
  const pid_t main = start_main(
      [&] {
        thread_local SaysItsEnd object;
        static_cast<void>(&object);
        std::atexit([] { say("atexit "); });
        std::at_quick_exit([] { say("at_quick_exit "); });
        Pool pool(options());
        const auto status_of = [&](auto task) {
          try {
            pool.apply(task);
          } catch (const WorkerDied& error) {
            return error.status();
          }
          ::_exit(1);
        };
        if (status_of([] { std::exit(3); }) != ExitStatus(Exited{3})) ::_exit(2);
        if (status_of([] { std::quick_exit(6); }) != ExitStatus(Exited{6})) ::_exit(3);
      },
      output.write_end);
  output.close_write_end();
  const bool is_copy = GetParam() == StartMethod::fork;
  EXPECT_EQ(read_to_end(output.read_end), is_copy ? "thread_local at_quick_exit " : "");
  EXPECT_EQ(wait_for(main), 0);
}

INSTANTIATE_TEST_SUITE_P(By, Starts,
                         ::testing::Values(StartMethod::fork, StartMethod::forkserver,
                                           StartMethod::spawn),
                         [](const auto& test) { return to_string(test.param); });

TEST(StartMethods, OfAnotherNumberAreRefused) {
  PoolOptions options = workers(1);
  options.start_method = static_cast<StartMethod>(99);
  EXPECT_THROW(Pool{options}, std::invalid_argument);
  options = workers(1);
  options.containment = static_cast<Containment>(99);
  EXPECT_THROW(Pool{options}, std::invalid_argument);
}

TEST(Image, FunctionsOfTheProgramAndOfLibrariesHaveDifferentNames) {
  const auto own = &detail::CallFor<detail::FixedFunction<&add>, int, int>::run;
  EXPECT_EQ(detail::image::function_at(detail::image::code_of(own)), own);
  EXPECT_EQ(detail::image::function_at(detail::image::code_of(library_function())),
            library_function());
  EXPECT_NE(detail::image::code_of(own) >> 48, detail::image::code_of(library_function()) >> 48);
}

TEST(Image, WhatNoFileHoldsIsAnError) {
  int on_the_stack = 0;
  EXPECT_THROW(detail::image::code_of(std::bit_cast<detail::Invoke>(&on_the_stack)), Error);
  EXPECT_THROW(detail::image::function_at(~std::uint64_t{0}), Error) << "no library has this key";
}

TEST(StartMethod, IsForkServerOnceInitWasCalled) {
  Pool pool{{.workers = 1}};
  EXPECT_EQ(pool.active_children().at(0).start_method, StartMethod::forkserver);
}

}  // namespace
}  // namespace poolproof::testing
