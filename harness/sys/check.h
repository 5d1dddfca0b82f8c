#pragma once

namespace poolproof::sys {

/// Prints "file:line: check failed: text" to stderr and aborts. A failed check is a bug of ours,
/// never of the environment (sys::Error) and never of the subject (a verdict).
[[noreturn]] void check_failed(const char* file, int line, const char* text);

}  // namespace poolproof::sys

/// An assertion that release builds keep: a harness that goes on after a bug of its own may lie.
#define POOLPROOF_CHECK(condition)    \
  ((condition) ? static_cast<void>(0) \
               : ::poolproof::sys::check_failed(__FILE__, __LINE__, #condition))
