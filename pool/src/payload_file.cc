#include "payload_file.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <stdexcept>

namespace poolproof::detail {
namespace {

constexpr int kMostFiles = 128;
constexpr std::size_t kFirstCapacity = std::size_t{256} << 10;

std::atomic<int> files{0};

rlim_t soft_limit(int resource) {
  rlimit limit{};
  return ::getrlimit(static_cast<__rlimit_resource_t>(resource), &limit) == 0 ? limit.rlim_cur
                                                                              : RLIM_INFINITY;
}

/// Payloads that wait for a worker must not use up the program's descriptors.
bool count_one_more() {
  const rlim_t quarter = soft_limit(RLIMIT_NOFILE) / 4;
  const int most = static_cast<int>(std::min<rlim_t>(kMostFiles, quarter));
  if (files.fetch_add(1, std::memory_order_relaxed) < most) return true;
  files.fetch_sub(1, std::memory_order_relaxed);
  return false;
}

/// Past RLIMIT_FSIZE the kernel would send SIGXFSZ.
bool may_have_size(std::size_t size) {
  const rlim_t limit = soft_limit(RLIMIT_FSIZE);
  return limit == RLIM_INFINITY || size <= limit;
}

}  // namespace

std::unique_ptr<PayloadFile> PayloadFile::create(std::size_t capacity) {
  if (!count_one_more()) return nullptr;
  std::unique_ptr<PayloadFile> result(new PayloadFile);
  result->counted_ = true;
  result->file_ = Fd(::memfd_create("poolproof-payload", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!result->file_.valid()) return nullptr;
  if (result->file_.get() <= 2) return nullptr;  // main has none there: it could print into it
  if (!result->reserve(std::max(capacity, kFirstCapacity))) return nullptr;
  return result;
}

std::unique_ptr<PayloadFile> PayloadFile::open(Fd file, std::size_t size) {
  struct stat status {};
  const int seals = ::fcntl(file.get(), F_GET_SEALS);
  if (seals == -1 || (seals & F_SEAL_SHRINK) == 0 || ::fstat(file.get(), &status) != 0 ||
      static_cast<std::size_t>(status.st_size) < size) {
    throw std::invalid_argument("poolproof: not a payload");
  }
  std::unique_ptr<PayloadFile> result(new PayloadFile);
  // All of it will be read: one call instead of a fault for each few pages.
  void* const at = ::mmap(nullptr, size, PROT_READ, MAP_SHARED | MAP_POPULATE, file.get(), 0);
  if (at == MAP_FAILED) return nullptr;
  result->at_ = static_cast<char*>(at);
  result->size_ = result->mapped_ = size;
  result->sealed_ = true;
  return result;
}

PayloadFile::~PayloadFile() {
  unmap();
  if (counted_) files.fetch_sub(1, std::memory_order_relaxed);
}

void PayloadFile::unmap() {
  if (at_) ::munmap(at_, mapped_);
  at_ = nullptr;
  mapped_ = 0;
}

bool PayloadFile::reserve(std::size_t capacity) {
  if (!may_have_size(capacity) || ::ftruncate(file_.get(), static_cast<off_t>(capacity)) != 0) {
    return false;
  }
  void* const at =
      at_ ? ::mremap(at_, mapped_, capacity, MREMAP_MAYMOVE)
          : ::mmap(nullptr, capacity, PROT_READ | PROT_WRITE, MAP_SHARED, file_.get(), 0);
  if (at == MAP_FAILED) return false;
  at_ = static_cast<char*>(at);
  mapped_ = capacity;
  return true;
}

bool PayloadFile::append(const char* data, std::size_t size) {
  if (size > mapped_ - size_ && !reserve(std::max(size_ + size, 2 * mapped_))) return false;
  std::memcpy(at_ + size_, data, size);
  size_ += size;
  return true;
}

int PayloadFile::seal() {
  if (sealed_) return file_.get();
  unmap();
  if (::ftruncate(file_.get(), static_cast<off_t>(size_)) != 0 ||
      ::fcntl(file_.get(), F_ADD_SEALS,
              F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE | F_SEAL_SEAL) != 0) {
    return -1;
  }
  sealed_ = true;
  return file_.get();
}

}  // namespace poolproof::detail
