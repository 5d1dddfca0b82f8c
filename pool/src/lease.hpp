#pragma once

#include <cstdint>
#include <memory>
#include <poolproof/detail/result_state.hpp>
#include <utility>

#include "at_fork.hpp"
#include "ring_memory.hpp"

namespace poolproof::detail {

/// Main's right to read a file that its worker will write again: ends with this object, in the
/// process that got it. If that has forked meanwhile, the child may still read: then it never ends.
class Lease {
 public:
  Lease() = default;
  /// number: as in Parcel; 0 or nonsense: no lease.
  Lease(std::shared_ptr<RingMemory> memory, std::uint64_t number)
      : memory_(std::move(memory)),
        number_(number <= kLeases ? number : 0),
        forks_(ForkRegistry::instance().forks()) {}
  Lease(Lease&& other) noexcept
      : memory_(std::move(other.memory_)),
        number_(std::exchange(other.number_, 0)),
        owner_(other.owner_),
        forks_(other.forks_) {}
  Lease& operator=(Lease&&) = delete;
  ~Lease() {
    if (number_ == 0 || owner_ != ProcessIdentity::here()) return;
    if (forks_ != ForkRegistry::instance().forks()) return;
    memory_->ring().leases[number_ - 1].store(0, std::memory_order_release);
  }

 private:
  std::shared_ptr<RingMemory> memory_;
  std::uint64_t number_ = 0;
  ProcessIdentity owner_ = ProcessIdentity::here();
  std::uint64_t forks_ = 0;
};

}  // namespace poolproof::detail
