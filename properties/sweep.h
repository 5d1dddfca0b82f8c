#pragma once

#include <array>
#include <chrono>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "harness/fault.h"
#include "harness/sys/result.h"
#include "properties/campaign.h"
#include "properties/desk.h"
#include "properties/judging.h"

namespace poolproof::properties {

/// What `--sweep` takes: kill, stop, errno, or any other action of a fault (harness/fault.h) that
/// makes sense at every call. One line where it is none of these.
sys::Result<harness::Fault> sweep_fault(const std::string& action);
/// "SIGKILL", "the error that each is most likely to meet".
std::string sweep_in_words(const harness::Fault& fault);

enum class SweepRole { kMain, kWorker, kHelper };
std::string_view name(SweepRole role);

struct SweepOptions {
  harness::Fault fault;  // what happens at each point; who and where are the sweep's
  SweepRole role = SweepRole::kMain;
  bool use_known = true;
  std::uint64_t seed = 0;
  Clock::time_point deadline = Clock::time_point::max();
  CaseOptions case_options;
};

/// What happened when the fault was put at one point.
enum class PointOutcome { kKept, kViolated, kKnown, kUnclear };

/// Points of one pool at which the same rule broke in the same way: the same call, the same waits.
struct SweepGroup {
  const Pool* pool = nullptr;
  const Rule* rule = nullptr;
  std::string call;  // "write(pipe)"; empty where the rule broke without the fault's having fired
  std::string known_link;
  int points = 0;
  Finding first;  // the earliest point of the first row that met it, shrunk
  int row = 0;    // that row
};

/// How far a row came.
enum class SweepExtent {
  kCutShort,  // the run was over, or failed, before the process made no more calls
  kComplete,  // the stop rule was met, and every point before it was judged
  kNobody,    // no process of the role was ever seen
};

/// One scenario, one process: the fault at its first system call, its second, ... until the process
/// makes no more.
struct SweepRow {
  const Pool* pool = nullptr;
  std::string scenario;           // "create, submit, get, close, join, return"
  std::string who;                // "main.1.2", or the role where nobody is known by it
  int points = 0;                 // judged, or kept from being judged
  std::array<int, 4> outcomes{};  // by PointOutcome
  SweepExtent extent = SweepExtent::kCutShort;
  std::chrono::milliseconds took{0};
  std::string reason;  // why the first unclear one is so
};

struct SweepResult {
  std::vector<SweepRow> rows;
  std::vector<SweepGroup> groups;
  std::vector<std::string> troubles;
  bool interrupted = false;
};

/// Puts one fault at every point of a process's life, in three scenarios. The stop rule: three runs
/// in a row, with the fault at one call after the other, end without its having fired (one alone
/// may be a schedule in which the process does less). Such a quiet run counts only if it was
/// unclear or broke a rule. Every scenario of a pool has a row, reached or not. Driven by one call
/// from one thread.
class Sweep {
 public:
  Sweep(Desk& desk, SweepOptions options, std::function<void(const SweepRow&, int)> on_point)
      : desk_(desk), options_(options), on_point_(std::move(on_point)) {}

  void run(const Pool& pool, SweepResult& result);

 private:
  bool over(const SweepResult& result) const;
  void sweep_all(const Pool& pool, const harness::Scenario& scenario, SweepResult& result);
  std::vector<std::string> processes(const Pool& pool, const harness::Scenario& scenario,
                                     SweepResult& result);
  void sweep(const Pool& pool, const harness::Scenario& scenario, const std::string& who,
             SweepResult& result);
  bool take(SweepRow& row, int nth, const Ran& ran, SweepResult& result);
  void count(SweepRow& row, int nth, const Ran& ran, const harness::Fault* fault,
             SweepResult& result);
  void group(const SweepRow& row, int nth, const Ran& ran, const harness::Fault* fault,
             const Violation& violation, SweepResult& result);
  void shrink(const Pool& pool, SweepResult& result);

  Desk& desk_;
  SweepOptions options_;
  std::function<void(const SweepRow&, int)> on_point_;
};

/// Whether a rule was broken in a way that is not known.
bool has_violation(const SweepResult& result);
/// Whether a row was cut short or met no point, though there was a process to meet them.
bool is_incomplete(const SweepRow& row);

}  // namespace poolproof::properties
