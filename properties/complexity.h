#pragma once

#include <array>
#include <cstdint>
#include <utility>

#include "harness/case.h"

namespace poolproof::properties {

/// What "simpler" means, compared from the left: steps (one that does what others do counts as
/// more); no fault; ending; timeouts, quotas, what is inherited;
/// kinds of steps (a pause, a look, a task, a kill, then in the order of the table), bodies and
/// victims; the gentler fault; workers (the default counts as many); pairs of steps that are not
/// in the order of kinds; all numbers together, also that of the call, step or task at which the
/// fault fires, but long sleeps before short ones.
using Complexity = std::array<std::int64_t, 9>;
Complexity complexity(const harness::Scenario& scenario);

/// By which steps are sorted: less comes first, where nothing else speaks against it.
std::pair<std::int64_t, harness::BodyKind> order(const harness::Step& step);

/// None counts as more than the greatest, and what is no size as more than that.
std::int64_t size_of(const harness::Field& field, const harness::Step& step);

/// Whether it adds to the numbers; sizes are compared apart from them.
bool is_number(const harness::Field& field);

}  // namespace poolproof::properties
