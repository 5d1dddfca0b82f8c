#pragma once

#include <atomic>
#include <cstdint>
#include <poolproof/detail/event.hpp>

/// futex(2) on a word of one's own process, or on one in shared memory.
namespace poolproof::detail::futex {

enum class Scope { in_process, shared };

/// Sleeps while `word` is `expected`, until woken or `deadline`. May return early.
/// False if `deadline` has come.
bool wait(const std::atomic<std::uint32_t>& word, std::uint32_t expected, Deadline deadline,
          Scope scope);

/// Wakes all who wait for `word`.
void wake(const std::atomic<std::uint32_t>& word, Scope scope);

}  // namespace poolproof::detail::futex
