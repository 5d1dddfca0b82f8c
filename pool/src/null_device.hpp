#pragma once

#include "fd.hpp"

namespace poolproof::detail {

/// /dev/null, which the supervisor and its workers have in the stead of main's
/// standard input: whoever reads gets end of file, and main's input stays
/// main's. A number above 2. Errors: std::system_error.
Fd open_null_device();

}  // namespace poolproof::detail
