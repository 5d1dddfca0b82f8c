#pragma once

#include <chrono>
#include <memory>
#include <poolproof/codec.hpp>
#include <poolproof/detail/result_state.hpp>
#include <poolproof/errors.hpp>
#include <type_traits>
#include <utility>

namespace poolproof {

/// The result of a task, now or later. Copies share it; it outlives the pool.
/// Every call may be made from any thread, and repeated: each `get` decodes a
/// value of its own.
template <class R>
class Future {
 public:
  explicit Future(std::shared_ptr<detail::ResultState> state) : state_(std::move(state)) {}

  /// Waits as long as it takes; never for ever, since a dead worker, and the
  /// pool's end, are outcomes too.
  /// Errors: what the task threw (rebuilt standard type, or RemoteError),
  /// WorkerDied, Terminated, PoolBroken; WrongProcess in a forked child.
  R get() const { return decode(detail::kNever); }

  /// As above; TimeoutError if there is no result in time. The task goes on.
  template <class Rep, class Period>
  R get(std::chrono::duration<Rep, Period> timeout) const {
    return decode(detail::deadline_after(timeout));
  }
  R get(std::chrono::steady_clock::time_point deadline) const { return decode(deadline); }

  /// Waits until there is a result, good or bad.
  /// Errors: WrongProcess in a forked child if it is still pending there.
  void wait() const { state_->wait_until(detail::kNever); }

  /// True if there is one in time.
  template <class Rep, class Period>
  bool wait(std::chrono::duration<Rep, Period> timeout) const {
    return state_->wait_until(detail::deadline_after(timeout));
  }
  bool wait(std::chrono::steady_clock::time_point deadline) const {
    return state_->wait_until(deadline);
  }

  [[nodiscard]] bool ready() const { return state_->ready(); }

  /// Whether the task returned rather than failed. Errors: ResultNotReady.
  [[nodiscard]] bool successful() const { return state_->successful(); }

 private:
  R decode(detail::Deadline deadline) const {
    const std::string_view bytes = state_->value(deadline);
    if constexpr (!std::is_void_v<R>) {
      R value{};
      detail::Decoder{bytes}(value);
      return value;
    }
  }

  std::shared_ptr<detail::ResultState> state_;
};

}  // namespace poolproof
