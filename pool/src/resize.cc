#include <stdexcept>

#include "core.hpp"
#include "state.hpp"

// A pool that becomes smaller keeps its slots; some are left vacant as their workers leave. As long
// as it is too large whoever has nothing in its hands leaves, and nobody is given anything.
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
    shrinks_ = true;
    for (std::size_t i = crew_.size(); i-- > 0 && is_too_large();) {
      if (crew_.slots()[i].life != Slot::Life::alive) continue;
      take_back(i, kMostInHands);
      dismiss_if_spent(i);
    }
  }
  wake_dispatcher();  // to fill new slots
}

}  // namespace poolproof::detail
