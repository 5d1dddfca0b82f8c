#include "reap.hpp"

#include <sys/wait.h>

#include <cerrno>

namespace poolproof::detail::reap {

Found next_dead_child(siginfo_t& child) {
  for (;;) {
    child.si_pid = 0;
    // __WALL: an adopted child may have been made by clone with an exit
    // signal other than SIGCHLD.
    if (::waitid(P_ALL, 0, &child, WEXITED | WNOHANG | __WALL) == 0) {
      return child.si_pid ? Found::dead_child : Found::living_only;
    }
    if (errno != EINTR) return Found::no_child_left;
  }
}

void supervisor(int pidfd, pid_t pid) {
  siginfo_t info{};
  const idtype_t how = pidfd >= 0 ? P_PIDFD : P_PID;
  const id_t id = static_cast<id_t>(pidfd >= 0 ? pidfd : pid);
  while (::waitid(how, id, &info, WEXITED) == -1 && errno == EINTR) {
  }
}

void adopted(int pidfd) {
  siginfo_t info{};
  ::waitid(P_PIDFD, static_cast<id_t>(pidfd), &info, WEXITED | WNOHANG);
}

}  // namespace poolproof::detail::reap
