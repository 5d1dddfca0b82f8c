#include "threads.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <optional>
#include <poolproof/detail/event.hpp>

#include "at_fork.hpp"
#include "fd.hpp"

// Present when the program was built with ThreadSanitizer, which keeps a
// thread of its own.
extern "C" __attribute__((weak)) void __tsan_init();  // NOLINT(bugprone-reserved-identifier)

namespace poolproof::detail {
namespace {

constexpr std::chrono::milliseconds kEndingThreadsMostlyTake{1};
constexpr std::chrono::milliseconds kEndingThreadsMayTake{50};
constexpr unsigned long kExiting = 4;  // PF_EXITING in the kernel's task flags

/// Whether a thread of this process has begun to end, as one has that pthread_join returned, and
/// one has not that has got its number since. Nothing without /proc.
/// Source: proc(5), /proc/PID/stat, field 9.
std::optional<bool> is_ending(pid_t tid) {
  std::array<char, 64> path{};
  std::snprintf(path.data(), path.size(), "/proc/self/task/%d/stat", static_cast<int>(tid));
  const Fd file(::open(path.data(), O_RDONLY | O_CLOEXEC));
  std::array<char, 512> text{};
  if (!file.valid() || ::read(file.get(), text.data(), text.size() - 1) <= 0) return {};
  const char* const name_ends = std::strrchr(text.data(), ')');  // it may contain anything
  unsigned long flags = 0;
  if (!name_ends || std::sscanf(name_ends, ") %*c %*d %*d %*d %*d %*d %lu", &flags) != 1) return {};
  return (flags & kExiting) != 0;
}

int count_other_threads() {
  const std::unique_ptr<DIR, int (*)(DIR*)> tasks(::opendir("/proc/self/task"), &::closedir);
  if (!tasks) return 0;
  // Counted, not compared by number: /proc may show those of an outer PID namespace.
  int count = 0;
  while (const dirent* entry = ::readdir(tasks.get())) count += std::atoi(entry->d_name) > 0;
  return count - 1 - ForkRegistry::instance().living_threads();
}

}  // namespace

bool other_threads_present() {
  const int expected = __tsan_init != nullptr ? 1 : 0;
  const Deadline deadline = deadline_after(kEndingThreadsMayTake);
  while (count_other_threads() > expected) {
    if (std::chrono::steady_clock::now() >= deadline) return true;
    ::sched_yield();
  }
  return false;
}

void await_thread_gone(pid_t tid) {
  const auto now = [] { return std::chrono::steady_clock::now(); };
  const auto start = now();
  while (::syscall(SYS_tgkill, ::getpid(), tid, 0) == 0) {
    ::sched_yield();
    if (now() - start < kEndingThreadsMostlyTake) continue;
    const std::optional<bool> ends = is_ending(tid);
    if (!ends.value_or(now() - start < kEndingThreadsMayTake)) return;
  }
}

}  // namespace poolproof::detail
