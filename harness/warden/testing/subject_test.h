#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "harness/runner.h"
#include "harness/trace.h"

namespace poolproof::testing {

using namespace std::chrono_literals;

/// Runs the subject program in one mode, as any adapter is run, and looks at the trace. The tests
/// of a suite share one runner per rung, since starting one costs more than most runs.
class SubjectTest : public ::testing::Test {
 protected:
  static void TearDownTestSuite() { runners_.clear(); }
  /// Proves that nothing of the run is left: neither a process in a sandbox nor a descriptor here.
  void TearDown() override;

  /// nullptr, after a note of why, where this rung cannot be stood on.
  static harness::Runner* runner(int rung = 1);

  /// words: the mode and its arguments.
  static harness::Job job(std::vector<std::string> words, harness::Settings settings = kSettings);
  /// An empty trace, after a failure, when the harness could not do its work.
  harness::Trace run(std::vector<std::string> words, harness::Settings settings = kSettings,
                     int rung = 1);

  static constexpr harness::Settings kSettings{.grace = 150ms, .fuse = 8s};

 private:
  static std::map<int, std::unique_ptr<harness::Runner>> runners_;
};

/// The same for each rung of the ladder.
class EveryRung : public SubjectTest, public ::testing::WithParamInterface<int> {
 protected:
  void SetUp() override;
};

std::string subject_path();
std::string warden_path();
harness::RunnerOptions options(int rung, int jobs = 1);

/// Tries until it is so, or too much time has passed.
::testing::AssertionResult comes_true(const std::function<bool()>& condition);
/// Processes of the whole machine that have this word among their arguments.
std::vector<int> processes_with(const std::string& word);
/// The wardens that this process has started.
std::vector<int> wardens();
std::string file_text(const std::string& path);

// ---- Questions to a trace ----------------------------------------------------------------------

template <class Kind>
std::vector<const Kind*> all(const harness::Trace& trace) {
  std::vector<const Kind*> found;
  for (const auto& event : trace.events) {
    if (const auto* kind = std::get_if<Kind>(&event.kind)) found.push_back(kind);
  }
  return found;
}

/// Where the first event of this kind and process stands; -1 where there is none.
template <class Kind>
int place_of(const harness::Trace& trace, harness::Pid pid) {
  for (std::size_t i = 0; i < trace.events.size(); ++i) {
    const auto* kind = std::get_if<Kind>(&trace.events[i].kind);
    if (kind != nullptr && kind->pid == pid) return static_cast<int>(i);
  }
  return -1;
}

/// "exited 7", "killed by SIGKILL"; "no death" where it is not recorded.
std::string end_of(const harness::Trace& trace, harness::Pid pid);
std::string end_of_main(const harness::Trace& trace);
bool proved_at_rest(const harness::Trace& trace);
/// The doubts of all places where it rested.
std::string doubts(const harness::Trace& trace);
bool was_foreign_or_lost(const harness::Trace& trace);

}  // namespace poolproof::testing

namespace poolproof::harness {
/// For GoogleTest's messages.
std::ostream& operator<<(std::ostream& out, const Trace& trace);
std::ostream& operator<<(std::ostream& out, End end);
}  // namespace poolproof::harness
