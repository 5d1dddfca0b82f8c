#pragma once

#include <sys/resource.h>
#include <sys/types.h>
#include <sys/wait.h>

#include <chrono>
#include <functional>
#include <ostream>
#include <poolproof/pool.hpp>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace poolproof {
/// How GoogleTest names a test's parameter.
inline void PrintTo(StartMethod method, std::ostream* out) {
  *out << to_string(method);
}
}  // namespace poolproof

/// What the tests have in common. Every wait is for a condition and ends at a deadline.
namespace poolproof::testing {

using namespace std::chrono_literals;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool kSanitized = true;
#elif defined(__has_feature)
inline constexpr bool kSanitized =
    __has_feature(address_sanitizer) || __has_feature(thread_sanitizer);
#else
inline constexpr bool kSanitized = false;
#endif

inline constexpr auto kSoon = 10s;  // only what is broken takes as long

/// True as soon as `condition` is.
template <class Condition>
bool eventually(Condition condition, std::chrono::milliseconds limit = kSoon) {
  const auto deadline = std::chrono::steady_clock::now() + limit;
  while (!condition()) {
    if (std::chrono::steady_clock::now() >= deadline) return false;
    std::this_thread::sleep_for(100us);
  }
  return true;
}

/// Options for tests: ThreadSanitizer's and other tests' threads do not count.
PoolOptions workers(int count);

/// Main of a subject program: a child of the test that leaves by _exit(0) if `body` returns. Its
/// standard output is `output` unless that is -1.
pid_t start_main(const std::function<void()>& body, int output = -1);

/// waitpid(2)'s status.
int wait_for(pid_t pid);

/// The test adopts all orphans from now on, so that...
void adopt_orphans();
/// ...it can wait until there is no process below it: reaps until none is left.
bool all_descendants_end(std::chrono::milliseconds limit = kSoon);

/// True once the process is gone or a zombie.
bool is_dead(pid_t pid);
/// The state letter in a stat file of /proc; '\0' if there is none.
char state_in(const std::string& stat_file);
/// All that descend from it at this moment, by /proc.
std::vector<pid_t> descendants_of(pid_t pid);
/// From /proc/PID/stat; 0 if it is gone.
pid_t parent_of(pid_t pid);
char state_of(pid_t pid);
/// Direct children of this process, zombies included.
std::vector<pid_t> children_of_this_process();

/// What pthread_exit comes to, without unwinding GoogleTest's frames.
[[noreturn]] void end_this_thread();
/// What an uncaught error comes to. What the standard library says of it stays out of the log:
/// there it means that a pool or a test did so unasked, and is a failure (CMakeLists.txt).
[[noreturn]] void end_by_terminate();

/// Whether this kernel lets this user have PID namespaces.
bool may_contain();

/// For the rest of the process's life: many a limit does not bind root. False if there is no such
/// user, or none who may run this program.
bool become_an_ordinary_user();

int open_descriptors();
int running_threads();
std::vector<pid_t> threads_of_this_process();

/// The soft limit that is in force in this process while the object lives.
class Limit {
 public:
  Limit(__rlimit_resource_t resource, rlim_t value);
  ~Limit();
  Limit(const Limit&) = delete;
  Limit& operator=(const Limit&) = delete;

 private:
  __rlimit_resource_t resource_;
  rlimit before_{};
};

/// What this process has: made before its pools, it tells what they leave behind.
class Belongings {
 public:
  Belongings();
  /// No process below, no descriptor, thread or shared memory more than then. Reaps orphans.
  void expect_nothing_more() const;

 private:
  int descriptors_;
  int threads_;
  std::set<std::string> shared_memory_;
};

struct Pipe {
  Pipe();
  ~Pipe();
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  void close_write_end();
  int read_end = -1;
  int write_end = -1;
};

/// Everything up to end of file, which must come; a test failure if it does not.
std::string read_to_end(int fd, std::chrono::milliseconds limit = kSoon);
/// One number written by `tell`; a test failure, and no pid of a process, if none comes.
long hear(int fd);
void tell(int fd, long number);

/// A file without a name, of which each byte says that one task has come as far as it should. Ends
/// with the process that made it, however that ends.
class Roll {
 public:
  Roll();
  ~Roll();
  Roll(const Roll&) = delete;
  Roll& operator=(const Roll&) = delete;

  /// For all processes of the same user.
  [[nodiscard]] const std::string& path() const { return path_; }
  /// False if there are less than `count` after a while.
  [[nodiscard]] bool has(int count) const;

 private:
  int file_ = -1;
  std::string path_;
};
/// For tasks: a descriptor that adds to the end, which also serves who has changed user.
int open_to_sign(const std::string& roll);
/// Adds `entry`, and closes the descriptor.
void sign(int descriptor, std::string_view entry = "x");
/// Both.
void sign(const std::string& roll);

/// How often a test repeats what must hold each time: POOLPROOF_ROUNDS, or `otherwise`.
int rounds(int otherwise);

// Tasks that several tests use.
int worker_pid();
int add(int a, int b);
double half(int number);
std::string echo(const std::string& text);
/// Runs until somebody kills it, for 100 s at most.
void never_end();
/// An error that is called like a registered one of errors_test.cc, and is another type.
void throw_namesake();

}  // namespace poolproof::testing
