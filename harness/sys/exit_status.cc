#include "harness/sys/exit_status.h"

#include <string.h>  // sigabbrev_np is not in <cstring>
#include <sys/ioctl.h>
#include <sys/wait.h>

#include <cstdint>

namespace poolproof::sys {
namespace {

/// <linux/pidfd.h> of Linux 6.15, which the C library's headers are older than.
struct PidfdInfo {
  std::uint64_t mask = 0;
  std::uint64_t cgroup = 0;
  std::uint32_t ids[11] = {};
  std::int32_t exit_code = 0;
};
static_assert(sizeof(PidfdInfo) == 64);
constexpr std::uint64_t kInfoExit = 1 << 3;
constexpr unsigned long kGetInfo = _IOWR(0xff, 11, PidfdInfo);

}  // namespace

ExitStatus exit_status_from_wait(int wait_status) {
  if (WIFSIGNALED(wait_status)) return Killed{WTERMSIG(wait_status)};
  return Exited{WEXITSTATUS(wait_status)};
}

std::optional<ExitStatus> exit_status_of(int pidfd) {
  PidfdInfo info;
  info.mask = kInfoExit;
  if (::ioctl(pidfd, kGetInfo, &info) != 0 || (info.mask & kInfoExit) == 0) return std::nullopt;
  return exit_status_from_wait(info.exit_code);
}

std::string to_string(const ExitStatus& status) {
  if (const auto* exited = std::get_if<Exited>(&status)) {
    return "exited " + std::to_string(exited->code);
  }
  return "killed by " + signal_name(std::get<Killed>(status).signal);
}

std::string signal_name(int signal) {
  const char* name = ::sigabbrev_np(signal);
  return name != nullptr ? std::string("SIG") + name : "signal " + std::to_string(signal);
}

}  // namespace poolproof::sys
