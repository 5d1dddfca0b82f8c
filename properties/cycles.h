#pragma once

#include <map>
#include <set>
#include <vector>

#include "harness/trace.h"

namespace poolproof::properties {

/// Who waits for whom.
using Edges = std::map<harness::Pid, std::set<harness::Pid>>;

/// One cycle, in its order, for each set of processes that are in cycles with each other: the
/// shortest through the lowest pid.
std::vector<std::vector<harness::Pid>> cycles_of(const Edges& edges);

}  // namespace poolproof::properties
