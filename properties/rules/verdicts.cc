#include "properties/rules/verdicts.h"

#include <utility>

namespace poolproof::properties {

void Verdicts::violated(std::string evidence, std::vector<std::size_t> events) {
  if (!violated_) violated_ = Violated{std::move(evidence), std::move(events), ""};
}

void Verdicts::doubtful(std::string why) {
  if (!doubtful_) doubtful_ = Inconclusive{std::move(why)};
}

Verdict Verdicts::verdict() const {
  if (violated_) return *violated_;
  if (doubtful_) return *doubtful_;
  if (held_) return Held{};
  return NotExercised{};
}

}  // namespace poolproof::properties
