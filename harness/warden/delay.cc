#include "harness/warden/delay.h"

#include <unistd.h>

#include <algorithm>
#include <thread>
#include <utility>

namespace poolproof::warden {
namespace {

using namespace std::chrono_literals;
using harness::Nanoseconds;

/// A few times what lies between two samples of a warden that gets its processor.
constexpr Nanoseconds kLongestSpan = 60ms;
/// How far a running thread's account may be behind: the longest tick that kernels are built with.
constexpr Nanoseconds kTick = 10ms;

class KernelScheduler final : public Scheduler {
 public:
  std::optional<sys::ScheduleTimes> times(ThreadId thread) const override {
    return sys::schedule_times(thread.pid, thread.tid);
  }
  bool is_runnable(ThreadId thread) const override {
    const auto now = sys::process_state(thread.tid);
    return now && now->state == 'R';
  }
};

}  // namespace

const Scheduler& kernel_scheduler() {
  static const KernelScheduler scheduler;
  return scheduler;
}

/// Zero where that is not known: then nothing is bounded.
static int usable_processors() {
  return static_cast<int>(std::thread::hardware_concurrency());
}

DelayMeter::DelayMeter()
    : DelayMeter({::getpid(), ::getpid()}, kernel_scheduler(), usable_processors()) {}

/// How long the thread has waited since it was last asked; a new thread's base is zero, since all
/// of its wait lies in this span. An account shrinks when another thread takes the number by exec.
Nanoseconds DelayMeter::wait_of(ThreadId thread, Nanoseconds span, Accounts& now_known) {
  const auto times = scheduler_.times(thread);
  if (!times) return 0ns;
  const auto found = known_.find(thread);
  const Account before = found != known_.end() ? found->second : Account{};
  note_ran(before.times, *times);
  const bool stands_still = found != known_.end() && before.times == *times;
  if (stands_still && scheduler_.is_runnable(thread)) {
    now_known[thread] = {*times, before.advance + span};
    return span;
  }
  now_known[thread] = {*times, stands_still ? before.advance : 0ns};
  return std::max(times->waited - before.times.waited - before.advance, Nanoseconds{0});
}

void DelayMeter::note_ran(const sys::ScheduleTimes& before, const sys::ScheduleTimes& now) {
  ran_ += std::max(now.ran - before.ran, Nanoseconds{0});
}

/// So much of the wait as not the tree's own threads can have caused: while they take every
/// processor nobody else does. An account that is behind in one span shows in the next, so that
/// each processor may carry a tick of what was left over; no more, since what the tree leaves while
/// it sleeps delays nobody later.
Nanoseconds DelayMeter::not_by_the_tree(Nanoseconds wait, Nanoseconds span) {
  const auto ran = std::exchange(ran_, 0ns);
  if (processors_ <= 0) return wait;
  const auto most = processors_ * kTick;
  const auto left = spare_.value_or(most) + processors_ * span - ran;
  const auto counted = std::clamp(left, 0ns, wait);
  spare_ = std::clamp(left - counted, -most, most);
  return counted;
}

void DelayMeter::note_end(ThreadId thread) {
  // It may be asked once more before it is gone.
  worst_end_ = std::max(worst_end_, wait_of(thread, 0ns, known_));
}

Nanoseconds DelayMeter::own_wait() {
  const auto times = scheduler_.times(self_);
  if (!times) return 0ns;
  const auto before = std::exchange(own_, times->waited);
  return before ? times->waited - *before : 0ns;
}

void DelayMeter::sample(const std::vector<ThreadId>& threads, Nanoseconds now) {
  const auto span = begun_ ? now - last_ : 0ns;
  Nanoseconds worst = std::exchange(worst_end_, 0ns);
  Accounts now_known;
  for (const ThreadId thread : threads) worst = std::max(worst, wait_of(thread, span, now_known));
  known_ = std::move(now_known);
  const auto own = own_wait();
  const auto wait = span > kLongestSpan ? span : std::min(worst + own, span);
  total_ += not_by_the_tree(wait, span);
  begun_ = true;
  last_ = now;
}

}  // namespace poolproof::warden
