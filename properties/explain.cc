#include "properties/explain.h"

#include <fmt/format.h>

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

std::string explained(const Rule& rule) {
  auto text = fmt::format("{} {}\n", rule.id, rule.name) + wrapped(rule.sentence, 2) + "\n" +
              fmt::format("  level   {}\n", in_words(rule.level));
  if (const auto* cause = rule_named(rule.implied_by); cause != nullptr) {
    text += fmt::format("  follows from {} {}: told with it where both are violated\n", cause->id,
                        cause->name);
  }
  return text;
}

}  // namespace poolproof::properties
