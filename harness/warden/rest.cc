#include "harness/warden/rest.h"

#include <algorithm>

#include "harness/sys/proc.h"
#include "harness/warden/wait_call.h"

namespace poolproof::warden {
namespace {

/// Signals that could be delivered now: the thread is about to wake, whatever it waits for.
bool signal_waits(const sys::TaskStatus& status) {
  return ((status.pending | status.shared_pending) & ~status.blocked) != 0;
}

std::string timer_doubt(const Sleeper& process) {
  if (process.has_timer) return "the process has armed a timer";
  if (sys::has_posix_timers(process.pid).value_or(false)) return "the process has a POSIX timer";
  if (!process.timers_known) return "an alarm would not be seen here";
  return {};
}

/// False when the thread runs, is about to, or waits with a timeout.
bool add_wait(Look& look, const Sleeper& process, std::size_t index, const std::string& doubt,
              const Outside& outside) {
  const int tid = process.threads[index];
  const auto status = sys::task_status(tid);
  if (!status || status->state != 'S' || signal_waits(*status)) return false;
  auto call = describe_wait(process.pid, tid, outside);
  if (!call || call->timed) return false;
  harness::Wait wait;
  wait.pid = process.inner;
  wait.tid = process.inner_threads[index];
  wait.call = std::move(call->name);
  wait.on = std::move(call->on);
  wait.doubt = call->doubt.empty() ? doubt : std::move(call->doubt);
  look.waits.push_back(std::move(wait));
  look.switches.push_back(static_cast<std::uint64_t>(tid));
  look.switches.push_back(status->context_switches);
  return true;
}

}  // namespace

bool Look::proved() const {
  return blocked && std::all_of(waits.begin(), waits.end(), [](const auto& w) { return w.doubt.empty(); });
}

Look look(const std::vector<Sleeper>& tree, const Outside& outside) {
  Look look;
  for (const auto& process : tree) {
    const std::string doubt = timer_doubt(process);
    for (std::size_t i = 0; i < process.threads.size(); ++i) {
      if (!add_wait(look, process, i, doubt, outside)) return look;
    }
  }
  look.blocked = !look.waits.empty();
  return look;
}

}  // namespace poolproof::warden
