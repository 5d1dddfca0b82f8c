#pragma once

#include <rapidcheck.h>

#include <iterator>
#include <vector>

namespace poolproof::properties {

/// What is random about one value: a value of its own, so that a seed gives the same one always.
class Dice {
 public:
  explicit Dice(const rc::Random& random) : random_(random) {}
  int below(int n) { return static_cast<int>(random_.next() % static_cast<unsigned>(n)); }
  bool percent(int chance) { return below(100) < chance; }
  template <class Range>
  auto pick(const Range& range) {
    return *(std::begin(range) + below(static_cast<int>(std::size(range))));
  }
  /// An index, by weight; -1 where all weigh nothing.
  int weighted(const std::vector<int>& weights) {
    int total = 0;
    for (const int weight : weights) total += weight;
    int left = total > 0 ? below(total) : -1;
    int index = -1;
    while (left >= 0) left -= weights[static_cast<std::size_t>(++index)];
    return index;
  }

 private:
  rc::Random random_;
};

}  // namespace poolproof::properties
