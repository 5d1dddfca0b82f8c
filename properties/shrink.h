#pragma once

#include <vector>

#include "harness/case.h"
#include "properties/abilities.h"
#include "properties/contract.h"

namespace poolproof::properties {

/// Simpler scenarios, one list for each way to make one simpler. The ways are the same for every
/// scenario, so that a search can go on in one scenario where it was in another.
using Passes = std::vector<std::vector<harness::Scenario>>;

/// The boldest first: without half of the steps, without a quarter, ... without one; then plain
/// steps for one that does as much; without a fault, then with any ending; one step that could
/// stand for some; a simpler ending, simpler bodies, a gentler fault; fewer processors and less
/// that is inherited, options and settings left out, all at once and one by one; fewer workers,
/// longer sleeps, smaller numbers, another order; tasks that do not end for a step; at last a
/// stand-in for each. A fault goes along with its step or task. Each is well-formed, obeys the
/// model's rule about endless waits, and is of less complexity(), so that shrinking ends; none is
/// there twice. A step that makes no sense without a removed one goes with it, and tasks are
/// numbered anew.
Passes simpler_by_pass(const harness::Scenario& scenario, const Abilities& abilities,
                       const Contract& contract);

/// What does the same with less left to chance: no task that ends before main looks, or acts; a
/// pause behind one of the steps, so that what they began is done.
std::vector<harness::Scenario> surer(const harness::Scenario& scenario, const Abilities& abilities,
                                     const Contract& contract);

/// Those of simpler_by_pass in one list.
std::vector<harness::Scenario> simpler(const harness::Scenario& scenario,
                                       const Abilities& abilities, const Contract& contract);

}  // namespace poolproof::properties
