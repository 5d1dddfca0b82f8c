#pragma once

#include <span>
#include <string>
#include <string_view>

#include "properties/contract.h"

namespace poolproof::properties {

/// A key of contracts in which pools differ by design, and what it can be, the strictest first:
/// each value forbids what the next one allows, or something else.
struct ContractChoice {
  struct Value {
    std::string_view text;  // as TOML has it: "\"drains\"", "true"
    void (*set)(Contract&);
    bool (*is)(const Contract&);
  };
  std::string_view key;
  std::span<const Value> values;
};

/// All of them, in the order of contract files. The grace and the known deviations are none.
std::span<const ContractChoice> contract_choices();

/// The value that the contract has.
const ContractChoice::Value& value_of(const ContractChoice& choice, const Contract& contract);

}  // namespace poolproof::properties
