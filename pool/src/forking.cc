#include "forking.hpp"

#include <unistd.h>

#include "fd.hpp"
#include "output.hpp"
#include "signals.hpp"

// How main forks the one that starts its workers, and nothing else (its mutants replace this file).
namespace poolproof::detail {

/// What is buffered is written first, so that no child can print it again; and no handler of main's
/// may run there.
pid_t fork_supervisor(SupervisorSetup setup, bool beside_threads) {
  setup.forgets_output = !flush_before_fork(beside_threads);
  const SignalsBlocked blocked;
  // By libc: it takes its locks before, and makes them anew in the child, whoever held them here.
  const pid_t pid = ::fork();
  if (pid == -1) throw_errno("poolproof: fork the supervisor");
  if (pid == 0) run_supervisor(setup);
  return pid;
}

}  // namespace poolproof::detail
