#include "harness/warden/effects.h"

#include <signal.h>
#include <sys/resource.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "harness/sys/proc.h"

namespace poolproof::warden {
namespace {

using Action = harness::Fault::Action;

void set_soft_limit(int pid, __rlimit_resource which, std::uint64_t value) {
  rlimit limit{};
  if (::prlimit(pid, which, nullptr, &limit) != 0) return;
  limit.rlim_cur = std::min<rlim_t>(value, limit.rlim_max);
  ::prlimit(pid, which, &limit, nullptr);
}

/// No descriptor above those that are open. A gap below them can still be filled, as in life.
void allow_no_more_files(int pid) {
  const auto open = sys::descriptors_of(pid);
  const int highest = open.empty() ? -1 : *std::max_element(open.begin(), open.end());
  set_soft_limit(pid, RLIMIT_NOFILE, static_cast<std::uint64_t>(highest + 1));
}

/// What malloc still has it can hand out; nothing more comes from the kernel.
void allow_no_more_memory(int pid) {
  if (const auto bytes = sys::private_memory(pid)) set_soft_limit(pid, RLIMIT_DATA, *bytes);
}

}  // namespace

bool Effects::can(const harness::Fault& fault) const {
  return fault.action != Action::kReusePids || means_.set_next_pid(0);
}

void Effects::strike(const harness::Fault& fault, const std::vector<const Process*>& targets,
                     int stood, harness::Nanoseconds now) {
  since_ = now;
  until_ = now + fault.pause;
  pausing_ = fault.action == Action::kDelay || fault.action == Action::kStop;
  switch (fault.action) {
    case Action::kDelay:
      held_ = stood;
      return;
    case Action::kLimitProcesses:  // root has no RLIMIT_NPROC, so the calls are made to fail
      births_fail_ = true;
      return;
    case Action::kCloseStdout:
      return means_.close_stdout();
    case Action::kReusePids:
      births_reuse_pids_ = true;
      return;
    default:
      break;
  }
  for (const Process* target : targets) {
    if (fault.action == Action::kLimitFiles) allow_no_more_files(target->pid);
    if (fault.action == Action::kLimitMemory) allow_no_more_memory(target->pid);
    if (fault.action == Action::kStop) stopped_.push_back(target->pid);
    const bool signals = fault.action == Action::kSignal || fault.action == Action::kStop;
    if (signals) ::kill(target->pid, fault.number);
  }
}

/// Where a filter traces the call its result can be set at once: the kernel takes what the
/// registers say when the number is none. At an entry it would overwrite them.
void Effects::fail(int tid, const trace::CallStop& stop, int error) {
  if (!trace::skip_call(tid)) return;
  if (stop.at == trace::CallStop::At::kFilter) {
    trace::set_result(tid, -error);
  } else {
    failing_[tid] = error;
  }
}

void Effects::at_exit(int tid) {
  if (const auto failing = failing_.extract(tid)) trace::set_result(tid, -failing.mapped());
}

void Effects::note_exiting(int tid) {
  failing_.erase(tid);
  if (held_ == tid) held_ = 0;
}

void Effects::note_gone(int pid) {
  std::erase(stopped_, pid);
}

bool Effects::keeps_waiting(harness::Nanoseconds now) {
  const bool kept = !stopped_.empty() || held_ != 0;
  if (kept && now < until_) return true;
  if (std::exchange(pausing_, false)) pause_ = now - since_;
  for (const int pid : std::exchange(stopped_, {})) ::kill(pid, SIGCONT);
  if (held_ != 0) trace::go_on(std::exchange(held_, 0));
  return false;
}

harness::Nanoseconds Effects::take_pause() {
  return std::exchange(pause_, harness::Nanoseconds{0});
}

}  // namespace poolproof::warden
