#include <new>

#include "completions.hpp"
#include "core.hpp"
#include "state.hpp"

// How a pool is ended by whoever holds it, and nothing else (its mutants replace this file). What
// the end consists of is the dispatcher's affair.
namespace poolproof::detail {

void Core::terminate() {
  require_own_process();
  Completions done(undelivered_);
  {
    const std::lock_guard lock(mutex_);
    state_ = state::after_terminate(state_);
    try {
      fail_all(outcome::Dropped{}, done);
    } catch (const std::bad_alloc&) {
      to_be_dropped_ = true;  // the dispatcher tries again: whoever ends a pool has ended it
    }
    stop(Command::Kind::terminate);
  }
  done.deliver();
  wake_dispatcher();
  ended_.wait_until(kNever);
}

bool Core::join(Deadline deadline) {
  require_own_process();
  {
    const std::lock_guard lock(mutex_);
    state::require_joinable(state_);
  }
  if (!ended_.wait_until(deadline)) return false;
  join_dispatcher();
  return callbacks_.finish(deadline);
}

Core::~Core() {
  ForkRegistry::instance().remove(*this);
}

}  // namespace poolproof::detail
