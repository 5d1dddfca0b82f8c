#include "harness/warden/ptrace.h"

#include <elf.h>
#include <linux/audit.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>

#include <cstddef>
#include <cstdint>

namespace poolproof::warden::trace {
namespace {

void* as_pointer(std::uintptr_t value) {
  return reinterpret_cast<void*>(value);  // NOLINT(performance-no-int-to-ptr): ptrace's ABI
}

#if defined(__x86_64__)
constexpr unsigned kArchitecture = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
constexpr unsigned kArchitecture = AUDIT_ARCH_AARCH64;
#endif

}  // namespace

sys::Result<void> seize(int pid) {
  constexpr std::uintptr_t options = PTRACE_O_EXITKILL | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK |
                                     PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC | PTRACE_O_TRACEEXIT |
                                     PTRACE_O_TRACESECCOMP | PTRACE_O_TRACESYSGOOD;
  if (::ptrace(PTRACE_SEIZE, pid, nullptr, as_pointer(options)) != 0) {
    return sys::Error::from_errno("ptrace SEIZE");
  }
  return {};
}

bool go_on(int tid, int signal) {
  return ::ptrace(PTRACE_CONT, tid, nullptr, as_pointer(static_cast<std::uintptr_t>(signal))) == 0;
}

bool go_on_to_call(int tid, int signal) {
  return ::ptrace(PTRACE_SYSCALL, tid, nullptr, as_pointer(static_cast<std::uintptr_t>(signal))) ==
         0;
}

std::optional<CallStop> call_stop(int tid) {
  __ptrace_syscall_info info{};
  if (::ptrace(PTRACE_GET_SYSCALL_INFO, tid, as_pointer(sizeof info), &info) < 0)
    return std::nullopt;
  const bool foreign = info.arch != kArchitecture;
  switch (info.op) {
    case PTRACE_SYSCALL_INFO_EXIT:
      return CallStop{CallStop::At::kExit, foreign};
    case PTRACE_SYSCALL_INFO_ENTRY:
      return CallStop{CallStop::At::kEntry,
                      foreign,
                      static_cast<long>(info.entry.nr),
                      {info.entry.args[0], info.entry.args[1]}};
    case PTRACE_SYSCALL_INFO_SECCOMP:
      return CallStop{CallStop::At::kFilter,
                      foreign,
                      static_cast<long>(info.seccomp.nr),
                      {info.seccomp.args[0], info.seccomp.args[1]}};
    default:
      return std::nullopt;
  }
}

bool skip_call(int tid) {
#if defined(__x86_64__)
  return ::ptrace(PTRACE_POKEUSER, tid, as_pointer(offsetof(user_regs_struct, orig_rax)),
                  as_pointer(~std::uintptr_t{0})) == 0;
#elif defined(__aarch64__)
  int number = -1;
  iovec part{&number, sizeof number};
  return ::ptrace(PTRACE_SETREGSET, tid, as_pointer(NT_ARM_SYSTEM_CALL), &part) == 0;
#endif
}

bool set_result(int tid, long result) {
  user_regs_struct registers{};
  iovec part{&registers, sizeof registers};
  if (::ptrace(PTRACE_GETREGSET, tid, as_pointer(NT_PRSTATUS), &part) != 0) return false;
#if defined(__x86_64__)
  registers.rax = static_cast<unsigned long long>(result);
#elif defined(__aarch64__)
  registers.regs[0] = static_cast<unsigned long long>(result);
#endif
  return ::ptrace(PTRACE_SETREGSET, tid, as_pointer(NT_PRSTATUS), &part) == 0;
}

bool is_call_stop(int wait_status) {
  return WIFSTOPPED(wait_status) && WSTOPSIG(wait_status) == (SIGTRAP | 0x80);
}

bool keep_stopped(int tid) {
  return ::ptrace(PTRACE_LISTEN, tid, nullptr, nullptr) == 0;
}

std::optional<unsigned long> message(int tid) {
  unsigned long value = 0;
  if (::ptrace(PTRACE_GETEVENTMSG, tid, nullptr, &value) != 0) return std::nullopt;
  return value;
}

std::optional<siginfo_t> signal_info(int tid) {
  siginfo_t info{};
  if (::ptrace(PTRACE_GETSIGINFO, tid, nullptr, &info) != 0) return std::nullopt;
  return info;
}

void detach(int tid, int signal) {
  ::ptrace(PTRACE_DETACH, tid, nullptr, signal);
}

bool interrupt(int tid) {
  return ::ptrace(PTRACE_INTERRUPT, tid, nullptr, nullptr) == 0;
}

int event_of(int wait_status) {
  return wait_status >> 16;
}

}  // namespace poolproof::warden::trace
