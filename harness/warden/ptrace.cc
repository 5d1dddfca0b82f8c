#include "harness/warden/ptrace.h"

#include <sys/ptrace.h>

#include <cstdint>

namespace poolproof::warden::trace {
namespace {

void* as_pointer(std::uintptr_t value) {
  return reinterpret_cast<void*>(value);
}  // ptrace's ABI

}  // namespace

sys::Result<void> seize(int pid) {
  constexpr std::uintptr_t options = PTRACE_O_EXITKILL | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK |
                                     PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC | PTRACE_O_TRACEEXIT |
                                     PTRACE_O_TRACESECCOMP;
  if (::ptrace(PTRACE_SEIZE, pid, nullptr, as_pointer(options)) != 0) {
    return sys::Error::from_errno("ptrace SEIZE");
  }
  return {};
}

bool go_on(int tid, int signal) {
  return ::ptrace(PTRACE_CONT, tid, nullptr, as_pointer(static_cast<std::uintptr_t>(signal))) == 0;
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

void detach(int tid) {
  ::ptrace(PTRACE_DETACH, tid, nullptr, nullptr);
}

int event_of(int wait_status) {
  return wait_status >> 16;
}

}  // namespace poolproof::warden::trace
