#pragma once

#include <string_view>

#include "properties/rules/reading.h"

namespace poolproof::properties {

/// What a recording shows of a contract's key by itself, whatever rule it keeps or breaks: a task
/// that ran twice is one of a pool that retries.
struct ContractSign {
  std::string_view key;
  std::string_view value;  // as contract_choices() has it
  std::string_view says;   // what is looked for
  bool (*shows)(const Reading&);
};

/// For the keys in which the stricter value can be broken by mistake as well as by design. A key
/// has either a sign for each of its values or none. The readings' own contract does not matter.
std::span<const ContractSign> contract_signs();

/// The sign of that value; nullptr where the key has none.
const ContractSign* sign_of(std::string_view key, std::string_view value);

}  // namespace poolproof::properties
