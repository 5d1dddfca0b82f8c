#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "harness/case.h"
#include "harness/sys/result.h"
#include "properties/campaign.h"
#include "properties/pools.h"

namespace poolproof::properties {

/// Where kept cases are looked for if nobody says where.
inline constexpr std::string_view kRegressionsFolder = "poolproof-regressions";

/// The cases that a folder keeps from earlier runs, so that what was broken once is tried each
/// time: a small JSON file each (harness/protocol/README.md), made to be committed.
struct Regressions {
  std::vector<harness::Case> cases;   // the shortest first
  std::vector<std::string> troubles;  // files that hold no case, a line each

  /// Those that the pool can perform, each scenario once. Another version of the pool is no reason
  /// to leave a case out: it is what regressions are for.
  std::vector<harness::Scenario> of(const Pool& pool) const;

  /// How many cases were kept of none of these pools.
  int of_none(const std::vector<Pool>& pools) const;
  /// Those, and cases that ask for what their pool does not do, or that its contract makes a wait
  /// for ever.
  int runnable_by_none(const std::vector<Pool>& pools) const;
};

/// Reads every *.json file of a folder, in the order of names. What cannot be read is a trouble.
Regressions read_regressions(const std::filesystem::path& folder);

/// "reference_fork-W1-1a2b3c4d.json": the same for the same pool (whatever its version), rule and
/// scenario on every machine, so that a folder under version control does not change by a new run.
std::string regression_name(const Finding& finding);

/// Whether a finding is worth keeping: new, shrunk, and reliable when it was repeated.
bool is_worth_keeping(const Finding& finding);

/// Writes the finding's shrunk case into the folder; false: it is there.
/// Errors: what the system said, with the path.
sys::Result<bool> keep_regression(const std::filesystem::path& folder, const Finding& finding);

}  // namespace poolproof::properties
