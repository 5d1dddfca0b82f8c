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
#include <new>
#include <stdexcept>
#include <utility>

#include "kept_files.hpp"

namespace poolproof::detail {
namespace {

constexpr int kMostFiles = 128;

std::atomic<int> files{0};

rlim_t soft_limit(int resource) {
  rlimit limit{};
  return ::getrlimit(static_cast<__rlimit_resource_t>(resource), &limit) == 0 ? limit.rlim_cur
                                                                              : RLIM_INFINITY;
}

/// Payloads that wait for a worker, or a reader, must not use up the program's descriptors.
bool count_one_more() {
  const rlim_t quarter = soft_limit(RLIMIT_NOFILE) / 4;
  const int most = static_cast<int>(std::min<rlim_t>(kMostFiles, quarter));
  if (files.fetch_add(1, std::memory_order_relaxed) < most) return true;
  files.fetch_sub(1, std::memory_order_relaxed);
  return false;
}

}  // namespace

std::unique_ptr<PayloadFile> PayloadFile::create(For what) {
  if (std::unique_ptr<PayloadFile> kept = KeptFiles::take()) return kept;
  const bool counted = count_one_more();
  if (!counted && what == For::keeping) return nullptr;  // it stays in memory
  std::unique_ptr<PayloadFile> result(new PayloadFile);
  result->counted_ = counted;
  result->writable_ = true;
  result->file_ =
      off_stdio_or_none(Fd(::memfd_create("poolproof-payload", MFD_CLOEXEC | MFD_ALLOW_SEALING)));
  if (!result->file_.valid()) return nullptr;
  if (::fcntl(result->file_.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_SEAL) != 0) return nullptr;
  return result;
}

std::unique_ptr<PayloadFile> PayloadFile::open(Fd file, std::size_t size, MappingCache& cache,
                                               Lease lease) {
  struct stat status {};
  const int seals = ::fcntl(file.get(), F_GET_SEALS);
  if (seals == -1 || (seals & F_SEAL_SHRINK) == 0 || ::fstat(file.get(), &status) != 0 ||
      static_cast<std::size_t>(status.st_size) < size) {
    throw std::invalid_argument("poolproof: not a payload");
  }
  std::unique_ptr<PayloadFile> result(new PayloadFile(std::move(lease)));
  result->size_ = size;
  if (size > KeptFiles::kLargest && count_one_more()) {
    result->counted_ = true;
    result->file_ = std::move(file);
    return result;
  }
  result->mapping_ = size > KeptFiles::kLargest
                         ? Mapping::of(file.get(), size, Mapping::Access::read)
                         : cache.of(file.get(), status.st_ino, size);
  return result->mapping_ ? std::move(result) : nullptr;
}

PayloadFile::~PayloadFile() {
  delete viewed_.load();
  if (counted_) files.fetch_sub(1, std::memory_order_relaxed);
}

bool PayloadFile::append(const char* data, std::size_t size) {
  if (mapping_ && size <= mapping_->size() - std::min(size_, mapping_->size())) {
    std::memcpy(mapping_->at() + size_, data, size);
  } else if (!write(data, size)) {
    return false;
  }
  size_ += size;
  file_size_ = std::max(file_size_, size_);
  return true;
}

/// By a call rather than a mapping: a fresh page is then neither cleared nor faulted in.
bool PayloadFile::write(const char* data, std::size_t size) {
  if (!may_have_size(size_ + size)) {
    errno = EFBIG;
    return false;
  }
  for (std::size_t done = 0; done < size;) {
    const ssize_t written =
        ::pwrite(file_.get(), data + done, size - done, static_cast<off_t>(size_ + done));
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    done += static_cast<std::size_t>(written);
  }
  return true;
}

std::string_view PayloadFile::view() {
  if (writable_ && !mapped()) {
    mapping_ = Mapping::of(file_.get(), size_, Mapping::Access::write);
    if (!mapping_) throw std::bad_alloc();
  }
  if (mapping_ && mapping_->size() >= size_) return {mapping_->at(), size_};
  Mapping* viewed = viewed_.load(std::memory_order_acquire);
  if (!viewed) {
    std::unique_ptr<Mapping> fresh = Mapping::unshared(file_.get(), size_);
    if (!fresh) throw std::bad_alloc();
    if (viewed_.compare_exchange_strong(viewed, fresh.get(), std::memory_order_acq_rel)) {
      viewed = fresh.release();
    }
  }
  return {viewed->at(), size_};
}

std::size_t PayloadFile::read(std::size_t offset, char* to, std::size_t size) const {
  size = std::min(size, size_ - std::min(offset, size_));
  for (std::size_t done = 0; done < size;) {
    const ssize_t got =
        ::pread(file_.get(), to + done, size - done, static_cast<off_t>(offset + done));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) throw std::bad_alloc();  // it cannot be shorter; the kernel lacks memory
    done += static_cast<std::size_t>(got);
  }
  return size;
}

void PayloadFile::lend(const std::atomic<std::uint32_t>* lease) {
  lease_ = lease;
  given_away_ = lease == nullptr;
}

bool PayloadFile::may_be_kept() const {
  return writable_ && !given_away_ && file_size_ <= KeptFiles::kLargest && is_ours();
}

bool PayloadFile::reuse() {
  size_ = 0;
  lease_ = nullptr;
  if (mapping_ && mapping_->size() >= file_size_) return true;
  mapping_ = Mapping::of(file_.get(), file_size_, Mapping::Access::write);
  return mapping_ != nullptr;
}

void PayloadFile::free_pages() {
  ::fallocate(file_.get(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0,
              static_cast<off_t>(file_size_));
}

}  // namespace poolproof::detail
