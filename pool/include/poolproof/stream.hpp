#pragma once

#include <chrono>
#include <cstddef>
#include <iterator>
#include <memory>
#include <optional>
#include <poolproof/codec.hpp>
#include <poolproof/detail/event.hpp>
#include <poolproof/detail/stream.hpp>
#include <type_traits>
#include <utility>
#include <variant>

namespace poolproof {

/// Results as they come, of `imap` and `imap_unordered`: gone through once, by
/// `next` or from begin() to end(), by one thread at a time. For functions
/// without a result, `Value` is std::monostate.
///
/// Taking a result out is what takes more of the input in: there is no thread
/// behind it, and no more than StreamOptions::ahead items are on their way, the
/// first of which `imap` itself takes. So it waits as long as a step of the input
/// does; where that was more than 1 ms, what is ready is handed out before the next.
/// For a dialogue, in which an item depends on the result before it, `.ahead = 1`. A
/// stream that is dropped leaves what has been submitted to run, and `close`
/// and `join` wait for that; `terminate` does not. It may outlive its pool.
/// Source: multiprocessing's IMapIterator, which takes its whole input at once.
template <class R>
class ResultStream {
 public:
  using Value = std::conditional_t<std::is_void_v<R>, std::monostate, R>;

  explicit ResultStream(std::unique_ptr<detail::Stream> stream)
      : state_(std::make_unique<State>()) {
    state_->stream = std::move(stream);
  }

  /// Waits for the next result; nothing after the last, again and again.
  /// Errors: those of Future::get, for this item (WorkerDied, TimeLimitExceeded:
  /// for each of its chunk); the next call goes on with the next item. What the input throws, here
  /// or in its iterators, is its last item. PoolNotRunning, likewise, if the pool was closed with
  /// some of the input not taken yet.
  std::optional<Value> next() { return next(detail::kNever); }

  /// As above; TimeoutError if it has not come in time; it still may. A step of the input that
  /// has begun by then ends first.
  template <class Rep, class Period>
  std::optional<Value> next(std::chrono::duration<Rep, Period> timeout) {
    return next(detail::deadline_after(timeout));
  }
  std::optional<Value> next(std::chrono::steady_clock::time_point deadline) {
    if (!state_->stream->advance(deadline)) return std::nullopt;
    return state_->decode();
  }

 private:
  struct State {
    std::unique_ptr<detail::Stream> stream;
    std::optional<Value> value;

    Value decode() const {
      const std::string_view bytes = stream->value();
      Value decoded{};
      if constexpr (!std::is_void_v<R>) {
        detail::Decoder decoder(bytes);
        detail::read_result(decoder, decoded);
      }
      return decoded;
    }
  };

 public:
  /// An input iterator. A step waits for the next item; looking at an item that
  /// failed throws its error, after which one may step on.
  class Iterator {
   public:
    using iterator_category = std::input_iterator_tag;
    using value_type = Value;
    using difference_type = std::ptrdiff_t;
    using pointer = Value*;
    using reference = Value&;

    Iterator() = default;
    explicit Iterator(State* state) : state_(state) { step(); }

    Value& operator*() const {
      if (!state_->value) state_->value.emplace(state_->decode());
      return *state_->value;
    }
    Value* operator->() const { return &**this; }
    Iterator& operator++() {
      step();
      return *this;
    }
    void operator++(int) { step(); }
    friend bool operator==(const Iterator&, const Iterator&) = default;

   private:
    void step() {
      state_->value.reset();
      if (!state_->stream->advance(detail::kNever)) state_ = nullptr;
    }

    State* state_ = nullptr;  // none at the end
  };

  /// Waits for the first result that has not been taken. Once.
  [[nodiscard]] Iterator begin() { return Iterator(state_.get()); }
  [[nodiscard]] Iterator end() { return Iterator(); }

 private:
  std::unique_ptr<State> state_;
};

}  // namespace poolproof
