#include "mapping.hpp"

#include <sys/mman.h>

namespace poolproof::detail {

std::shared_ptr<Mapping> Mapping::of(int file, std::size_t size, Access access) {
  const int protection = access == Access::write ? PROT_READ | PROT_WRITE : PROT_READ;
  void* const at = ::mmap(nullptr, size, protection, MAP_SHARED | MAP_POPULATE, file, 0);
  if (at == MAP_FAILED) return nullptr;
  // A copy in a child could write into the parent's payloads, and would keep their memory.
  if (access == Access::write) ::madvise(at, size, MADV_DONTFORK);
  return std::shared_ptr<Mapping>(new Mapping(static_cast<char*>(at), size));
}

std::unique_ptr<Mapping> Mapping::unshared(int file, std::size_t size) {
  void* const at = ::mmap(nullptr, size, PROT_READ, MAP_SHARED | MAP_POPULATE, file, 0);
  if (at == MAP_FAILED) return nullptr;
  return std::unique_ptr<Mapping>(new Mapping(static_cast<char*>(at), size));
}

Mapping::~Mapping() {
  ::munmap(at_, size_);
}

std::shared_ptr<Mapping> MappingCache::of(int file, ino_t inode, std::size_t size) {
  Entry* place = &entries_[oldest_];
  for (Entry& entry : entries_) {
    if (!entry.mapping || entry.inode != inode) continue;
    if (entry.mapping->size() >= size) return entry.mapping;
    place = &entry;  // it has grown
  }
  if (place == &entries_[oldest_]) oldest_ = (oldest_ + 1) % entries_.size();
  *place = {inode, Mapping::of(file, size, Mapping::Access::read)};
  return place->mapping;
}

}  // namespace poolproof::detail
