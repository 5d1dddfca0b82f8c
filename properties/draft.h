#pragma once

#include <algorithm>
#include <chrono>
#include <functional>
#include <vector>

#include "harness/case.h"
#include "properties/abilities.h"
#include "properties/dice.h"

namespace poolproof::properties {

class Model;

/// A scenario that is being written: what its next step's parameters are chosen by.
struct Draft {
  Dice& dice;
  const Model& model;  // after the steps so far
  const harness::Scenario& so_far;
  const Abilities& abilities;
  const std::vector<harness::BodyKind>& bodies;  // of this scenario's part of the alphabet
  int size;                                      // 0 to 100: larger payloads
  std::chrono::milliseconds patience;            // Contract::patience()

  bool can(harness::Setting setting) const {
    const auto& known = abilities.settings;
    return std::find(known.begin(), known.end(), setting) != known.end();
  }
  bool any_step(const std::function<bool(const harness::Step&)>& fits) const {
    return std::any_of(so_far.steps.begin(), so_far.steps.end(), fits);
  }
  /// Who makes the call; `twice`: whether it may be made twice at once.
  harness::Caller caller(bool twice = false);
  /// One of the bodies, with its number.
  harness::Body body();
};

}  // namespace poolproof::properties
