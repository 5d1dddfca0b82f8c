#pragma once

#include <gtest/gtest.h>

#include <deque>
#include <functional>
#include <string>
#include <vector>

#include "harness/runner.h"
#include "properties/pools.h"

namespace poolproof::properties {

/// ProcessPoolExecutor as its adapter describes it, with a contract to match.
Pool executor_pool();

harness::Step create_step(int workers);
harness::Step submit_step(int task, harness::Body body = {});
harness::Step get_step(int task);

/// create, submit, get, then _exit(0): the four steps of MUSEUM's M6.
harness::Scenario orphan_scenario();

/// Writes recordings by hand, event by event.
class TraceWriter {
 public:
  static constexpr harness::Pid kMain = 2104;

  TraceWriter();
  TraceWriter& at(double ms);
  template <class Kind>
  TraceWriter& add(Kind kind) {
    trace_.events.push_back({now_, std::move(kind)});
    return *this;
  }
  TraceWriter& born(harness::Pid pid);  // forked by main
  TraceWriter& step(int number, harness::StepResult result = {});
  TraceWriter& task(int number, harness::Pid worker);
  TraceWriter& dead(harness::Pid pid, sys::ExitStatus status);
  TraceWriter& ends(sys::ExitStatus status);  // main: ending begun, dying, dead
  TraceWriter& eof();
  harness::Trace done(harness::End end = harness::End::kAllDead);

 private:
  harness::Nanoseconds now_{0};
  harness::Trace trace_;
};

/// A run of orphan_scenario() in which worker 2107 stays behind for ever, holding stdout and
/// stderr.
harness::Trace orphan_trace();

/// A run of any scenario of create, submit, get in which everything goes well.
harness::Trace healthy_trace(const harness::Scenario& scenario);

/// Answers from a function instead of a sandbox. One job is answered per call of next(); those for
/// which `hangs` says so never are.
class FakeRunner : public harness::Runner {
 public:
  using Answer = std::function<sys::Result<harness::Trace>(const harness::Job&)>;
  using Hangs = std::function<bool(const harness::Job&)>;
  explicit FakeRunner(Answer answer, Hangs hangs = {})
      : answer_(std::move(answer)), hangs_(std::move(hangs)) {}

  const harness::Containment& containment() const override { return containment_; }
  int jobs() const override { return 8; }
  void submit(harness::Job job) override { queue_.push_back(std::move(job)); }
  int pending() const override { return static_cast<int>(queue_.size()); }
  std::vector<std::uint64_t> under_way() const override;
  std::optional<harness::Finished> next(std::chrono::steady_clock::time_point deadline) override;
  void end_under_way() override { ended_ = !stuck_; }
  void cancel_all() override { queue_.clear(); }

  /// Of those that hang, no answer comes even where their end is asked for.
  void be_stuck() { stuck_ = true; }

  int runs() const { return runs_; }

 private:
  Answer answer_;
  Hangs hangs_;
  harness::Containment containment_{1, "exact (ptrace), PID+mount+IPC namespaces", ""};
  std::deque<harness::Job> queue_;
  int runs_ = 0;
  bool ended_ = false;
  bool stuck_ = false;
};

/// Whether `text` is what golden/NAME holds; with POOLPROOF_UPDATE_GOLDEN=1 it is written there.
::testing::AssertionResult is_golden(const std::string& name, const std::string& text);

}  // namespace poolproof::properties
