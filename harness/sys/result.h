#pragma once

#include <string>
#include <system_error>
#include <type_traits>
#include <utility>
#include <variant>

#include "harness/sys/check.h"

namespace poolproof::sys {

/// What went wrong in the environment: an error code plus what was being done, so that
/// `message()` ("open /proc/7/stat: No such file or directory") is enough to act on.
class Error {
 public:
  Error(std::error_code code, std::string doing) : code_(code), doing_(std::move(doing)) {}
  /// An error of our own that no errno stands for (a malformed file, a refused request).
  explicit Error(std::string what) : doing_(std::move(what)) {}

  /// Reads errno first, so it can be built from arguments that allocate.
  static Error from_errno(std::string_view doing);

  const std::error_code& code() const { return code_; }
  std::string message() const { return code_ ? doing_ + ": " + code_.message() : doing_; }

 private:
  std::error_code code_;
  std::string doing_;
};

/// A value or the Error that prevented it. Member names are std::expected's, so that the move to
/// C++23 is one alias. Not boost::system::result: in 1.81 it wants a default-constructible error
/// and is ambiguous under GCC 12 for aggregates.
template <class T>
class [[nodiscard]] Result {
 public:
  using value_type = std::conditional_t<std::is_void_v<T>, std::monostate, T>;

  Result() requires std::is_void_v<T> : state_(std::in_place_index<0>) {}
  // Implicit, so that `return value;` and `return error;` read as they do with std::expected.
  // NOLINTBEGIN(google-explicit-constructor,bugprone-forwarding-reference-overload)
  template <class U = value_type>
  requires(!std::is_void_v<T> && std::is_constructible_v<value_type, U> &&
           !std::is_same_v<std::remove_cvref_t<U>, Result> &&
           !std::is_same_v<std::remove_cvref_t<U>, Error>) Result(U&& value)
      : state_(std::in_place_index<0>, std::forward<U>(value)) {}
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}
  // NOLINTEND(google-explicit-constructor,bugprone-forwarding-reference-overload)

  bool has_value() const { return state_.index() == 0; }
  explicit operator bool() const { return has_value(); }

  value_type& value() & { return *checked(); }
  const value_type& value() const& { return *const_cast<Result*>(this)->checked(); }
  value_type&& value() && { return std::move(*checked()); }
  value_type& operator*() & { return *checked(); }
  const value_type& operator*() const& { return value(); }
  value_type&& operator*() && { return std::move(*checked()); }
  value_type* operator->() { return checked(); }
  const value_type* operator->() const { return const_cast<Result*>(this)->checked(); }

  const Error& error() const {
    POOLPROOF_CHECK(!has_value());
    return *std::get_if<1>(&state_);
  }

 private:
  value_type* checked() {
    POOLPROOF_CHECK(has_value());
    return std::get_if<0>(&state_);
  }
  std::variant<value_type, Error> state_;
};

}  // namespace poolproof::sys
