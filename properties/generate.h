#pragma once

#include <rapidcheck.h>

#include "harness/case.h"
#include "properties/abilities.h"
#include "properties/contract.h"

namespace poolproof::properties {

/// Random scenarios over what the adapter can do, legal and (at a fixed rate) deliberately illegal
/// calls mixed. Waits that may last for ever by what was asked of the pool are not generated
/// (model.h), so that P1 never blames a healthy pool. Size grows length and payloads.
rc::Gen<harness::Scenario> scenarios(const Abilities& abilities, const Contract& contract,
                                     std::string start_method);

}  // namespace poolproof::properties
