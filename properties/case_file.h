#pragma once

#include <string>

#include "harness/case.h"
#include "harness/sys/result.h"

namespace poolproof::properties {

/// Reads a case that poolproof saved, or that somebody wrote by hand.
/// Errors: one line with the path, what is wrong there, and what to do; a file above 1 MiB is
/// refused.
sys::Result<harness::Case> read_case(const std::string& path);

/// The case file that is meant by a finding's folder: its case.json. Others as they are.
std::string case_path(const std::string& path);

}  // namespace poolproof::properties
