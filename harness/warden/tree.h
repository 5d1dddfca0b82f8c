#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "harness/trace.h"
#include "harness/warden/delay.h"
#include "harness/warden/rest.h"

namespace poolproof::warden {

/// A live process of the subject's tree. Numbers without "inner" are the warden's own namespace's.
struct Process {
  int pid = 0;
  harness::Pid inner = 0;
  std::map<int, harness::Pid> threads;  // tid -> inner tid; the first is the process's own
  bool has_timer = false;
};

/// The subject's processes and the trace that is being recorded of them. The sources of facts
/// (ptrace_source.h, proc_source.h) tell it what happened; it numbers, keeps and records.
class Tree {
 public:
  explicit Tree(int init_pid) : init_(init_pid) {}

  /// The start of the trace's time: main's birth.
  void begin(harness::Nanoseconds start) { start_ = start; }
  harness::Nanoseconds start() const { return start_; }
  harness::Nanoseconds now() const;
  void record(harness::Event::Kind kind);
  void record(harness::Event event) { events_.push_back(std::move(event)); }
  /// From now on nothing is recorded: what still happens is the clean-up's doing.
  void stop_recording() { recording_ = false; }

  void born(int pid, harness::Pid inner, int parent, std::string how);
  void thread_born(int pid, int tid, harness::Pid inner);
  void execed(int pid);
  void dying(int pid, const sys::ExitStatus& status);
  /// A thread's or a process's end.
  void ended(int tid, const sys::ExitStatus& status);

  /// The process that a thread belongs to; nullptr when it is not (any more) known.
  Process* owner(int tid);
  int main() const { return main_; }
  bool main_dead() const { return main_ != 0 && live_.count(main_) == 0; }
  harness::Nanoseconds main_dead_at() const { return main_dead_at_; }
  bool empty() const { return live_.empty(); }
  int births() const { return births_; }
  const std::map<int, Process>& live() const { return live_; }

  std::vector<ThreadId> thread_ids() const;
  std::vector<Sleeper> sleepers(bool timers_known) const;
  harness::Snapshot snapshot(int step) const;
  /// Whether this process ended by a signal, the warden's included: its last claim may be torn.
  bool was_killed(harness::Pid inner) const { return killed_.count(inner) != 0; }
  bool anyone_was_killed() const { return !killed_.empty(); }
  void note_killed(harness::Pid inner) { killed_.insert(inner); }

  std::vector<harness::Event> take_events() { return std::move(events_); }

 private:
  harness::Pid inner_of(int pid) const;

  int init_;
  int main_ = 0;
  int births_ = 0;
  bool recording_ = true;
  harness::Nanoseconds start_{0};
  harness::Nanoseconds main_dead_at_{0};
  std::map<int, Process> live_;
  std::map<int, int> owner_;                  // tid -> pid
  std::map<int, harness::Pid> unreaped_;      // dead, as far as we know not waited for
  std::map<int, harness::Pid> inner_;         // every process ever seen
  std::set<harness::Pid> killed_;
  std::vector<harness::Event> events_;
};

}  // namespace poolproof::warden
