#include "harness/warden/tree.h"

#include <algorithm>
#include <filesystem>
#include <utility>

#include "harness/sys/clock.h"
#include "harness/sys/proc.h"

namespace poolproof::warden {

using harness::Pid;

harness::Nanoseconds Tree::now() const {
  return sys::monotonic_now() - start_;
}

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
  const auto maker = live_.find(parent);
  std::string path = pid == main_ ? "main"
                     : maker == live_.end()
                         ? ""  // its maker was gone before it told
                         : maker->second.path + "." + std::to_string(++maker->second.children);
  live_[pid] = Process{pid, inner, {{pid, {inner}}}};
  live_[pid].path = std::move(path);
  owner_[pid] = pid;
  record(harness::Born{inner, pid, pid == main_ ? 0 : inner_of(parent), std::move(how)});
  alive(pid);
}

void Tree::thread_born(int pid, int tid, Pid inner) {
  const auto process = live_.find(pid);
  if (process == live_.end()) return;
  ++births_;
  process->second.threads[tid] = {inner};
  process->second.had_threads = true;
  owner_[tid] = pid;
  record(harness::ThreadBorn{process->second.inner, inner});
}

void Tree::execed(int pid) {
  const auto found = live_.find(pid);
  if (found == live_.end()) return;
  Process& process = found->second;
  // exec ends every other thread, and the one that called it takes the leader's number: nobody
  // tells of the end of its own. Timers of alarm and setitimer go on, so what is known of them
  // stays.
  for (const auto& [tid, thread] : process.threads) {
    owner_.erase(tid);
    if (tid != pid) record(harness::ThreadDead{process.inner, thread.inner});
  }
  process.threads = {{pid, {process.inner}}};
  process.had_threads = false;
  main_execed_ |= pid == main_;
  owner_[pid] = pid;
  std::error_code error;
  const auto program =
      std::filesystem::read_symlink("/proc/" + std::to_string(pid) + "/exe", error);
  record(harness::Execed{process.inner, program.string()});
}

bool Tree::can_run(int pid) const {
  const auto found = live_.find(pid);
  if (found == live_.end()) return false;
  const auto& threads = found->second.threads;
  return std::any_of(threads.begin(), threads.end(),
                     [](const auto& t) { return !t.second.exiting; });
}

void Tree::dying(Process& process, const sys::ExitStatus& status) {
  if (std::exchange(process.dying, true)) return;
  record(harness::Dying{process.inner, status});
}

void Tree::died_unseen(Process& process, const sys::ExitStatus& status) {
  if (std::exchange(process.dying, true) || !recording_) return;
  const auto place = events_.begin() + static_cast<std::ptrdiff_t>(process.alive_before);
  events_.insert(place, {process.alive_at, harness::Dying{process.inner, status}});
  // What the others were seen alive after has moved on by one.
  for (auto& [pid, other] : live_) {
    if (other.alive_before >= process.alive_before) ++other.alive_before;
  }
}

void Tree::alive(int tid) {
  Process& process = *owner(tid);
  process.threads.at(tid).stopped = false;
  process.alive_before = events_.size();
  process.alive_at = now();
}

void Tree::stop_signal(int tid, Pid sender) {
  owner(tid)->stopped_from_outside =
      std::none_of(inner_.begin(), inner_.end(),
                   [sender](const auto& known) { return sender != 0 && known.second == sender; });
}

void Tree::spoke(Pid inner) {
  for (auto& [pid, process] : live_) {
    if (process.inner != inner) continue;
    process.alive_before = events_.size();
    process.alive_at = std::max(process.alive_at, events_.back().at);
  }
}

void Tree::exiting(int tid, const sys::ExitStatus& status) {
  Process* process = owner(tid);
  if (process == nullptr) return;
  process->threads.at(tid).exiting = true;
  if (!can_run(process->pid)) dying(*process, status);
}

void Tree::ended(int tid, const sys::ExitStatus& status) {
  const auto owner = owner_.find(tid);
  if (owner == owner_.end()) return;
  const int pid = owner->second;
  owner_.erase(owner);
  Process& process = live_.at(pid);
  // Without an exit stop nobody could ask what it was doing.
  if (process.had_threads && !process.threads.at(tid).exiting) note_cut_short(process.inner);
  if (tid != pid) {
    record(harness::ThreadDead{process.inner, process.threads[tid].inner});
    process.threads.erase(tid);
    // A thread that is killed on its way out makes no exit stop.
    if (!can_run(pid)) died_unseen(process, status);
    return;
  }
  if (std::holds_alternative<sys::Killed>(status)) note_cut_short(process.inner);
  died_unseen(process, status);
  record(harness::Dead{process.inner, status});
  if (pid == main_) main_dead_at_ = now();
  for (const auto& [thread, unused] : process.threads) owner_.erase(thread);
  unreaped_[pid] = process.inner;
  ended_.emplace_back(pid, process.inner);
  ++deaths_;
  live_.erase(pid);
}

std::optional<Pid> Tree::free_pid() const {
  std::set<Pid> in_use;
  for (const auto& [pid, process] : live_) {
    for (const auto& [tid, thread] : process.threads) in_use.insert(thread.inner);
  }
  for (auto at = ended_.rbegin(); at != ended_.rend(); ++at) {
    const auto [pid, inner] = *at;
    const auto status = sys::task_status(pid);
    const bool is_there = status && status->inner_pid == inner;  // a zombie
    if (!is_there && !in_use.contains(inner)) return inner;
  }
  return std::nullopt;
}

Process* Tree::owner(int tid) {
  const auto owner = owner_.find(tid);
  return owner == owner_.end() ? nullptr : &live_.at(owner->second);
}

std::vector<ThreadId> Tree::thread_ids() const {
  std::vector<ThreadId> all;
  for (const auto& [pid, process] : live_) {
    for (const auto& [tid, thread] : process.threads) all.push_back({pid, tid});
  }
  return all;
}

std::vector<Sleeper> Tree::sleepers(bool wakers_known) const {
  std::vector<Sleeper> all;
  for (const auto& [pid, process] : live_) {
    Sleeper sleeper{pid,
                    process.inner,
                    {},
                    wakers_known,
                    process.has_unseen_wakers,
                    process.stopped_from_outside};
    for (const auto& [tid, thread] : process.threads) {
      sleeper.threads.push_back({tid, thread.inner, thread.exiting, thread.stopped});
    }
    all.push_back(std::move(sleeper));
  }
  return all;
}

harness::Snapshot Tree::snapshot(int step) {
  harness::Snapshot snapshot;
  snapshot.step = step;
  for (const auto& [pid, process] : live_) {
    const auto state = sys::process_state(pid);
    if (!state) continue;
    snapshot.processes.push_back({process.inner, state->state, inner_of(state->parent)});
  }
  std::erase_if(unreaped_, [&](const auto& dead) {
    const auto status = sys::task_status(dead.first);
    // Once it was waited for, the number may be somebody else's.
    if (!status || status->state != 'Z' || status->inner_pid != dead.second) return true;
    snapshot.processes.push_back({dead.second, 'Z', inner_of(status->parent)});
    return false;
  });
  if (const auto main = live_.find(main_); main != live_.end()) {
    const auto& threads = main->second.threads;
    snapshot.main_descriptors = sys::descriptor_count(main_).value_or(-1);
    // An exiting thread may have been joined already.
    snapshot.main_threads = static_cast<int>(std::count_if(
        threads.begin(), threads.end(), [](const auto& t) { return !t.second.exiting; }));
  }
  return snapshot;
}

std::optional<harness::MainState> Tree::main_state(std::string at,
                                                   const sys::FileId& claims) const {
  auto settings = sys::process_settings(main_);
  if (!settings) return std::nullopt;
  harness::MainState state{.at = std::move(at),
                           .descriptors = {},
                           .blocked = std::move(settings->blocked),
                           .ignored = std::move(settings->ignored),
                           .caught = std::move(settings->caught),
                           .umask = std::move(settings->umask),
                           .folder = std::move(settings->folder),
                           .root = std::move(settings->root),
                           .limits = std::move(settings->limits),
                           .nice = std::move(settings->nice),
                           .oom_score_adj = std::move(settings->oom_score_adj),
                           .group = std::move(settings->group),
                           .session = std::move(settings->session),
                           .processors = std::move(settings->processors)};
  for (const int fd : sys::descriptors_of(main_)) {
    auto target = sys::descriptor_target(main_, fd);
    // A task may write its claim from a thread of main's.
    if (target && sys::file_id(main_, fd) != claims) state.descriptors.push_back({fd, *target});
  }
  return state;
}

}  // namespace poolproof::warden
