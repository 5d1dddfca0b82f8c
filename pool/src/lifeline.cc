#include "lifeline.hpp"

#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

extern "C" {
#include <sys/pidfd.h>  // has no C++ guards in glibc 2.36
}

namespace poolproof::detail::lifeline {

Fd open_on_this_process() {
  Fd fd(::pidfd_open(::getpid(), 0));
  if (!fd.valid()) throw_errno("poolproof: open a pidfd of this process");
  return off_stdio(std::move(fd));
}

bool main_is_gone(short control_events, short main_events) {
  // Each of the two has a blind spot. A pidfd does not see execve, the socket
  // does: it is close-on-exec. The socket does not see main's death while a
  // process that main made holds a copy, the pidfd does.
  return (control_events & (POLLHUP | POLLERR | POLLNVAL)) != 0 || main_events != 0;
}

void bind_to_starter(pid_t starter) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != starter) ::_exit(0);
}

void release_from_starter() {
  // Main may end this thread of its at any time from now on. Its control socket and its pidfd tell
  // of its own end.
  ::prctl(PR_SET_PDEATHSIG, 0);
}

void bind_to_supervisor(pid_t supervisor) {
  // The signal follows the *thread* that forked us; the supervisor has but
  // one, which lives as long as it does.
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  // It may have died before the call above, and then no signal comes:
  // without this look 276 of 300 survived.
  if (::getppid() != supervisor) ::_exit(0);
}

void channel_lost() {
  ::_exit(0);
}

}  // namespace poolproof::detail::lifeline
