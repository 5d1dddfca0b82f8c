#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "properties/judging.h"

namespace poolproof::properties {

/// What the matrix says about one rule of one pool. The order is that of its legend.
enum class Outcome {
  kHeld,
  kViolated,
  kKnown,
  kNoLongerSeen,
  kNotApplicable,
  kNotExercised,
  kInconclusive,
};

struct OutcomeEntry {
  Outcome outcome;
  char letter;
  std::string_view legend;   // "held"
  std::string_view in_json;  // "held", "not-applicable" ...
};
const OutcomeEntry& entry(Outcome outcome);
std::vector<Outcome> all_outcomes();

/// How one rule fared in the cases of one pool.
struct RuleTally {
  const Rule* rule = nullptr;
  int held = 0;
  int violated = 0;       // new ones
  int without_cause = 0;  // of those, the ones that no other rule's violation explains
  int known = 0;
  int inconclusive = 0;
  int not_applicable = 0;
  int not_exercised = 0;
  bool unstable = false;  // the finding that stands for its violations does not repeat
  bool no_longer_seen = false;
  std::map<std::string, int> reasons;  // why inconclusive or not applicable

  int cases() const { return held + violated + known + inconclusive; }
  std::string main_reason() const;

  /// A rule that was judged clearly at least 99 times in 100 counts as held; every unclear case is
  /// in the counts all the same.
  Outcome outcome() const;
};

/// A known deviation, and whether this run had reason to see it.
struct KnownTally {
  const KnownDeviation* deviation = nullptr;
  int seen = 0;
  int held = 0;  // cases in which its condition was met, and its rule held

  bool no_longer_seen() const;
};

/// What was learned about one pool.
class Tally {
 public:
  Tally(const Pool& pool, const std::vector<const Rule*>& rules, bool use_known);

  const Pool& pool() const { return *pool_; }
  int cases() const { return cases_; }
  const std::vector<RuleTally>& rules() const { return rules_; }
  const std::vector<KnownTally>& known() const { return known_; }

  /// `condition_met`: whether the case fulfils the condition of a known deviation, so that a rule
  /// which held tells that the deviation did not show.
  void add(const Judged& judged, const std::function<bool(const KnownDeviation&)>& condition_met);

  /// A case that was begun and has no recording: unclear for every rule in force.
  void add_unfinished(const std::string& why);

  /// The rule's finding does not repeat: it is unclear, and so are its mere consequences.
  void set_unstable(const Rule& rule);

  /// Why no case said anything clear about any rule; nullopt where one did, or none was unclear.
  std::optional<std::string> why_nothing_judged() const;

  /// After the last case: which known deviations should have been seen and were not.
  void close();

 private:
  RuleTally* find(const Rule& rule);

  const Pool* pool_;
  int cases_ = 0;
  std::vector<RuleTally> rules_;
  std::vector<KnownTally> known_;
};

}  // namespace poolproof::properties
