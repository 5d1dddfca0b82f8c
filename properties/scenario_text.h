#pragma once

#include <string>

#include "harness/case.h"

namespace poolproof::properties {

/// A scenario in the words of the alphabet, whatever language the pool is in:
/// "create workers 1, submit task 1 nothing, get task 1; main: exit 7".
std::string in_words(const harness::Scenario& scenario);

}  // namespace poolproof::properties
