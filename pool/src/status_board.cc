#include "status_board.hpp"

#include <sys/mman.h>
#include <unistd.h>

namespace poolproof::detail {
namespace {

std::size_t page_size() {
  static const auto kSize = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  return kSize;
}

}  // namespace

void WorkerStatus::clear() {
  for (auto* number : {&ready, &started, &tasks}) number->store(0, std::memory_order_relaxed);
  for (auto* instant : {&began_ns, &ready_ns, &initialising_ns, &working_ns, &waiting_ns}) {
    instant->store(0, std::memory_order_relaxed);
  }
}

StatusBoard::StatusBoard(std::size_t slots)
    : file_(::memfd_create("poolproof", MFD_CLOEXEC)),
      bytes_(slots * page_size()),
      pages_(nullptr) {
  if (!file_.valid()) throw_errno("poolproof: memfd_create");
  file_ = off_stdio(std::move(file_));
  if (::ftruncate(file_.get(), static_cast<off_t>(bytes_)) != 0) {
    throw_errno("poolproof: size the status board");
  }
  void* pages = ::mmap(nullptr, bytes_, PROT_READ | PROT_WRITE, MAP_SHARED, file_.get(), 0);
  if (pages == MAP_FAILED) throw_errno("poolproof: map the status board");
  // Forked children, workers among them, must not inherit the whole board.
  ::madvise(pages, bytes_, MADV_DONTFORK);
  pages_ = static_cast<char*>(pages);
}

StatusBoard::~StatusBoard() {
  ::munmap(pages_, bytes_);
}

WorkerStatus& StatusBoard::slot(std::size_t index) {
  return *reinterpret_cast<WorkerStatus*>(pages_ + index * page_size());
}

WorkerStatus* StatusBoard::map_slot(int file, std::size_t index) {
  void* page = ::mmap(nullptr, page_size(), PROT_READ | PROT_WRITE, MAP_SHARED, file,
                      static_cast<off_t>(index * page_size()));
  ::close(file);
  return page == MAP_FAILED ? nullptr : static_cast<WorkerStatus*>(page);
}

}  // namespace poolproof::detail
