#pragma once

#include <sys/types.h>

#include "supervisor.hpp"

namespace poolproof::detail {

/// Main: forks its supervisor, whose pid it returns. beside_threads: whether main may have threads.
/// Errors: std::system_error. Not thread safe: the crew's lock is held.
pid_t fork_supervisor(SupervisorSetup setup, bool beside_threads);

}  // namespace poolproof::detail
