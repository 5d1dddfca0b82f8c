#include "ping_pong.h"

#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstdint>
#include <new>
#include <stdexcept>
#include <system_error>

namespace poolproof::bench {
namespace {

using Word = std::atomic<std::uint32_t>;

[[noreturn]] void fail(const char* what) {
  throw std::system_error(errno, std::system_category(), what);
}

/// The processors that this process was started with.
const cpu_set_t& usable() {
  static const cpu_set_t set = [] {
    cpu_set_t found;
    if (::sched_getaffinity(0, sizeof found, &found) != 0) fail("sched_getaffinity");
    return found;
  }();
  return set;
}

cpu_set_t only_the(int nth) {
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (!CPU_ISSET(cpu, &usable()) || nth-- > 0) continue;
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    return set;
  }
  throw std::runtime_error("needs more processors");
}

/// The child dies with us, whatever we die of.
int fork_echo() {
  const pid_t parent = ::getpid();
  const pid_t child = ::fork();
  if (child == -1) fail("fork");
  if (child != 0) return child;
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(1);
  return 0;
}

void set(Word& word, std::uint32_t value, bool spinning) {
  word.store(value, std::memory_order_seq_cst);
  if (!spinning) ::syscall(SYS_futex, &word, FUTEX_WAKE, 1, nullptr, nullptr, 0);
}

void await(Word& word, std::uint32_t value, bool spinning) {
  for (;;) {
    const std::uint32_t now = word.load(std::memory_order_acquire);
    if (now == value) return;
    if (!spinning) ::syscall(SYS_futex, &word, FUTEX_WAIT, now, nullptr, nullptr, 0);
  }
}

}  // namespace

void place(Placement placement, int side) {
  const cpu_set_t set = placement == Placement::anywhere ? usable()
                        : placement == Placement::same   ? only_the(0)
                                                         : only_the(side);
  if (::sched_setaffinity(0, sizeof set, &set) != 0) fail("sched_setaffinity");
}

PipeEcho::PipeEcho(Placement placement) {
  place(placement, 0);
  std::array<int, 2> there{};
  std::array<int, 2> back{};
  if (::pipe(there.data()) != 0 || ::pipe(back.data()) != 0) fail("pipe");
  child_ = fork_echo();
  if (child_ == 0) {
    place(placement, 1);
    ::close(there[1]);
    char byte = 0;
    while (::read(there[0], &byte, 1) == 1 && ::write(back[1], &byte, 1) == 1) {
    }
    ::_exit(0);
  }
  ::close(there[0]);
  ::close(back[1]);
  to_child_ = there[1];
  from_child_ = back[0];
}

PipeEcho::~PipeEcho() {
  ::close(to_child_);
  ::close(from_child_);
  ::waitpid(child_, nullptr, 0);
  place(Placement::anywhere, 0);
}

void PipeEcho::round_trip() {
  char byte = 1;
  if (::write(to_child_, &byte, 1) != 1 || ::read(from_child_, &byte, 1) != 1) fail("round trip");
}

struct FutexEcho::Shared {
  alignas(64) Word asked{0};
  alignas(64) Word answered{0};
};

FutexEcho::FutexEcho(Placement placement, bool spinning) : spinning_(spinning) {
  place(placement, 0);
  void* const at =
      ::mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (at == MAP_FAILED) fail("mmap");
  shared_ = new (at) Shared;
  child_ = fork_echo();
  if (child_ != 0) return;
  place(placement, 1);
  answer();
}

void FutexEcho::answer() {
  for (std::uint32_t number = 1;; ++number) {
    await(shared_->asked, number, spinning_);
    set(shared_->answered, number, spinning_);
  }
}

FutexEcho::~FutexEcho() {
  ::kill(child_, SIGKILL);
  ::waitpid(child_, nullptr, 0);
  ::munmap(shared_, sizeof(Shared));
  place(Placement::anywhere, 0);
}

void FutexEcho::round_trip() {
  const std::uint32_t number = shared_->asked.load(std::memory_order_relaxed) + 1;
  set(shared_->asked, number, spinning_);
  await(shared_->answered, number, spinning_);
}

}  // namespace poolproof::bench
