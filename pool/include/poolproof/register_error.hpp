#pragma once

#include <exception>
#include <optional>
#include <poolproof/codec.hpp>
#include <poolproof/detail/bytes.hpp>
#include <poolproof/errors.hpp>
#include <string>
#include <string_view>
#include <type_traits>
#include <typeinfo>
#include <utility>

namespace poolproof {

namespace detail {

/// How errors of one type are sent and rebuilt.
struct ErrorForm {
  const std::type_info* type = nullptr;
  /// Worker's side: what the handled exception has beyond its what(). Throws if it is another type
  /// of that name, or what its Codec throws.
  void (*save)(Bytes& payload) = nullptr;
  /// Main's side: throws it, with what is being handled as its cause if `nested`.
  /// Returns if it cannot be made.
  void (*raise)(std::string_view payload, RemoteTrace trace, bool nested) = nullptr;
};

/// The last one for a type counts. Thread safe.
void add_error_form(const ErrorForm& form);

/// As `Rebuilt<E>` where that can be, so that it tells where it comes from.
template <class E>
[[noreturn]] void raise_rebuilt(E error, RemoteTrace trace, bool nested) {
  if constexpr (std::is_class_v<E> && !std::is_final_v<E>) {
    Rebuilt<E> rebuilt(std::move(error), std::move(trace));
    if (nested) std::throw_with_nested(std::move(rebuilt));
    throw std::move(rebuilt);
  } else {
    throw std::move(error);
  }
}

template <class E>
void save_error(Bytes& payload) {
  try {
    throw;
  } catch (const E& error) {
    Encoder encoder(payload);
    encoder(error);
  }
}

/// There is nothing to save: it is made from its text.
template <class E>
void save_error_as_text(Bytes&) {
  try {
    throw;
  } catch (const E&) {
  }
}

/// Both return if the error cannot be made.
template <class E>
void raise_error(std::string_view payload, RemoteTrace trace, bool nested) {
  std::optional<E> error;
  try {
    Decoder{payload}(error.emplace());
  } catch (...) {
    return;
  }
  raise_rebuilt(*std::move(error), std::move(trace), nested);
}

template <class E>
void raise_error_from_text(std::string_view, RemoteTrace trace, bool nested) {
  std::optional<E> error;
  try {
    error.emplace(trace.message);
  } catch (...) {
    return;
  }
  raise_rebuilt(*std::move(error), std::move(trace), nested);
}

}  // namespace detail

/// From now on, errors of exactly type `E` that a task throws come back as `E`
/// (as Rebuilt<E>, unless that cannot be derived from), not as RemoteError. `E`
/// crosses as a value does, with all its members; if it does not, it is made
/// from its what(): other members then have what that constructor gives them, and
/// what it adds to the text is there twice. A class that is derived, as from
/// std::runtime_error, does not cross as it is; with members worth keeping give
/// it a default constructor and a Codec:
///
///     template <>
///     struct poolproof::Codec<HttpError> {
///       static void write(Writer& out, const HttpError& e) {
///         out(std::string(e.what()), e.status);
///       }
///       static HttpError read(Reader& in) {
///         const auto text = in.read<std::string>();
///         return HttpError(text, in.read<int>());
///       }
///     };
///
/// Exactly `E`: a class derived from it is registered for itself.
///
/// Workers need to know of it too, so it belongs at namespace scope, where each
/// process of the program comes by:
///
///     const bool registered = poolproof::register_error<DiskFull>();
///
/// An error of `E` that cannot be rebuilt after all comes as RemoteError.
/// Returns true. Thread safe.
template <class E>
bool register_error() {
  static_assert(!std::is_pointer_v<E> && !std::is_reference_v<E> && !std::is_const_v<E>,
                "poolproof: register the type of an object");
  constexpr bool kByValue = detail::Crosses<E> && std::is_default_constructible_v<E>;
  constexpr bool kByText = std::is_constructible_v<E, const std::string&>;
  static_assert(kByValue || kByText,
                "poolproof: this error can neither cross as a value (give it a default "
                "constructor, and cereal's `serialize` or a poolproof::Codec) nor be made from "
                "its what()");
  if constexpr (kByValue) {
    detail::add_error_form({&typeid(E), &detail::save_error<E>, &detail::raise_error<E>});
  } else {
    detail::add_error_form(
        {&typeid(E), &detail::save_error_as_text<E>, &detail::raise_error_from_text<E>});
  }
  return true;
}

}  // namespace poolproof
