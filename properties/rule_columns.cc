#include "properties/rule_columns.h"

#include <fmt/format.h>

namespace poolproof::properties {
namespace {

bool starts_group(const std::vector<const Rule*>& rules, std::size_t at) {
  return at == 0 || rules[at]->id.front() != rules[at - 1]->id.front();
}

}  // namespace

std::string rule_columns(const std::vector<const Rule*>& rules,
                         const std::function<std::string(std::size_t)>& cell) {
  std::string row;
  for (std::size_t at = 0; at < rules.size(); ++at) {
    if (at > 0 && starts_group(rules, at)) row += ' ';
    row += cell(at);
  }
  return row;
}

std::string rule_heading(const std::vector<const Rule*>& rules, std::size_t column,
                         const std::string& after) {
  const auto before = std::string(column, ' ');
  auto groups = rule_columns(rules, [&](std::size_t at) {
    return std::string(1, starts_group(rules, at) ? rules[at]->id.front() : ' ');
  });
  groups.erase(groups.find_last_not_of(' ') + 1);
  const auto numbers =
      rule_columns(rules, [&](std::size_t at) { return std::string(1, rules[at]->id.back()); });
  return fmt::format("{0}{1}\n{0}{2}{3}\n", before, groups, numbers, after);
}

}  // namespace poolproof::properties
