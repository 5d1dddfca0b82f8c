#pragma once

#include <sys/types.h>

#include <array>
#include <cstddef>
#include <memory>

namespace poolproof::detail {

/// A file's memory in this process.
class Mapping {
 public:
  enum class Access { read, write };

  /// With all its pages in place: one call instead of a fault for each few. Null without memory.
  static std::shared_ptr<Mapping> of(int file, std::size_t size, Access access);

  /// The same, for reading by one owner.
  static std::unique_ptr<Mapping> unshared(int file, std::size_t size);

  ~Mapping();
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;

  [[nodiscard]] char* at() const { return at_; }
  [[nodiscard]] std::size_t size() const { return size_; }

 private:
  Mapping(char* at, std::size_t size) : at_(at), size_(size) {}

  char* const at_;
  const std::size_t size_;
};

/// The files that a peer has sent last. It sends them again, and to map one costs more than to copy
/// it. Thread: any one at a time.
class MappingCache {
 public:
  /// For reading, at least the first `size` bytes, which the file must have. Null without memory.
  std::shared_ptr<Mapping> of(int file, ino_t inode, std::size_t size);

  void clear() { entries_ = {}; }

 private:
  struct Entry {
    ino_t inode = 0;
    std::shared_ptr<Mapping> mapping;  // as long as it is there, no other file has that inode
  };
  std::array<Entry, 4> entries_;
  std::size_t oldest_ = 0;
};

}  // namespace poolproof::detail
