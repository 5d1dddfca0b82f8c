#pragma once

#include <chrono>
#include <string>

namespace poolproof::detail {

/// "60 ms", "1.5 s": in the largest unit of which it is one at least.
std::string to_text(std::chrono::nanoseconds time);

}  // namespace poolproof::detail
