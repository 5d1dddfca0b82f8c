#pragma once

#include <rapidcheck.h>

#include "harness/case.h"
#include "properties/abilities.h"
#include "properties/contract.h"
#include "properties/coverage.h"

namespace poolproof::properties {

/// Random scenarios over what the adapter can do, legal and (at a fixed rate) deliberately illegal
/// calls mixed. Waits that may last for ever by what was asked of the pool are not generated
/// (model.h), so that P1 never blames a healthy pool. Size grows length and payloads.
/// covered: what scenarios reached so far; what they hardly did is chosen more often. It is asked
/// while one is generated, and must live as long; nullptr: nothing is preferred.
rc::Gen<harness::Scenario> scenarios(const Abilities& abilities, const Contract& contract,
                                     std::string start_method, const Coverage* covered = nullptr);

}  // namespace poolproof::properties
