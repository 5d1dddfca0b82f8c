#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "harness/case.h"
#include "properties/abilities.h"
#include "properties/contract.h"

namespace poolproof::properties {

/// What "simpler" means, compared from the left: steps; ending; bodies (each in the order of its
/// table) and victims; timeouts; workers (the default counts as many); all numbers together.
using Complexity = std::array<std::int64_t, 6>;
Complexity complexity(const harness::Scenario& scenario);

/// Simpler scenarios, the boldest first: without half of the steps, without a quarter, ... without
/// one; then a simpler ending, simpler bodies, fewer workers, smaller numbers. Each is well-formed,
/// obeys the model's rule about endless waits, and is of less complexity(), so that shrinking ends.
/// A step that makes no sense without a removed one goes with it, and tasks are numbered anew.
std::vector<harness::Scenario> simpler(const harness::Scenario& scenario,
                                       const Abilities& abilities, const Contract& contract);

}  // namespace poolproof::properties
