#include "at_fork.hpp"

#include <pthread.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <new>
#include <poolproof/detail/result_state.hpp>
#include <utility>

#include "kept_files.hpp"

namespace poolproof::detail {
namespace {

std::atomic<std::uint64_t> forks_survived{0};

/// Memory that the kernel clears in every child that gets a copy of ours, also in one that no
/// handler is told of: there the pid is kept, since to ask for it takes a call. Null if it cannot
/// be had.
std::atomic<std::atomic<pid_t>*> cleared_by_fork{nullptr};

void remember_pid() {
  const auto size = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  void* const at =
      ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (at == MAP_FAILED) return;
  if (::madvise(at, size, MADV_WIPEONFORK) == 0) {
    cleared_by_fork.store(new (at) std::atomic<pid_t>(0), std::memory_order_release);
  } else {
    ::munmap(at, size);
  }
}

pid_t this_pid() {
  std::atomic<pid_t>* const kept = cleared_by_fork.load(std::memory_order_acquire);
  if (!kept) return ::getpid();
  pid_t pid = kept->load(std::memory_order_relaxed);
  if (pid == 0) kept->store(pid = ::getpid(), std::memory_order_relaxed);
  return pid;
}

}  // namespace

ProcessIdentity ProcessIdentity::here() {
  return {this_pid(), forks_survived.load(std::memory_order_relaxed)};
}

ForkRegistry& ForkRegistry::instance() {
  static auto* const registry = new ForkRegistry;
  return *registry;
}

ForkRegistry::ForkRegistry() {
  remember_pid();
  ::pthread_atfork(&ForkRegistry::prepare, &ForkRegistry::parent, &ForkRegistry::child);
}

void ForkRegistry::add(ForkAware& pool) {
  const std::lock_guard lock(mutex_);
  pools_.push_back(&pool);
}

void ForkRegistry::remove(ForkAware& pool) {
  const std::lock_guard lock(mutex_);
  pools_.erase(std::remove(pools_.begin(), pools_.end(), &pool), pools_.end());
}

int ForkRegistry::start_thread(pthread_t& thread, void* (*entry)(void*), void* argument) {
  const std::lock_guard lock(mutex_);  // so it is counted as soon as it is there
  threads_.reserve(threads_.size() + threads_starting_ + 1);
  const int error = ::pthread_create(&thread, nullptr, entry, argument);
  if (error == 0) ++threads_starting_;
  return error;
}

void ForkRegistry::thread_started(pid_t tid) noexcept {
  const std::lock_guard lock(mutex_);
  --threads_starting_;
  threads_.push_back(tid);
}

void ForkRegistry::remove_thread(pid_t tid) {
  const std::lock_guard lock(mutex_);
  threads_.erase(std::remove(threads_.begin(), threads_.end(), tid), threads_.end());
}

int ForkRegistry::living_threads() {
  const std::lock_guard lock(mutex_);
  const auto started = std::count_if(threads_.begin(), threads_.end(), [](pid_t tid) {
    return ::syscall(SYS_tgkill, ::getpid(), tid, 0) == 0;
  });
  return static_cast<int>(threads_starting_) + static_cast<int>(started);
}

void ForkRegistry::set_worker_channel(int fd) {
  worker_channel_ = fd;
}

void ForkRegistry::prepare() {
  ForkRegistry& self = instance();
  self.mutex_.lock();
  self.forks_.fetch_add(1, std::memory_order_acq_rel);
  for (ForkAware* pool : self.pools_) pool->before_fork();
}

void ForkRegistry::parent() {
  ForkRegistry& self = instance();
  for (ForkAware* pool : self.pools_) pool->after_fork_in_parent();
  self.mutex_.unlock();
}

void ForkRegistry::child() {
  ForkRegistry& self = instance();
  forks_survived.fetch_add(1, std::memory_order_relaxed);
  for (ForkAware* pool : self.pools_) pool->after_fork_in_child();
  KeptFiles::forget_in_child();
  self.pools_.clear();    // foreign from now on; clear() frees nothing
  self.threads_.clear();  // none of them exists here
  self.threads_starting_ = 0;
  if (self.worker_channel_ >= 0) {
    ::close(std::exchange(self.worker_channel_, -1));
  }
  self.mutex_.unlock();
}

}  // namespace poolproof::detail
