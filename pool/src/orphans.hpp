#pragma once

#include "keeper.hpp"
#include "supervisor.hpp"

/// What dead workers leave behind, and nothing else (its mutants replace this file). No allocation
/// and no exceptions: the supervisor uses this right after fork.
namespace poolproof::detail::orphans {

/// Supervisor, after a worker's death: kills what is below it and belongs to no living worker.
/// Whether some may be left of whose end no word will come: then look again soon.
bool kill(const SupervisorSetup& setup, Keeper& keeper);

}  // namespace poolproof::detail::orphans
