#pragma once

#include <string>

#include "properties/command.h"

namespace poolproof::properties {

/// `poolproof replay CASE`, as it was typed.
struct ReplayCommand {
  std::string case_file;
  PoolOptions places;
  int times = 1;
  int jobs = 0;
  int rung = 0;
  std::string fault;  // instead of the case's own; "none" for none
  bool no_known = false;
  bool hold = false;  // what is alive at the end stays so until somebody presses Enter
};

/// Runs a saved case again. Returns the exit code: kept, violated, or could not be judged (also
/// when the pool is absent or the harness cannot work, so that `git bisect run` skips such a
/// commit); a case file that cannot be read is bad usage.
int run_replay(const ReplayCommand& command);

}  // namespace poolproof::properties
