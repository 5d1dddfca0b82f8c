#pragma once

namespace poolproof::detail {

/// The number of processors that this thread may run on, at least 1.
/// Source: sched_getaffinity(2).
int usable_processors();

}  // namespace poolproof::detail
