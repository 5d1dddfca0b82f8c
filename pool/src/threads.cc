#include "threads.hpp"

#include <dirent.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdlib>
#include <memory>
#include <poolproof/detail/event.hpp>

#include "at_fork.hpp"

// Present when the program was built with ThreadSanitizer, which keeps a
// thread of its own.
extern "C" __attribute__((weak)) void __tsan_init();  // NOLINT(bugprone-reserved-identifier)

namespace poolproof::detail {
namespace {

constexpr std::chrono::milliseconds kEndingThreadsMayTake{50};

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
  while (::syscall(SYS_tgkill, ::getpid(), tid, 0) == 0) ::sched_yield();
}

}  // namespace poolproof::detail
