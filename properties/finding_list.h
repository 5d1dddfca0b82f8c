#pragma once

#include <string>

#include "properties/campaign.h"
#include "properties/console.h"

namespace poolproof::properties {

/// All findings, a line each below their pool; those of one pool that are the same case and of the
/// same standing share one: "E1 ProcessExits, P1". Then the known deviations that are no longer
/// seen. Empty where there is nothing to list.
std::string finding_list(const CampaignResult& result, const Console& console);

}  // namespace poolproof::properties
