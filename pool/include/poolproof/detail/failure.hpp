#pragma once

#include <sys/types.h>

#include <exception>
#include <poolproof/detail/bytes.hpp>
#include <string>
#include <string_view>

namespace poolproof::detail {

/// Worker's side: an exception of any type as bytes: its type, what(), if it is
/// registered its members, and the chain of std::nested_exception. Never throws, and never returns
/// nothing, even without memory (then the bytes are empty).
Bytes encode_failure(const std::exception_ptr& error) noexcept;

/// The exception being handled. One without a type is pthread_exit at work,
/// which goes on.
Bytes encode_current_failure();

/// Main's side: throws it. Exactly the registered types, the standard types that
/// can be rebuilt from their what(), and this library's own come as themselves
/// (Rebuilt<E>); others, also those derived from them, as RemoteError. Its
/// causes are nested in it as they were.
[[noreturn]] void throw_failure(std::string_view encoded, pid_t worker);

/// "std::runtime_error: the text", for a line of text. Errors: std::bad_alloc.
std::string describe_error(const std::exception_ptr& error);

}  // namespace poolproof::detail
