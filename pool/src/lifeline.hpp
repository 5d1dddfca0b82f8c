#pragma once

#include <sys/types.h>

#include "fd.hpp"

/// All that binds lives to main, and nothing else (its mutants replace this
/// file). The chain: main dies of whatever -> the supervisor sees it -> it
/// kills everything below it. Should the supervisor itself be killed, the
/// kernel kills the workers.
namespace poolproof::detail::lifeline {

/// Main, before it forks the supervisor: a pidfd of this process. Taken here,
/// because a supervisor that looked up its parent's pid could be too late.
/// Errors: std::system_error.
Fd open_on_this_process();

/// Supervisor: whether main is gone, given poll(2)'s revents of its control
/// socket and of main's pidfd.
bool main_is_gone(short control_events, short main_events);

/// A fresh copy of the program, first thing: SIGKILL when the thread that started it ends, which
/// waits for it. Leaves at once if it is gone already.
void bind_to_starter(pid_t starter);

/// Supervisor, once it is one: lives on when the thread that started it ends.
void release_from_starter();

/// Worker, first thing: SIGKILL when the supervisor dies.
/// Leaves at once if it is dead already.
void bind_to_supervisor(pid_t supervisor);

/// Worker: its channel has no other end. Called when idle, or when there is
/// a result to deliver.
[[noreturn]] void channel_lost();

}  // namespace poolproof::detail::lifeline
