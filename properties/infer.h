#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "harness/case.h"
#include "harness/trace.h"
#include "properties/contract.h"
#include "properties/contract_choices.h"
#include "properties/pools.h"
#include "properties/rules.h"

namespace poolproof::properties {

/// A case that was run.
struct Experience {
  harness::Scenario scenario;
  harness::Trace trace;
};

/// One key of a contract, and what speaks for its value.
struct InferredKey {
  const ContractChoice* choice = nullptr;
  const ContractChoice::Value* value = nullptr;
  int for_it = 0;         // cases that speak for it ...
  int of = 0;             // ... of those that speak for any value
  std::string_view sign;  // what they show; empty: rules that it keeps, and others would not

  /// No case told the values apart: the strictest stands.
  bool untested() const { return of == 0; }
};

/// A rule that is broken all the same, where a condition holds that such cases have in common.
struct InferredDeviation {
  const Rule* rule = nullptr;
  std::string_view condition;
  int broken = 0;     // cases under the condition that break the rule
  int exercised = 0;  // cases under the condition that put it to the test
  std::string evidence;
};

struct Inferred {
  Contract contract;  // its known deviations are empty
  std::vector<InferredKey> keys;
  std::vector<InferredDeviation> deviations;
};

/// The contract that these runs of a pool keep best. Where a key has signs (contract_signs.h), the
/// value that most cases show is taken. Else rules are judged under each of its values, and a
/// stricter one gives way where the cases that tell it from a weaker one mostly break it. So a
/// value that is broken now and then stands, and is told as a deviation: a pool that hangs
/// sometimes does not thereby promise to hang. Pure.
Inferred infer_contract(const Pool& pool, const std::vector<Experience>& experiences);

/// A contract file, each key with what speaks for it, deviations with an empty link to be filled
/// in.
std::string inferred_as_toml(const Inferred& inferred, const std::string& pool);

}  // namespace poolproof::properties
