#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "harness/sys/fd.h"

namespace poolproof::warden {

/// What of the world outside could wake a thread of the tree.
struct Outside {
  std::set<std::string> pipes;     // "pipe:[4711]" whose other end the warden holds
  bool contained = false;          // /tmp, /dev/shm and pids are the sandbox's own ...
  std::vector<std::string> shown;  // ... but for these folders and files
};

/// Whether a unix socket, or the one at its other end, has a name that others may know.
bool is_known_outside(const sys::Fd& socket, const Outside& outside);

/// Whether a stranger may map the word that this futex call of the process waits on; doubt says
/// yes. One in a file's memory can be woken by whoever maps the file, one that never had a name
/// only by those who inherited it.
bool futex_is_known_outside(int pid, std::uint64_t address, std::uint64_t operation,
                            const Outside& outside);

/// Whether the descriptor is a unix socket by which descriptors may be handed to strangers; doubt
/// says yes.
bool leads_outside(int pid, int fd, const Outside& outside);

/// Our own descriptor for one of the process's, which shares what does not show in /proc.
sys::Fd copy_of_descriptor(int pid, int fd);

}  // namespace poolproof::warden
