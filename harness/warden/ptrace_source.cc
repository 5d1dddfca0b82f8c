#include <sys/ptrace.h>
#include <sys/wait.h>

#include <cerrno>
#include <map>
#include <utility>

#include "harness/sys/clock.h"
#include "harness/sys/fd.h"
#include "harness/sys/proc.h"
#include "harness/warden/ptrace.h"
#include "harness/warden/source.h"

namespace poolproof::warden {
namespace {

using namespace std::chrono_literals;

/// Shorter spans than this need no account of a thread that ends within: the next sample's error is
/// far below any bound that a rule uses.
constexpr auto kSpanWorthAnAccount = 10ms;

class PtraceSource final : public Source {
 public:
  PtraceSource(Tree& tree, DelayMeter& delay, OnSync on_sync)
      : tree_(tree), delay_(delay), on_sync_(std::move(on_sync)) {}

  sys::Result<void> follow(int main_pid) override;
  bool pump() override;
  bool exact() const override { return true; }

 private:
  void handle(int tid, int status);
  void stopped(int tid, int status);
  void signal_stop(int tid, int signal);
  void child_event(int tid, int event);
  void exit_event(int tid);
  bool is_sync_point(int tid, int signal);

  Tree& tree_;
  DelayMeter& delay_;
  OnSync on_sync_;
  /// Threads that were heard of before the event of their birth: with two stops pending, wait may
  /// report the child's first. Their own news waits here, so that a birth is always recorded first.
  std::map<int, int> early_;
};

sys::Result<void> PtraceSource::follow(int main_pid) {
  if (auto seized = trace::seize(main_pid); !seized) return seized;
  const auto status = sys::task_status(main_pid);
  tree_.born(main_pid, status ? status->inner_pid : main_pid, 0, "main");
  return {};
}

bool PtraceSource::pump() {
  bool any = false;
  for (;;) {
    int status = 0;
    const int tid = ::waitpid(-1, &status, WNOHANG | __WALL);
    if (tid <= 0) return any;
    any = true;
    handle(tid, status);
  }
}

void PtraceSource::handle(int tid, int status) {
  if (tree_.owner(tid) == nullptr) {
    early_[tid] = status;
    return;
  }
  if (WIFSTOPPED(status)) {
    stopped(tid, status);
  } else {
    tree_.ended(tid, sys::exit_status_from_wait(status));
  }
}

void PtraceSource::stopped(int tid, int status) {
  const int signal = WSTOPSIG(status);
  switch (const int event = trace::event_of(status); event) {
    case 0: signal_stop(tid, signal); return;
    case PTRACE_EVENT_FORK:
    case PTRACE_EVENT_VFORK:
    case PTRACE_EVENT_CLONE: child_event(tid, event); break;
    case PTRACE_EVENT_EXEC: tree_.execed(tid); break;
    case PTRACE_EVENT_EXIT: exit_event(tid); break;
    case PTRACE_EVENT_SECCOMP: tree_.owner(tid)->has_timer = true; break;
    case PTRACE_EVENT_STOP:
      // A trap is the first stop of a new thread; anything else is a group stop, which must last.
      if (signal != SIGTRAP) {
        trace::keep_stopped(tid);
        return;
      }
      break;
    default: break;
  }
  trace::go_on(tid);
}

/// Ours: SIGURG that a thread sent to itself, which is how the kits mark a sync point.
bool PtraceSource::is_sync_point(int tid, int signal) {
  if (signal != SIGURG) return false;
  const auto info = trace::signal_info(tid);
  return info && info->si_code == SI_TKILL && info->si_pid == tree_.owner(tid)->inner;
}

void PtraceSource::signal_stop(int tid, int signal) {
  if (is_sync_point(tid, signal)) {
    on_sync_();
    trace::go_on(tid);
    return;
  }
  // A child's end is told by the child itself; its parent's SIGCHLD would only fill the record.
  if (signal != SIGCHLD) {
    const auto info = trace::signal_info(tid);
    const bool from_process = info && (info->si_code == SI_USER || info->si_code == SI_TKILL || info->si_code == SI_QUEUE);
    tree_.record(harness::Signalled{tree_.owner(tid)->inner, signal, from_process ? info->si_pid : 0});
  }
  trace::go_on(tid, signal);
}

void PtraceSource::child_event(int tid, int event) {
  const auto message = trace::message(tid);
  if (!message) return;
  const int child = static_cast<int>(*message);
  const int parent = tree_.owner(tid)->pid;
  const auto status = sys::task_status(child);
  if (status && status->tgid == parent) {
    tree_.thread_born(parent, child, status->inner_pid);
  } else {
    const char* how = event == PTRACE_EVENT_VFORK ? "vfork" : event == PTRACE_EVENT_FORK ? "fork" : "clone";
    tree_.born(child, status ? status->inner_pid : child, parent, how);
  }
  if (const auto news = early_.extract(child)) handle(child, news.mapped());
}

/// The leader's exit stop stands for its process's: nothing of it is closed yet. (A leader that ends
/// before its other threads is recorded early, which only widens [dying, dead].)
void PtraceSource::exit_event(int tid) {
  const int pid = tree_.owner(tid)->pid;
  if (sys::monotonic_now() - delay_.last_sample() > kSpanWorthAnAccount) delay_.note_end({pid, tid});
  const auto status = trace::message(tid);
  if (tid == pid && status) tree_.dying(pid, sys::exit_status_from_wait(static_cast<int>(*status)));
}

}  // namespace

std::unique_ptr<Source> ptrace_source(Tree& tree, DelayMeter& delay, OnSync on_sync) {
  return std::make_unique<PtraceSource>(tree, delay, std::move(on_sync));
}

}  // namespace poolproof::warden
