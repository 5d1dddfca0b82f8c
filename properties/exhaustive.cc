#include "properties/exhaustive.h"

#include <fmt/format.h>

#include <limits>

#include "properties/text.h"

namespace poolproof::properties {
namespace {

/// Counting more takes longer than a second, and no run gets through them.
constexpr std::int64_t kCountable = 2'000'000;
constexpr std::int64_t kUncountable = std::numeric_limits<std::int64_t>::max();

}  // namespace

std::string with_commas(std::int64_t number) {
  auto text = std::to_string(number);
  for (auto at = static_cast<int>(text.size()) - 3; at > 0; at -= 3) text.insert(at, ",");
  return text;
}

std::string in_words(const Extent& extent) {
  const auto noun = [](std::int64_t number, const char* word) {
    return fmt::format("{} {}{}", with_commas(number), word, number == 1 ? "" : "s");
  };
  std::string text = "complete to no length yet";
  if (extent.scenarios > 0) {
    text = fmt::format("complete to {}, {}: {}", noun(extent.steps, "step"),
                       noun(extent.workers, "worker"), noun(extent.scenarios, "scenario"));
  }
  if (extent.beyond > 0) {
    text +=
        fmt::format("; {} of {} with {}", with_commas(extent.beyond),
                    extent.of ? with_commas(*extent.of) : "more than " + with_commas(kCountable),
                    noun(extent.steps + 1, "step"));
  }
  return extent.unclear > 0 ? text + fmt::format("; {} unclear", with_commas(extent.unclear))
                            : text;
}

std::int64_t ExhaustiveSearch::count(int length) {
  const auto known = counts_.find(length);
  if (known != counts_.end()) return known->second;
  return counts_[length] = enumerator_.count(length, kCountable).value_or(kUncountable);
}

std::optional<harness::Scenario> ExhaustiveSearch::next(const Fits& fits) {
  while (true) {
    if (ended_) {
      if (most_steps_ && length_ >= *most_steps_) return std::nullopt;
      const auto number = count(length_ + 1);
      const bool at_end = number == 0 && !enumerator_.has_words(length_);
      if (at_end || !fits(number)) return std::nullopt;
      ++length_;
      ended_ = false;
    }
    if (auto scenario = enumerator_.next(length_)) return scenario;
    ended_ = true;
  }
}

Extent ExhaustiveSearch::extent() const {
  Extent extent{.workers = enumerator_.most_workers(), .of = std::nullopt, .unclear = unclear_};
  for (const auto& [length, number] : counts_) {
    const auto found = ran_.find(length);
    const auto ran = found == ran_.end() ? 0 : found->second;
    if (ran < number) {
      extent.beyond = ran;
      if (number <= kCountable) extent.of = number;
      break;
    }
    extent.steps = length;
    extent.scenarios += number;
  }
  return extent;
}

}  // namespace poolproof::properties
