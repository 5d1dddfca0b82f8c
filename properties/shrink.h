#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "harness/case.h"
#include "properties/abilities.h"
#include "properties/contract.h"

namespace poolproof::properties {

/// What "simpler" means, compared from the left: steps (one that does what others do counts as
/// more, one that only looks as none); no fault; ending; timeouts, quotas, what is inherited;
/// kinds of steps (a pause or a look, a task, a kill, then in the order of the table), bodies and
/// victims; the gentler fault; workers (the default counts as many); all numbers together, also
/// that of the call, step or task at which the fault fires, but long sleeps before short ones;
/// pairs of steps that are not in the order of kinds.
using Complexity = std::array<std::int64_t, 9>;
Complexity complexity(const harness::Scenario& scenario);

/// Simpler scenarios, one list for each way to make one simpler. The ways are the same for every
/// scenario, so that a search can go on in one scenario where it was in another.
using Passes = std::vector<std::vector<harness::Scenario>>;

/// The boldest first: without half of the steps, without a quarter, ... without one; then plain
/// steps for one that does as much; without a fault, then with any ending; one step that could
/// stand for some; a simpler ending, simpler bodies, a gentler fault, fewer workers, longer sleeps,
/// smaller numbers; other orders; at last a stand-in for each step. A fault goes along with its
/// step or task. Each is well-formed, obeys the model's rule about endless waits, and is of less
/// complexity(), so that shrinking ends; none is there twice. A step that makes no sense without a
/// removed one goes with it, and tasks are numbered anew.
Passes simpler_by_pass(const harness::Scenario& scenario, const Abilities& abilities,
                       const Contract& contract);

/// The same in one list.
std::vector<harness::Scenario> simpler(const harness::Scenario& scenario,
                                       const Abilities& abilities, const Contract& contract);

}  // namespace poolproof::properties
