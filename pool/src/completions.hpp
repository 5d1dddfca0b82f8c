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
  void add(Result result, Outcome outcome) {
    entries_.emplace_back(std::move(result), std::move(outcome));
  }

  void deliver() {
    for (auto& [result, outcome] : entries_) result->complete(std::move(outcome));
    entries_.clear();
  }

 private:
  std::vector<std::pair<Result, Outcome>> entries_;
};

}  // namespace poolproof::detail
