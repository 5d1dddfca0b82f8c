#pragma once

#include "properties/rules/reading.h"
#include "properties/rules/verdicts.h"

namespace poolproof::properties {

/// Until when the pool has a reason to be complete: main neither ends nor begins to end it.
Reading::Moment in_use_until(const Reading& reading);

/// Whether a pool that is in use, and goes on being so for the grace, starts a worker for each that
/// it has lost, or let go for its quota (W4). Says nothing of pools that start workers on demand or
/// not again by contract, and of those that a fault may have broken.
void judge_replacements(const Reading& reading, Verdicts& verdicts);

}  // namespace poolproof::properties
