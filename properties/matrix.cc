#include "properties/matrix.h"

#include <fmt/format.h>

#include <algorithm>

#include "properties/finding_list.h"
#include "properties/rule_columns.h"
#include "properties/text.h"

namespace poolproof::properties {
namespace {

/// A row's name below its heading: the pool's variant, or its version where it has none.
std::string row_name(const Pool& pool) {
  return pool.name.variant.empty() ? pool.name.version : pool.name.variant;
}

/// The whole label would leave no room for the letters.
std::string heading_of(const Pool& pool) {
  return fmt::format("{}, {}", pool.name.implementation, pool.abilities.runtime);
}

/// Where the letters start: two blanks before a row's name and two after it.
std::size_t first_column(const CampaignResult& result) {
  std::size_t column = 18;
  for (const auto& tally : result.tallies)
    column = std::max(column, row_name(tally.pool()).size() + 4);
  return column;
}

std::string painted(Outcome outcome, const Console& console) {
  std::string letter(1, entry(outcome).letter);
  switch (outcome) {
    case Outcome::kViolated:
      return console.bad(letter);
    case Outcome::kKnown:
    case Outcome::kNoLongerSeen:
    case Outcome::kInconclusive:
      return console.odd(letter);
    default:
      return letter;
  }
}

std::vector<const Rule*> rules_of(const CampaignResult& result) {
  std::vector<const Rule*> rules;
  if (result.tallies.empty()) return rules;
  for (const auto& rule : result.tallies.front().rules()) rules.push_back(rule.rule);
  return rules;
}

std::string row(const Tally& tally, std::size_t column, const Console& console) {
  const auto letters = rule_columns(
      [&] {
        std::vector<const Rule*> rules;
        for (const auto& rule : tally.rules()) rules.push_back(rule.rule);
        return rules;
      }(),
      [&](std::size_t at) { return painted(tally.rules()[at].outcome(), console); });
  return fmt::format("{}{} {:>6}\n", padded("  " + row_name(tally.pool()), column), letters,
                     tally.cases());
}

std::string legend() {
  std::vector<std::string> entries;
  for (const auto outcome : all_outcomes()) {
    entries.push_back(fmt::format("{} {}", entry(outcome).letter, entry(outcome).legend));
  }
  return joined(entries, "  ") + "\n";
}

/// What the counts below are of: each rule once for each pool.
std::string judged_in_words(const CampaignResult& result) {
  const auto pools = static_cast<std::int64_t>(result.tallies.size());
  const auto rules = pools == 0 ? 0 : std::ssize(result.tallies.front().rules());
  if (rules == 0) return "no rule was judged";
  if (pools == 1) return fmt::format("of {}", counted(rules, "rule"));
  return fmt::format("of {} x {}", counted(rules, "rule"), counted(pools, "pool"));
}

}  // namespace

std::string matrix(const CampaignResult& result, const Console& console) {
  if (result.tallies.empty()) return "";
  const auto column = first_column(result);
  std::string text = rule_heading(rules_of(result), column, "  cases");
  std::string heading;
  for (const auto& tally : result.tallies) {
    if (const auto next = heading_of(tally.pool()); next != heading) {
      text += next + "\n";
      heading = next;
    }
    text += row(tally, column, console);
  }
  text += legend();
  const auto findings = finding_list(result, console);
  return text + (findings.empty() ? "" : "\n" + findings);
}

std::string summary(const CampaignResult& result) {
  std::vector<std::string> counts;
  for (const auto outcome : all_outcomes()) {
    std::int64_t rules = 0;
    for (const auto& tally : result.tallies) {
      rules += std::count_if(tally.rules().begin(), tally.rules().end(),
                             [&](const RuleTally& rule) { return rule.outcome() == outcome; });
    }
    if (rules > 0) counts.push_back(fmt::format("{} {}", rules, entry(outcome).legend));
  }
  return hanging(fmt::format("{}{} in {}; {}{}{}", result.interrupted ? "interrupted: " : "",
                             counted(result.cases(), "case"), in_seconds(result.elapsed),
                             judged_in_words(result), counts.empty() ? "" : ": ",
                             joined(counts, ", ")));
}

std::string extents(const CampaignResult& result) {
  std::vector<std::pair<std::string, std::vector<std::string>>> groups;
  for (const auto& [pool, extent] : result.exhausted) {
    const auto words = in_words(extent);
    auto group = std::find_if(groups.begin(), groups.end(),
                              [&](const auto& other) { return other.first == words; });
    if (group == groups.end()) group = groups.insert(group, {words, {}});
    group->second.push_back(pool->label());
  }
  std::string text;
  for (const auto& [words, pools] : groups) {
    const bool says_all = groups.size() == 1;
    text += hanging(says_all ? words : fmt::format("{} ({})", words, joined(pools, ", ")));
  }
  return text;
}

std::string coverage_in_words(const CampaignResult& result) {
  Reached pairs;
  Reached triples;
  for (const auto& covered : result.covered) {
    const auto faults = covered.with_faults.value_or(Reached{});
    pairs = {pairs.reached + covered.pairs.reached, pairs.of + covered.pairs.of};
    triples = {triples.reached + faults.reached, triples.of + faults.of};
  }
  const auto words = [](const Reached& reached, const char* what) {
    return fmt::format("{} of {} {}", with_commas(reached.reached), with_commas(reached.of), what);
  };
  if (pairs.of == 0) return "";
  auto text = "reached: " + words(pairs, "state x step pairs");
  if (triples.of > 0) text += ", " + words(triples, "state x step x fault");
  return hanging(text);
}

std::string regressions_in_words(const RegressionCount& regressions) {
  std::vector<std::string> counts;
  const auto add = [&](std::int64_t number, const char* what) {
    if (number > 0) counts.push_back(fmt::format("{} {}", number, what));
  };
  add(regressions.run, "run");
  add(regressions.violated, "violated");
  add(regressions.vain, "not put to the test");
  add(regressions.unrunnable, "no longer runnable");
  add(regressions.left, "not run for want of time");
  add(regressions.unfit, "for other pools");
  add(static_cast<std::int64_t>(regressions.kept.size()), "kept");
  if (counts.empty()) return "";
  return hanging(fmt::format("regressions: {} ({}/)", joined(counts, ", "), regressions.folder));
}

}  // namespace poolproof::properties
