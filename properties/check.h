#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "properties/command.h"

namespace poolproof::properties {

/// `poolproof check`, as it was typed.
struct CheckCommand {
  std::vector<std::string> arguments;  // all of them, for the record
  std::vector<std::string> pools;
  PoolOptions places;
  std::optional<std::uint64_t> seed;
  std::optional<double> seconds;  // of the whole run
  int cases = 0;                  // for each pool
  int jobs = 0;
  int rung = 0;
  std::string only;  // "exhaustive" ...: that part of the campaign alone; empty: all
  int steps = 0;     // of the exhaustive part; 0: as far as the time goes
  std::vector<std::string> rules;
  bool stop_at_first = false;
  bool strict = false;
  bool no_known = false;
  bool faults = false;  // something goes wrong from outside in most cases
  bool json = false;
  std::string sweep;        // "kill", "errno" ...: a fault at every point instead of random cases
  std::string role;         // of the sweep
  std::string regressions;  // folder of kept cases; empty: kRegressionsFolder, if it is there
  bool keep_regressions = false;  // new findings are added to it
  std::string junit;              // a file; empty: none
  std::string results;
};

/// Returns the exit code.
int run_check(const CheckCommand& command);

}  // namespace poolproof::properties
