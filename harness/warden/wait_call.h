#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "harness/trace.h"
#include "harness/warden/outside.h"

namespace poolproof::warden {

/// A futex that a thread sleeps on.
struct FutexWait {
  std::uint64_t address = 0;
  int command = 0;             // FUTEX_WAIT ...
  std::uint32_t expected = 0;  // what the word held when it went to sleep
  bool shared = false;         // by what is mapped there, other processes may know it
};

/// The system call that a thread sleeps in.
struct WaitCall {
  std::string name;    // "futex"
  std::string on;      // "0x7f3a90", "pipe:[4711]", "children", several joined by a blank
  bool timed = false;  // it ends by itself
  std::string doubt;   // why something outside the tree might end it; empty: nothing can
  std::vector<harness::Goal> goals{};  // each without its owner
  std::optional<FutexWait> futex{};
};

/// nullopt when the thread runs or is in no call. A call that is not known to be untimed is given
/// with a doubt, never taken for one. Source: proc(5) on /proc/PID/syscall; the calls' own pages
/// for their timeouts.
std::optional<WaitCall> describe_wait(int pid, int tid, const Outside& outside);

}  // namespace poolproof::warden
