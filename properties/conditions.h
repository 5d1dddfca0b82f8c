#pragma once

#include <span>
#include <string>
#include <string_view>

#include "harness/case.h"
#include "harness/trace.h"

namespace poolproof::properties {

/// When a known deviation counts: a predicate over what was asked for and what happened. Small and
/// named, so that a contract says "T6 when a worker died" and not "T6, whatever".
struct Condition {
  std::string_view name;
  std::string_view says;
  bool (*holds)(const harness::Scenario&, const harness::Trace&);
};

std::span<const Condition> condition_table();

/// Null when there is none of that name.
const Condition* condition_named(std::string_view name);

/// Whether each of several conditions, "main-killed, forkserver", is one of these; and whether all
/// of them hold.
bool are_conditions(std::string_view names);
bool all_hold(std::string_view names, const harness::Scenario& scenario,
              const harness::Trace& trace);

/// "always, worker-died, ...", for error messages.
std::string condition_names();

}  // namespace poolproof::properties
