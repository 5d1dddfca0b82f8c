#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <poolproof/codec.hpp>
#include <poolproof/detail/result_state.hpp>
#include <poolproof/errors.hpp>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace poolproof {

namespace detail {

class Core;
using Results = std::span<const Result>;

/// Errors: WrongProcess, std::system_error (no thread to be had).
void call_back(Core& core, Results results, std::function<void()> call);
/// Errors: WrongProcess.
bool cancel(Core& core, Results results);

/// What the result of one task and that of a whole map have in common: waiting,
/// callbacks, cancelling. `Self` has results(), wait_until() and decode().
///
/// Copies share the result; it outlives the pool. Every call may be made from
/// any thread, and repeated: each `get` decodes a value of its own.
template <class Self, class R>
class Awaitable {
 public:
  /// Waits as long as it takes; never for ever, since a dead worker, and the
  /// pool's end, are outcomes too.
  /// Errors: what the task threw (rebuilt, or RemoteError), WorkerDied,
  /// TimeLimitExceeded, Cancelled, Terminated, PoolBroken; WrongProcess in a
  /// forked child.
  R get() const { return self().decode(kNever); }

  /// As above; TimeoutError if there is no result in time. The task goes on.
  template <class Rep, class Period>
  R get(std::chrono::duration<Rep, Period> timeout) const {
    return self().decode(deadline_after(timeout));
  }
  R get(std::chrono::steady_clock::time_point deadline) const { return self().decode(deadline); }

  /// Waits until there is a result, good or bad.
  /// Errors: WrongProcess in a forked child if it is still pending there.
  void wait() const { self().wait_until(kNever); }

  /// True if there is one in time.
  template <class Rep, class Period>
  bool wait(std::chrono::duration<Rep, Period> timeout) const {
    return self().wait_until(deadline_after(timeout));
  }
  bool wait(std::chrono::steady_clock::time_point deadline) const {
    return self().wait_until(deadline);
  }

  /// Whether there is one.
  [[nodiscard]] bool ready() const {
    const Results results = self().results();
    return std::all_of(results.begin(), results.end(), [](const Result& r) { return r->ready(); });
  }

  /// Whether it is a value rather than an error. Errors: ResultNotReady.
  [[nodiscard]] bool successful() const {
    bool all = true;
    for (const Result& result : self().results()) all = result->successful() && all;
    return all;
  }

  /// Has exactly one of the two called, exactly once: `if_value(value)` (without
  /// an argument if there is none), or `if_error(std::exception_ptr)` with what
  /// `get` would throw. Any number of times; returns this future.
  ///
  /// They run on a thread of the pool's that does nothing else, one after
  /// another in the order of the results, with all signals blocked, when the
  /// result is ready. They may use the pool, `terminate` included; `join` waits
  /// for them, and does not wait if it is they who call it. They may not destroy
  /// the pool. What they throw goes to PoolOptions::on_callback_error and does
  /// no other harm. Added to a pool that has been joined, they run at once, in
  /// the caller's thread.
  ///
  /// That thread runs your code, so it counts as one of yours for
  /// ThreadsPresent. It is started with the first callback.
  /// Errors: WrongProcess, std::system_error (no thread to be had).
  /// Source: callback= and error_callback= of multiprocessing.Pool, where they
  /// run in the thread of the results, and an error in one ends it.
  template <class OnValue, class OnError>
  const Self& on_done(OnValue if_value, OnError if_error) const {
    call_back(self().core(), self().results(),
              [future = self(), value_callback = std::move(if_value),
               error_callback = std::move(if_error)]() mutable {
                future.call(value_callback, error_callback);
              });
    return self();
  }

  /// The same for one of the two.
  template <class OnValue>
  const Self& on_value(OnValue callback) const {
    return on_done(std::move(callback), [](const std::exception_ptr&) {});
  }
  template <class OnError>
  const Self& on_error(OnError callback) const {
    return on_done([](const auto&...) {}, std::move(callback));
  }

  /// Takes the task back: if it has not begun, it never will; if it is running,
  /// its worker is killed, with all that the task started, and replaced. Never
  /// hits another task. True: the future has failed with Cancelled, at once.
  /// False: it had its outcome already. Of a map, what has its outcome keeps
  /// it, and `get` then throws for the rest.
  /// Errors: WrongProcess.
  bool cancel() const { return detail::cancel(self().core(), self().results()); }

 private:
  friend Self;
  Awaitable() = default;

  [[nodiscard]] const Self& self() const { return static_cast<const Self&>(*this); }

  template <class OnValue, class OnError>
  void call(OnValue& if_value, OnError& if_error) const {
    std::exception_ptr error;
    if constexpr (std::is_void_v<R>) {
      try {
        get();
      } catch (...) {
        error = std::current_exception();
      }
      if (!error) return static_cast<void>(if_value());
    } else {
      std::optional<R> value;
      try {
        value.emplace(get());
      } catch (...) {
        error = std::current_exception();
      }
      if (!error) return static_cast<void>(if_value(*std::move(value)));
    }
    if_error(error);
  }
};

}  // namespace detail

/// The result of a task, now or later. There is none without a task: a member
/// to be set later is a std::optional<Future<R>>.
template <class R>
class Future : public detail::Awaitable<Future<R>, R> {
 public:
  Future(std::shared_ptr<detail::Core> core, detail::Result result)
      : core_(std::move(core)), result_(std::move(result)) {}

 private:
  friend class detail::Awaitable<Future<R>, R>;

  [[nodiscard]] detail::Core& core() const { return *core_; }
  [[nodiscard]] detail::Results results() const { return {&result_, 1}; }
  bool wait_until(detail::Deadline deadline) const { return result_->wait_until(deadline); }

  R decode(detail::Deadline deadline) const {
    const detail::Bytes& bytes = result_->value(deadline);
    if constexpr (!std::is_void_v<R>) {
      R value{};
      detail::Decoder decoder(bytes);
      detail::read_result(decoder, value);
      return value;
    }
  }

  std::shared_ptr<detail::Core> core_;
  detail::Result result_;
};

/// What a map of items whose results are `R` gives.
template <class R>
using MapResult = std::conditional_t<std::is_void_v<R>, void, std::vector<R>>;

/// The results of a map, now or later: `get` gives all of them, in the order of
/// the items, once all chunks are done, or throws the error of the first chunk
/// (by position) that failed.
template <class R>
class MapFuture : public detail::Awaitable<MapFuture<R>, MapResult<R>> {
 public:
  MapFuture(std::shared_ptr<detail::Core> core, std::vector<detail::Result> chunks,
            std::size_t count, std::size_t chunk_size)
      : core_(std::move(core)),
        chunks_(std::move(chunks)),
        count_(count),
        chunk_size_(chunk_size) {}

 private:
  friend class detail::Awaitable<MapFuture<R>, MapResult<R>>;

  [[nodiscard]] detail::Core& core() const { return *core_; }
  [[nodiscard]] detail::Results results() const { return chunks_; }
  bool wait_until(detail::Deadline deadline) const {
    return std::all_of(chunks_.begin(), chunks_.end(),
                       [&](const auto& chunk) { return chunk->wait_until(deadline); });
  }

  MapResult<R> decode(detail::Deadline deadline) const {
    if (!wait_until(deadline)) throw TimeoutError("results not ready in time");
    if constexpr (std::is_void_v<R>) {
      for (const auto& chunk : chunks_) static_cast<void>(chunk->value(deadline));
    } else {
      std::vector<R> values;
      values.reserve(count_);
      for (const auto& chunk : chunks_) {
        detail::Decoder decoder(chunk->value(deadline));
        const std::size_t size = std::min(chunk_size_, count_ - values.size());
        for (std::size_t i = 0; i < size; ++i) {
          R value{};
          detail::read_result(decoder, value);
          values.push_back(std::move(value));
        }
      }
      return values;
    }
  }

  std::shared_ptr<detail::Core> core_;
  std::vector<detail::Result> chunks_;
  std::size_t count_;
  std::size_t chunk_size_;
};

}  // namespace poolproof
