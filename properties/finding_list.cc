#include "properties/finding_list.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "properties/short_link.h"
#include "properties/text.h"

namespace poolproof::properties {
namespace {

constexpr std::size_t kRulesWidth = 34;

struct Line {
  std::vector<const Finding*> findings;  // the first one stands for the case

  const Finding& first() const { return *findings.front(); }
  bool takes(const Finding& finding) const {
    return finding.pool == first().pool && finding.known_link == first().known_link &&
           finding.failed == first().failed && finding.repeated == first().repeated &&
           finding.simplest == first().simplest;
  }
};

Outcome outcome_of(const Finding& finding) {
  if (finding.is_known()) return Outcome::kKnown;
  return finding.is_stable() ? Outcome::kViolated : Outcome::kInconclusive;
}

/// New ones first, then what is unclear, then what is known.
int rank(const Line& line) {
  switch (outcome_of(line.first())) {
    case Outcome::kViolated:
      return 0;
    case Outcome::kInconclusive:
      return 1;
    default:
      return 2;
  }
}

std::vector<Line> lines_of(const CampaignResult& result, const Pool& pool) {
  std::vector<Line> lines;
  for (const auto& finding : result.findings) {
    if (finding.pool != &pool) continue;
    const auto same = std::find_if(lines.begin(), lines.end(),
                                   [&](const Line& line) { return line.takes(finding); });
    if (same == lines.end()) {
      lines.push_back({{&finding}});
    } else {
      same->findings.push_back(&finding);
    }
  }
  for (auto& line : lines) {
    // In the order of the matrix: all rules lie in one table.
    std::stable_sort(
        line.findings.begin(), line.findings.end(),
        [](const Finding* one, const Finding* other) { return one->rule < other->rule; });
  }
  std::stable_sort(lines.begin(), lines.end(),
                   [](const Line& one, const Line& other) { return rank(one) < rank(other); });
  return lines;
}

/// "W1 NoWorkerOutlivesParent, E3".
std::string rules_of(const Line& line) {
  auto text = fmt::format("{} {}", line.first().rule->id, line.first().rule->name);
  for (std::size_t at = 1; at < line.findings.size(); ++at)
    text += fmt::format(", {}", line.findings[at]->rule->id);
  return text;
}

/// The folders of new ones, the link of known ones.
std::string place_of(const Line& line) {
  if (line.first().is_known()) return short_link(line.first().known_link);
  std::vector<std::string> folders;
  for (const auto* finding : line.findings) folders.push_back(finding->folder + "/");
  return joined(folders, " ");
}

std::string rate_of(const Finding& finding) {
  if (!finding.was_repeated()) return finding.is_known() ? "" : "  not rerun";
  if (finding.rate().is_steady()) return "";
  return fmt::format("  {} of {}", finding.failed, finding.repeated);
}

std::string in_a_line(Outcome outcome, const std::string& rules, const std::string& steps,
                      const std::string& rest, const Console& console) {
  const std::string letter(1, entry(outcome).letter);
  const auto painted = outcome == Outcome::kViolated ? console.bad(letter) : console.odd(letter);
  return fmt::format("  {} {} {:<7}  {}\n", painted, padded(rules, kRulesWidth), steps, rest);
}

std::string in_words(const Line& line, const Console& console) {
  const auto& finding = line.first();
  return in_a_line(outcome_of(finding), rules_of(line),
                   counted(finding.simplest.scenario.length(), "step"),
                   place_of(line) + rate_of(finding), console);
}

std::string gone_lines(const Tally& tally, const Console& console) {
  std::string lines;
  for (const auto& known : tally.known()) {
    if (!known.no_longer_seen()) continue;
    const auto* rule = rule_named(known.deviation->rule);
    lines += in_a_line(
        Outcome::kNoLongerSeen, fmt::format("{} {}", rule->id, rule->name), "",
        fmt::format("{}  0 of {}", short_link(known.deviation->link), counted(known.held, "case")),
        console);
  }
  return lines;
}

}  // namespace

std::string finding_list(const CampaignResult& result, const Console& console) {
  std::string text;
  for (const auto& tally : result.tallies) {
    std::string lines;
    for (const auto& line : lines_of(result, tally.pool())) lines += in_words(line, console);
    lines += gone_lines(tally, console);
    if (!lines.empty()) text += tally.pool().label() + "\n" + lines;
  }
  return text;
}

}  // namespace poolproof::properties
