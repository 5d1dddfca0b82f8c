#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "properties/command.h"

namespace poolproof::properties {

/// `poolproof contract POOL --infer`, as it was typed.
struct ContractCommand {
  std::string pool;
  PoolOptions places;
  bool infer = false;
  std::optional<double> seconds;
  std::optional<int> cases;
  std::optional<std::uint64_t> seed;
  int jobs = 0;
  int rung = 0;
};

/// Prints the contract that a pool is held to, or with --infer the one that it keeps by what a
/// campaign shows, as a contract file. Returns 0, or 2 and 3 as every command does.
int run_contract(const ContractCommand& command);

}  // namespace poolproof::properties
