#pragma once

#include <sys/types.h>

#include "children.hpp"

/// The PID namespace of a pool that asked for it. Its init, the keeper, does nothing but exist and
/// die with the supervisor; then the kernel kills all that is in the namespace. The supervisor
/// itself stays outside, and so sees the pids that main sees. No allocation, no exceptions.
namespace poolproof::detail {

struct Keeper {
  pid_t pid = -1;
  int children = -1;  ///< the keeper's list of children in /proc

  /// Those that it has adopted, as main's view numbers them: what a dead worker has left behind,
  /// since a living one adopts its own. At most `capacity`.
  [[nodiscard]] std::size_t list(pid_t* pids, std::size_t capacity) const;
};

/// Supervisor, before it has children: those that it makes from now on are in a new PID namespace;
/// for an ordinary user also in a new user namespace, with the same user and group. Returns 0 or
/// an errno: then it must end.
int start_keeper(Keeper& keeper);

}  // namespace poolproof::detail
