#pragma once

#include <functional>
#include <map>
#include <vector>

#include "harness/fault.h"
#include "harness/trace.h"
#include "harness/warden/ptrace.h"
#include "harness/warden/tree.h"

namespace poolproof::warden {

/// What a fault does to whom it hits, once its trigger was met (injector.h). Keeps what takes time:
/// stopped processes, held threads, calls that fail. Driven by the warden's one thread.
class Effects {
 public:
  /// What is done by others than us.
  struct Means {
    std::function<void()> close_stdout;  // stops reading main's stdout
    /// Has the kernel give this pid to who is born next; 0 asks whether it would.
    std::function<bool(harness::Pid)> set_next_pid;
  };
  explicit Effects(Means means) : means_(std::move(means)) {}

  /// Whether the kernel lets it be done here at all.
  bool can(const harness::Fault& fault) const;

  /// `stood` is the thread that met the trigger, which stands still. Not for errors: see fail().
  void strike(const harness::Fault& fault, const std::vector<const Process*>& targets, int stood,
              harness::Nanoseconds now);

  /// The call at which this thread stands will not be made, and fails.
  void fail(int tid, const trace::CallStop& stop, int error);
  /// The thread stands at a call's exit: hands out the error of one that was skipped.
  void at_exit(int tid);
  /// Whether the thread has to stop at the exit of the call that it stands in.
  bool awaits_exit(int tid) const { return failing_.contains(tid); }

  /// The thread is on its way out: whatever it was kept for is over, and it must not be held up.
  void note_exiting(int tid);
  /// The process is gone, and with our having waited for it its number is free for another one.
  void note_gone(int pid);

  /// Whether processes and threads can still be made.
  bool births_fail() const { return births_fail_; }
  /// Whether pids are to be used again.
  bool births_reuse_pids() const { return births_reuse_pids_; }
  /// The thread stands at a call that makes a process: who is born gets this pid.
  void give_pid(harness::Pid pid) { (void)means_.set_next_pid(pid); }
  /// Whether the thread must not go on yet.
  bool holds(int tid) const { return held_ == tid; }
  /// Lets go on what was kept for long enough. True while something is.
  bool keeps_waiting(harness::Nanoseconds now);
  /// How long that was, or until the last of them was gone; asked once.
  harness::Nanoseconds take_pause();

 private:
  Means means_;
  std::map<int, int> failing_;  // thread to error, until the exit of its call
  bool births_fail_ = false;
  bool births_reuse_pids_ = false;
  std::vector<int> stopped_;  // processes
  int held_ = 0;              // a thread
  bool pausing_ = false;
  harness::Nanoseconds since_{0};
  harness::Nanoseconds until_{0};
  harness::Nanoseconds pause_{0};
};

}  // namespace poolproof::warden
