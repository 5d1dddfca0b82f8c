#pragma once

#include <string>

#include "properties/command.h"

namespace poolproof::properties {

/// `poolproof repro CASE`, as it was typed.
struct ReproCommand {
  std::string case_file;
  PoolOptions places;
  std::string rule;    // empty: the first that the case violates
  std::string output;  // empty: repro.py beside the case
  int times = 10;
  int rung = 0;
};

/// Writes a saved case as a script of its own and runs that so many times, without the harness. It
/// is kept if it failed at least once. Returns 0 for a script that was kept; 125 where the case
/// breaks no rule here, or no script can show it; a case file that cannot be read is bad usage.
int run_repro(const ReproCommand& command);

}  // namespace poolproof::properties
