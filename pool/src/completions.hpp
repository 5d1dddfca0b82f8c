#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <new>
#include <poolproof/detail/result_state.hpp>
#include <utility>
#include <vector>

#include "core.hpp"

namespace poolproof::detail {

/// Collected under the lock, completed without it: who is woken by a result
/// must find the lock free.
class Core::Completions {
 public:
  /// undelivered: how many have something to deliver, which the pool's end waits for.
  explicit Completions(std::atomic<int>& undelivered) : undelivered_(undelivered) {}
  /// What an error has kept from being delivered is, here: nobody else completes it.
  ~Completions() { deliver(); }
  Completions(const Completions&) = delete;
  Completions& operator=(const Completions&) = delete;

  /// Room for so many more, so that `add` cannot fail. False without memory.
  bool make_room(std::size_t count = 1) noexcept {
    try {
      if (entries_.capacity() - entries_.size() < count) {
        entries_.reserve(2 * entries_.size() + count);
      }
      return true;
    } catch (const std::bad_alloc&) {
      return false;
    }
  }

  /// False if it has an outcome already: it was cancelled meanwhile.
  bool add(Result result, Outcome outcome) {
    if (entries_.size() == entries_.capacity()) entries_.reserve(2 * entries_.size() + 1);
    if (!result->claim()) return false;  // from here on nothing may throw: nobody else completes it
    if (entries_.empty()) undelivered_.fetch_add(1, std::memory_order_relaxed);
    entries_.emplace_back(std::move(result), std::move(outcome));
    return true;
  }

  /// Whether there was anything.
  bool deliver() {
    const bool any = !entries_.empty();
    for (auto& [result, outcome] : entries_) result->complete(std::move(outcome));
    entries_.clear();
    if (any) undelivered_.fetch_sub(1, std::memory_order_release);
    return any;
  }

 private:
  std::atomic<int>& undelivered_;
  std::vector<std::pair<Result, Outcome>> entries_;
};

}  // namespace poolproof::detail
