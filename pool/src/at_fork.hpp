#pragma once

#include <pthread.h>
#include <sys/types.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <vector>

namespace poolproof::detail {

/// What a process holds that a child forked from it must not: implemented by
/// each pool. `before_fork` takes the pool's lock, so that the child sees
/// whole descriptors; one of the other two follows.
class ForkAware {
 public:
  virtual void before_fork() = 0;
  virtual void after_fork_in_parent() = 0;
  /// Async-signal-safe: forgets and closes main's ends, nothing else.
  virtual void after_fork_in_child() = 0;

 protected:
  ~ForkAware() = default;
};

/// Per process; never destroyed, so that pools with static storage may end
/// after everything else. Lock order: this one, then the pools'. So nobody may
/// call it with a pool's lock held.
class ForkRegistry {
 public:
  static ForkRegistry& instance();

  void add(ForkAware& pool);
  void remove(ForkAware& pool);

  /// The library's own threads, which do not count as main's, from the first moment on: starts one,
  /// which calls thread_started first of all. Returns 0 or an errno. Errors: std::bad_alloc.
  int start_thread(pthread_t& thread, void* (*entry)(void*), void* argument);
  void thread_started(pid_t tid) noexcept;
  void remove_thread(pid_t tid);
  /// How many of them the kernel still lists.
  [[nodiscard]] int living_threads();

  /// How often this process has forked, as far as handlers are told.
  [[nodiscard]] std::uint64_t forks() const { return forks_.load(std::memory_order_acquire); }

  /// In a worker: its channel, which the children of a task must not keep. A
  /// copy would hide the worker's end, and could write into the stream.
  void set_worker_channel(int fd);
  /// False again in a child of a task.
  [[nodiscard]] bool is_worker() const { return worker_channel_ >= 0; }

 private:
  ForkRegistry();
  static void prepare();
  static void parent();
  static void child();

  std::mutex mutex_;
  std::vector<ForkAware*> pools_;
  std::vector<pid_t> threads_;
  std::size_t threads_starting_ = 0;  // threads_ has room for them
  int worker_channel_ = -1;
  std::atomic<std::uint64_t> forks_{0};
};

}  // namespace poolproof::detail
