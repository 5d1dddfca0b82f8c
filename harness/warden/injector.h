#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>

#include "harness/fault.h"
#include "harness/trace.h"
#include "harness/warden/tree.h"

namespace poolproof::warden {

/// Puts a case's fault where it says. Driven by the observer: it tells of the subject's system
/// calls, which stop only for processes that `follows` names and only until the fault has fired.
class Injector {
 public:
  Injector(Tree& tree, std::optional<harness::Fault> fault)
      : tree_(tree), fault_(std::move(fault)) {}

  bool has_fault() const { return fault_.has_value(); }
  /// Main has begun its first step: its calls count from here.
  void note_step_begun() { main_counts_ = true; }

  /// Whether this process, or thread, has to stop at its system calls.
  bool follows(const Process& process, int tid) const;
  /// A thread stands at the entry or the exit of a call. Counts, and fires.
  void at_call(const Process& process, int tid);
  /// Lets go on what was stopped for long enough. True while something is.
  bool keeps_stopped(harness::Nanoseconds now);
  /// How long that was; asked once.
  harness::Nanoseconds take_pause();

 private:
  struct Call {
    std::string name;
    std::string target;
  };
  bool is_it(const Call& call);
  void fire(const Process& process, int tid, const Call& call);

  Tree& tree_;
  std::optional<harness::Fault> fault_;
  bool main_counts_ = false;
  bool fired_ = false;
  int all_ = 0;
  std::map<std::string, int> by_name_;    // calls so far
  std::map<std::string, int> by_target_;  // "read(pipe)"
  std::set<int> failing_;                 // threads whose call was skipped, until its exit
  int stopped_ = 0;                       // the process that we stopped
  harness::Nanoseconds stopped_at_{0};
  harness::Nanoseconds pause_{0};
};

}  // namespace poolproof::warden
