#pragma once

#include <string>

#include "properties/rules.h"

namespace poolproof::properties {

/// A line for each rule: id, name, level.
std::string rules_in_words();

/// The rules, the alphabet and the conditions of known deviations as Markdown: docs/rules.md.
std::string rules_as_markdown();

/// One rule in full, for `poolproof explain`: what it asks, what it rests on, what puts it to the
/// test, and a made run for each outcome, judged as it is told.
std::string explained(const Rule& rule);

}  // namespace poolproof::properties
