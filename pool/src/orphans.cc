#include "orphans.hpp"

#include <signal.h>

#include <algorithm>
#include <array>

#include "children.hpp"
#include "fd.hpp"
#include "worker.hpp"

extern "C" {
#include <sys/pidfd.h>  // has no C++ guards in glibc 2.36
}

namespace poolproof::detail::orphans {
namespace {

bool is_ours(pid_t pid, const SupervisorSetup& setup, const Keeper& keeper) {
  if (pid == keeper.pid) return true;
  for (std::size_t slot = 0; slot < setup.slots; ++slot) {
    if (setup.workers[slot].pid == pid) return true;
  }
  return false;
}

/// The keeper may have reaped it meanwhile, and its pid be another's. The pidfd stays with one
/// process; if that is alive and no child of the keeper's, the list does not have its pid.
void kill_kept(pid_t pid, const Keeper& keeper) {
  const Fd process(open_pidfd(pid));
  if (!process.valid()) return;
  std::array<pid_t, 256> children{};
  pid_t* const end = children.data() + keeper.list(children.data(), children.size());
  if (std::find(children.data(), end, pid) == end) return;
  ::pidfd_send_signal(process.get(), SIGKILL, nullptr, 0);
}

}  // namespace

// A living worker adopts the orphans below it, so a child of ours that is no worker is a dead
// one's. Its own children come to us in turn, and so does word of its death. In a namespace they
// come to the keeper, and no word: so we look until none is left.
bool kill(const SupervisorSetup& setup, Keeper& keeper) {
  std::array<pid_t, 256> children{};
  std::size_t count = children::list(setup.children, children.data(), children.size());
  for (std::size_t i = 0; i < count; ++i) {
    if (!is_ours(children[i], setup, keeper)) ::kill(children[i], SIGKILL);
  }
  if (keeper.pid <= 0) return false;
  count = keeper.list(children.data(), children.size());
  for (std::size_t i = 0; i < count; ++i) kill_kept(children[i], keeper);
  return count > 0;
}

}  // namespace poolproof::detail::orphans
