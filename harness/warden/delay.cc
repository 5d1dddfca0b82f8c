#include "harness/warden/delay.h"

#include <unistd.h>

#include <algorithm>
#include <utility>

namespace poolproof::warden {
namespace {

using namespace std::chrono_literals;
using harness::Nanoseconds;

/// A few times what lies between two samples of a warden that gets its processor.
constexpr Nanoseconds kLongestSpan = 60ms;

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

DelayMeter::DelayMeter() : DelayMeter({::getpid(), ::getpid()}, kernel_scheduler()) {}

/// How long the thread has waited since it was last asked; a new thread's base is zero, since all
/// of its wait lies in this span. An account shrinks when another thread takes the number by exec.
Nanoseconds DelayMeter::wait_of(ThreadId thread, Nanoseconds span, Accounts& now_known) {
  const auto times = scheduler_.times(thread);
  if (!times) return 0ns;
  const auto found = known_.find(thread);
  const Account before = found != known_.end() ? found->second : Account{};
  const bool stands_still = found != known_.end() && before.times == *times;
  if (stands_still && scheduler_.is_runnable(thread)) {
    now_known[thread] = {*times, before.advance + span};
    return span;
  }
  now_known[thread] = {*times, stands_still ? before.advance : 0ns};
  return std::max(times->waited - before.times.waited - before.advance, Nanoseconds{0});
}

void DelayMeter::note_end(ThreadId thread) {
  Accounts nobody_asks_again;
  worst_end_ = std::max(worst_end_, wait_of(thread, 0ns, nobody_asks_again));
  known_.erase(thread);
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
  total_ += span > kLongestSpan ? span : std::min(worst + own, span);
  begun_ = true;
  last_ = now;
}

}  // namespace poolproof::warden
