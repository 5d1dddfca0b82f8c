#include "harness/warden/rest.h"

#include <algorithm>
#include <optional>

#include "harness/sys/proc.h"
#include "harness/warden/holders.h"
#include "harness/warden/wait_call.h"

namespace poolproof::warden {
namespace {

/// Signals that could be delivered now: the thread is about to wake, whatever it waits for.
bool signal_waits(const sys::TaskStatus& status) {
  return ((status.pending | status.shared_pending) & ~status.blocked) != 0;
}

std::string waker_doubt(const Sleeper& process) {
  if (process.has_unseen_wakers) return "the process has armed a timer or asynchronous I/O";
  if (sys::has_posix_timers(process.pid).value_or(false)) return "the process has a POSIX timer";
  if (!process.wakers_known) return "an alarm would not be seen here";
  return {};
}

/// Only SIGCONT moves a stopped thread, whatever else is pending.
std::optional<WaitCall> stopped_wait(const sys::TaskStatus& status) {
  if (status.state != 't' && status.state != 'T') return std::nullopt;
  return WaitCall{"stopped", "SIGCONT", false, "", {{"SIGCONT", ""}}};
}

std::optional<WaitCall> thread_wait(const Sleeper& process, const Sleeper::Thread& thread,
                                    const sys::TaskStatus& status, const Outside& outside) {
  if (thread.stopped) return stopped_wait(status);
  if (thread.exiting || status.state != 'S' || signal_waits(status)) return std::nullopt;
  return describe_wait(process.pid, thread.tid, outside);
}

/// False when the thread runs, is about to, or waits with a timeout.
bool add_wait(Look& look, const std::vector<Sleeper>& tree, const Sleeper& process,
              const Sleeper::Thread& thread, const std::string& doubt, const Outside& outside) {
  const auto status = sys::task_status(thread.tid);
  if (!status) return false;
  const bool dead_leader = thread.exiting && thread.tid == process.pid && status->state == 'Z';
  if (dead_leader) return process.threads.size() > 1;
  auto call = thread_wait(process, thread, *status, outside);
  if (!call || call->timed) return false;
  harness::Wait wait;
  wait.pid = process.inner;
  wait.tid = thread.inner;
  wait.call = std::move(call->name);
  wait.on = std::move(call->on);
  wait.doubt = call->doubt.empty() ? doubt : std::move(call->doubt);
  wait.goals = std::move(call->goals);
  if (call->futex && wait.goals.size() == 1)
    wait.goals.front().owner = lock_owner(process.pid, *call->futex, tree);
  look.waits.push_back(std::move(wait));
  look.switches.push_back(static_cast<std::uint64_t>(thread.tid));
  look.switches.push_back(status->context_switches);
  return true;
}

}  // namespace

bool Look::proved() const {
  return blocked &&
         std::all_of(waits.begin(), waits.end(), [](const auto& w) { return w.doubt.empty(); });
}

void Look::doubt_all(const std::string& why) {
  for (auto& wait : waits) {
    if (wait.doubt.empty()) wait.doubt = why;
  }
}

Look look(const std::vector<Sleeper>& tree, const Outside& outside) {
  Look look;
  for (const auto& process : tree) {
    const std::string doubt = waker_doubt(process);
    for (const auto& thread : process.threads) {
      if (!add_wait(look, tree, process, thread, doubt, outside)) return look;
    }
  }
  look.blocked = !look.waits.empty();
  return look;
}

}  // namespace poolproof::warden
