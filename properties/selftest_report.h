#pragma once

#include <string>

#include "properties/console.h"
#include "properties/selftest.h"

namespace poolproof::properties {

/// The kill matrix: a row for each mutant and each start method of the unmutated pool, a letter for
/// each rule, cases and seconds to the first detection; then a line for whatever fails the run.
std::string selftest_matrix(const SelftestResult& result, const Console& console);

/// One object a line: the rows, then the summary.
std::string selftest_as_json_lines(const SelftestResult& result, const SelftestOptions& options);

}  // namespace poolproof::properties
