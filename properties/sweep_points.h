#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>

namespace poolproof::properties {

/// The points of one process's life at which a sweep puts its fault: which were sent, which came
/// back, and whether the fault fired there. Results may come in any order.
class SweepPoints {
 public:
  void send(std::uint64_t id) { sent_[id] = next_++; }
  int next() const { return next_; }
  bool any_sent() const { return !sent_.empty(); }
  std::size_t sent() const { return sent_.size(); }
  int take(std::uint64_t id) { return sent_.extract(id).mapped(); }
  void note(int point, bool fired) { fired_[point] = fired; }

  /// Where the process's life is over: the first of three points in a row, one directly after the
  /// other, at which it did not fire.
  std::optional<int> end() const {
    int first = 0;
    int last = -1;
    for (const auto& [point, fired] : fired_) {
      if (fired) continue;
      if (point != last + 1) first = point;
      last = point;
      if (last - first + 1 == kQuietRuns) return first;
    }
    return std::nullopt;
  }
  /// Whether that is known, and nothing before it is still on its way.
  bool complete() const {
    const auto end = this->end();
    return end && std::all_of(sent_.begin(), sent_.end(),
                              [&](const auto& entry) { return entry.second > *end; });
  }

 private:
  static constexpr int kQuietRuns = 3;
  int next_ = 1;
  std::map<std::uint64_t, int> sent_;  // by the run's id
  std::map<int, bool> fired_;          // by point
};

}  // namespace poolproof::properties
