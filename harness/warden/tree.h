#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "harness/sys/proc.h"
#include "harness/trace.h"
#include "harness/warden/delay.h"
#include "harness/warden/rest.h"

namespace poolproof::warden {

struct Thread {
  harness::Pid inner = 0;
  bool exiting = false;  // it has been in its exit stop: it runs no more of the subject's code
  bool stopped = false;  // by SIGSTOP and its like, until SIGCONT
};

/// A live process of the subject's tree. Numbers without "inner" are the warden's own namespace's.
struct Process {
  int pid = 0;
  harness::Pid inner = 0;
  std::map<int, Thread> threads;      // by tid; the one with the process's own number is its leader
  bool has_unseen_wakers = false;     // made a call that arms what /proc does not show
  bool had_threads = false;           // besides its leader
  bool dying = false;                 // recorded as such
  bool stopped_from_outside = false;  // the last stop signal came from no process of the tree
  std::string path;                   // "main.1.2": by birth, as faults name it
  int children = 0;                   // made so far
  std::size_t alive_before = 0;       // the event before which it was last seen alive ...
  harness::Nanoseconds alive_at{0};   // ... and when
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
  /// A thread was met alive, and not stopped by a signal for good.
  void alive(int tid);
  /// A signal that stops is about to be delivered; `sender` by its inner number, 0: unknown.
  void stop_signal(int tid, harness::Pid sender);
  /// A process wrote the claim that was recorded last: it was alive until then.
  void spoke(harness::Pid inner);
  /// A thread is in its exit stop. The process is dying with its last thread, whichever that is:
  /// the others keep everything open, and an exec of one of them ends the leader but not the
  /// process.
  void exiting(int tid, const sys::ExitStatus& status);
  /// A thread's or a process's end. Whoever is killed in another stop may be let go in its exit
  /// stop before we have seen it: such a process began to die after it was last seen alive, and
  /// that is where its dying is put.
  void ended(int tid, const sys::ExitStatus& status);

  /// The process that a thread belongs to; nullptr when it is not (any more) known.
  Process* owner(int tid);
  Thread& thread(int tid) { return owner(tid)->threads.at(tid); }
  /// Whether some thread of the process can still run the subject's code.
  bool can_run(int pid) const;
  int main() const { return main_; }
  bool is_main(harness::Pid inner) const {
    const auto main = inner_.find(main_);
    return main != inner_.end() && main->second == inner;
  }
  bool main_execed() const { return main_execed_; }
  bool main_dead() const { return main_ != 0 && live_.count(main_) == 0; }
  harness::Nanoseconds main_dead_at() const { return main_dead_at_; }
  bool empty() const { return live_.empty(); }
  int births() const { return births_; }
  /// The pid of the process that ended last and was waited for, if nobody has it again.
  std::optional<harness::Pid> free_pid() const;
  int deaths() const { return deaths_; }  // of processes
  const std::map<int, Process>& live() const { return live_; }

  std::vector<ThreadId> thread_ids() const;
  std::vector<Sleeper> sleepers(bool wakers_known) const;
  harness::Snapshot snapshot(int step);
  /// What is main's own, as it stands at a sync point. claims: what the kits open by themselves.
  std::optional<harness::MainState> main_state(std::string at, const sys::FileId& claims) const;
  /// Whether this process, or a thread of it, was stopped in the middle of whatever it did: by a
  /// signal (the warden's included), or by the exit or exec of another thread. Its last claims may
  /// be torn or missing.
  bool was_cut_short(harness::Pid inner) const { return cut_short_.count(inner) != 0; }
  bool anyone_was_cut_short() const { return !cut_short_.empty(); }
  void note_cut_short(harness::Pid inner) { cut_short_.insert(inner); }

  std::size_t event_count() const { return events_.size(); }
  std::vector<harness::Event> take_events() { return std::move(events_); }

 private:
  harness::Pid inner_of(int pid) const;
  void dying(Process& process, const sys::ExitStatus& status);
  void died_unseen(Process& process, const sys::ExitStatus& status);

  int init_;
  int main_ = 0;
  int births_ = 0;
  int deaths_ = 0;
  bool main_execed_ = false;
  bool recording_ = true;
  harness::Nanoseconds start_{0};
  harness::Nanoseconds main_dead_at_{0};
  std::map<int, Process> live_;
  std::map<int, int> owner_;                         // tid -> pid
  std::vector<std::pair<int, harness::Pid>> ended_;  // processes, in their order
  std::map<int, harness::Pid> unreaped_;             // dead, as far as we know not waited for
  std::map<int, harness::Pid> inner_;                // every process ever seen
  std::set<harness::Pid> cut_short_;
  std::vector<harness::Event> events_;
};

}  // namespace poolproof::warden
