#pragma once

#include <vector>

#include "harness/runner.h"
#include "properties/check.h"
#include "properties/results.h"

namespace poolproof::properties {

/// `check --sweep`: one fault at every point, instead of a campaign. Returns the exit code.
int run_sweep(const CheckCommand& command, const harness::Fault& fault,
              const std::vector<Pool>& pools, harness::Runner& runner, const Results& results);

}  // namespace poolproof::properties
