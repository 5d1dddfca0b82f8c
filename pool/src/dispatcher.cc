#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <new>
#include <system_error>

#include "completions.hpp"
#include "core.hpp"
#include "signals.hpp"
#include "threads.hpp"

// The pool's thread in main: moves frames, hears of deaths, has workers
// replaced, ends the crew. It never runs a user's code.
namespace poolproof::detail {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

}  // namespace

/// What one poll(2) waits for. Slots follow the first ones.
struct Core::Watched {
  enum : std::size_t { wake, control, supervisor, first_slot };
  std::vector<pollfd> fds;
  std::vector<std::size_t> slots;
  int timeout = -1;
};

/// What the thread works with, made before it starts: all that it needs of memory to end the pool.
struct Core::Rounds {
  explicit Rounds(Core& its_core) : core(its_core), done(its_core.undelivered_) {
    watched.fds.reserve(Watched::first_slot + core.crew_.room());
    watched.slots.reserve(core.crew_.room());
    if (!done.make_room()) throw std::bad_alloc();
  }
  Core& core;
  Watched watched;
  Completions done;
};

void Core::start_dispatcher() {
  // A signal for main must find a thread of main's.
  const SignalsBlocked blocked;
  keeps_files_.emplace();
  auto rounds = std::make_unique<Rounds>(*this);
  const int error =
      ForkRegistry::instance().start_thread(thread_, &Core::dispatcher_entry, rounds.get());
  if (error != 0) {
    throw std::system_error(error, std::system_category(),
                            "poolproof: start the dispatcher thread");
  }
  static_cast<void>(rounds.release());
  thread_joined_ = false;
}

void* Core::dispatcher_entry(void* given) {
  const std::unique_ptr<Rounds> rounds(static_cast<Rounds*>(given));
  const auto tid = static_cast<pid_t>(::syscall(SYS_gettid));
  rounds->core.thread_id_ = tid;
  ForkRegistry::instance().thread_started(tid);
  rounds->core.run_dispatcher(*rounds);
  return nullptr;
}

void Core::join_dispatcher() {
  const std::lock_guard lock(thread_mutex_);
  if (thread_joined_) return;
  ::pthread_join(thread_, nullptr);
  await_thread_gone(thread_id_);
  ForkRegistry::instance().remove_thread(thread_id_);
  thread_joined_ = true;
}

void Core::wake_dispatcher() {
  const std::lock_guard lock(mutex_);
  ring_dispatcher();
}

void Core::ring_dispatcher() {
  const std::uint64_t one = 1;
  if (wake_.valid()) {
    static_cast<void>(!::write(wake_.get(), &one, sizeof one));
  }
}

void Core::run_dispatcher(Rounds& rounds) {
  bool going_on = true;
  while (going_on) {
    bool lacks_memory = false;
    try {
      going_on = go_round(rounds.watched, rounds.done);
    } catch (const std::bad_alloc&) {
      lacks_memory = true;
    }
    const bool comes_forward = rounds.done.deliver();
    if (!lacks_memory) continue;
    if (!comes_forward) ::poll(nullptr, 0, 10);  // main may have some again soon
    wake_dispatcher();                           // what it was woken for is still to be done
  }
  keeps_files_.reset();
  // A caller that has read an answer may not have come to deliver it. It runs no user's code.
  while (undelivered_.load(std::memory_order_acquire) != 0) ::poll(nullptr, 0, 1);
  ended_.set();
}

/// False once it was the last.
bool Core::go_round(Watched& watched, Completions& done) {
  wait_for_something(watched);
  std::unique_lock lock(mutex_);
  if (to_be_dropped_) {  // before its worker's death is all that is known of a task
    fail_all(outcome::Dropped{}, done);
    to_be_dropped_ = false;
  }
  serve(watched, done);
  if (broken_ && !stopping_ && !crew_.supervisor_lost()) {
    break_down(std::string(*broken_), done);  // there was no memory for all of it
  }
  if (!stopping_ && !crew_.supervisor_lost()) stop_when_drained();
  attend_for_a_while(lock, done);
  if (!stopping_ && !crew_.supervisor_lost()) stop_when_drained();
  kill_when_overdue();
  if (!crew_.supervisor_lost()) return true;
  if (!stopping_) break_down(crew_.supervisor_fate(), done);
  crew_.bury();
  wake_.reset();
  stopping_ = terminating_ = true;
  return false;
}

void Core::wait_for_something(Watched& watched) {
  {
    const std::lock_guard lock(mutex_);
    collect_watched(watched);
  }
  if (::poll(watched.fds.data(), watched.fds.size(), watched.timeout) >= 0) return;
  // Without memory, or with RLIMIT_NOFILE lowered below what is open, poll does not work. Nothing
  // blocks, so try everything, a hundred times a second.
  for (pollfd& fd : watched.fds) fd.revents = fd.events;
  ::poll(nullptr, 0, 10);
}

void Core::collect_watched(Watched& watched) {
  watched.fds.clear();
  watched.slots.clear();
  watched.fds.push_back({wake_.get(), POLLIN, 0});
  watched.fds.push_back({crew_.control(), POLLIN, 0});
  watched.fds.push_back({crew_.supervisor(), POLLIN, 0});
  const std::vector<Slot>& slots = crew_.slots();
  for (std::size_t i = 0; i < slots.size(); ++i) {
    // Not one that has ended: it would report so for ever. Its worker's death
    // comes by the supervisor.
    if (!slots[i].channel.listening()) continue;
    watched.fds.push_back({slots[i].channel.fd(), POLLIN, 0});
    watched.slots.push_back(i);
  }
  watched.timeout = next_timeout();
}

int Core::next_timeout() {
  Deadline next = std::min({overdue_, next_task_due(), next_start_due()});
  // Otherwise nobody is wanted (as in fill_vacancies), or a report comes first.
  const bool wanted = state_ == PoolState::running || !queue_.empty();
  if (wanted && !stopping_ && crew_.hires_left() > 0) {
    std::size_t missing = crew_.missing(target_);
    for (std::size_t i = 0; i < crew_.size() && missing > 0; ++i) {
      if (crew_.slots()[i].life != Slot::Life::vacant) continue;
      --missing;
      next = std::min(next, crew_.due(i));
    }
  }
  if (next == kNever) return -1;
  const auto left = std::chrono::ceil<milliseconds>(next - Clock::now());
  return static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, 60'000));
}

void Core::serve(const Watched& watched, Completions& done) {
  if (watched.fds[Watched::wake].revents) {
    std::uint64_t count = 0;
    static_cast<void>(!::read(wake_.get(), &count, sizeof count));
  }
  for (std::size_t i = 0; i < watched.slots.size(); ++i) {
    if (watched.fds[Watched::first_slot + i].revents == 0) continue;
    if (!crew_.slots()[watched.slots[i]].channel.read_socket()) distrust(watched.slots[i]);
  }
  if (untaken_ || watched.fds[Watched::control].revents ||
      watched.fds[Watched::supervisor].revents) {
    take_reports(done);
  }
  if (stopping_ || crew_.supervisor_lost()) return;
  kill_overdue_tasks(done);
  kill_overdue_starts();
  shrinks_ = shrinks_ && crew_.staying() + crew_.coming() > target_;
  fill_vacancies(done);
  dispatch(done);
}

void Core::take_reports(Completions& done) {
  Report report;
  while (untaken_ || crew_.take_report(report, false)) {
    if (!untaken_) untaken_ = report;
    take_in(*untaken_, done);  // again, if there was no memory for it
    untaken_.reset();
  }
}

void Core::take_in(const Report& report, Completions& done) {
  const auto slot = static_cast<std::size_t>(report.slot);
  switch (report.kind) {
    case Report::Kind::died:
      return on_death(report, done);
    case Report::Kind::started:
      // Main had no number free for its pidfd: it could never be killed for a task.
      if (!crew_.slots()[slot].pidfd.valid() || is_too_large()) return crew_.dismiss(slot);
      prepare(slot);
      return dismiss_if_spent(slot);
    case Report::Kind::fork_failed:
      return crew_.vacate(slot, Vacancy::failed_start);
    case Report::Kind::ready:
      return;
  }
}

}  // namespace poolproof::detail
