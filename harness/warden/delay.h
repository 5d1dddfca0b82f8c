#pragma once

#include <functional>
#include <map>
#include <optional>
#include <vector>

#include "harness/trace.h"

namespace poolproof::warden {

/// A thread as the kernel numbers it outside.
struct ThreadId {
  int pid = 0;
  int tid = 0;
  auto operator<=>(const ThreadId&) const = default;
};

/// How long the tree was ready but not running. For each span between two samples it takes the
/// thread that waited longest, plus the warden's own wait (a tracee that has stopped waits for it),
/// never more than the span. The sum over spans is what tree time leaves out of monotonic time.
class DelayMeter {
 public:
  /// Tells how long a thread has waited on run queues in all its life; nullopt when it is gone.
  using Ask = std::function<std::optional<harness::Nanoseconds>(ThreadId)>;

  DelayMeter();
  DelayMeter(ThreadId self, Ask ask) : self_(self), ask_(std::move(ask)) {}

  /// `now` is any monotonic time; the first sample only sets the base.
  void sample(const std::vector<ThreadId>& threads, harness::Nanoseconds now);
  /// Accounts for a thread that is about to end, whose delay the next sample would miss.
  void note_end(ThreadId thread);

  harness::Nanoseconds total() const { return total_; }
  harness::Nanoseconds last_sample() const { return last_; }

 private:
  using Delays = std::map<ThreadId, harness::Nanoseconds>;

  harness::Nanoseconds grown(ThreadId thread, Delays& now_known);

  ThreadId self_;
  Ask ask_;
  Delays known_;
  harness::Nanoseconds worst_end_{0};  // of the threads that ended since the last sample
  harness::Nanoseconds own_{-1};
  harness::Nanoseconds last_{0};
  harness::Nanoseconds total_{0};
};

}  // namespace poolproof::warden
