#include <signal.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "harness/sys/clock.h"
#include "harness/sys/fd.h"
#include "harness/sys/proc.h"
#include "harness/warden/ptrace.h"
#include "harness/warden/source.h"
#include "harness/warden/subject.h"

namespace poolproof::warden {
namespace {

using namespace std::chrono_literals;

/// Shorter spans than this need no account of a thread that ends within: the next sample's error is
/// far below any bound that a rule uses.
constexpr auto kSpanWorthAnAccount = 10ms;
constexpr int kMostAtOnce = 64;
/// How long the event of a birth may stay behind the child's own first stop.
constexpr auto kPatienceForBirth = 20ms;

class PtraceSource final : public Source {
 public:
  PtraceSource(Tree& tree, DelayMeter& delay, Injector& injector, SmallPipes small_pipes,
               ReadClaims read_claims, AtSyncPoint at_sync_point)
      : tree_(tree),
        delay_(delay),
        injector_(injector),
        small_pipes_(std::move(small_pipes)),
        read_claims_(std::move(read_claims)),
        at_sync_point_(std::move(at_sync_point)) {}

  sys::Result<void> follow(int main_pid) override;
  bool pump() override;
  bool has_more() const override { return has_more_; }
  bool exact() const override { return true; }
  bool settled() const override { return early_.empty(); }
  void let_go() override;
  void detach() override;

 private:
  struct Early {
    int news = 0;          // the last wait status
    sys::TaskStatus task;  // as it was when we first heard of it
    harness::Nanoseconds since{0};
  };

  void handle(int tid, int status);
  void stopped(int tid, int status);
  void ended(int tid, int status);
  void resume(int tid, int signal = 0);
  void signal_stop(int tid, int signal);
  void call_stop(int tid);
  void child_event(int tid, int event);
  void exit_event(int tid);
  bool is_sync_point(int tid, int signal);
  void unannounced(int tid, int status);
  void adopt_unannounced();
  void adopt_children(int parent);
  std::optional<sys::TaskStatus> look_at_child(int child) const;
  void born(int child, const sys::TaskStatus& task, int parent, const char* how);

  Tree& tree_;
  DelayMeter& delay_;
  Injector& injector_;
  SmallPipes small_pipes_;
  ReadClaims read_claims_;
  AtSyncPoint at_sync_point_;
  const int self_ = ::getpid();
  bool has_more_ = false;
  bool letting_go_ = false;
  /// Threads that were heard of before the event of their birth: with two stops pending, wait may
  /// report the child's first. Their own news waits here, so that a birth is always recorded first.
  std::map<int, Early> early_;
};

sys::Result<void> PtraceSource::follow(int main_pid) {
  if (auto seized = trace::seize(main_pid); !seized) return seized;
  const auto task = sys::task_status(main_pid);
  if (!task) return sys::Error("main died before it began");
  born(main_pid, *task, 0, "main");
  return {};
}

bool PtraceSource::pump() {
  has_more_ = true;
  for (int i = 0; i < kMostAtOnce; ++i) {
    int status = 0;
    const int tid = ::waitpid(-1, &status, WNOHANG | __WALL);
    if (tid <= 0) {
      has_more_ = false;
      if (!early_.empty()) adopt_unannounced();
      return i > 0;
    }
    handle(tid, status);
  }
  return true;
}

void PtraceSource::let_go() {
  letting_go_ = true;
  // Init will kill them too, unless one of them has laid hands on init.
  for (const auto& [pid, process] : tree_.live()) ::kill(pid, SIGKILL);
  for (const auto& [tid, early] : early_) {
    ::kill(tid, SIGKILL);
    trace::go_on(tid);
  }
  early_.clear();
}

/// Only a stopped tracee can be left. A thread in a wait without end goes back to it.
void PtraceSource::detach() {
  constexpr auto kPatience = 2s;
  std::set<int> attached;
  for (const auto& [pid, process] : tree_.live()) {
    for (const auto& [tid, thread] : process.threads) {
      if (trace::interrupt(tid)) attached.insert(tid);
    }
  }
  const auto limit = sys::monotonic_now() + kPatience;
  while (!attached.empty() && sys::monotonic_now() < limit) {
    int status = 0;
    const int tid = ::waitpid(-1, &status, WNOHANG | __WALL);
    if (tid < 0) break;
    if (tid == 0) {
      ::usleep(1000);
      continue;
    }
    const bool delivers = WIFSTOPPED(status) && trace::event_of(status) == 0 &&
                          !trace::is_call_stop(status) && WSTOPSIG(status) != SIGTRAP;
    if (WIFSTOPPED(status)) trace::detach(tid, delivers ? WSTOPSIG(status) : 0);
    attached.erase(tid);
  }
}

void PtraceSource::handle(int tid, int status) {
  if (letting_go_) {
    if (WIFSTOPPED(status)) trace::go_on(tid);
  } else if (tree_.owner(tid) == nullptr) {
    unannounced(tid, status);
  } else if (read_claims_(); WIFSTOPPED(status)) {
    stopped(tid, status);
  } else {
    ended(tid, status);
  }
}

void PtraceSource::ended(int tid, int status) {
  const int pid = tree_.owner(tid)->pid;
  tree_.ended(tid, sys::exit_status_from_wait(status));
  injector_.note_exiting(tid);
  small_pipes_.note_gone(tid);
  if (!tree_.live().contains(pid)) injector_.note_gone(pid);
}

void PtraceSource::unannounced(int tid, int status) {
  auto place = early_.find(tid);
  if (place == early_.end()) {
    const auto task = sys::task_status(tid);
    if (!task) return;  // not one of ours: our own child, the sandbox's init, has died
    place = early_.emplace(tid, Early{0, *task, sys::monotonic_now()}).first;
  }
  place->second.news = status;
}

/// Who made it, or whose thread it is.
int maker_of(int tid, const sys::TaskStatus& task) {
  return task.tgid != tid ? task.tgid : task.parent;
}

/// A maker that is killed while it makes a child never tells of it, and one that execs at that time
/// may not either.
void PtraceSource::adopt_unannounced() {
  const auto now = sys::monotonic_now();
  // A birth may tell of further ones, so the list is walked as it was.
  for (const auto& [tid, early] : std::map(early_)) {
    const int maker = maker_of(tid, early.task);
    const bool may_tell = tree_.can_run(maker) && now - early.since < kPatienceForBirth;
    if (!may_tell) born(tid, early.task, maker, "fork");
  }
}

void PtraceSource::resume(int tid, int signal) {
  if (injector_.holds(tid)) return;  // whoever holds it lets it go on
  const Process* process = tree_.owner(tid);
  const bool to_call =
      small_pipes_.awaits_exit(tid) || (process != nullptr && injector_.follows(*process, tid));
  if (to_call) {
    trace::go_on_to_call(tid, signal);
  } else {
    trace::go_on(tid, signal);
  }
}

void PtraceSource::stopped(int tid, int status) {
  const int signal = WSTOPSIG(status);
  tree_.alive(tid);
  if (trace::is_call_stop(status)) {
    call_stop(tid);
    return resume(tid);
  }
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
      call_stop(tid);
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
  resume(tid);
}

/// At its entry or exit, or where the filter stopped it: because it arms a waker, because a fault
/// waits for it, or because its number is of another architecture.
void PtraceSource::call_stop(int tid) {
  Process& process = *tree_.owner(tid);
  const auto stop = trace::call_stop(tid);
  if (!stop) return;
  const bool by_filter = stop->at == trace::CallStop::At::kFilter;
  if (by_filter && (stop->foreign || arms_a_waker(stop->number))) process.has_unseen_wakers = true;
  small_pipes_.at_call(process.pid, tid, *stop);
  injector_.at_call(process, tid, *stop);
}

/// Ours: SIGURG that a thread sent to itself, which is how the kits mark a sync point.
bool PtraceSource::is_sync_point(int tid, int signal) {
  if (signal != SIGURG) return false;
  const auto info = trace::signal_info(tid);
  return info && info->si_code == SI_TKILL && info->si_pid == tree_.owner(tid)->inner;
}

/// By its inner number; 0: the kernel, or somebody outside.
harness::Pid sender_of_signal(int tid) {
  const auto info = trace::signal_info(tid);
  const bool from_process =
      info && (info->si_code == SI_USER || info->si_code == SI_TKILL || info->si_code == SI_QUEUE);
  return from_process ? info->si_pid : 0;
}

void PtraceSource::signal_stop(int tid, int signal) {
  if (is_sync_point(tid, signal)) {
    at_sync_point_(tid);
    injector_.at_sync_point(*tree_.owner(tid), tid);
    resume(tid);
    return;
  }
  // A child's end is told by the child itself; its parent's SIGCHLD would only fill the record.
  if (signal != SIGCHLD) {
    const auto sender = sender_of_signal(tid);
    const bool stops =
        signal == SIGSTOP || signal == SIGTSTP || signal == SIGTTIN || signal == SIGTTOU;
    if (stops) tree_.stop_signal(tid, sender);
    tree_.record(harness::Signalled{tree_.owner(tid)->inner, signal, sender});
  }
  resume(tid, signal);
}

void PtraceSource::child_event(int tid, int event) {
  const auto message = trace::message(tid);
  const int child = message ? static_cast<int>(*message) : 0;
  const auto task = look_at_child(child);
  if (!task) return;
  const char* how = event == PTRACE_EVENT_VFORK  ? "vfork"
                    : event == PTRACE_EVENT_FORK ? "fork"
                                                 : "clone";
  born(child, *task, tree_.owner(tid)->pid, how);
}

/// nullopt when it is no tracee of ours: if the parent was killed in the very stop that told of the
/// child, it is in its exit stop by now, and what we took for a number is its status. The child,
/// who is somebody else, will be adopted.
std::optional<sys::TaskStatus> PtraceSource::look_at_child(int child) const {
  if (const auto early = early_.find(child); early != early_.end()) return early->second.task;
  auto task = sys::task_status(child);
  if (task && task->tracer != self_) task.reset();
  return task;
}

/// `child` may be a thread. What was heard of it before follows its birth.
void PtraceSource::born(int child, const sys::TaskStatus& task, int parent, const char* how) {
  if (tree_.owner(child) != nullptr) return;
  if (task.tgid != child && tree_.owner(task.tgid) != nullptr) {
    tree_.thread_born(task.tgid, child, task.inner_pid);
  } else {
    tree_.born(child, task.inner_pid, parent, how);
  }
  if (const auto early = early_.extract(child)) handle(child, early.mapped().news);
}

/// Whether the thread, in its exit stop, ended itself or its process; else the exit or exec of
/// another thread, or a signal, came in the middle of whatever it did.
bool ends_by_itself(int pid, int tid) {
  const auto call = sys::blocked_call(pid, tid);
  return call && (call->number == SYS_exit || call->number == SYS_exit_group);
}

void PtraceSource::exit_event(int tid) {
  injector_.note_exiting(tid);
  const auto& process = *tree_.owner(tid);
  const int pid = process.pid;
  if (sys::monotonic_now() - delay_.last_sample() > kSpanWorthAnAccount)
    delay_.note_end({pid, tid});
  // Of a process with one thread its status tells.
  if (process.had_threads && !ends_by_itself(pid, tid)) tree_.note_cut_short(process.inner);
  const auto message = trace::message(tid);
  if (!message) return;
  const auto status = sys::exit_status_from_wait(static_cast<int>(*message));
  if (std::holds_alternative<sys::Killed>(status)) adopt_children(pid);
  tree_.exiting(tid, status);
}

/// Whoever is killed while it makes a child never tells of it. As long as it is not gone the child
/// can be seen to be its own.
void PtraceSource::adopt_children(int parent) {
  for (const int child : sys::children_of(parent)) {
    const auto task = tree_.owner(child) == nullptr ? look_at_child(child) : std::nullopt;
    if (task) born(child, *task, parent, "fork");
  }
}

}  // namespace

std::unique_ptr<Source> ptrace_source(Tree& tree, DelayMeter& delay, Injector& injector,
                                      SmallPipes small_pipes, ReadClaims read_claims,
                                      AtSyncPoint at_sync_point) {
  return std::make_unique<PtraceSource>(tree, delay, injector, std::move(small_pipes),
                                        std::move(read_claims), std::move(at_sync_point));
}

}  // namespace poolproof::warden
