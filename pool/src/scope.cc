#include <poolproof/pool.hpp>
#include <utility>

#include "core.hpp"

// How a pool begins and ends with the object that the user holds, and nothing else (its mutants
// replace this file).
namespace poolproof {

// In two steps: a worker, forked in the second, must find core_ in its copy of this pool, or it
// could not refuse to use it.
Pool::Pool(PoolOptions options)
    : core_(new detail::Core(std::move(options)), [](detail::Core* core) {
        // Locks and waiters in a foreign one are those of another process: nothing of it may be
        // touched, not even to free it.
        if (!core->is_foreign()) delete core;
      }) {
  core_->start();
}

Pool::~Pool() {
  if (core_->is_foreign()) return;
  core_->terminate();
  core_->join(detail::kNever);
}

}  // namespace poolproof
