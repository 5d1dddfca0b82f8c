#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "harness/case.h"
#include "harness/trace.h"
#include "properties/contract.h"

namespace poolproof::properties {

/// The trace shows that the rule was put to the test and kept.
struct Held {};
/// The trace shows it broken, for every order of events that the recording leaves open.
struct Violated {
  std::string evidence;             // one or two sentences for a person
  std::vector<std::size_t> events;  // indices into Trace::events that show it
  std::string known_link;           // set when the contract lists it as a known deviation
};
/// It may be broken, but the recording cannot tell (fuse, lost observer, doubt about a wait).
struct Inconclusive {
  std::string why;
};
/// The contract or the adapter's abilities take the rule out of force here.
struct NotApplicable {
  std::string why;
};
/// Nothing in this case put the rule to the test.
struct NotExercised {};

using Verdict = std::variant<Held, Violated, Inconclusive, NotApplicable, NotExercised>;

/// What a rule may look at. A rule is a pure function of it: no clock, no file, no state.
struct Evidence {
  const harness::Scenario& scenario;
  const harness::Trace& trace;
  const Contract& contract;
  std::string_view language;  // "python", "c++": decides what an ending stands for (E2)
  std::string_view runtime;   // "CPython 3.11.7"
};

enum class Level { kMust, kShould };

/// What a rule cannot do without: the adapter's claims and main's own end, or every birth and
/// death.
enum class Needs { kClaims, kBirthsAndDeaths };

struct Rule {
  std::string_view id;    // "W1"
  std::string_view name;  // "NoWorkerOutlivesParent"
  std::string_view sentence;
  Level level = Level::kMust;
  /// Ids of rules each of which implies it: "W1" for E3, "S6 S7" for R4; empty mostly. causes().
  std::string_view implied_by;
  /// By what the recording says alone; judge() below adds what it cannot bear.
  Verdict (*judge)(const Evidence&) = nullptr;
  Needs needs = Needs::kBirthsAndDeaths;
  /// Also of one that a callback of main's may terminate at any time: it asks that the pool ends,
  /// and so does main. What becomes of tasks and calls in between depends on who comes first.
  bool of_any_pool = false;
};

/// All rules in force, in the order of the matrix: E, W, T, S, I, R, P.
std::span<const Rule> rule_table();
const Rule* rule_named(std::string_view id_or_name);

/// The rules of implied_by.
std::vector<const Rule*> causes(const Rule& rule);
bool is_implied_by(const Rule& rule, const Rule& cause);

struct Judgement {
  const Rule* rule = nullptr;
  Verdict verdict;
};

/// Every rule's verdict on one recording, known deviations marked. A recording with a hole, with
/// garbage among its claims, of an adapter that failed, or without exact births and deaths where
/// the rule needs them, makes Inconclusive of what would be held or violated. `use_known` false
/// ignores the contract's list of them (--no-known).
std::vector<Judgement> judge(const Evidence& evidence, bool use_known);

}  // namespace poolproof::properties
