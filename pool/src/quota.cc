#include <algorithm>
#include <limits>

#include "core.hpp"

// How many tasks a worker may run, and when it has run them all. With the lock held.
namespace poolproof::detail {

/// After its last result, or when the pool has become smaller: the worker is not told beforehand,
/// so nothing that it has sent is lost.
void Core::dismiss_if_spent(std::size_t index) {
  if (crew_.slots()[index].in_hands.empty() && quota_left(index) == 0) crew_.dismiss(index);
}

/// How many tasks more the worker may be given.
std::size_t Core::quota_left(std::size_t index) const {
  if (is_too_large()) return 0;
  if (!options_.tasks_per_worker) return std::numeric_limits<std::size_t>::max();
  const auto quota = static_cast<std::size_t>(*options_.tasks_per_worker);
  return quota - std::min(quota, crew_.slots()[index].given);
}

}  // namespace poolproof::detail
