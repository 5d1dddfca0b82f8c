#pragma once

#include <string>

#include "harness/runner.h"
#include "properties/campaign.h"
#include "properties/console.h"

namespace poolproof::properties {

/// The first lines of a run: what runs, where, for how long, what each pool promises, and whether
/// the harness was seen to work.
std::string report_head(const std::vector<Pool>& pools, const CampaignOptions& options,
                        const harness::Runner& runner, const Canary& canary);

/// How a person gets the same case again.
struct Again {
  std::string folder;  // of the finding, as it can be typed
  std::string flags;   // of replay, such as " --python ./python"
};

/// One finding as docs and golden files show it.
std::string report_finding(const Finding& finding, const Again& again, const Console& console);

/// Which limit ended cases of which pool, and how to see one of them again.
std::string report_limit(const LimitReached& limit, const Again& again, const Console& console);

/// The part that a replay has in common with it: program and timeline.
std::string report_case(const Pool& pool, const harness::Scenario& scenario,
                        const harness::Trace& trace, std::size_t most_lines);

/// The wait-for graph of a tree at rest, less the sentences that have been told.
std::string report_waits(const harness::Trace& trace, const std::string& told = {});

}  // namespace poolproof::properties
