#pragma once

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
  bool watch_wakers = false;  // install the filter that reports who may wake a sleeper unseen
  sys::Fd output;
  sys::Fd error;
  sys::Fd handshake;  // SEQPACKET to the warden: says hello, waits for "go", reports a failed exec
};

/// The child's side between fork and exec: streams, limits, signals, session, then waits for the
/// warden's go and execs. A failed step or exec is told on the handshake, which exec closes.
[[noreturn]] void become_subject(SubjectPlan& plan);

}  // namespace poolproof::warden
