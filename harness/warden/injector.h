#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "harness/fault.h"
#include "harness/sys/proc.h"
#include "harness/trace.h"
#include "harness/warden/effects.h"
#include "harness/warden/tree.h"

namespace poolproof::warden {

/// Puts a case's fault where it says. Driven by the observer, which tells of claims, of sync points
/// and of the subject's system calls. Calls stop in one of two ways: a fault that names its call
/// has the kernel's filter stop the tree there and nowhere else (seccomp, SECCOMP_RET_TRACE); one
/// that counts through all calls, or where there is no filter, has the processes that `follows`
/// names stop at each of theirs until it has fired.
class Injector {
 public:
  Injector(Tree& tree, std::optional<harness::Fault> fault, Effects::Means means)
      : tree_(tree), fault_(std::move(fault)), effects_(std::move(means)) {}

  bool has_fault() const { return fault_.has_value(); }
  /// Before main is made: the calls that the filter shall stop at ...
  std::vector<long> filtered_calls() const;
  /// ... and whether there is one.
  void note_filter(bool installed) { filter_ = installed; }
  /// The claims file, as the subject names it and as we have it open. What the kits do with it is
  /// not the pool's doing: no error is put there.
  void note_claims(std::string path, int descriptor);
  /// The claims at which their writers shall stop: words of POOLPROOF_SYNC.
  std::string sync_points() const;

  void note_claim(const harness::Event& claim);
  /// A thread of the process stands at a sync point.
  void at_sync_point(const Process& process, int tid);

  /// Whether this process, or thread, has to stop at its system calls.
  bool follows(const Process& process, int tid) const;
  /// Whether the thread must not go on yet: it is held.
  bool holds(int tid) const { return effects_.holds(tid); }
  /// A thread stands at a call. Counts, and fires.
  void at_call(const Process& process, int tid, const trace::CallStop& stop);

  void note_exiting(int tid) { effects_.note_exiting(tid); }
  void note_gone(int pid) { effects_.note_gone(pid); }

  /// Lets go on what was kept for long enough. True while something is.
  bool keeps_waiting(harness::Nanoseconds now) { return effects_.keeps_waiting(now); }
  /// How long that was; asked once.
  harness::Nanoseconds take_pause() { return effects_.take_pause(); }

 private:
  struct Call {
    std::string name;
    std::string target;
    std::optional<int> typical;  // its error, where the fault wants one
  };
  bool counts_by_filter() const;
  bool names(const Process& process) const;
  bool is_a_claim(const Process& process, const trace::CallStop& stop) const;
  bool strikes_births() const;
  void at_birth(int tid, const Process& process, const trace::CallStop& stop);
  std::vector<const Process*> targets(const Process& stood) const;
  Call described(const Process& process, const trace::CallStop& stop) const;
  bool is_it(const Call& call);
  void hit(const Process& process, int tid, const trace::CallStop& stop, const Call& call);
  void fire(const Process& process, int tid, const harness::Fault& named);

  Tree& tree_;
  std::optional<harness::Fault> fault_;
  Effects effects_;
  bool filter_ = false;
  std::string claims_path_;
  std::optional<sys::FileId> claims_;
  bool main_counts_ = false;
  bool fired_ = false;
  std::vector<harness::Pid> workers_;  // in the order of their first tasks
  harness::Pid met_by_ = 0;            // who wrote the claim that is the trigger, until it stops
  int all_ = 0;
  std::map<std::string, int> by_name_;    // calls so far
  std::map<std::string, int> by_target_;  // "read(pipe)"
};

}  // namespace poolproof::warden
