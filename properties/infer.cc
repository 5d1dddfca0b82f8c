#include "properties/infer.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "properties/conditions.h"
#include "properties/contract_signs.h"
#include "properties/contract_text.h"
#include "properties/judging.h"
#include "properties/text.h"

namespace poolproof::properties {
namespace {

/// Keys depend on each other (a pool that breaks cannot replace): gone through until none changes.
constexpr int kMostPasses = 4;

enum class Mark { kSilent, kHeld, kBroken };

/// One case's verdicts under one contract, in the order of the rules.
using Marks = std::vector<Mark>;

Mark mark_of(const Verdict& verdict) {
  if (std::holds_alternative<Held>(verdict)) return Mark::kHeld;
  return std::holds_alternative<Violated>(verdict) ? Mark::kBroken : Mark::kSilent;
}

class Inference {
 public:
  Inference(const Pool& pool, const std::vector<Experience>& experiences)
      : pool_(pool), experiences_(experiences) {}

  Inferred run() {
    Inferred inferred;
    inferred.contract.pool = pool_.abilities.name;
    for (int pass = 0; pass < kMostPasses; ++pass) {
      inferred.keys.clear();
      bool changed = false;
      for (const auto& choice : contract_choices()) {
        const auto before = value_of(choice, inferred.contract).text;
        inferred.keys.push_back(choose(choice, inferred.contract));
        changed |= inferred.keys.back().value->text != before;
      }
      if (!changed) break;
    }
    inferred.deviations = deviations(inferred.contract);
    return inferred;
  }

 private:
  std::vector<Marks> marks_under(const Contract& contract) const {
    std::vector<Marks> all;
    all.reserve(experiences_.size());
    for (const auto& experience : experiences_) {
      Marks marks;
      for (const auto& judgement : judge(evidence(experience, contract), false))
        marks.push_back(mark_of(judgement.verdict));
      all.push_back(std::move(marks));
    }
    return all;
  }

  Evidence evidence(const Experience& experience, const Contract& contract) const {
    return {experience.scenario, experience.trace, contract, pool_.abilities.language,
            pool_.abilities.runtime};
  }

  /// Rules that are broken under both values, and not by one case that may be an accident: that the
  /// weaker one excuses other such cases does not speak for it.
  static std::set<std::size_t> broken_anyhow(const std::vector<Marks>& one,
                                             const std::vector<Marks>& other) {
    std::set<std::size_t> once;
    std::set<std::size_t> again;
    for (std::size_t i = 0; i < one.size(); ++i) {
      for (std::size_t rule = 0; rule < one[i].size(); ++rule) {
        if (one[i][rule] != Mark::kBroken || other[i][rule] != Mark::kBroken) continue;
        if (!once.insert(rule).second) again.insert(rule);
      }
    }
    return again;
  }

  /// Cases in which the two values lead to different verdicts, as `mine` has them.
  struct Difference {
    int kept = 0;
    int broken = 0;
  };
  static Difference difference(const std::vector<Marks>& mine, const std::vector<Marks>& other) {
    Difference found;
    const auto anyhow = broken_anyhow(mine, other);
    for (std::size_t i = 0; i < mine.size(); ++i) {
      bool kept = false;
      bool broken = false;
      for (std::size_t rule = 0; rule < mine[i].size(); ++rule) {
        if (mine[i][rule] == other[i][rule] || anyhow.contains(rule)) continue;
        kept |= mine[i][rule] == Mark::kHeld;
        broken |= mine[i][rule] == Mark::kBroken;
      }
      if (broken) ++found.broken;
      if (kept && !broken) ++found.kept;
    }
    return found;
  }

  InferredKey choose(const ContractChoice& choice, Contract& contract) const {
    const bool has_signs = sign_of(choice.key, choice.values.front().text) != nullptr;
    const auto key = has_signs ? by_signs(choice) : by_rules(choice, contract);
    key.value->set(contract);
    return key;
  }

  InferredKey by_signs(const ContractChoice& choice) const {
    InferredKey key{.choice = &choice, .value = &choice.values.front()};
    static const Contract kAny;
    for (const auto& value : choice.values) {
      const auto* sign = sign_of(choice.key, value.text);
      const auto shown = static_cast<int>(
          std::count_if(experiences_.begin(), experiences_.end(), [&](const auto& experience) {
            const auto seen = evidence(experience, kAny);
            return sign->shows(Reading(seen));
          }));
      key.of += shown;
      if (shown <= key.for_it) continue;
      key.value = &value;
      key.for_it = shown;
      key.sign = sign->says;
    }
    return key;
  }

  /// The strictest value that no weaker one refutes.
  InferredKey by_rules(const ContractChoice& choice, Contract& contract) const {
    std::vector<std::vector<Marks>> marks;
    for (const auto& value : choice.values) {
      value.set(contract);
      marks.push_back(marks_under(contract));
    }
    InferredKey key{.choice = &choice, .value = &choice.values.front()};
    for (std::size_t next = 1, best = 0; next < marks.size(); ++next) {
      const auto strict = difference(marks[best], marks[next]);
      const auto weak = difference(marks[next], marks[best]);
      const bool refuted = strict.broken > strict.kept && strict.broken > weak.broken;
      key.of = strict.kept + strict.broken;
      key.for_it = refuted ? strict.broken : strict.kept;
      if (!refuted) continue;
      best = next;
      key.value = &choice.values[next];
    }
    return key;
  }

  // ---- What is broken all the same --------------------------------------------------------------

  /// A rule in one case.
  struct Seen {
    std::size_t experience = 0;
    bool broken = false;
    std::string evidence;
  };

  std::vector<InferredDeviation> deviations(const Contract& contract) const {
    std::map<std::size_t, std::vector<Seen>> by_rule;
    for (std::size_t i = 0; i < experiences_.size(); ++i) add_case(i, contract, by_rule);
    std::vector<InferredDeviation> found;
    for (auto& [index, seen] : by_rule) add_deviations(rule_table()[index], seen, found);
    return found;
  }

  /// Consequences of another rule's violation are told with it.
  void add_case(std::size_t index, const Contract& contract,
                std::map<std::size_t, std::vector<Seen>>& by_rule) const {
    const auto& experience = experiences_[index];
    auto pool = pool_;
    pool.contract = contract;
    const auto judged = judge_case(pool, experience.scenario, experience.trace, {}, false);
    for (const auto& judgement : judged.judgements) {
      const auto* violated = std::get_if<Violated>(&judgement.verdict);
      const bool consequence = std::any_of(
          judged.violations.begin(), judged.violations.end(),
          [&](const auto& each) { return each.rule == judgement.rule && each.cause != nullptr; });
      if (consequence || mark_of(judgement.verdict) == Mark::kSilent) continue;
      const auto rule = static_cast<std::size_t>(judgement.rule - rule_table().data());
      by_rule[rule].push_back({index, violated != nullptr, violated ? violated->evidence : ""});
    }
  }

  /// How well a condition says when a rule is broken: whom it covers, and how few others. Where two
  /// do so alike, the one that holds less often says more.
  struct Counts {
    int broken = 0;
    int exercised = 0;
    int holds = 0;  // of all cases
    bool is_better_than(const Counts& other) const {
      const auto mine = std::int64_t{broken} * broken * other.exercised;
      const auto theirs = std::int64_t{other.broken} * other.broken * exercised;
      return mine != theirs ? mine > theirs : holds < other.holds;
    }
  };

  Counts count(const Condition& condition, const std::vector<Seen>& seen) const {
    Counts counts;
    for (const auto& each : seen) {
      if (!holds(condition, each)) continue;
      ++counts.exercised;
      if (each.broken) ++counts.broken;
    }
    counts.holds = static_cast<int>(
        std::count_if(experiences_.begin(), experiences_.end(), [&](const auto& experience) {
          return all_hold(condition.name, experience.scenario, experience.trace);
        }));
    return counts;
  }

  bool holds(const Condition& condition, const Seen& seen) const {
    const auto& experience = experiences_[seen.experience];
    return all_hold(condition.name, experience.scenario, experience.trace);
  }

  /// Again and again the condition that says best when the rule is broken, until none is left.
  void add_deviations(const Rule& rule, std::vector<Seen>& seen,
                      std::vector<InferredDeviation>& found) const {
    const auto is_broken = [](const Seen& each) { return each.broken; };
    while (std::any_of(seen.begin(), seen.end(), is_broken)) {
      const Condition* best = nullptr;
      Counts counts;
      for (const auto& condition : condition_table()) {
        const auto here = count(condition, seen);
        if (here.broken > 0 && (best == nullptr || here.is_better_than(counts))) {
          best = &condition;
          counts = here;
        }
      }
      if (best == nullptr) return;  // "always" holds always
      const auto first = std::find_if(seen.begin(), seen.end(), [&](const Seen& each) {
        return each.broken && holds(*best, each);
      });
      found.push_back({&rule, best->name, counts.broken, counts.exercised, first->evidence});
      std::erase_if(seen, [&](const Seen& each) { return each.broken && holds(*best, each); });
    }
  }

  const Pool& pool_;
  const std::vector<Experience>& experiences_;
};

std::string why(const InferredKey& key) {
  if (key.untested()) return "not put to the test: the strictest stands";
  return fmt::format("{} of {} cases that tell{}{}", key.for_it, key.of,
                     key.sign.empty() ? "" : ": ", key.sign);
}

}  // namespace

Inferred infer_contract(const Pool& pool, const std::vector<Experience>& experiences) {
  return Inference(pool, experiences).run();
}

std::string inferred_as_toml(const Inferred& inferred, const std::string& pool) {
  auto text = fmt::format("pool = {}\n", toml_string(pool));
  std::vector<std::string> lines;
  for (const auto& key : inferred.keys)
    lines.push_back(fmt::format("{} = {}", key.choice->key, key.value->text));
  std::size_t width = 0;
  for (const auto& line : lines) width = std::max(width, line.size() + 2);
  for (std::size_t at = 0; at < lines.size(); ++at)
    text += fmt::format("{}# {}\n", padded(lines[at], width), why(inferred.keys[at]));
  for (const auto& deviation : inferred.deviations) {
    text += fmt::format("\n# {} of {} cases under this condition that put {} to the test.\n",
                        deviation.broken, deviation.exercised, deviation.rule->name);
    text += to_toml(KnownDeviation{.rule = std::string(deviation.rule->id),
                                   .condition = std::string(deviation.condition),
                                   .link = "",
                                   .note = clipped(deviation.evidence, 300)});
  }
  return text;
}

}  // namespace poolproof::properties
