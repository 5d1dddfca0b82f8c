#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "harness/alphabet.h"
#include "harness/sys/result.h"

namespace poolproof::properties {

/// What an adapter's --describe says (harness/protocol/README.md).
struct Abilities {
  std::string name;      // "multiprocessing.Pool"
  std::string version;   // of the pool
  std::string language;  // "python", "c++"
  std::string runtime;   // "CPython 3.11.7"
  std::vector<std::string> start_methods;
  std::vector<harness::StepKind> steps;
  std::vector<harness::BodyKind> bodies;
  std::vector<harness::EndingKind> endings;
  std::vector<harness::Setting> settings;
  std::vector<harness::Form> forms;  // of maps
  std::map<std::string, std::string>
      program;         // templates; preamble and postamble joined by newlines
  std::string absent;  // why the pool is not installed; empty when it is
};

/// Errors: one line that says what is wrong and what --describe must print. Letters of the alphabet
/// that this build does not know are left out, not refused: an adapter may be newer.
sys::Result<Abilities> abilities_from_json(std::string_view text);

}  // namespace poolproof::properties
