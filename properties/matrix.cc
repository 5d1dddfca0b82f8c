#include "properties/matrix.h"

#include <fmt/format.h>

#include <algorithm>

#include "properties/rule_columns.h"
#include "properties/text.h"

namespace poolproof::properties {
namespace {

/// Where the letters start: two blanks before a pool's name and two after it.
std::size_t first_column(const CampaignResult& result) {
  std::size_t column = 29;
  for (const auto& tally : result.tallies) {
    column = std::max(column, tally.pool().label().size() + 4);
  }
  return column;
}

std::string painted(Outcome outcome, const Console& console) {
  const std::string letter(1, entry(outcome).letter);
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
  return fmt::format("{}{} {:>6}\n", padded("  " + tally.pool().label(), column), letters,
                     tally.cases());
}

std::string legend() {
  std::vector<std::string> entries;
  for (const auto outcome : all_outcomes()) {
    entries.push_back(fmt::format("{} {}", entry(outcome).letter, entry(outcome).legend));
  }
  return joined(entries, "  ") + "\n";
}

std::string finding_line(const Finding& finding, std::size_t column, const Console& console) {
  const auto outcome = finding.is_known()    ? Outcome::kKnown
                       : finding.is_stable() ? Outcome::kViolated
                                             : Outcome::kInconclusive;
  auto where = finding.is_known() ? short_link(finding.known_link) : finding.folder + "/";
  // Its letter says what the rate means; more does not fit into the line.
  if (!finding.is_known() && !finding.was_repeated()) {
    where += "  not rerun";
  } else if (!finding.is_known() && !finding.is_stable()) {
    where += fmt::format("  {} of {}", finding.failed, finding.repeated);
  }
  const auto rule = fmt::format("{} {}", finding.rule->id, finding.rule->name);
  return fmt::format("{} {} {:<25} {:<8} {}\n", painted(outcome, console),
                     padded(finding.pool->label(), column - 3), rule,
                     counted(finding.simplest.scenario.length(), "step"), where);
}

std::string gone_lines(const Tally& tally, std::size_t column, const Console& console) {
  std::string lines;
  for (const auto& known : tally.known()) {
    if (!known.no_longer_seen()) continue;
    const auto* rule = rule_named(known.deviation->rule);
    lines += fmt::format("{} {} {:<25} {}, 0 of {}\n", painted(Outcome::kNoLongerSeen, console),
                         padded(tally.pool().label(), column - 3),
                         fmt::format("{} {}", rule->id, rule->name),
                         short_link(known.deviation->link), counted(known.held, "case"));
  }
  return lines;
}

}  // namespace

std::string short_link(const std::string& link) {
  static const std::string kPython = "https://github.com/python/cpython/issues/";
  static const std::string kScheme = "https://";
  if (link.starts_with(kPython)) return "gh-" + link.substr(kPython.size());
  return link.starts_with(kScheme) ? link.substr(kScheme.size()) : link;
}

std::string matrix(const CampaignResult& result, const Console& console) {
  if (result.tallies.empty()) return "";
  const auto column = first_column(result);
  std::string text = rule_heading(rules_of(result), column, "  cases");
  std::string runtime;
  for (const auto& tally : result.tallies) {
    if (tally.pool().abilities.runtime != runtime) text += tally.pool().abilities.runtime + "\n";
    runtime = tally.pool().abilities.runtime;
    text += row(tally, column, console);
  }
  text += legend();
  std::string findings;
  for (const auto& finding : result.findings) findings += finding_line(finding, column, console);
  for (const auto& tally : result.tallies) findings += gone_lines(tally, column, console);
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
  return hanging(fmt::format("{}{} in {}: {}", result.interrupted ? "interrupted: " : "",
                             counted(result.cases(), "case"), in_seconds(result.elapsed),
                             counts.empty() ? "no rule was judged" : joined(counts, ", ")));
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
  add(regressions.left, "not run for want of time");
  add(regressions.unfit, "for other pools");
  add(static_cast<std::int64_t>(regressions.kept.size()), "kept");
  if (counts.empty()) return "";
  return hanging(fmt::format("regressions: {} ({}/)", joined(counts, ", "), regressions.folder));
}

}  // namespace poolproof::properties
