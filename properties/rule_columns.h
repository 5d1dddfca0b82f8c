#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "properties/rules.h"

namespace poolproof::properties {

/// One cell for each rule, of one character (and its colour), groups of rules apart.
std::string rule_columns(const std::vector<const Rule*>& rules,
                         const std::function<std::string(std::size_t)>& cell);

/// Two lines over such columns that start at `column`: the groups' letters, the rules' numbers, and
/// what stands after them.
std::string rule_heading(const std::vector<const Rule*>& rules, std::size_t column,
                         const std::string& after);

}  // namespace poolproof::properties
