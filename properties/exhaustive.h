#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>

#include "properties/enumerate.h"

namespace poolproof::properties {

/// How many of all short scenarios were run: what a bounded-exhaustive search may claim, and no
/// more.
struct Extent {
  int workers = 0;                 // the most in a pool
  int steps = 0;                   // all scenarios up to so many were run; 0: of no length
  std::int64_t scenarios = 0;      // which are so many
  std::int64_t beyond = 0;         // run with one step more
  std::optional<std::int64_t> of;  // of so many; nullopt: more than it makes sense to count
  std::int64_t unclear = 0;        // of those that were run: some rule could not be judged
  bool operator==(const Extent&) const = default;
};

/// "complete to 3 steps, 2 workers: 218 scenarios; 40 of 1,749 with 4 steps; 3 unclear".
std::string in_words(const Extent& extent);

/// "1,749".
std::string with_commas(std::int64_t number);

/// Gives out the scenarios of an enumerator, length by length, and keeps count of those that were
/// run, in whatever order they end.
class ExhaustiveSearch {
 public:
  /// Whether so many scenarios, all those of the next length, are to be begun.
  using Fits = std::function<bool(std::int64_t)>;

  /// most_steps: the longest that are given out; nullopt: no bound.
  explicit ExhaustiveSearch(Enumerator enumerator, std::optional<int> most_steps = std::nullopt)
      : enumerator_(std::move(enumerator)), most_steps_(most_steps) {}

  /// nullopt: no more, or the next length does not fit, which may be asked again.
  std::optional<harness::Scenario> next(const Fits& fits);

  /// One of them was run, and its recording was judged; unclear: not by every rule.
  void ran(const harness::Scenario& scenario, bool unclear = false) {
    ++ran_[scenario.length()];
    unclear_ += unclear ? 1 : 0;
  }

  Extent extent() const;

 private:
  std::int64_t count(int length);

  Enumerator enumerator_;
  std::optional<int> most_steps_;
  int length_ = 0;                      // of the scenarios that are being given out
  bool ended_ = true;                   // there are no more of that length
  std::map<int, std::int64_t> counts_;  // of all scenarios, by length
  std::map<int, std::int64_t> ran_;
  std::int64_t unclear_ = 0;
};

}  // namespace poolproof::properties
