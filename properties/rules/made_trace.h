#pragma once

#include <set>
#include <string>
#include <vector>

#include "harness/case.h"
#include "harness/trace.h"
#include "properties/contract.h"
#include "properties/rules.h"

namespace poolproof::properties {

/// Steps for scenarios written by hand.
harness::Step create(int workers);
harness::Step submit(int task, harness::BodyKind body = harness::BodyKind::kNothing,
                     std::int64_t amount = 0);
harness::Step get(int task);
harness::Step get_for(int task, std::chrono::milliseconds timeout);
harness::Step map(int task, harness::Form form, int items,
                  harness::BodyKind body = harness::BodyKind::kNothing);
harness::Step next(int task);
harness::Step of_kind(harness::StepKind kind);
harness::Step kill(harness::Victim victim);
inline harness::Step close() {
  return of_kind(harness::StepKind::kClose);
}
inline harness::Step terminate() {
  return of_kind(harness::StepKind::kTerminate);
}
inline harness::Step join() {
  return of_kind(harness::StepKind::kJoin);
}
inline harness::Step drop() {
  return of_kind(harness::StepKind::kDrop);
}
inline harness::Step workers() {
  return of_kind(harness::StepKind::kWorkers);
}
harness::Step sleep_for(std::chrono::milliseconds time);

harness::StepResult result(harness::StepResult::Kind kind, std::string message = "");
harness::StepResult value(std::string text);
harness::StepResult killed(harness::Pid pid);
harness::StepResult listing(std::vector<harness::StepResult::Listed> workers);

/// Main as it begins: three streams, nothing else open, no handlers.
harness::MainState plain_main();

/// A trace written by hand, in the order of the record, one millisecond an event. Main is process
/// 2, born and started at once.
class Story {
 public:
  static constexpr harness::Pid kMain = 2;

  explicit Story(std::vector<harness::Step> steps,
                 harness::EndingKind ending = harness::EndingKind::kReturn, int code = 0);

  Contract contract;
  std::string language = "python";
  std::string runtime = "CPython 3.11.7";

  Story& after(std::chrono::milliseconds time);
  Story& add(harness::Event::Kind kind);

  Story& born(harness::Pid pid, harness::Pid parent = kMain);
  Story& dies(harness::Pid pid, sys::ExitStatus status = sys::Exited{0});
  Story& begins(int step);
  Story& ends(int step, harness::StepResult result = {});
  Story& step(int step, harness::StepResult result = {});
  Story& begins_task(int task, harness::Pid pid);
  Story& ends_task(int task, harness::Pid pid, std::string how = "returned");
  Story& task(int task, harness::Pid pid);
  Story& begins_item(int task, int item, harness::Pid pid);
  Story& item(int task, int item, harness::Pid pid);
  /// Main's callback for the task is called, with its "value" or "error".
  Story& calls_back(int task, std::string with);
  Story& hit(const std::string& fault, harness::Pid pid = kMain);
  Story& ending();
  /// What main looks like: "started" or "ending".
  Story& main_is(const std::string& at, harness::MainState state = plain_main());
  Story& eof();
  Story& at_rest(bool proved = true);
  /// Everybody who lives is killed by the warden, main too.
  Story& over(harness::End end);
  /// The usual end: ending, workers die, main dies, EOF.
  Story& exits(sys::ExitStatus status = sys::Exited{0});

  Verdict verdict(std::string_view rule) const;
  /// "held", "violated", "inconclusive", "not applicable", "not exercised".
  std::string outcome(std::string_view rule) const;
  /// What a violation or a doubt says; else empty.
  std::string says(std::string_view rule) const;
  /// Rules whose outcome is "violated".
  std::vector<std::string> violated() const;

  harness::Scenario scenario;
  harness::Trace trace;

 private:
  harness::Nanoseconds now_{0};
  std::set<harness::Pid> alive_;
};

}  // namespace poolproof::properties
