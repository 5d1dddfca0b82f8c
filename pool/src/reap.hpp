#pragma once

#include <signal.h>
#include <sys/types.h>

/// All waiting for dead children, and nothing else (its mutants replace this
/// file).
namespace poolproof::detail::reap {

enum class Found {
  dead_child,     ///< it has been reaped; `child` tells which and how
  living_only,    ///< children are left, but none is dead
  no_child_left,  ///< nothing to wait for any more
};

/// Supervisor: reaps one dead child, its own or adopted. Never blocks.
Found next_dead_child(siginfo_t& child);

/// Main: waits until the supervisor has ended, and reaps it. It is ours alone;
/// waitid names it, so that no other child of main is ever taken. If the
/// program reaped it first (wait(-1), SIGCHLD ignored), that is fine too.
void supervisor(int pidfd, pid_t pid);

/// Main: reaps a dead worker if it has become main's own child, because the
/// supervisor was killed and main adopts orphans (as init or as a subreaper).
void adopted(int pidfd);

}  // namespace poolproof::detail::reap
