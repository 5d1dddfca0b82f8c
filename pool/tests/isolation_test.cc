#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <cstdio>
#include <iostream>

#include "support.hpp"

// What workers share with main, and what they do not.
namespace poolproof::testing {
namespace {

TEST(Isolation, WorkersReadNothingOfMainsInput) {
  Pipe input;
  ASSERT_EQ(::write(input.write_end, "first\nsecond\n", 13), 13);
  const pid_t main = start_main([&] {
    ::dup2(input.read_end, STDIN_FILENO);
    char line[16] = {};
    if (!std::fgets(line, sizeof line, stdin)) ::_exit(90);  // the rest is read ahead
    Pool pool{{.workers = 1}};
    const auto read_all = [] {
      char bytes[16];
      return static_cast<int>(::read(STDIN_FILENO, bytes, sizeof bytes)) +
             static_cast<int>(std::fread(bytes, 1, sizeof bytes, stdin)) +
             (std::cin.get() == std::char_traits<char>::eof() ? 0 : 1);
    };
    ::_exit(pool.apply(read_all));
  });
  EXPECT_EQ(wait_for(main), 0);
}

TEST(Isolation, OutputOfATaskIsWrittenWhenItsResultArrives) {
  Pipe output;
  const pid_t main = start_main(
      [] {
        Pool pool{{.workers = 1}};
        pool.apply([] {
          std::fputs("stdio ", stdout);
          std::cout << "iostream ";
        });
        if (::write(STDOUT_FILENO, "main", 4) != 4) ::_exit(1);
      },
      output.write_end);
  output.close_write_end();
  EXPECT_EQ(read_to_end(output.read_end), "stdio iostream main");
  EXPECT_EQ(wait_for(main), 0);
}

TEST(Isolation, StreamsThatBufferByThemselvesAreWrittenToo) {
  Pipe output;
  const pid_t main = start_main(
      [] {
        Pool pool{{.workers = 1}};
        pool.apply([] {
          std::ios::sync_with_stdio(false);
          std::cout << "of the first ";
        });
        pool.apply([] { std::wcout << L"and the second "; });
        if (::write(STDOUT_FILENO, "main", 4) != 4) ::_exit(1);
      },
      output.write_end);
  output.close_write_end();
  EXPECT_EQ(read_to_end(output.read_end), "of the first and the second main");
  EXPECT_EQ(wait_for(main), 0);
}

TEST(Isolation, WhatMainHadBufferedIsPrintedOnce) {
  Pipe output;
  const pid_t main = start_main(
      [] {
        std::fputs("once ", stdout);
        std::cout << "and once";
        Pool pool{{.workers = 2}};
        pool.map([](int) { std::fflush(stdout); }, std::vector<int>{1, 2, 3, 4});
        pool.close();
        pool.join();
        std::fflush(stdout);
      },
      output.write_end);
  output.close_write_end();
  EXPECT_EQ(read_to_end(output.read_end), "once and once");
  EXPECT_EQ(wait_for(main), 0);
}

std::vector<std::string> descriptors_of(pid_t pid) {
  std::vector<std::string> list;
  for (int fd = 0; fd < 1024; ++fd) {
    char target[64] = {};
    const std::string path = "/proc/" + std::to_string(pid) + "/fd/" + std::to_string(fd);
    if (::readlink(path.c_str(), target, sizeof target - 1) >= 0) list.emplace_back(target);
  }
  return list;
}

TEST(Isolation, AWorkerHoldsItsChannelAndTheStandardDescriptorsOnly) {
  const Pipe of_main;
  Pool other{{.workers = 2}};
  Pool pool{{.workers = 3}};
  for (int i = 0; i < 3; ++i) {
    const pid_t worker = pool.active_children().at(static_cast<std::size_t>(i)).pid;
    // Once it is in its loop; until then it is still tidying up.
    EXPECT_TRUE(eventually([&] { return descriptors_of(worker).size() == 4; }))
        << ::testing::PrintToString(descriptors_of(worker));
    EXPECT_EQ(descriptors_of(worker).at(0), "/dev/null");
  }
}

TEST(Isolation, TheSupervisorHoldsNothingOfMains) {
  Pipe output;
  Pipe pids;
  Pipe looked;
  const pid_t main = start_main(
      [&] {
        Pool pool{{.workers = 1}};
        tell(pids.write_end, parent_of(pool.apply<&worker_pid>()));
        hear(looked.read_end);
        pool.close();
        pool.join();
      },
      output.write_end);
  const auto supervisor = static_cast<pid_t>(hear(pids.read_end));
  // Once it has closed what came with the command to start a worker, who may be the faster.
  EXPECT_TRUE(eventually([&] { return descriptors_of(supervisor).size() <= 7; }))
      << ::testing::PrintToString(descriptors_of(supervisor));
  const auto held = descriptors_of(supervisor);
  ASSERT_GE(held.size(), 3U);
  for (std::size_t fd = 0; fd < 3; ++fd) EXPECT_EQ(held[fd], "/dev/null");
  tell(looked.write_end, 1);
  wait_for(main);
}

TEST(Isolation, SignalsOfAWorkerAreAsInAFreshProgram) {
  struct sigaction ours {};
  struct sigaction before {};
  ours.sa_handler = [](int) {};
  ::sigaction(SIGUSR1, &ours, &before);
  sigset_t blocked;
  sigset_t old_mask;
  ::sigemptyset(&blocked);
  ::sigaddset(&blocked, SIGUSR2);
  ::sigprocmask(SIG_BLOCK, &blocked, &old_mask);
  {
    Pool pool{{.workers = 1}};
    const int wrong = pool.apply([] {
      int count = 0;
      for (int signal = 1; signal < NSIG; ++signal) {
        struct sigaction action {};
        if (::sigaction(signal, nullptr, &action) == 0) count += action.sa_handler != SIG_DFL;
      }
      sigset_t mask;
      ::sigprocmask(SIG_BLOCK, nullptr, &mask);
      return count + (::sigismember(&mask, SIGUSR2) == 1 ? 100 : 0);
    });
    EXPECT_EQ(wrong, 0);
  }
  struct sigaction after {};
  ::sigaction(SIGUSR1, &before, &after);
  EXPECT_EQ(after.sa_handler, ours.sa_handler) << "main's own are left alone";
  ::sigprocmask(SIG_SETMASK, &old_mask, nullptr);
}

TEST(Isolation, WorkersAreNotInMainsProcessGroup) {
  Pool pool{{.workers = 1}};
  EXPECT_NE(pool.apply([] { return static_cast<int>(::getpgrp()); }), ::getpgrp());
}

TEST(Isolation, OtherChildrenOfMainAreNeitherSignalledNorReaped) {
  const pid_t stranger = start_main([] { never_end(); });
  const pid_t zombie = start_main([] {});
  ASSERT_TRUE(eventually([&] { return state_of(zombie) == 'Z'; }));
  {
    Pool pool{{.workers = 2}};
    pool.apply<&add>(1, 1);
  }
  EXPECT_EQ(state_of(zombie), 'Z');
  EXPECT_FALSE(is_dead(stranger));
  wait_for(zombie);
  ::kill(stranger, SIGKILL);
  wait_for(stranger);
}

TEST(Isolation, OutputThatFindsNoRoomCostsNoTask) {
  const int full = ::open("/dev/full", O_WRONLY | O_CLOEXEC);
  ASSERT_NE(full, -1);
  const pid_t main = start_main(
      [] {
        Pool pool{{.workers = 1}};
        const int one = pool.apply([] {
          std::ios::sync_with_stdio(false);  // so that the stream has what is to be written
          std::cout.exceptions(std::ios::badbit);
          std::cout << "into nowhere";
          return 1;
        });
        ::_exit(one == 1 && pool.apply<&add>(1, 1) == 2 ? 0 : 1);
      },
      full);
  ::close(full);
  EXPECT_EQ(wait_for(main), 0);
}

TEST(Isolation, MainMayLackStandardDescriptors) {
  Pipe result;
  const pid_t main = start_main([&] {
    ::close(0);
    ::close(1);
    ::close(2);
    Pool pool{{.workers = 2}};
    const int written = pool.apply([] {
      std::cout << "into nowhere" << std::flush;
      return std::cout.good() ? 7 : 8;
    });
    tell(result.write_end, written);
  });
  EXPECT_EQ(hear(result.read_end), 7);
  EXPECT_EQ(wait_for(main), 0);
}

TEST(Isolation, NothingOfThePoolsTakesThePlaceOfAStandardDescriptor) {
  for (int lacking = 1; lacking < 8; ++lacking) {
    Pipe result;
    const pid_t main = start_main([&] {
      const auto lacks = [&](int fd) { return (lacking >> fd & 1) != 0; };
      for (int fd = 0; fd < 3; ++fd) {
        if (lacks(fd)) ::close(fd);
      }
      Pool pool{{.workers = 2}};
      long faults = 0;
      const auto look = [&] {
        for (int fd = 0; fd < 3; ++fd) faults += lacks(fd) && ::fcntl(fd, F_GETFD) != -1 ? 1 : 0;
      };
      look();
      const int printed = pool.apply([] {
        return static_cast<int>(::write(STDOUT_FILENO, "", 0) + ::write(STDERR_FILENO, "", 0));
      });
      if (printed != 0) faults += 10;
      const auto large = pool.apply_async<echo>(std::string(100'000, 'x'));
      const auto larger = pool.apply_async<echo>(std::string(6'000'000, 'x'));
      larger.wait();
      look();
      if (large.get().size() + larger.get().size() != 6'100'000) faults += 100;
      // Main may put there what it likes.
      const int file = ::open("/dev/zero", O_RDWR);
      for (int fd = 0; fd < 3; ++fd) {
        if (lacks(fd)) ::dup2(file, fd);
      }
      pool.apply_async<&never_end>().cancel();
      if (pool.active_children().empty()) faults += 1000;
      pool.close();
      if (!pool.join(kSoon)) faults += 10'000;
      for (int fd = 0; fd < 3; ++fd) {
        if (lacks(fd) && ::fcntl(fd, F_GETFD) == -1) faults += 100'000;
      }
      tell(result.write_end, faults);
    });
    EXPECT_EQ(hear(result.read_end), 0) << lacking;
    EXPECT_EQ(wait_for(main), 0) << lacking;
  }
}

TEST(Isolation, WhoWritesIntoTheChannelIsKilledAndReplaced) {
  Pool pool{{.workers = 1}};
  const auto vandal = [] {
    for (int fd = 3; fd < 1024; ++fd) {
      static_cast<void>(!::write(fd, "nonsense nonsense nonsense nonsense nonsense", 44));
    }
    never_end();
  };
  EXPECT_THROW(pool.apply(vandal), WorkerDied);
  EXPECT_EQ(pool.apply<&add>(1, 1), 2);
}

}  // namespace
}  // namespace poolproof::testing
