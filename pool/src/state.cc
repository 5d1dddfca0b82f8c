#include "state.hpp"

#include <string>

namespace poolproof::detail::state {

void require_submittable(PoolState state) {
  if (state == PoolState::running) return;
  const char* const how = state == PoolState::closed ? "closed" : "terminated";
  throw PoolNotRunning(std::string("pool not running: it was ") + how +
                       " and takes no more tasks; make another one for them");
}

void require_joinable(PoolState state) {
  if (state == PoolState::running) {
    throw PoolStillRunning("pool is still running: close or terminate it");
  }
}

PoolState after_close(PoolState state) {
  return state == PoolState::running ? PoolState::closed : state;
}

PoolState after_terminate(PoolState) {
  return PoolState::terminated;
}

}  // namespace poolproof::detail::state
