#include "properties/tally.h"

#include <algorithm>
#include <array>

#include "harness/sys/check.h"

namespace poolproof::properties {
namespace {

constexpr std::array kOutcomes{
    OutcomeEntry{Outcome::kHeld, '.', "held", "held"},
    OutcomeEntry{Outcome::kViolated, 'F', "violated", "violated"},
    OutcomeEntry{Outcome::kKnown, 'x', "known", "known"},
    OutcomeEntry{Outcome::kNoLongerSeen, 'X', "no longer seen", "no-longer-seen"},
    OutcomeEntry{Outcome::kNotApplicable, 's', "n/a", "not-applicable"},
    OutcomeEntry{Outcome::kNotExercised, '-', "not exercised", "not-exercised"},
    OutcomeEntry{Outcome::kInconclusive, '?', "unclear", "inconclusive"},
};

/// So many cases in which a deviation ought to have shown speak for its being gone.
constexpr int kEnoughCases = 20;

void count(const Verdict& verdict, RuleTally& tally) {
  struct Counter {
    RuleTally& tally;
    void operator()(const Held&) const { ++tally.held; }
    void operator()(const Violated& violated) const {
      ++(violated.known_link.empty() ? tally.violated : tally.known);
    }
    void operator()(const Inconclusive& unclear) const {
      ++tally.inconclusive;
      ++tally.reasons[unclear.why];
    }
    void operator()(const NotApplicable& off) const {
      ++tally.not_applicable;
      ++tally.reasons[off.why];
    }
    void operator()(const NotExercised&) const { ++tally.not_exercised; }
  };
  std::visit(Counter{tally}, verdict);
}

}  // namespace

const OutcomeEntry& entry(Outcome outcome) {
  const auto& found = kOutcomes[static_cast<std::size_t>(outcome)];
  POOLPROOF_CHECK(found.outcome == outcome);
  return found;
}

std::vector<Outcome> all_outcomes() {
  std::vector<Outcome> all;
  for (const auto& entry : kOutcomes) all.push_back(entry.outcome);
  return all;
}

std::string RuleTally::main_reason() const {
  const auto most =
      std::max_element(reasons.begin(), reasons.end(),
                       [](const auto& a, const auto& b) { return a.second < b.second; });
  return most == reasons.end() ? "" : most->first;
}

Outcome RuleTally::outcome() const {
  if (violated > 0) return unstable ? Outcome::kInconclusive : Outcome::kViolated;
  if (known > 0) return Outcome::kKnown;
  if (no_longer_seen) return Outcome::kNoLongerSeen;
  if (inconclusive * 100 > held + inconclusive) return Outcome::kInconclusive;
  if (held > 0) return Outcome::kHeld;
  return not_applicable > 0 ? Outcome::kNotApplicable : Outcome::kNotExercised;
}

bool KnownTally::no_longer_seen() const {
  return seen == 0 && held >= kEnoughCases;
}

Tally::Tally(const Pool& pool, const std::vector<const Rule*>& rules, bool use_known)
    : pool_(&pool) {
  for (const auto& rule : rule_table()) {
    if (rules.empty() || std::find(rules.begin(), rules.end(), &rule) != rules.end()) {
      rules_.push_back({});
      rules_.back().rule = &rule;
    }
  }
  if (!use_known) return;
  for (const auto& deviation : pool.contract.known) {
    const auto* rule = rule_named(deviation.rule);
    if (rule != nullptr && find(*rule) != nullptr) known_.push_back({&deviation});
  }
}

void Tally::add(const Judged& judged,
                const std::function<bool(const KnownDeviation&)>& condition_met) {
  ++cases_;
  for (const auto& judgement : judged.judgements) {
    if (auto* tally = find(*judgement.rule)) count(judgement.verdict, *tally);
  }
  for (const auto& violation : judged.violations) {
    auto* tally = find(*violation.rule);
    if (tally != nullptr && violation.known_link.empty() && violation.cause == nullptr) {
      ++tally->without_cause;
    }
  }
  for (auto& known : known_) {
    const auto& rule = *rule_named(known.deviation->rule);
    if (judged.find(rule, known.deviation->link) != nullptr) {
      ++known.seen;
    } else if (judged.held(rule) && condition_met(*known.deviation)) {
      ++known.held;
    }
  }
}

void Tally::add_unfinished(const std::string& why) {
  ++cases_;
  for (auto& tally : rules_) {
    const bool off = tally.not_applicable > 0 && tally.cases() == 0;
    if (!off) count(Inconclusive{why}, tally);
  }
}

std::optional<std::string> Tally::why_nothing_judged() const {
  std::optional<std::string> why;
  for (const auto& tally : rules_) {
    if (tally.cases() > tally.inconclusive) return std::nullopt;
    if (tally.inconclusive > 0 && !why) why = tally.main_reason();
  }
  return why;
}

void Tally::set_unstable(const Rule& rule) {
  for (auto& tally : rules_) {
    const bool consequence = is_implied_by(*tally.rule, rule) && tally.without_cause == 0;
    if (tally.rule == &rule || consequence) tally.unstable = true;
  }
}

void Tally::close() {
  for (const auto& known : known_) {
    if (known.no_longer_seen()) find(*rule_named(known.deviation->rule))->no_longer_seen = true;
  }
}

RuleTally* Tally::find(const Rule& rule) {
  const auto found = std::find_if(rules_.begin(), rules_.end(),
                                  [&](const RuleTally& tally) { return tally.rule == &rule; });
  return found == rules_.end() ? nullptr : &*found;
}

}  // namespace poolproof::properties
