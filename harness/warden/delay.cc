#include "harness/warden/delay.h"

#include <unistd.h>

#include <algorithm>
#include <utility>

#include "harness/sys/proc.h"

namespace poolproof::warden {

using harness::Nanoseconds;

DelayMeter::DelayMeter()
    : DelayMeter({::getpid(), ::getpid()},
                 [](ThreadId thread) { return sys::run_delay(thread.pid, thread.tid); }) {}

/// What the thread's run delay has grown by since it was last asked; a new thread's base is zero,
/// since all of its wait lies in this span. It shrinks when another thread takes the number by
/// exec.
Nanoseconds DelayMeter::grown(ThreadId thread, Delays& now_known) {
  const auto delay = ask_(thread);
  if (!delay) return Nanoseconds{0};
  now_known[thread] = *delay;
  const auto before = known_.find(thread);
  return std::max(*delay - (before != known_.end() ? before->second : Nanoseconds{0}),
                  Nanoseconds{0});
}

void DelayMeter::note_end(ThreadId thread) {
  Delays nobody_asks_again;
  worst_end_ = std::max(worst_end_, grown(thread, nobody_asks_again));
  known_.erase(thread);
}

void DelayMeter::sample(const std::vector<ThreadId>& threads, Nanoseconds now) {
  Nanoseconds worst = std::exchange(worst_end_, Nanoseconds{0});
  Delays now_known;
  for (const ThreadId thread : threads) worst = std::max(worst, grown(thread, now_known));
  known_ = std::move(now_known);
  const auto own = ask_(self_).value_or(Nanoseconds{0});
  if (own_ >= Nanoseconds{0}) worst += own - own_;
  if (own_ >= Nanoseconds{0}) total_ += std::min(worst, now - last_);
  own_ = own;
  last_ = now;
}

}  // namespace poolproof::warden
