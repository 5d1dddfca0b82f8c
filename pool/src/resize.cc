#include <stdexcept>

#include "core.hpp"
#include "state.hpp"

// A pool that becomes smaller keeps its slots: those beyond the number asked for are left vacant as
// their workers leave, which they do when nothing is in their hands.
namespace poolproof::detail {

void Core::resize(int workers) {
  require_own_process();
  if (workers < 1) throw std::invalid_argument("number of workers must be at least 1");
  const auto target = static_cast<std::size_t>(workers);
  {
    const std::lock_guard lock(mutex_);
    if (broken_) throw PoolBroken(*broken_);
    state::require_submittable(state_);
    if (target > crew_.room()) {
      throw std::invalid_argument("this pool cannot have more than " +
                                  std::to_string(crew_.room()) + " workers");
    }
    if (target > target_) crew_.require_means_for(target);
    crew_.grow(target);
    target_ = target;
    for (std::size_t i = target; i < crew_.size(); ++i) {
      if (crew_.slots()[i].life != Slot::Life::alive) continue;
      take_back(i, kMostInHands);
      dismiss_if_spent(i);
    }
  }
  wake_dispatcher();  // to fill new slots
}

}  // namespace poolproof::detail
