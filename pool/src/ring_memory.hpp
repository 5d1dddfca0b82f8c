#pragma once

#include <initializer_list>
#include <memory>
#include <new>

#include "fd.hpp"
#include "ring.hpp"

namespace poolproof::detail {

/// One worker's ring, made by main for each worker anew: a sealed memfd, so that nobody can shrink
/// it beneath the other. Mapped in two processes: main, and the worker that got its descriptor;
/// children that either forks have it not.
class RingMemory {
 public:
  /// In main. The descriptor is for the worker: close it once it has been sent.
  /// Errors: std::system_error.
  static std::shared_ptr<RingMemory> create(Fd& file);
  /// In a worker, for its whole life: null if it cannot be had. Takes `file`. Allocates nothing.
  static SharedRing* map(Fd file);

  ~RingMemory();
  RingMemory(const RingMemory&) = delete;
  RingMemory& operator=(const RingMemory&) = delete;

  [[nodiscard]] SharedRing& ring() { return *ring_; }

 private:
  /// Before the worker is there.
  explicit RingMemory(SharedRing* ring) : ring_(ring) {
    for (Doorbell* bell : {&ring->for_tasks, &ring->for_room, &ring->for_results}) {
      new (bell) Doorbell;
    }
  }

  SharedRing* ring_;
};

}  // namespace poolproof::detail
