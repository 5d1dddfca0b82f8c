#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <map>
#include <optional>
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
/// A tree that is never quiet must not keep its warden from the clock and the output.
constexpr int kMostAtOnce = 64;
/// How long the event of a birth may stay behind the child's own first stop.
constexpr auto kPatienceForBirth = 20ms;

class PtraceSource final : public Source {
 public:
  PtraceSource(Tree& tree, DelayMeter& delay, OnSync on_sync)
      : tree_(tree), delay_(delay), on_sync_(std::move(on_sync)) {}

  sys::Result<void> follow(int main_pid) override;
  bool pump() override;
  bool exact() const override { return true; }
  bool settled() const override { return early_.empty(); }
  void let_go() override;

 private:
  struct Early {
    int status = 0;
    int maker = 0;  // the process that it belongs to or came from, when we first heard of it
    harness::Nanoseconds since{0};
  };

  void handle(int tid, int status);
  void stopped(int tid, int status);
  void signal_stop(int tid, int signal);
  void child_event(int tid, int event);
  void exit_event(int tid);
  bool is_sync_point(int tid, int signal);
  void unannounced(int tid, int status);
  void adopt_unannounced();
  void born(int child, const std::optional<sys::TaskStatus>& status, int parent, const char* how);

  Tree& tree_;
  DelayMeter& delay_;
  OnSync on_sync_;
  bool letting_go_ = false;
  /// Threads that were heard of before the event of their birth: with two stops pending, wait may
  /// report the child's first. Their own news waits here, so that a birth is always recorded first.
  std::map<int, Early> early_;
};

sys::Result<void> PtraceSource::follow(int main_pid) {
  if (auto seized = trace::seize(main_pid); !seized) return seized;
  born(main_pid, sys::task_status(main_pid), 0, "main");
  return {};
}

bool PtraceSource::pump() {
  for (int i = 0; i < kMostAtOnce; ++i) {
    int status = 0;
    const int tid = ::waitpid(-1, &status, WNOHANG | __WALL);
    if (tid <= 0) {
      if (!early_.empty()) adopt_unannounced();
      return i > 0;
    }
    handle(tid, status);
  }
  return true;
}

void PtraceSource::let_go() {
  letting_go_ = true;
  for (const auto& [tid, early] : early_) trace::go_on(tid);
  early_.clear();
}

void PtraceSource::handle(int tid, int status) {
  if (letting_go_) {
    if (WIFSTOPPED(status)) trace::go_on(tid);
  } else if (tree_.owner(tid) == nullptr) {
    unannounced(tid, status);
  } else if (WIFSTOPPED(status)) {
    stopped(tid, status);
  } else {
    tree_.ended(tid, sys::exit_status_from_wait(status));
  }
}

void PtraceSource::unannounced(int tid, int status) {
  const auto [place, is_new] = early_.try_emplace(tid);
  place->second.status = status;
  if (!is_new) return;
  const auto now = sys::task_status(tid);
  if (!now) {
    // Not one of ours: our own child, the sandbox's init, has died.
    early_.erase(place);
    return;
  }
  place->second.maker = now->tgid != tid ? now->tgid : now->parent;
  place->second.since = sys::monotonic_now();
}

/// A maker that is killed while it makes a child never tells of it, and one that execs at that time
/// may not either.
void PtraceSource::adopt_unannounced() {
  const auto waits = [this](const Early& early) {
    return tree_.can_run(early.maker) && sys::monotonic_now() - early.since < kPatienceForBirth;
  };
  // A birth may tell of further ones, so the list is walked as it was.
  for (const auto& [tid, early] : std::map(early_)) {
    if (!waits(early)) born(tid, sys::task_status(tid), early.maker, "fork");
  }
}

void PtraceSource::stopped(int tid, int status) {
  const int signal = WSTOPSIG(status);
  tree_.alive(tid);
  switch (const int event = trace::event_of(status); event) {
    case 0:
      signal_stop(tid, signal);
      return;
    case PTRACE_EVENT_FORK:
    case PTRACE_EVENT_VFORK:
    case PTRACE_EVENT_CLONE:
      child_event(tid, event);
      break;
    case PTRACE_EVENT_EXEC:
      tree_.execed(tid);
      break;
    case PTRACE_EVENT_EXIT:
      exit_event(tid);
      break;
    case PTRACE_EVENT_SECCOMP:
      tree_.owner(tid)->has_unseen_wakers = true;
      break;
    case PTRACE_EVENT_STOP:
      // A trap is the first stop of a new thread, or the end of a group stop; anything else is a
      // group stop, which must last.
      if (signal != SIGTRAP) {
        tree_.thread(tid).stopped = trace::keep_stopped(tid);
        return;
      }
      break;
    default:
      break;
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
    const bool from_process = info && (info->si_code == SI_USER || info->si_code == SI_TKILL ||
                                       info->si_code == SI_QUEUE);
    tree_.record(
        harness::Signalled{tree_.owner(tid)->inner, signal, from_process ? info->si_pid : 0});
  }
  trace::go_on(tid, signal);
}

void PtraceSource::child_event(int tid, int event) {
  const auto message = trace::message(tid);
  const auto status = message ? sys::task_status(static_cast<int>(*message)) : std::nullopt;
  // Killed in this very stop, the parent is in its exit stop by now, and the number is its status.
  // The child, which is somebody else, will be adopted.
  if (!status || status->tracer != ::getpid()) return;
  const char* how = event == PTRACE_EVENT_VFORK  ? "vfork"
                    : event == PTRACE_EVENT_FORK ? "fork"
                                                 : "clone";
  born(static_cast<int>(*message), status, tree_.owner(tid)->pid, how);
}

/// `child` may be a thread of `parent`. What was heard of it before follows its birth.
void PtraceSource::born(int child, const std::optional<sys::TaskStatus>& status, int parent,
                        const char* how) {
  if (tree_.owner(child) != nullptr) return;
  if (!status) {
    // A tracee stays until we have waited for it, so this is a failure of ours to look.
    tree_.record(harness::Lost{"a process was born that could not be looked at"});
  } else if (status->tgid != child && tree_.owner(status->tgid) != nullptr) {
    tree_.thread_born(status->tgid, child, status->inner_pid);
  } else {
    tree_.born(child, status->inner_pid, parent, how);
  }
  if (const auto news = early_.extract(child)) handle(child, news.mapped().status);
}

/// Whether the thread, in its exit stop, ended itself or its process; else the exit or exec of
/// another thread, or a signal, came in the middle of whatever it did.
bool ends_by_itself(int pid, int tid) {
  const auto call = sys::blocked_call(pid, tid);
  return call && (call->number == SYS_exit || call->number == SYS_exit_group);
}

void PtraceSource::exit_event(int tid) {
  const auto& process = *tree_.owner(tid);
  const int pid = process.pid;
  if (sys::monotonic_now() - delay_.last_sample() > kSpanWorthAnAccount)
    delay_.note_end({pid, tid});
  // Of a process with one thread its status tells.
  if (process.had_threads && !ends_by_itself(pid, tid)) tree_.note_cut_short(process.inner);
  const auto status = trace::message(tid);
  if (status) tree_.exiting(tid, sys::exit_status_from_wait(static_cast<int>(*status)));
}

}  // namespace

std::unique_ptr<Source> ptrace_source(Tree& tree, DelayMeter& delay, OnSync on_sync) {
  return std::make_unique<PtraceSource>(tree, delay, std::move(on_sync));
}

}  // namespace poolproof::warden
