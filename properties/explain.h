#pragma once

#include <string>

#include "properties/rules.h"

namespace poolproof::properties {

/// A line for each rule: id, name, level.
std::string rules_in_words();

/// One rule in full, for `poolproof explain`.
std::string explained(const Rule& rule);

}  // namespace poolproof::properties
