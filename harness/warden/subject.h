#pragma once

#include <set>
#include <string>
#include <vector>

#include "harness/case.h"
#include "harness/sys/fd.h"

namespace poolproof::warden {

/// What a main is started with.
struct SubjectPlan {
  std::vector<std::string> argv;
  std::vector<std::string> environment;
  harness::Settings settings;
  bool watch_wakers = false;  // install the filter that reports who may wake a sleeper unseen ...
  std::vector<long> traced;   // ... and, with it, each of these calls
  std::set<harness::Inherited> inherits;
  sys::Fd output;
  sys::Fd error;
  sys::Fd handshake;  // SEQPACKET to the warden: says hello, waits for "go", reports a failed exec
};

/// Whether a call of this number arms something that may wake a sleeper and does not show in /proc:
/// timers, and asynchronous I/O that rings an eventfd.
bool arms_a_waker(long number);

/// The child's side between fork and exec: streams, limits, signals, session, then waits for the
/// warden's go and execs. A failed step or exec is told on the handshake, which exec closes.
[[noreturn]] void become_subject(SubjectPlan& plan);

}  // namespace poolproof::warden
