#pragma once

#include <optional>
#include <string>
#include <vector>

#include "harness/case.h"
#include "harness/trace.h"
#include "properties/command.h"
#include "properties/pools.h"

namespace poolproof::properties {

/// `poolproof endings [POOL...]`, as it was typed.
struct EndingsCommand {
  std::vector<std::string> pools;
  PoolOptions places;
  int jobs = 0;
  int rung = 0;
  bool json = false;
};

/// What became of a pool after one ending of main.
struct EndingCell {
  std::string status;                              // "0", "TERM"; empty: main did not end
  std::optional<harness::Nanoseconds> gone_after;  // since main's ending
  bool main_never = false;                         // proved that it cannot end
  int workers = 0;                                 // left behind
  int others = 0;                                  // helpers and whoever else
  std::optional<harness::Nanoseconds> left_for;    // how long the last one stayed; absent: too long
  bool for_ever = false;                           // proved at rest
  std::string unclear;                             // why nothing can be said

  bool nothing_left() const { return workers + others == 0; }
};

/// One pool's column: a cell for each row of ending_rows().
struct EndingColumn {
  std::string pool;     // its label
  std::string runtime;  // "CPython 3.11.7"
  std::vector<EndingCell> cells;
};

enum class Load { kIdle, kBusy };

/// Each ending of main, in the order of the alphabet; exits have code 7.
std::vector<harness::Ending> ending_rows();

/// Four workers that have proved that they run, then idle or each in a 2 s task; then the ending.
harness::Scenario ending_scenario(const Pool& pool, Load load, const harness::Ending& ending);

/// Reads the facts of one recording; `grace` is how long survivors were watched.
EndingCell ending_cell(const harness::Trace& trace, std::chrono::milliseconds grace);

/// At most three pools side by side, in 80 columns; more follow below.
std::string endings_table(Load load, const std::vector<EndingColumn>& columns,
                          std::chrono::milliseconds grace);

/// Returns the exit code.
int run_endings(const EndingsCommand& command);

}  // namespace poolproof::properties
