#include "harness/warden/polling.h"

#include <algorithm>
#include <set>
#include <utility>

#include "harness/sys/proc.h"
#include "harness/warden/wait_call.h"

namespace poolproof::warden {
namespace {

using harness::Nanoseconds;

/// More than any look at a flag or a queue takes; who needs more may be at work.
constexpr std::chrono::microseconds kWorkPerWake{500};

}  // namespace

void PollMeter::reset(Nanoseconds now, Nanoseconds delay) {
  accounts_.clear();
  bytes_.reset();
  doubt_.clear();
  since_ = now;
  delay_then_ = delay;
}

/// False where the thread may have got on.
bool PollMeter::look_at_thread(const Sleeper& process, const Sleeper::Thread& thread,
                               const Outside& outside) {
  const auto status = sys::task_status(thread.tid);
  const auto times = sys::schedule_times(process.pid, thread.tid);
  if (!status || !times || thread.stopped) return false;
  const bool dead_leader = thread.exiting && status->state == 'Z';
  if (dead_leader) return true;
  if (thread.exiting || (status->state != 'S' && status->state != 'R')) return false;
  const auto call =
      status->state == 'S' ? describe_wait(process.pid, thread.tid, outside) : std::nullopt;
  auto [found, is_new] = accounts_.try_emplace(thread.tid);
  Account& account = found->second;
  if (is_new) {
    account = {.pid = process.inner,
               .tid = thread.inner,
               .first_switches = status->voluntary_switches,
               .first_ran = times->ran};
  }
  account.switches = status->voluntary_switches;
  if (call && doubt_.empty()) doubt_ = call->doubt;
  if (call && !call->timed) return account.wakes() == 0 && !account.polls;
  account.polls = true;
  if (call) account.call = call->name;
  return times->ran - account.first_ran <= kWorkPerWake * (account.wakes() + 1);
}

bool PollMeter::look_at_bytes(const std::vector<Sleeper>& tree) {
  std::uint64_t bytes = 0;
  for (const auto& process : tree) {
    const auto moved = sys::bytes_moved(process.pid);
    if (!moved) return false;
    bytes += *moved;
  }
  const auto before = std::exchange(bytes_, bytes);
  return !before || *before == bytes;
}

void PollMeter::look_at(const std::vector<Sleeper>& tree, const Outside& outside, Nanoseconds now,
                        Nanoseconds delay) {
  bool in_vain = look_at_bytes(tree);
  for (const auto& process : tree) {
    for (const auto& thread : process.threads)
      in_vain = in_vain && look_at_thread(process, thread, outside);
  }
  if (!in_vain) reset(now, delay);
}

bool PollMeter::in_vain() const {
  bool any = false;
  for (const auto& [tid, account] : accounts_) {
    if (!account.polls) continue;
    if (account.wakes() < kEnough) return false;
    any = true;
  }
  return any;
}

harness::Polling PollMeter::polling() const {
  harness::Polling polling{.since = since_, .pollers = {}, .doubt = doubt_};
  std::set<harness::Pid> pids;
  for (const auto& [tid, account] : accounts_) {
    if (!account.polls) continue;
    polling.pollers.push_back({account.pid, account.tid, account.call, account.wakes()});
    pids.insert(account.pid);
  }
  // Messages on sockets and words in shared memory are not counted.
  if (pids.size() > 1 && polling.doubt.empty())
    polling.doubt = "several processes poll, and may tell each other something unseen";
  return polling;
}

}  // namespace poolproof::warden
