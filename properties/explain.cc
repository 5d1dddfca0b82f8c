#include "properties/explain.h"

#include <fmt/format.h>

#include <algorithm>

#include "harness/alphabet.h"
#include "properties/conditions.h"
#include "properties/guides/guides.h"
#include "properties/scenario_text.h"
#include "properties/text.h"
#include "properties/timeline.h"

namespace poolproof::properties {
namespace {

std::string_view in_words(Level level) {
  return level == Level::kMust ? "MUST, unless a pool's contract says otherwise"
                               : "SHOULD: a default that many pools miss";
}

/// What the rule said of a made run: why it is violated, in doubt or out of force.
std::string said_of(const Story& story, const Rule& rule) {
  const Verdict verdict = story.verdict(rule.id);
  if (const auto* away = std::get_if<NotApplicable>(&verdict)) return away->why;
  return story.says(rule.id);
}

std::vector<std::string> seen_in(const Story& story) {
  return timeline(story.scenario, story.trace, Detail::kEveryStep);
}

std::string in_short(const std::vector<std::string>& lines) {
  constexpr std::size_t kMostLines = 12;
  std::string text;
  for (const auto& line : shortened(lines, kMostLines, "")) text += line + "\n";
  return text;
}

/// Cuts what `lines` begin and end with as `known` do; whether something is missing at the end.
bool cut_to_the_difference(std::vector<std::string>& lines, std::vector<std::string> known) {
  const auto [begin, same] = std::mismatch(lines.begin(), lines.end(), known.begin(), known.end());
  known.erase(known.begin(), same);
  lines.erase(lines.begin(), begin);
  const auto end = std::mismatch(lines.rbegin(), lines.rend(), known.rbegin(), known.rend()).first;
  const bool is_cut = end != lines.rbegin();
  lines.erase(end.base(), lines.end());
  return is_cut;
}

/// What is run, unless the first example runs the same, and what was seen in which the two differ.
std::string told_beside(const Story& first, const Story& story) {
  constexpr std::string_view kMore = "         ...\n";
  auto lines = seen_in(story);
  const bool is_cut = cut_to_the_difference(lines, seen_in(first));
  const bool same = story.scenario == first.scenario;
  auto text = same ? std::string() : wrapped(properties::in_words(story.scenario), 4);
  if (lines.empty()) return text + "    as held\n";
  text += same ? "    as held, but then\n" : kMore;
  return text.append(in_short(lines)).append(is_cut ? kMore : "");
}

std::string told(const Guide& guide, const Rule& rule) {
  std::string text;
  const auto first = guide.examples.front().story();
  for (const Example& example : guide.examples) {
    const auto story = example.story();
    const auto why = said_of(story, rule);
    text += "\n" + hanging(fmt::format("{}{}{}", example.outcome, why.empty() ? "" : ": ", why));
    text += &example == &guide.examples.front()
                ? wrapped(properties::in_words(story.scenario), 4) + in_short(seen_in(story))
                : told_beside(first, story);
  }
  return text;
}

/// "source  https://...", a line each.
std::string sources(const Guide& guide) {
  std::string text;
  for (const auto source : guide.sources)
    text += fmt::format("  {:<7} {}\n", text.empty() ? "source" : "", source);
  return text;
}

/// As a cell of a table: the links by number.
std::string linked(const Rule& rule) {
  std::vector<std::string> links;
  if (const auto* guide = guide_of(rule.id)) {
    for (const auto source : guide->sources)
      links.push_back(fmt::format("[{}]({})", links.size() + 1, source));
  }
  return joined(links, " ");
}

}  // namespace

std::string rules_in_words() {
  std::string text;
  for (const auto& rule : rule_table()) {
    text += fmt::format("{} {:<26} {}\n", rule.id, rule.name,
                        rule.level == Level::kMust ? "MUST" : "SHOULD");
  }
  return text;
}

std::string rules_as_markdown() {
  std::string text =
      "# Rules, alphabet, conditions\n\n"
      "What `poolproof rules --markdown` prints; a test compares the two.\n\n"
      "## Rules\n\nMUST is for every pool unless its contract says otherwise, SHOULD a default "
      "that many pools miss. `poolproof explain W1` tells one with examples of each outcome.\n\n"
      "| id | name | sentence | exercised by | level | follows from | source |\n"
      "| --- | --- | --- | --- | --- | --- | --- |\n";
  for (const auto& rule : rule_table()) {
    const auto* guide = guide_of(rule.id);
    text +=
        fmt::format("| {} | {} | {} | {} | {} | {} | {} |\n", rule.id, rule.name, rule.sentence,
                    guide == nullptr ? "" : guide->exercised_by,
                    rule.level == Level::kMust ? "MUST" : "SHOULD", rule.implied_by, linked(rule));
  }
  text += "\n## What main does\n\n| step | what it does |\n| --- | --- |\n";
  for (const auto& step : harness::step_table())
    text += fmt::format("| `{}` | {} |\n", step.name, step.does);
  text += "\n## What a task does\n\n| body | number | what it does |\n| --- | --- | --- |\n";
  for (const auto& body : harness::body_table())
    text += fmt::format("| `{}` | {} | {} |\n", body.name, key(body.parameter), body.does);
  text += "\n## How main ends\n\n| ending | number | what it is |\n| --- | --- | --- |\n";
  for (const auto& ending : harness::ending_table())
    text += fmt::format("| `{}` | {} | {} |\n", ending.name, key(ending.parameter), ending.does);
  text +=
      "\n## Conditions of known deviations\n\nA contract's `condition` names one, or several that "
      "hold together: `main-killed, forkserver`.\n\n| condition | what it says |\n| --- | --- |\n";
  for (const auto& condition : condition_table())
    text += fmt::format("| `{}` | {} |\n", condition.name, condition.says);
  return text;
}

std::string explained(const Rule& rule) {
  auto text = fmt::format("{} {}\n", rule.id, rule.name) + wrapped(rule.sentence, 2) + "\n" +
              fmt::format("  level   {}\n", in_words(rule.level));
  std::vector<std::string> from;
  for (const auto* cause : causes(rule))
    from.push_back(fmt::format("{} {}", cause->id, cause->name));
  if (!from.empty()) {
    text += wrapped(fmt::format("follows from {}: told with {}", enumerated(from),
                                from.size() == 1 ? "it where both are violated"
                                                 : "the one that is violated too"),
                    2);
  }
  const auto* guide = guide_of(rule.id);
  if (guide == nullptr) return text;
  text += sources(*guide) + wrapped(fmt::format("exercised by {}", guide->exercised_by), 2);
  return text + told(*guide, rule);
}

}  // namespace poolproof::properties
