#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <limits>
#include <poolproof/detail/bytes.hpp>
#include <poolproof/detail/task.hpp>
#include <stdexcept>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

/// How the items of an input become messages.
namespace poolproof::detail {

/// `map` and `imap`: an item is the one argument of a call.
template <class Callable, class Item>
struct OneArgument {
  using Call = CallFor<Callable, Item>;
  static void encode(Encoder& encoder, const Item& item) { Call::encode_items(encoder, item); }
};

/// What std::apply can spread.
template <class T>
concept Spreadable = requires {
  std::tuple_size<T>::value;
};

/// `starmap`: a tuple, pair or array is all arguments of a call.
template <class Callable, class Item>
struct AllArguments {
  static_assert(Spreadable<Item>,
                "poolproof: starmap spreads items over parameters: each is a std::tuple, "
                "std::pair or std::array; for items that are one argument there is map");
  template <std::size_t... I>
  static CallFor<Callable, std::decay_t<std::tuple_element_t<I, Item>>...> call(
      std::index_sequence<I...>);
  using Call = decltype(call(std::make_index_sequence<std::tuple_size_v<Item>>()));

  static void encode(Encoder& encoder, const Item& item) {
    std::apply([&](const auto&... args) { Call::encode_items(encoder, args...); }, item);
  }
};

template <class Range>
concept Iterable = requires(Range& range) {
  std::begin(range);
  std::end(range);
};

template <class Range>
struct Items {
  static_assert(Iterable<Range>,
                "poolproof: map, starmap and imap take items: a container or another range, an "
                "array, or a list in braces");
  using Value = std::iter_value_t<decltype(std::begin(std::declval<Range&>()))>;
};
template <class Range>
using ItemOf = typename Items<Range>::Value;

/// Errors: std::invalid_argument for what was a negative number.
inline void require_chunk_size(std::size_t size) {
  constexpr auto kMost = static_cast<std::size_t>(std::numeric_limits<std::ptrdiff_t>::max());
  if (size > kMost) throw std::invalid_argument("chunk_size must not be negative");
}

/// One message for each `chunk` items: how many they are, and their arguments.
template <class Encoding, class Range>
std::vector<Bytes> encode_chunks(const Range& items, std::size_t count, std::size_t chunk) {
  std::vector<Bytes> payloads;
  auto item = std::begin(items);
  for (std::size_t done = 0; done < count; done += chunk) {
    const std::uint64_t size = std::min(chunk, count - done);
    Encoder encoder(payloads.emplace_back());
    encoder(size);
    for (std::uint64_t i = 0; i < size; ++i, ++item) Encoding::encode(encoder, *item);
  }
  return payloads;
}

/// A range that can be gone through twice, as counting it first takes.
template <class Range>
concept Countable = requires(const Range& range) {
  { std::begin(range) } -> std::forward_iterator;
  { std::end(range) } -> std::same_as<decltype(std::begin(range))>;
};

/// All items of a range that can be gone through but once.
template <class Range>
std::vector<ItemOf<Range>> collect(Range& items) {
  std::vector<ItemOf<Range>> collected;
  const auto end = std::end(items);
  for (auto item = std::begin(items); item != end; ++item) collected.push_back(*item);
  return collected;
}

}  // namespace poolproof::detail
