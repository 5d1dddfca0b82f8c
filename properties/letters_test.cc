#include "properties/letters.h"

#include <gtest/gtest.h>

#include "properties/enumerate.h"

namespace poolproof::properties {
namespace {

TEST(Letters, ThereIsOneForEachStepInItsOrder) {
  const auto steps = harness::step_table();
  ASSERT_EQ(letter_table().size(), steps.size());
  for (std::size_t i = 0; i < steps.size(); ++i)
    EXPECT_EQ(letter_table()[i]->kind, steps[i].kind) << steps[i].name;
}

/// Without one that chooses them, random scenarios would hold the defaults alone.
TEST(Letters, WhatHasParametersHasSomethingThatChoosesThem) {
  for (const auto* letter : letter_table()) {
    const auto& entry = harness::entry(letter->kind);
    EXPECT_EQ(letter->fill != nullptr, !entry.fields.empty()) << entry.name;
  }
}

TEST(Letters, WhatMakesSomethingSaysWhatIsDifferentThen) {
  for (const auto* letter : letter_table()) {
    const auto& entry = harness::entry(letter->kind);
    EXPECT_TRUE(entry.makes == harness::Makes::kNothing || letter->apply != nullptr) << entry.name;
  }
}

TEST(Letters, ShortFormsAreOfTheirKindAndKeepTheBounds) {
  const SmallAlphabet alphabet{.bodies = {harness::Body{}}};
  for (const auto* letter : letter_table()) {
    if (letter->in_short == nullptr) continue;
    for (const auto& step : letter->in_short(alphabet, 1)) {
      EXPECT_EQ(step.kind, letter->kind);
      for (const auto& field : harness::entry(step.kind).fields) {
        const auto value = field.get(step);
        EXPECT_TRUE(value || field.optional) << field.key;
        const bool is_number = value && field.high > 0;
        EXPECT_TRUE(!is_number || (field.low <= *value && *value <= field.high)) << field.key;
      }
    }
  }
}

TEST(Letters, EachStepButTheFirstIsChosenAtTimes) {
  for (const auto* letter : letter_table()) {
    const bool begins = harness::entry(letter->kind).makes == harness::Makes::kPool;
    EXPECT_EQ(letter->weight > 0, !begins) << harness::entry(letter->kind).name;
  }
}

}  // namespace
}  // namespace poolproof::properties
