#include "orphans.hpp"

#include <signal.h>

#include <array>

#include "children.hpp"

namespace poolproof::detail::orphans {
namespace {

bool is_ours(pid_t pid, const SupervisorSetup& setup, const Keeper& keeper) {
  if (pid == keeper.pid) return true;
  for (std::size_t slot = 0; slot < setup.slots; ++slot) {
    if (setup.workers[slot].pid == pid) return true;
  }
  return false;
}

}  // namespace

// A living worker adopts the orphans below it, so a child of ours that is no worker is a dead
// one's. Its own children come to us in turn, and so does word of its death. In a namespace they
// come to the keeper, and no word: so we look until none is left.
bool kill(const SupervisorSetup& setup, Keeper& keeper) {
  std::array<pid_t, 256> some{};
  std::size_t seen = 0;
  while (const std::size_t count = children::list(setup.children, some.data(), some.size(), seen)) {
    for (std::size_t i = 0; i < count; ++i) {
      if (!is_ours(some[i], setup, keeper)) ::kill(some[i], SIGKILL);
    }
    seen += count;
  }
  return keeper.pid > 0 && keeper.kill_adopted();
}

}  // namespace poolproof::detail::orphans
