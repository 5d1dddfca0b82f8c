#pragma once

#include <sys/types.h>

namespace poolproof::detail {

/// Whether this process has threads other than the calling one and those of
/// this library. Threads that have just ended are given a moment to go: the
/// kernel lists them a little longer than pthread_join waits. False without
/// /proc.
bool other_threads_present();

/// Waits until the kernel has forgotten a thread that pthread_join returned, or has given its
/// number to another.
void await_thread_gone(pid_t tid);

}  // namespace poolproof::detail
