#pragma once

#include <optional>
#include <string>
#include <vector>

#include "harness/case.h"
#include "harness/trace.h"
#include "properties/pools.h"
#include "properties/rules.h"

namespace poolproof::properties {

/// A violated rule as a person should hear of it: a consequence is told with its cause.
struct Violation {
  const Rule* rule = nullptr;
  std::string evidence;
  std::string known_link;       // empty: nobody knows of it
  const Rule* cause = nullptr;  // the rule that implies it, violated in the same case
  bool operator==(const Violation&) const = default;
};

/// One case's outcome, rule by rule.
struct Judged {
  std::vector<Judgement> judgements;
  std::vector<Violation> violations;

  /// The violation of this rule with this link; nullptr when the case has none.
  const Violation* find(const Rule& rule, const std::string& known_link) const;

  bool held(const Rule& rule) const;

  /// Whether any rule is unclear.
  bool in_doubt() const;
};

/// Judges a recording by `rules` (empty: all of them). A consequence of a known deviation is known
/// too.
Judged judge_case(const Pool& pool, const harness::Scenario& scenario, const harness::Trace& trace,
                  const std::vector<const Rule*>& rules, bool use_known);

/// Why the recording says nothing about the pool: the adapter itself failed. One line.
std::optional<std::string> adapter_failure(const Pool& pool, const harness::Scenario& scenario,
                                           const harness::Trace& trace);

/// Why a case that broke no rule says little: what it was written for did not come to be (no pool
/// was made, the fault never fired, a kill found no worker). One line each.
std::vector<std::string> not_come_to_be(const harness::Scenario& scenario,
                                        const harness::Trace& trace);

}  // namespace poolproof::properties
