#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "properties/rules/made_trace.h"

namespace poolproof::properties {

/// A run written by hand, and what the rule makes of it. The tests judge each: an example that says
/// "violated" is violated.
struct Example {
  std::string_view outcome;  // as Story::outcome() has it
  Story (*story)() = nullptr;
};

/// What `explain` tells of a rule beside its sentence.
struct Guide {
  std::string_view rule;                  // "W1"
  std::vector<std::string_view> sources;  // what the rule rests on: https:// each
  /// What a case needs to put it to the test, after "exercised by".
  std::string_view exercised_by;
  /// Held first, violated and not exercised at least; others where the rule has them. The less they
  /// differ from the first, the shorter they are told.
  std::vector<Example> examples;
};

/// All of them, family by family. Made once; safe for any thread.
std::span<const Guide> guides();
/// nullptr where nobody has written one.
const Guide* guide_of(std::string_view rule);

/// A family each: exit.cc, workers.cc and so on beside this file.
std::vector<Guide> exit_guides();
std::vector<Guide> worker_guides();
std::vector<Guide> task_guides();
std::vector<Guide> state_guides();
std::vector<Guide> isolation_guides();
std::vector<Guide> resource_guides();
std::vector<Guide> progress_guides();

}  // namespace poolproof::properties
