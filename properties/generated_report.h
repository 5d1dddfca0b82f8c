#pragma once

#include <string>

#include "properties/console.h"
#include "properties/generated.h"

namespace poolproof::properties {

/// One mutant in a line or two, as soon as its fate is known.
std::string generated_line(const GeneratedMutant& mutant, const Console& console);

/// The survivors, each with its change and a word on it, and the share that was caught.
std::string generated_summary(const GeneratedResult& result, const Console& console);

/// One object a line: the mutants, then the summary.
std::string generated_as_json_lines(const GeneratedResult& result, std::uint64_t seed);

}  // namespace poolproof::properties
