#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/case.h"
#include "harness/trace.h"
#include "properties/rules/reading.h"

namespace poolproof::properties {

/// The value that the body returns; nullopt for one that returns none.
std::optional<std::string> value_of(int task, const harness::Body& body);

/// Whether a task with it comes to an error in a healthy pool, and leaves its worker alive.
bool is_to_fail(const harness::Body& body);

/// How many items a map is given: those before the one at which its input raises.
int items_of(const harness::Step& map);
/// The message is that of the error which the map's input raises.
bool tells_input(std::string_view message, const harness::Step& map);

/// The value of each item of a map, in their order; empty where the body returns none.
std::vector<std::string> item_values(const harness::Step& map);
/// What a get or next of a map was given: one value, or all that a get lists.
std::vector<std::string> values_in(std::string_view told);

/// Whether a get that ended so was told what became of the task.
bool is_told(harness::StepResult::Kind kind);

/// The message holds "task 1", and not as the beginning of "task 12".
bool tells_task(std::string_view message, int task);

/// The message holds "task 1", or any other number.
bool tells_any_task(std::string_view message);

/// Whether a get was told what the task's body comes to when it runs to its end: its value, or its
/// own error.
bool is_made_by_body(int task, const harness::Body& body, const harness::StepResult& result);

/// Why a task that no claim shows running may have run: a get was told of what only its body can
/// have made. The pool keeps its workers from writing claims, perhaps by a clean environment. Who
/// counts runs must not conclude from their absence then.
std::optional<std::string> doubt_about_runs(const Reading& reading);

/// Whether any accepted task's body has claimed to run: as long as none has, nothing says that
/// workers can claim at all.
bool any_claimed_to_run(const Reading& reading);

}  // namespace poolproof::properties
