#pragma once

#include <string>
#include <vector>

#include "properties/campaign.h"
#include "properties/console.h"

namespace poolproof::properties {

/// A row per pool below its implementation, a letter per rule, under the rule's number; then
/// finding_list().
std::string matrix(const CampaignResult& result, const Console& console);

/// "1182 cases in 60 s; of 18 rules: 15 held, 2 violated, 1 n/a"; of several pools, "of 18 rules x
/// 3 pools".
std::string summary(const CampaignResult& result);

/// "complete to 3 steps, 2 workers: 218 scenarios": what was run of all short scenarios; where
/// pools differ, a line for those that have the same in common. Empty where none were tried.
std::string extents(const CampaignResult& result);

/// "171 of 180 state x step pairs reached": of all pools together; with faults, those of state,
/// step and kind of fault as well.
std::string coverage_in_words(const CampaignResult& result);

/// "regressions: 3 run, 1 violated, 2 for other pools (poolproof-regressions/)": empty where no
/// case is kept.
std::string regressions_in_words(const RegressionCount& regressions);

}  // namespace poolproof::properties
