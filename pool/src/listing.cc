#include <poll.h>

#include "crew.hpp"

// Whom main's list of workers shows, and nothing else (its mutants replace this file).
namespace poolproof::detail {

std::vector<ChildInfo> Crew::living() const {
  std::vector<ChildInfo> children;
  for (const Slot& slot : slots_) {
    if (slot.life != Slot::Life::alive) continue;
    // Its death may not have been reported yet; the kernel knows.
    pollfd death{slot.pidfd.get(), POLLIN, 0};
    if (slot.pidfd.valid() && ::poll(&death, 1, 0) > 0) continue;
    children.push_back({slot.name, slot.pid, owner_, true, true, method_});
  }
  return children;
}

}  // namespace poolproof::detail
