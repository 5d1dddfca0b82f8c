#pragma once

#include "harness/case.h"
#include "harness/sys/result.h"
#include "properties/command.h"
#include "properties/pools.h"

namespace poolproof::properties {

/// The pool that a saved case names: of its very version where that is here, else of any, which is
/// what bisecting is about. With an adapter of one's own, that one in the case's start method.
/// Errors: one line that says what is not here and why.
sys::Result<Pool> pool_of_case(const harness::Case& saved, const PoolOptions& places);

}  // namespace poolproof::properties
