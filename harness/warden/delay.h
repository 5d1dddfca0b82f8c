#pragma once

#include <functional>
#include <map>
#include <optional>
#include <vector>

#include "harness/sys/proc.h"
#include "harness/trace.h"

namespace poolproof::warden {

/// A thread as the kernel numbers it outside.
struct ThreadId {
  int pid = 0;
  int tid = 0;
  auto operator<=>(const ThreadId&) const = default;
};

/// What the kernel knows of a thread's schedule.
class Scheduler {
 public:
  virtual ~Scheduler() = default;
  /// nullopt when the thread is gone.
  virtual std::optional<sys::ScheduleTimes> times(ThreadId thread) const = 0;
  /// Whether it runs or waits for a processor.
  virtual bool is_runnable(ThreadId thread) const = 0;
};

/// Through /proc.
const Scheduler& kernel_scheduler();

/// How long the tree was ready but not running. For each span between two samples it takes the
/// thread that waited longest, plus the warden's own wait (a tracee that has stopped waits for it),
/// never more than the span. The sum over spans is what tree time leaves out of monotonic time.
///
/// The kernel accounts for a wait when it is over. One that still goes on shows as a runnable
/// thread whose account stands still; it is taken to have waited for the whole span, and what the
/// kernel adds in the end counts only as far as it is more. A span much longer than that of our
/// sampling means that we did not run, whoever kept us from it (a hypervisor, a frozen machine):
/// then neither did they, and none of it counts.
///
/// A thread waits only while every processor is taken, and those that the tree's own threads take
/// are not the machine's doing: what the tree did not use of all processors bounds its delay. Else
/// a tree of more spinning threads than processors would stand still in tree time for ever.
class DelayMeter {
 public:
  DelayMeter();
  DelayMeter(ThreadId self, const Scheduler& scheduler, int processors)
      : self_(self), scheduler_(scheduler), processors_(processors) {}

  /// `now` is any monotonic time; the first sample only sets the base.
  void sample(const std::vector<ThreadId>& threads, harness::Nanoseconds now);
  /// Accounts for a thread that is about to end, whose delay the next sample would miss.
  void note_end(ThreadId thread);

  /// A span in which the tree was kept from running on purpose.
  void excuse(harness::Nanoseconds span) { total_ += span; }

  harness::Nanoseconds total() const { return total_; }
  harness::Nanoseconds last_sample() const { return last_; }

 private:
  struct Account {
    sys::ScheduleTimes times;
    harness::Nanoseconds advance{0};  // counted already of a wait that goes on
  };
  using Accounts = std::map<ThreadId, Account>;

  harness::Nanoseconds wait_of(ThreadId thread, harness::Nanoseconds span, Accounts& now_known);
  void note_ran(const sys::ScheduleTimes& before, const sys::ScheduleTimes& now);
  harness::Nanoseconds not_by_the_tree(harness::Nanoseconds wait, harness::Nanoseconds span);
  harness::Nanoseconds own_wait();

  ThreadId self_;
  const Scheduler& scheduler_;
  int processors_;
  Accounts known_;
  harness::Nanoseconds ran_{0};                // the tree's threads, since the last sample
  std::optional<harness::Nanoseconds> spare_;  // what they left of earlier spans' processors
  harness::Nanoseconds worst_end_{0};          // of the threads that ended since the last sample
  std::optional<harness::Nanoseconds> own_;
  bool begun_ = false;
  harness::Nanoseconds last_{0};
  harness::Nanoseconds total_{0};
};

}  // namespace poolproof::warden
