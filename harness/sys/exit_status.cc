#include "harness/sys/exit_status.h"

#include <string.h>  // sigabbrev_np is not in <cstring>
#include <sys/wait.h>

namespace poolproof::sys {

ExitStatus exit_status_from_wait(int wait_status) {
  if (WIFSIGNALED(wait_status)) return Killed{WTERMSIG(wait_status)};
  return Exited{WEXITSTATUS(wait_status)};
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
