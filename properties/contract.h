#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "harness/alphabet.h"
#include "harness/sys/result.h"

namespace poolproof::properties {

/// A rule that a pool is known to break, under a condition that the trace shows, and where that is
/// told. The condition holds by what had happened until then: a later event excuses nothing. A
/// known deviation that was seen does not fail a run; one that no case saw is reported.
struct KnownDeviation {
  std::string rule;  // "T6"
  /// Names out of condition_names() (conditions.h), all of which hold: "main-killed, forkserver".
  std::string condition;
  std::string link;  // "https://github.com/python/cpython/issues/66587"
  std::string note;  // one sentence
};

/// Descriptors that main has by design when a pool is over.
struct KeptDescriptors {
  std::string of;            // "pipe", "socket", "eventpoll", "/dev/urandom"
  int most = 1;              // so many of them
  bool each_pool = false;    // for each pool that has taken a task; else the first one's, for the
                             // rest of the process
  std::string start_method;  // only under this one; empty: under all
  std::string note;          // one sentence
};

/// What one pool promises where pools differ by design. A default-constructed contract promises the
/// most: every MUST rule counts.
struct Contract {
  /// What main's exit does with accepted tasks: ends the workers, lets all of them finish first, or
  /// waits until somebody closes the pool.
  enum class Exit { kTerminates, kDrains, kWaitsForClose };
  /// What the end of a block, or of an object's life, that ends the pool does with accepted tasks.
  enum class Scope { kTerminates, kDrains };
  /// What a worker's death does to the task that it held: that task fails, is tried again, or the
  /// pool is broken and says so. Losing it is never a contract, only a known deviation.
  enum class WorkerDeath { kReported, kRetried, kBreaks };

  std::string pool;  // "multiprocessing.Pool", without variant and version
  Exit exit = Exit::kTerminates;
  Scope scope = Scope::kTerminates;
  WorkerDeath worker_death = WorkerDeath::kReported;
  bool join_needs_close = true;      // join on a running pool is refused; false: it closes (S2 n/a)
  bool join_waits = true;            // false: it may return before tasks and workers are done
  bool replaces_workers = true;      // after a loss it is back at N workers
  bool starts_workers_late = false;  // workers appear on demand: fewer than N is normal
  bool workers_are_daemons =
      true;  // the pool reports daemon == true; false: W2's report half is n/a
  bool ends_task_children = true;  // what a task leaves running ends with its worker (W7)
  /// What main has open for a pool goes with the last reference to it, not with join (R1).
  bool holds_descriptors_until_drop = false;
  bool drop_ends_pool = true;  // dropping the last reference ends the workers
  std::chrono::milliseconds grace{1000};
  std::vector<KeptDescriptors> keeps;
  std::vector<KnownDeviation> known;

  /// More than the grace: a healthy pool tells of a dead worker, and lets go of what it had,
  /// before.
  std::chrono::milliseconds patience() const { return grace * 3 / 2; }

  /// Whether the last reference's going may wait for what was accepted: at a block's end by
  /// `scope`; else where main's exit does.
  bool waits_at(harness::Farewell farewell) const {
    return farewell == harness::Farewell::kPlain ? exit != Exit::kTerminates
                                                 : scope == Scope::kDrains;
  }
};

/// A contract file in TOML. Every key but `pool` may be absent: the default promises the most.
///
///     pool = "concurrent.futures.ProcessPoolExecutor"
///     exit = "drains"                  # "terminates", "drains", "waits-for-close"
///     scope = "drains"                 # "terminates", "drains"
///     worker_death = "breaks"          # "reported", "retried", "breaks"
///     join_needs_close = false
///     join_waits = true
///     replaces_workers = false
///     starts_workers_late = true
///     workers_are_daemons = false
///     ends_task_children = false
///     drop_ends_pool = true
///     holds_descriptors_until_drop = false
///     grace_ms = 1000
///
///     [[keeps]]                        # descriptors that main has when a pool is over
///     of = "pipe"
///     most = 1
///     each_pool = false                # false: the first pool's, for the rest of the process
///     start_method = "spawn"           # only then
///     note = "The resource tracker's."
///
///     [[known]]
///     rule = "W1"                      # an id of rule_table()
///     condition = "main-killed"        # a name of condition_names()
///     link = "https://github.com/python/cpython/issues/111873"
///     note = "Workers of a killed main stay for ever."
///
/// Errors: one line with the file, the place in it and what is expected there.
sys::Result<Contract> contract_from_toml(std::string_view text, std::string_view file_name);

/// "drains at exit, breaks on a dead worker", for the first line of a report.
std::string in_words(const Contract& contract);

}  // namespace poolproof::properties
