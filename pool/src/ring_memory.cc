#include "ring_memory.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace poolproof::detail {
namespace {

/// Null if there is no memory.
SharedRing* map_shared(const Fd& file) {
  void* const at =
      ::mmap(nullptr, sizeof(SharedRing), PROT_READ | PROT_WRITE, MAP_SHARED, file.get(), 0);
  if (at == MAP_FAILED) return nullptr;
  // A copy in a child could write into the ring, and would keep its memory.
  ::madvise(at, sizeof(SharedRing), MADV_DONTFORK);
  return static_cast<SharedRing*>(at);
}

}  // namespace

std::shared_ptr<RingMemory> RingMemory::create(Fd& file) {
  file = Fd(::memfd_create("poolproof", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!file.valid()) throw_errno("poolproof: memfd_create");
  file = off_stdio(std::move(file));
  if (!may_have_size(sizeof(SharedRing))) {
    throw std::system_error(EFBIG, std::system_category(), "poolproof: size a worker's ring");
  }
  if (::ftruncate(file.get(), sizeof(SharedRing)) != 0 ||
      ::fcntl(file.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0) {
    throw_errno("poolproof: size a worker's ring");
  }
  SharedRing* const ring = map_shared(file);
  if (!ring) throw_errno("poolproof: map a worker's ring");
  return std::shared_ptr<RingMemory>(new RingMemory(ring));
}

SharedRing* RingMemory::map(Fd file) {
  return map_shared(file);
}

RingMemory::~RingMemory() {
  ::munmap(ring_, sizeof(SharedRing));
}

}  // namespace poolproof::detail
