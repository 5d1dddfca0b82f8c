#include "harness/warden/child_signal.h"

#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

namespace poolproof::warden {

ChildSignal::ChildSignal() {
  sigset_t mask;
  ::sigemptyset(&mask);
  ::sigaddset(&mask, SIGCHLD);
  ::sigprocmask(SIG_BLOCK, &mask, nullptr);
  fd_ = sys::Fd(::signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK));
}

void ChildSignal::take() {
  signalfd_siginfo ignored{};
  (void)!::read(fd_.get(), &ignored, sizeof ignored);
}

}  // namespace poolproof::warden
