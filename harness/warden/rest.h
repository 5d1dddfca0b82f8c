#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "harness/trace.h"
#include "harness/warden/wait_call.h"

namespace poolproof::warden {

/// A process to look at.
struct Sleeper {
  struct Thread {
    int tid = 0;             // outside
    harness::Pid inner = 0;  // as the trace has it
    bool exiting = false;    // may be a leader that waits, dead, for the other threads
    bool stopped = false;    // by a signal such as SIGSTOP
  };
  int pid = 0;                     // outside
  harness::Pid inner = 0;          // as the trace has it
  std::vector<Thread> threads;     // all that were announced
  bool wakers_known = false;       // calls that arm an unseen waker (subject.h) were reported ...
  bool has_unseen_wakers = false;  // ... and this process made one
  bool stopped_from_outside = false;  // where its threads are stopped: by whom is not known
};

/// One look at the whole tree through /proc, which disturbs nothing (a PTRACE_INTERRUPT would turn
/// a timed poll into restart_syscall).
struct Look {
  bool blocked = false;  // every thread sleeps in a call without timeout; else nothing below counts
  std::vector<harness::Wait> waits;
  std::vector<std::uint64_t> switches;  // context switches, to compare two looks

  /// Nobody ran between the two, and the same threads are blocked.
  bool agrees_with(const Look& other) const {
    return blocked && other.blocked && switches == other.switches;
  }
  bool proved() const;
  /// Something that concerns every wait.
  void doubt_all(const std::string& why);
};

/// A doubt where some descriptor of the tree leads outside: the other end of what is waited for is
/// held by nobody inside, or an open socket may have been used to hand it over. Empty: none does.
std::string doubt_about_ends(const std::vector<harness::Wait>& waits,
                             const std::vector<harness::Resource>& resources,
                             const std::vector<Sleeper>& tree, const Outside& outside);

Look look(const std::vector<Sleeper>& tree, const Outside& outside);

}  // namespace poolproof::warden
