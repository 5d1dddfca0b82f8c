#pragma once

#include <poolproof/pool.hpp>

/// Which call is legal in which state, and where it leads: the whole state
/// machine, and nothing else (its mutants replace this file).
namespace poolproof::detail::state {

/// Errors: PoolNotRunning unless running.
void require_submittable(PoolState state);

/// Errors: PoolStillRunning while running.
void require_joinable(PoolState state);

/// A terminated pool stays terminated.
[[nodiscard]] PoolState after_close(PoolState state);

[[nodiscard]] PoolState after_terminate(PoolState state);

}  // namespace poolproof::detail::state
