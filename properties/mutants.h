#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "harness/sys/result.h"
#include "properties/rules.h"

namespace poolproof::properties {

/// A mutant of the reference pool, "mutant:NAME" among the pools, and the rule that must catch it.
struct Mutant {
  std::string name;
  const Rule* rule = nullptr;
};

/// The table of all mutants (fixtures/mutants/CMakeLists.txt), as it lies in a share folder:
/// mutants.json, in its order.
/// Errors: what open gives; one line for a file that is no such table, or names no rule of ours.
sys::Result<std::vector<Mutant>> mutants_of(const std::filesystem::path& share);

/// Reads the table's text; `path` is for errors.
sys::Result<std::vector<Mutant>> mutants_from_json(const std::string& text,
                                                   const std::string& path);

}  // namespace poolproof::properties
