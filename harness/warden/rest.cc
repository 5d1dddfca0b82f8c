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

/// Only SIGCONT moves a stopped thread, whatever else is pending. Whoever stopped it from outside
/// (a person, a batch scheduler) will send it.
std::optional<WaitCall> stopped_wait(const Sleeper& process, const sys::TaskStatus& status) {
  if (status.state != 't' && status.state != 'T') return std::nullopt;
  if (process.stopped_from_outside)
    return WaitCall{
        "stopped", "SIGCONT", false, "stopped by nobody of the tree", {{"SIGCONT", ""}}};
  return WaitCall{"stopped", "SIGCONT", false, "", {{"SIGCONT", ""}}};
}

std::optional<WaitCall> thread_wait(const Sleeper& process, const Sleeper::Thread& thread,
                                    const sys::TaskStatus& status, const Outside& outside) {
  if (thread.stopped) return stopped_wait(process, status);
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
  wait.doubt = call->doubt.empty() ? doubt : call->doubt;
  wait.goals = std::move(call->goals);
  if (call->futex && wait.goals.size() == 1)
    wait.goals.front().owner = lock_owner(process.pid, *call->futex, tree);
  look.waits.push_back(std::move(wait));
  look.switches.push_back(static_cast<std::uint64_t>(thread.tid));
  look.switches.push_back(status->context_switches);
  return true;
}

/// Where no end is left at all the kernel would have ended the wait; so somebody has one.
bool somebody_holds_other_end(const harness::Goal& goal,
                              const std::vector<harness::Resource>& resources) {
  const auto named = [&](const std::string& name) {
    return std::find_if(resources.begin(), resources.end(),
                        [&](const auto& resource) { return resource.name == name; });
  };
  const auto resource = named(goal.of);
  if (resource == resources.end() || (goal.wants != "byte" && goal.wants != "room")) return true;
  if (goal.of.rfind("socket:", 0) == 0) {
    return resource->peer.empty() || !named(resource->peer)->holders.empty();
  }
  const char access = goal.wants == "byte" ? 'w' : 'r';
  return std::any_of(resource->holders.begin(), resource->holders.end(), [&](const auto& holder) {
    return holder.access.find(access) != std::string::npos;
  });
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

std::string doubt_about_ends(const std::vector<harness::Wait>& waits,
                             const std::vector<harness::Resource>& resources,
                             const std::vector<Sleeper>& tree, const Outside& outside) {
  for (const auto& wait : waits) {
    for (const auto& goal : wait.goals) {
      if (!somebody_holds_other_end(goal, resources))
        return "the other end of " + goal.of + " is held by nobody of the tree";
    }
  }
  for (const auto& process : tree) {
    for (const int fd : sys::descriptors_of(process.pid)) {
      const auto target = sys::descriptor_target(process.pid, fd);
      const bool is_socket = target && target->rfind("socket:", 0) == 0;
      if (is_socket && leads_outside(process.pid, fd, outside))
        return "descriptors may have been handed over by a socket that others may know";
    }
  }
  return {};
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
