#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "harness/case.h"
#include "harness/runner.h"
#include "properties/desk.h"
#include "properties/judging.h"
#include "properties/plan.h"
#include "properties/pools.h"
#include "properties/rules.h"

namespace poolproof::properties {

/// What the cases of one row said about one rule; the strongest word counts.
enum class Mark {
  kNotExercised,
  kHeld,
  kConsequence,  // violated, but only with the rule that implies it
  kViolated,
};

/// A row of the kill matrix: a mutant and the rule that must catch it, or the unmutated pool in one
/// start method, which no rule may blame.
struct SelftestRow {
  struct Detection {
    int cases = 0;                       // judged until then, this one included
    std::chrono::milliseconds after{0};  // since the row's first case
  };
  /// The first case in which a rule was violated, not only as a consequence.
  struct Blame {
    const Rule* rule = nullptr;
    std::string evidence;
    harness::Case failing;
  };

  const Pool* pool = nullptr;
  const Rule* rule = nullptr;  // that the mutant names; nullptr: unmutated
  std::vector<Mark> marks;     // in the order of rule_table()
  int cases = 0;
  std::chrono::milliseconds elapsed{0};
  std::optional<Detection> caught;  // by the rule that it names
  std::vector<Blame> blames;        // one for each rule, in the order in which they were seen
  std::string trouble;              // why the adapter's runs said nothing

  bool is_mutant() const { return rule != nullptr; }
  bool is_blamed() const { return !is_mutant() && !blames.empty(); }
  Mark mark(const Rule& of) const;
};

/// Whether `rule` is derived from `other`, step by step of implied_by.
bool is_derived_from(const Rule& rule, const Rule& other);

/// The rule without which the mutant would have survived the run: each rule that it violated is
/// this one or derived from it. nullptr where there is none.
const Rule* needed_by(const SelftestRow& row);

struct SelftestResult {
  std::vector<SelftestRow> rows;
  std::chrono::milliseconds elapsed{0};
  bool complete = true;  // all mutants were asked for
  bool interrupted = false;

  std::vector<const SelftestRow*> survivors() const;
  std::vector<const SelftestRow*> blamed() const;
  std::vector<const SelftestRow*> troubled() const;
  /// Rules that are derived from no other and that no mutant needs. None unless all mutants ran.
  std::vector<const Rule*> unneeded() const;
  bool failed() const;
};

struct SelftestOptions {
  std::chrono::milliseconds time = std::chrono::seconds(590);  // of the whole run, at most
  std::uint64_t seed = 0;
  int healthy_cases = 400;  // of each start method of the unmutated pool
  CaseOptions case_options;
};

/// Runs cases of the general generators against every row, one row after the other, so that cases
/// and seconds mean the same in each. A mutant that was caught is watched for a few more cases, for
/// what else it breaks; who was not caught in its share of the time is tried again with what the
/// others have left. Driven by one call from one thread.
class Selftest {
 public:
  using Listener = std::function<void(const SelftestRow&)>;

  /// listener: told after each judged case.
  Selftest(harness::Runner& runner, SelftestOptions options, ScenarioSource source,
           Listener listener, std::function<bool()> stopped);

  /// rows: with `pool` and `rule` set; the pools must outlive the result.
  SelftestResult run(std::vector<SelftestRow> rows);

 private:
  void search_on(Clock::time_point end);
  void search(std::size_t index, Clock::time_point end);
  void submit_cases(std::size_t index);
  void take(Ran&& ran, SelftestRow& row, std::chrono::milliseconds since);
  void blame(const Violation& violation, const harness::Scenario& scenario, SelftestRow& row) const;
  bool wants_more(std::size_t index) const;

  Desk desk_;
  SelftestOptions options_;
  ScenarioSource source_;
  Listener listener_;
  std::vector<SelftestRow> rows_;
  std::vector<int> generated_;       // for each row
  std::vector<int> failed_in_turn_;  // for each row: runs that said nothing
  std::size_t sent_ = 0;
};

}  // namespace poolproof::properties
