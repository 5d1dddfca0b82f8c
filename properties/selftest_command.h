#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace poolproof::properties {

/// `poolproof selftest [MUTANT...]` or `selftest --generated N`, as it was typed.
struct SelftestCommand {
  std::vector<std::string> mutants;  // empty: all
  std::optional<double> seconds;     // of the whole run
  std::optional<std::uint64_t> seed;
  int generated = 0;  // so many that a machine makes, instead of the table's
  int jobs = 0;
  int rung = 0;
  bool json = false;
};

/// Returns the exit code.
int run_selftest(const SelftestCommand& command);

}  // namespace poolproof::properties
