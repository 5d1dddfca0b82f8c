#pragma once

#include <memory>
#include <poolproof/detail/result_state.hpp>
#include <utility>
#include <vector>

#include "core.hpp"

namespace poolproof::detail {

/// Collected under the lock, completed without it: who is woken by a result
/// must find the lock free.
class Core::Completions {
 public:
  /// False if it has an outcome already: it was cancelled meanwhile.
  bool add(Result result, Outcome outcome) {
    if (!result->claim()) return false;
    entries_.emplace_back(std::move(result), std::move(outcome));
    return true;
  }

  /// Whether there was anything.
  bool deliver() {
    const bool any = !entries_.empty();
    for (auto& [result, outcome] : entries_) result->complete(std::move(outcome));
    entries_.clear();
    return any;
  }

 private:
  std::vector<std::pair<Result, Outcome>> entries_;
};

}  // namespace poolproof::detail
