#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "harness/case.h"
#include "harness/sys/result.h"
#include "harness/trace.h"

namespace poolproof::harness {

/// One run to be made: the scenario goes to `command` as the adapter protocol says.
struct Job {
  std::uint64_t id = 0;
  std::vector<std::string> command;  // argv of the adapter; the scenario's path is appended
  Scenario scenario;
  Settings settings;
  /// Steps (from 1) that must be over within the grace of tree time once begun; step 0 stands for
  /// main's exit after its ending. The warden stops the case when one is exceeded, so that a hang
  /// behind a timed loop does not cost the whole fuse. The rules judge; this only ends the run.
  std::vector<int> prompt_steps;
  /// Steps (0: the exit) that end by the pool's own doing, without a time or a wait that the
  /// scenario asked for. The warden stops the case when all that goes on in one is polling in vain.
  std::vector<int> waiting_steps;
  /// What lives at the end stays alive and untraced (rung 1 only: there nothing can get away) until
  /// its runner gets another job or ends. The trace then cannot tell what the clean-up found.
  bool hold = false;
};

struct Finished {
  std::uint64_t id = 0;
  sys::Result<Trace> trace;  // an error: the harness (not the subject) could not do its work
};

struct RunnerOptions {
  int jobs = 2;        // wardens side by side
  int rung = 0;        // 0: the highest that works here; 1-3: this one or an error
  std::string warden;  // path of poolproof-warden; empty: beside the running executable
};

/// Which step of the containment ladder the wardens stand on, and why not a higher one.
struct Containment {
  int rung = 1;
  std::string name;     // "exact (ptrace), PID+mount+IPC namespaces"
  std::string why_not;  // empty on rung 1
};

/// Keeps `jobs` wardens and hands them runs. One thread: nothing happens outside its own calls, and
/// it is not thread-safe. The destructor ends the wardens, and with them everything they contain.
class Runner {
 public:
  static sys::Result<std::unique_ptr<Runner>> start(const RunnerOptions& options);
  virtual ~Runner() = default;

  virtual const Containment& containment() const = 0;
  virtual int jobs() const = 0;

  /// Queues a run; never blocks.
  virtual void submit(Job job) = 0;

  /// Runs that were submitted and not yet returned by next().
  virtual int pending() const = 0;

  /// Those of them that a warden has in hand; the others wait for one.
  virtual std::vector<std::uint64_t> under_way() const = 0;

  /// Waits for any run to finish; nullopt when `deadline` passes first or nothing is pending.
  virtual std::optional<Finished> next(std::chrono::steady_clock::time_point deadline) = 0;

  /// Asks for the end of those that a warden has in hand, as if their fuse had burnt: what was seen
  /// of each comes from next() soon (End::kTimeOver, unless it ended by itself just then).
  virtual void end_under_way() = 0;

  /// Forgets queued runs and stops running ones; their results are dropped.
  virtual void cancel_all() = 0;
};

}  // namespace poolproof::harness
