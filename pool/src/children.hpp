#pragma once

#include <sys/types.h>

#include <cstddef>

/// The children of this process, without allocation. Pids are those of this process's own PID
/// namespace, also where /proc shows another one (in a task that is contained, say).
namespace poolproof::detail::children {

/// Opens the kernel's list of the calling thread's children, for `list` at any later time: then
/// also where no descriptor is to be had any more. Returns -1 where there is none, errno says why.
/// Source: /proc/PID/task/TID/children (CONFIG_PROC_CHILDREN).
int open_list();

/// Fills `pids` with the children of the calling, single-threaded process, adopted ones and
/// zombies included; returns how many, at most `capacity`.
/// file: from `open_list`; if that is -1, the last function here is used. Nothing without /proc.
/// from: so many are left out, those that an earlier call has returned if none was reaped since.
std::size_t list(int file, pid_t* pids, std::size_t capacity, std::size_t from = 0);

/// From the open `children` file of any process in /proc.
std::size_t read_list(int file, pid_t* pids, std::size_t capacity, std::size_t from = 0);

/// The same from the parents in every /proc/PID/stat: slower, but always there.
std::size_t list_by_parents(pid_t* pids, std::size_t capacity, std::size_t from = 0);

struct Signalled {
  std::size_t reached = 0;
  std::size_t refused = 0;  ///< EPERM: they changed identity
};

/// Sends `signal` to all of them. Safe against reused pids: a child keeps its
/// pid until this process reaps it.
Signalled signal_all(int file, int signal);

}  // namespace poolproof::detail::children
