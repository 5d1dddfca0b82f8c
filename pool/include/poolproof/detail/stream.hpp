#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <exception>
#include <iterator>
#include <memory>
#include <optional>
#include <poolproof/detail/batch.hpp>
#include <poolproof/detail/items.hpp>
#include <poolproof/detail/result_state.hpp>
#include <poolproof/detail/task.hpp>
#include <poolproof/options.hpp>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

/// `imap` and `imap_unordered` behind their public face.
namespace poolproof::detail {

class Core;

/// The input of a stream, taken as results are taken out. Used, as the user's
/// iterators are, in no thread but that of the stream's caller.
class Source {
 public:
  /// What is taken at once: arguments for `count` calls, or an error that
  /// stands for one item; nothing at the end.
  struct Portion {
    Bytes arguments;
    std::size_t count = 0;
    std::exception_ptr error;
  };

  Source() = default;
  virtual ~Source() = default;
  Source(const Source&) = delete;
  Source& operator=(const Source&) = delete;

  /// At most `size` items.
  virtual Portion take(std::size_t size) = 0;
};

/// A range that the source owns, or one that its caller keeps alive.
template <class Range>
struct RangeHolder {
  using Item = ItemOf<std::remove_reference_t<Range>>;  // or the compiler says what is wrong
  std::conditional_t<std::is_lvalue_reference_v<Range>, Range, std::remove_cvref_t<Range>> range;
  auto begin() { return std::begin(range); }
  auto end() { return std::end(range); }
};

template <class Iterator, class Sentinel>
struct IteratorPair {
  Iterator first;
  Sentinel last;
  Iterator begin() { return std::move(first); }
  Sentinel end() { return std::move(last); }
};

template <class Callable, class Holder>
class RangeSource final : public Source {
 public:
  explicit RangeSource(Holder holder)
      : holder_(std::move(holder)), at_(holder_.begin()), end_(holder_.end()) {}

  Portion take(std::size_t size) override {
    Portion portion;
    if (!error_) fill(portion, size);
    if (portion.count > 0) {
      batch::append_ends(portion.arguments, ends_);
    } else {
      portion.error = std::exchange(error_, nullptr);
    }
    return portion;
  }

 private:
  using Iterator = decltype(std::declval<Holder&>().begin());
  using Sentinel = decltype(std::declval<Holder&>().end());
  using Item = std::iter_value_t<Iterator>;

  /// Until there are `size` items, or an error, which comes after them.
  void fill(Portion& portion, std::size_t size) {
    ends_.clear();
    while (portion.count < size && !error_ && has_next()) {
      try {
        ends_.emplace_back();
        add(portion.arguments, size);
        ends_.back() = portion.arguments.size();
        ++portion.count;
      } catch (...) {
        ends_.resize(portion.count);
        error_ = std::current_exception();
      }
    }
  }

  /// Steps only when an item is wanted: a step may wait for input.
  bool has_next() {
    try {
      if (ended_) return false;
      if (std::exchange(started_, true)) ++at_;
      ended_ = at_ == end_;
      return !ended_;
    } catch (...) {
      ended_ = true;
      error_ = std::current_exception();
      return false;
    }
  }

  void add(Bytes& arguments, std::size_t size) {
    ended_ = true;  // what an input throws is its last item
    auto&& item = *at_;
    ended_ = false;
    Bytes alone;
    {
      Encoder encoder(alone);
      OneArgument<Callable, Item>::encode(encoder, item);
    }
    if (size == 1) {
      arguments = std::move(alone);
    } else {
      arguments.append(alone.view().data(), alone.size());
    }
  }

  Holder holder_;
  Iterator at_;
  Sentinel end_;
  std::vector<std::uint64_t> ends_;  // of the portion's items
  std::exception_ptr error_;
  bool started_ = false;
  bool ended_ = false;
};

/// Keeps a bounded number of items in flight, and hands out their outcomes.
/// Thread: one at a time.
class Stream {
 public:
  enum class Order { of_input, of_completion };

  /// Takes what the window has room for.
  /// Errors: PoolNotRunning, WrongProcess, std::invalid_argument.
  Stream(std::shared_ptr<Core> core, Invoke invoke, std::unique_ptr<Source> source, Order order,
         const StreamOptions& options);
  ~Stream();
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  /// Goes on to the next outcome; false at the end.
  /// Errors: TimeoutError, after which it can be tried again; WrongProcess.
  bool advance(Deadline deadline);

  /// The outcome, encoded, until the next advance(). Errors: those of the item.
  [[nodiscard]] std::string_view value() const;

 private:
  struct Entry {
    Result result;
    std::size_t count = 0;
  };
  class Arrivals;

  [[nodiscard]] bool has_room() const;
  void take_portion();
  void refill(Deadline deadline);
  void submit(Source::Portion portion);
  void enter(Entry entry);
  /// Whether something that is in flight can be handed out before `deadline`.
  [[nodiscard]] bool next_comes(Deadline deadline) const;
  [[nodiscard]] bool take_next(Deadline deadline);

  const std::shared_ptr<Core> core_;
  const Invoke invoke_;
  const std::unique_ptr<Source> source_;
  const Order order_;
  const StreamOptions options_;
  std::size_t window_;         // the most messages at once
  std::size_t in_flight_ = 0;  // of which not all outcomes have been handed out
  bool input_ended_ = false;
  bool input_is_slow_ = false;          // as its last portion was
  std::deque<Entry> entries_;           // Order::of_input
  std::shared_ptr<Arrivals> arrivals_;  // Order::of_completion
  Entry current_;
  std::size_t index_ = 0;
};

}  // namespace poolproof::detail
