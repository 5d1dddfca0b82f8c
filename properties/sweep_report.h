#pragma once

#include <string>

#include "properties/console.h"
#include "properties/sweep.h"

namespace poolproof::properties {

/// A table: a row per scenario and process, then the groups.
std::string sweep_table(const SweepResult& result, const Console& console);
std::string sweep_as_json_lines(const SweepResult& result);

}  // namespace poolproof::properties
