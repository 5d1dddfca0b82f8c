#pragma once

#include "properties/letters.h"

/// What the letters that hand tasks over, and those that wait for outcomes, have in common
/// (tasks.cc). Private to letters/.
namespace poolproof::properties::letters {

Call call_of_submit(const PoolState& state, const harness::Step& step);
void submit(PoolState& state, const harness::Step& step, bool took_effect);

/// Whether such a body still runs when main's next step begins.
bool takes_a_while(const harness::Body& body);

bool may_wait_for_outcome(const PoolState& state, const harness::Step& step);
bool wait_is_prompt(const PoolState& state, const harness::Step& step);
bool has_timeout(const harness::Step& step);

/// A wait for that task: with a timeout where it must, else rarely.
void fill_wait(Draft& draft, harness::Step& step, int task);

}  // namespace poolproof::properties::letters
