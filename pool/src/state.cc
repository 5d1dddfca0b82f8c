#include "state.hpp"

namespace poolproof::detail::state {

void require_submittable(PoolState state) {
  if (state != PoolState::running) throw PoolNotRunning("pool not running");
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
