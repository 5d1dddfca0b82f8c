#pragma once

#include <string>
#include <vector>

#include "harness/trace.h"
#include "harness/warden/rest.h"

namespace poolproof::warden {

/// Who of the tree has what the waits' goals are about: each descriptor of every process is looked
/// at once, through /proc. Peers of sockets are resources too.
std::vector<harness::Resource> resources_of(const std::vector<harness::Wait>& waits,
                                            const std::vector<Sleeper>& tree);

/// The thread (by its inner number) that holds the lock that `wait` is for, where that can be read
/// truthfully; else 0. Three kinds of word tell: that of a priority-inheriting futex, one in a
/// thread's list of robust mutexes, and a contended glibc mutex whose fields agree with the call
/// and whose owner lives.
/// Source: futex(2), get_robust_list(2), glibc's struct __pthread_mutex_s.
harness::Pid lock_owner(int pid, const FutexWait& wait, const std::vector<Sleeper>& tree);

}  // namespace poolproof::warden
