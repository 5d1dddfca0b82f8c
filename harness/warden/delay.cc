#include "harness/warden/delay.h"

#include <unistd.h>

#include <algorithm>

#include "harness/sys/proc.h"

namespace poolproof::warden {

using harness::Nanoseconds;

/// What the thread's run delay has grown by since it was last asked; a new thread's base is zero,
/// since all of its wait lies in this span.
Nanoseconds DelayMeter::grown(ThreadId thread) {
  const auto delay = sys::run_delay(thread.pid, thread.tid);
  if (!delay) return Nanoseconds{0};
  return *delay - std::exchange(known_[thread], *delay);
}

void DelayMeter::note_end(ThreadId thread) {
  worst_end_ = std::max(worst_end_, grown(thread));
  known_.erase(thread);
}

void DelayMeter::sample(const std::vector<ThreadId>& threads, Nanoseconds now) {
  Nanoseconds worst = std::exchange(worst_end_, Nanoseconds{0});
  for (const ThreadId thread : threads) worst = std::max(worst, grown(thread));
  const auto own = sys::run_delay(::getpid(), ::getpid()).value_or(Nanoseconds{0});
  if (own_ >= Nanoseconds{0}) worst += own - own_;
  if (own_ >= Nanoseconds{0}) total_ += std::min(worst, now - last_);
  own_ = own;
  last_ = now;
}

}  // namespace poolproof::warden
