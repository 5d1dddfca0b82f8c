#pragma once

#include <cstddef>

namespace poolproof::detail {

/// Closes every descriptor from 3 on but those in `keep` (sorted in place; -1
/// is skipped). Fork copies all of main's, close-on-exec or not.
/// Async-signal-safe. Source: close_range(2).
void close_all_but(int* keep, std::size_t count);

}  // namespace poolproof::detail
