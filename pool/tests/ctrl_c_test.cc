#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstdio>
#include <optional>
#include <tuple>

#include "support.hpp"

// Ctrl-C at a terminal goes to the foreground process group. It must reach main alone, and main
// decides: by default it dies, and everything with it; or it closes its pool at the first one and
// terminates it at the second. Nothing may be left, and nothing printed.
namespace poolproof::testing {
namespace {

std::atomic<int> interrupts{0};

void count_interrupt(int /*signal*/) {
  ++interrupts;
}

/// SIGINT is blocked but here: none can slip through between a look and the wait.
void await_interrupts(int count) {
  sigset_t others;
  ::sigemptyset(&others);
  while (interrupts < count) ::sigsuspend(&others);
}

void work_briefly(const std::string& roll) {
  sign(roll);
  const auto end = std::chrono::steady_clock::now() + 5ms;
  while (std::chrono::steady_clock::now() < end) {
  }
}

void work_for_ever(const std::string& roll) {
  sign(roll);
  never_end();
}

struct Round {
  StartMethod method;
  bool handled;  ///< main has a handler
  bool busy;
  bool twice;
};

/// The pool's user, at its terminal.
class Main {
 public:
  Main(const Round& round, const Roll& roll, int ready)
      : round_(round), roll_(roll), ready_(ready) {}

  /// Exit status 0: all tasks were done in order. 1: terminated at the second Ctrl-C.
  [[noreturn]] void run() {
    if (round_.handled) catch_interrupts();
    Pool pool{{.workers = 2, .start_method = round_.method}};
    start_work(pool);
    tell(ready_, 1);
    await_interrupts(round_.handled ? 1 : 1000);
    pool.close();
    tell(ready_, 2);
    if (round_.twice) {
      await_interrupts(2);
      pool.terminate();
      pool.join();  // ThreadSanitizer would tell of a thread that nobody joins
      ::_exit(1);
    }
    pool.join();
    for (const Future<void>& future : work_) {
      if (!future.successful()) ::_exit(7);
    }
    ::_exit(0);
  }

 private:
  static void catch_interrupts() {
    struct sigaction action {};
    action.sa_handler = &count_interrupt;
    ::sigaction(SIGINT, &action, nullptr);
    sigset_t interrupt;
    ::sigemptyset(&interrupt);
    ::sigaddset(&interrupt, SIGINT);
    ::sigprocmask(SIG_BLOCK, &interrupt, nullptr);
  }

  void start_work(Pool& pool) {
    if (!round_.busy) return;
    const bool in_order = round_.handled && !round_.twice;
    for (int i = 0; i < 4; ++i) {
      work_.push_back(in_order ? pool.apply_async<&work_briefly>(roll_.path())
                               : pool.apply_async<&work_for_ever>(roll_.path()));
    }
    if (!roll_.has(2)) ::_exit(8);
  }

  const Round round_;
  const Roll& roll_;
  const int ready_;
  std::vector<Future<void>> work_;
};

class Terminal {
 public:
  Terminal() : master_(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC)) {
    EXPECT_GE(master_, 0);
    EXPECT_EQ(::grantpt(master_), 0);
    EXPECT_EQ(::unlockpt(master_), 0);
    std::array<char, 64> name{};
    EXPECT_EQ(::ptsname_r(master_, name.data(), name.size()), 0);
    slave_ = name.data();
  }
  ~Terminal() { ::close(master_); }
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;

  /// In a child: makes it the terminal of a new session, and its standard streams.
  void attach() const {
    ::setsid();
    const int fd = ::open(slave_.c_str(), O_RDWR);  // the first one becomes the controlling one
    // No echo, and Ctrl-C throws away nothing: whatever is printed, by whomever, is seen.
    termios settings{};
    ::tcgetattr(fd, &settings);
    settings.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    settings.c_lflag |= NOFLSH;
    ::tcsetattr(fd, TCSANOW, &settings);
    for (const int stream : {0, 1, 2}) ::dup2(fd, stream);
    ::close(fd);
  }

  void press_ctrl_c() const { EXPECT_EQ(::write(master_, "\x03", 1), 1); }

  /// All that was written to it, until nobody has it open any more.
  [[nodiscard]] std::string text() const { return read_to_end(master_); }

 private:
  int master_;
  std::string slave_;
};

/// What is wrong with the end; nothing if it is clean.
std::optional<std::string> fault_in(const Round& round) {
  const Terminal terminal;
  const Roll roll;
  const Pipe ready;
  const pid_t main = start_main([&] {
    terminal.attach();
    Main(round, roll, ready.write_end).run();
  });
  if (hear(ready.read_end) != 1) return "main did not start";
  terminal.press_ctrl_c();
  if (round.handled && hear(ready.read_end) != 2) return "main did not see Ctrl-C";
  if (round.twice) terminal.press_ctrl_c();
  const int status = wait_for(main);
  const int expected = !round.handled ? SIGINT : round.twice ? 1 << 8 : 0;
  if (status != expected) return "main's status is " + std::to_string(status);
  if (!all_descendants_end()) return "somebody is left";
  const std::string text = terminal.text();
  if (!text.empty()) return "the terminal shows: " + text;
  return std::nullopt;
}

class CtrlC : public ::testing::TestWithParam<std::tuple<bool, bool>> {};

TEST_P(CtrlC, EndsClean) {
  adopt_orphans();
  const auto [busy, twice] = GetParam();
  const StartMethod methods[] = {StartMethod::fork, StartMethod::forkserver, StartMethod::spawn};
  const int count = rounds(12);
  int clean = 0;
  for (int i = 0; i < count; ++i) {
    const Round round{methods[i % 3], i / 3 % 2 != 0, busy, twice};
    const auto fault = fault_in(round);
    clean += fault ? 0 : 1;
    EXPECT_FALSE(fault) << to_string(round.method) << (round.handled ? ", handled: " : ": ")
                        << *fault;
  }
  std::printf("Ctrl-C %s, workers %s: %d of %d clean\n", twice ? "twice" : "once",
              busy ? "busy" : "idle", clean, count);
}

INSTANTIATE_TEST_SUITE_P(Workers, CtrlC, ::testing::Combine(::testing::Bool(), ::testing::Bool()),
                         [](const auto& test) {
                           return std::string(std::get<0>(test.param) ? "Busy" : "Idle") +
                                  (std::get<1>(test.param) ? "Twice" : "Once");
                         });

}  // namespace
}  // namespace poolproof::testing
