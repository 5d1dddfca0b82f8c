#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <poolproof/codec.hpp>
#include <poolproof/detail/batch.hpp>
#include <poolproof/detail/bytes.hpp>
#include <poolproof/detail/signature.hpp>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <typeinfo>
#include <utility>
#include <vector>

/// A task is its function's *type*: nothing but arguments crosses.
namespace poolproof::detail {

/// Runs in the worker: decodes arguments, calls, encodes the result. The
/// address is the task's identity: a forked worker has the same image.
using Invoke = void (*)(std::string_view arguments, Bytes& result);

/// In the worker: the next item of a chunk begins.
void begin_item();

/// An ordinary function, named as a template argument, as an empty type.
template <auto F>
struct FixedFunction {
  template <class... Args>
  decltype(auto) operator()(Args&&... args) const {
    return std::invoke(F, std::forward<Args>(args)...);
  }
};

template <auto F>
struct Signature<FixedFunction<F>> : Signature<decltype(F)> {};

/// Names a type in a call.
template <class T>
struct TypeTag {};

template <class F>
constexpr void refuse_captures() {
  static_assert(!std::is_pointer_v<F> && !std::is_member_pointer_v<F>,
                "poolproof: name the function at compile time: "
                "pool.apply<&f>(arguments...)");
  static_assert(std::is_empty_v<F> && std::is_default_constructible_v<F>,
                "poolproof: a task may not capture anything: pass what it "
                "needs as arguments, which are copied to the worker");
}

/// One way of calling `Callable`: with the decayed parameters `Params`.
template <class Callable, class Params>
struct Call;

template <class Callable, class... P>
struct Call<Callable, std::tuple<P...>> {
  using Result = std::decay_t<std::invoke_result_t<const Callable&, P...>>;

  static consteval bool require_crossing() {
    if constexpr (!std::is_void_v<Result>) {
      return detail::require_crossing<Result>() && (detail::require_crossing<P>() && ...);
    } else {
      return (detail::require_crossing<P>() && ...);
    }
  }

  /// Arguments are sent as the parameters' types, so that `apply<&f>(1)` fits
  /// `f(double)`; those that have the type already are not copied.
  template <class... Args>
  static Bytes encode(const Args&... args) {
    static_assert(require_crossing());
    Bytes bytes;
    if constexpr (sizeof...(P) > 0) {
      Encoder encoder(bytes);
      encode_items(encoder, args...);
    }
    return bytes;
  }

  template <class... Args>
  static void encode_items(Encoder& encoder, const Args&... args) {
    static_assert(require_crossing());
    (encode_as<P>(encoder, args), ...);
  }

  template <class Param, class Arg>
  static void encode_as(Encoder& encoder, const Arg& arg) {
    if constexpr (std::is_same_v<Param, Arg>) {
      encoder(arg);
    } else {
      static_assert(std::is_convertible_v<const Arg&, Param> ||
                        (std::is_same_v<Param, std::string> &&
                         std::is_convertible_v<const Arg&, std::string_view>),
                    "poolproof: an argument does not convert to its parameter's type, as it would "
                    "not in a call");
      const Param converted = static_cast<Param>(arg);
      encoder(converted);
    }
  }

  static void run([[maybe_unused]] std::string_view arguments, [[maybe_unused]] Bytes& result) {
    if constexpr (sizeof...(P) == 0 && std::is_void_v<Result>) {
      Callable{}();  // nothing crosses
    } else {
      Decoder decoder(arguments);
      Encoder encoder(result);
      run_once(decoder, encoder);
    }
  }

  /// As `run`, but what the call returns stays in the worker.
  static void run_for_effect(std::string_view arguments, Bytes& /*result*/) {
    Decoder decoder(arguments);
    std::apply(Callable{}, decode_params(decoder));
  }

  /// The arguments are a count and as many sets of parameters. The first
  /// error ends the chunk, as in multiprocessing's `mapstar`.
  static void run_chunk(std::string_view arguments, Bytes& result) {
    Decoder decoder(arguments);
    Encoder encoder(result);
    std::uint64_t count = 0;
    decoder(count);
    for (std::uint64_t i = 0; i < count; ++i) {
      begin_item();
      run_once(decoder, encoder);
    }
  }

  /// The same for `imap`: an error is the outcome of its item, and the others
  /// are run.
  static void run_each(std::string_view arguments, Bytes& result) {
    std::optional<Decoder> decoder;
    const std::uint64_t count = batch::count_in(arguments);
    batch::Writer outcomes(result, count);
    for (std::uint64_t i = 0; i < count; ++i) {
      begin_item();
      outcomes.add([&](Bytes& bytes) {
        if (!decoder) decoder.emplace(batch::arguments_from(arguments, i, count));
        Encoder encoder(bytes);
        try {
          run_once(*decoder, encoder);
        } catch (...) {
          decoder.reset();  // it may have stopped within this call's arguments
          throw;
        }
      });
    }
    outcomes.finish();
  }

 private:
  static std::tuple<P...> decode_params(Decoder& decoder) {
    std::tuple<P...> params;
    if constexpr (sizeof...(P) > 0) {
      std::size_t number = 0;  // of the one that is being read
      try {
        std::apply([&](auto&... param) { ((++number, decoder(param)), ...); }, params);
      } catch (...) {
        const std::array<const std::type_info*, sizeof...(P)> types{&typeid(P)...};
        throw_unreadable("argument " + std::to_string(number), *types[number - 1]);
      }
    }
    return params;
  }

  static void run_once(Decoder& decoder, Encoder& encoder) {
    if constexpr (std::is_void_v<Result>) {
      std::apply(Callable{}, decode_params(decoder));
    } else {
      const Result value = std::apply(Callable{}, decode_params(decoder));
      encoder(value);
    }
  }
};

template <class Callable, class... Args>
using CallFor = Call<Callable, typename Signature<Callable>::template Params<Args...>>;

/// multiprocessing's default: about four chunks for each worker. n = 0 has no
/// chunks at all; the answer is never 0.
constexpr std::size_t default_chunk_size(std::size_t items, std::size_t workers) {
  const std::size_t chunks = 4 * workers;
  return items == 0 ? 1 : (items + chunks - 1) / chunks;
}

}  // namespace poolproof::detail
