#pragma once

#include "harness/sys/fd.h"

namespace poolproof::warden {

/// SIGCHLD as a descriptor, so that one poll waits for stops, output and orders alike. Blocks the
/// signal for its thread, and so for what that forks.
class ChildSignal {
 public:
  ChildSignal();
  int get() const { return fd_.get(); }
  /// Takes the signal that made the descriptor readable: no more than one is ever pending.
  void take();

 private:
  sys::Fd fd_;
};

}  // namespace poolproof::warden
