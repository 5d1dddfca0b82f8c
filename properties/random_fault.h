#pragma once

#include <rapidcheck.h>

#include <optional>
#include <vector>

#include "harness/case.h"

namespace poolproof::properties {

/// What goes wrong from outside in one random case: at one of its steps or tasks, or at a system
/// call by name that such programs make. nullopt for some, so that healthy cases stay in the mix,
/// and where there is nothing to hit. The same for the same `random`.
std::optional<harness::Fault> random_fault(const rc::Random& random,
                                           const harness::Scenario& scenario);

/// What it can do to its victim.
std::vector<harness::Fault::Action> random_fault_kinds();

}  // namespace poolproof::properties
