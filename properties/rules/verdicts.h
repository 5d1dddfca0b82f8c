#pragma once

#include <optional>
#include <string>
#include <vector>

#include "properties/rules.h"

namespace poolproof::properties {

/// What several observations of one rule come to: violated by the first that violates, else
/// inconclusive if any is in doubt, else held if any put it to the test.
class Verdicts {
 public:
  void held() { held_ = true; }
  void violated(std::string evidence, std::vector<std::size_t> events);
  void doubtful(std::string why);
  Verdict verdict() const;

 private:
  bool held_ = false;
  std::optional<Violated> violated_;
  std::optional<Inconclusive> doubtful_;
};

}  // namespace poolproof::properties
