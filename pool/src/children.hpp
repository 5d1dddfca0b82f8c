#pragma once

#include <sys/types.h>

#include <cstddef>

/// The children of this process, without allocation. Pids are those of this process's own PID
/// namespace, also where /proc shows another one (in a task that is contained, say).
namespace poolproof::detail::children {

/// Fills `pids` with the children of the calling, single-threaded process, adopted ones and
/// zombies included; returns how many, at most `capacity` (call again once those are gone).
/// Source: /proc/PID/task/TID/children; the next function where the kernel lacks it
/// (CONFIG_PROC_CHILDREN). Nothing without /proc.
std::size_t list(pid_t* pids, std::size_t capacity);

/// From an open `children` file of /proc, at its beginning.
std::size_t read_list(int file, pid_t* pids, std::size_t capacity);

/// The same from the parents in every /proc/PID/stat: slower, but always there.
std::size_t list_by_parents(pid_t* pids, std::size_t capacity);

struct Signalled {
  std::size_t reached = 0;
  std::size_t refused = 0;  ///< EPERM: they changed identity
};

/// Sends `signal` to all of them. Safe against reused pids: a child keeps its
/// pid until this process reaps it.
Signalled signal_all(int signal);

}  // namespace poolproof::detail::children
