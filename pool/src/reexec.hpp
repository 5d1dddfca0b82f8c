#pragma once

#include <sys/types.h>

#include <chrono>
#include <poolproof/start_method.hpp>

#include "supervisor.hpp"
#include "worker.hpp"

/// Processes of a pool that are fresh copies of the program: /proc/self/exe, started with a hidden
/// argument that says what to become. `poolproof::init` becomes it (init.cc).
namespace poolproof::detail::reexec {

/// What the argument begins with, and where the new process finds its descriptors; 0, 1 and 2 are
/// the standard ones. Written by reexec.cc and read by init.cc.
inline constexpr const char* kHiddenArgument = "--poolproof-process=";
enum SupervisorDescriptor : int { kControl = 3, kMain = 4 };
enum WorkerDescriptor : int { kChannel = 3, kRing = 4 };

/// Whether this process may be copied: `init` has been called in it.
bool possible();
/// Called by `init`. name: what the copies shall be called (argv[0]).
void make_possible(const char* name);

/// Whether this process is a copy that has not come to `init` yet. It must not make pools.
bool is_unfinished_copy();

/// Main: starts the supervisor. It reports `ready` once it has come to `init`.
/// Thread: any; blocks no other thread. Errors: std::system_error.
pid_t start_supervisor(const SupervisorSetup& setup);

/// patience.cc: how long a copy may take to come to `init`.
std::chrono::milliseconds patience();

/// What is told of one that has not: a sentence.
std::string never_came();

/// Supervisor: starts a worker, and says nothing by itself. Returns -1 and sets errno if it can't.
pid_t start_worker(const WorkerSetup& setup);

}  // namespace poolproof::detail::reexec
