#pragma once

#include <sys/types.h>

#include <atomic>
#include <cstdint>

/// The PID namespace of a pool that asked for it. Its init, the keeper, does nothing but exist,
/// reap what it adopts, and die with the supervisor; then the kernel kills all that is in the
/// namespace. The supervisor itself stays outside, and so sees the pids that main sees. No
/// allocation, no exceptions.
namespace poolproof::detail {

struct Keeper {
  pid_t pid = -1;
  int children = -1;  ///< the keeper's list of children in /proc
  /// 1 while the keeper reaps, or the supervisor goes through the keeper's children. Never both:
  /// what was read as a child's pid is then still that child's when it is signalled, and no pidfd
  /// is needed, for which there may be no descriptor.
  std::atomic<std::uint32_t>* reaping = nullptr;

  /// Supervisor: kills those that the keeper has adopted, which is what dead workers have left
  /// behind, since a living one adopts its own. Whether any may be left, dead ones included.
  [[nodiscard]] bool kill_adopted() const;
};

/// Supervisor, before it has children: those that it makes from now on are in a new PID namespace;
/// for an ordinary user also in a new user namespace, with the same user and group. Returns 0 or
/// an errno: then it must end.
int start_keeper(Keeper& keeper);

}  // namespace poolproof::detail
