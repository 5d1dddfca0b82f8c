#pragma once

#include <pthread.h>

#include <atomic>
#include <cstddef>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <poolproof/detail/event.hpp>
#include <poolproof/detail/result_state.hpp>
#include <span>
#include <utility>

namespace poolproof::detail {

/// Runs a user's callbacks, one after another in the order in which their
/// results came, on a thread of its own: so a slow one delays no result, and
/// one that ends the pool waits for nobody who waits for it. The thread is
/// started with the first callback. Owned by the pool; thread safe, in the
/// process that owns it.
class Callbacks {
 public:
  using Sink = std::function<void(std::exception_ptr)>;

  /// sink: told of what callbacks throw; none: one line on standard error.
  explicit Callbacks(Sink sink) : sink_(std::move(sink)) {}
  Callbacks(const Callbacks&) = delete;
  Callbacks& operator=(const Callbacks&) = delete;

  /// Has `call` run exactly once, when all of `results` are there. After a
  /// finish() that was true: at once, in the thread that brings the last one.
  /// Errors: std::system_error if the thread cannot be started; then nothing
  /// was accepted.
  void add(std::span<const std::shared_ptr<ResultState>> results, std::function<void()> call);

  /// Waits until all callbacks whose results are there have returned, and the
  /// thread is gone; false if `deadline` came first. Nothing to wait for if it
  /// is a callback that asks.
  bool finish(Deadline deadline);

  /// Whether the caller is a callback of this pool.
  [[nodiscard]] bool on_own_thread() const;

 private:
  struct Callback;
  class Awaited;

  void require_thread();
  static void* thread_entry(void* self);
  void run();
  void post(const std::shared_ptr<Callback>& callback) noexcept;
  /// False where there is no thread, or none any more, that would run it.
  bool enqueue(const std::shared_ptr<Callback>& callback) noexcept;
  [[nodiscard]] std::shared_ptr<Callback> next();
  void call(Callback& callback) const noexcept;

  const Sink sink_;
  std::mutex mutex_;
  std::shared_ptr<Callback> first_;  // those to be run, linked
  Callback* last_ = nullptr;
  bool finishing_ = false;
  bool started_ = false;
  bool has_left_ = false;  // the thread: nobody comes for more
  Signal posted_;
  Event gone_;  // the thread has run its last callback
  pthread_t thread_{};
  std::atomic<pid_t> thread_id_{0};
  std::mutex joining_;
  bool joined_ = false;
};

}  // namespace poolproof::detail
