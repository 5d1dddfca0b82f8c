#include "properties/explain.h"

#include <fmt/format.h>

#include "harness/alphabet.h"
#include "properties/conditions.h"
#include "properties/text.h"

namespace poolproof::properties {
namespace {

std::string_view in_words(Level level) {
  return level == Level::kMust ? "MUST, unless a pool's contract says otherwise"
                               : "SHOULD: a default that many pools miss";
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
      "that many pools miss.\n\n| id | name | sentence | level | follows from |\n"
      "| --- | --- | --- | --- | --- |\n";
  for (const auto& rule : rule_table()) {
    text += fmt::format("| {} | {} | {} | {} | {} |\n", rule.id, rule.name, rule.sentence,
                        rule.level == Level::kMust ? "MUST" : "SHOULD", rule.implied_by);
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
  for (const auto* cause : causes(rule)) {
    text += fmt::format("  follows from {} {}: told with it where both are violated\n", cause->id,
                        cause->name);
  }
  return text;
}

}  // namespace poolproof::properties
