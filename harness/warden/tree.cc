#include "harness/warden/tree.h"

#include <array>
#include <filesystem>

#include "harness/sys/clock.h"
#include "harness/sys/proc.h"

namespace poolproof::warden {

using harness::Pid;

harness::Nanoseconds Tree::now() const { return sys::monotonic_now() - start_; }

void Tree::record(harness::Event::Kind kind) {
  if (recording_) events_.push_back({now(), std::move(kind)});
}

Pid Tree::inner_of(int pid) const {
  if (pid == init_) return 1;
  const auto found = inner_.find(pid);
  return found == inner_.end() ? 0 : found->second;
}

void Tree::born(int pid, Pid inner, int parent, std::string how) {
  if (main_ == 0) main_ = pid;
  ++births_;
  unreaped_.erase(pid);  // the number is in use again
  inner_[pid] = inner;
  live_[pid] = Process{pid, inner, {{pid, inner}}};
  owner_[pid] = pid;
  record(harness::Born{inner, pid, pid == main_ ? 0 : inner_of(parent), std::move(how)});
}

void Tree::thread_born(int pid, int tid, Pid inner) {
  const auto process = live_.find(pid);
  if (process == live_.end()) return;
  ++births_;
  process->second.threads[tid] = inner;
  owner_[tid] = pid;
  record(harness::ThreadBorn{process->second.inner, inner});
}

void Tree::execed(int pid) {
  const auto found = live_.find(pid);
  if (found == live_.end()) return;
  Process& process = found->second;
  // exec ends every other thread, and the one that called it takes the leader's number.
  for (const auto& [tid, inner] : process.threads) owner_.erase(tid);
  process.threads = {{pid, process.inner}};
  process.has_timer = false;
  owner_[pid] = pid;
  std::error_code error;
  const auto program = std::filesystem::read_symlink("/proc/" + std::to_string(pid) + "/exe", error);
  record(harness::Execed{process.inner, program.string()});
}

void Tree::dying(int pid, const sys::ExitStatus& status) {
  record(harness::Dying{inner_of(pid), status});
}

void Tree::ended(int tid, const sys::ExitStatus& status) {
  const auto owner = owner_.find(tid);
  if (owner == owner_.end()) return;
  const int pid = owner->second;
  owner_.erase(owner);
  Process& process = live_.at(pid);
  if (tid != pid) {
    record(harness::ThreadDead{process.inner, process.threads[tid]});
    process.threads.erase(tid);
    return;
  }
  if (std::holds_alternative<sys::Killed>(status)) killed_.insert(process.inner);
  record(harness::Dead{process.inner, status});
  if (pid == main_) main_dead_at_ = now();
  for (const auto& [thread, inner] : process.threads) owner_.erase(thread);
  unreaped_[pid] = process.inner;
  live_.erase(pid);
}

Process* Tree::owner(int tid) {
  const auto owner = owner_.find(tid);
  return owner == owner_.end() ? nullptr : &live_.at(owner->second);
}

std::vector<ThreadId> Tree::thread_ids() const {
  std::vector<ThreadId> all;
  for (const auto& [pid, process] : live_) {
    for (const auto& [tid, inner] : process.threads) all.push_back({pid, tid});
  }
  return all;
}

std::vector<Sleeper> Tree::sleepers(bool timers_known) const {
  std::vector<Sleeper> all;
  for (const auto& [pid, process] : live_) {
    Sleeper sleeper{pid, process.inner, {}, {}, timers_known, process.has_timer};
    for (const auto& [tid, inner] : process.threads) {
      sleeper.threads.push_back(tid);
      sleeper.inner_threads.push_back(inner);
    }
    all.push_back(std::move(sleeper));
  }
  return all;
}

harness::Snapshot Tree::snapshot(int step) const {
  harness::Snapshot snapshot;
  snapshot.step = step;
  const auto add = [&](int pid, Pid inner, bool only_zombie) {
    const auto state = sys::process_state(pid);
    if (!state || (only_zombie && state->state != 'Z')) return;
    snapshot.processes.push_back({inner, state->state, inner_of(state->parent)});
  };
  for (const auto& [pid, process] : live_) add(pid, process.inner, false);
  for (const auto& [pid, inner] : unreaped_) add(pid, inner, true);
  if (const auto main = live_.find(main_); main != live_.end()) {
    snapshot.main_descriptors = sys::descriptor_count(main_).value_or(-1);
    snapshot.main_threads = static_cast<int>(main->second.threads.size());
  }
  return snapshot;
}

}  // namespace poolproof::warden
