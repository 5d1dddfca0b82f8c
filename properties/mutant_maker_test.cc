#include "properties/mutant_maker.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/sys/fd.h"
#include "properties/fake_trees.h"

namespace poolproof::properties {
namespace {

using testing::HasSubstr;
using Outcome = MutantMaker::Outcome;

class MutantMakerTest : public testing::Test {
 protected:
  MutantMakerTest() {
    trees_.add("a.cc", "f(); g();",
               R"({"kind": "drop", "line": 1, "offset": 0, "length": 3, "text": "", "probe": null})"
               "\n");
  }

  FakeTrees trees_;
};

TEST_F(MutantMakerTest, ListsWhatTheListerSays) {
  const MutantMaker maker(trees_.recipe());
  EXPECT_EQ(maker.name_of(0), "a.cc");
  const auto listed = maker.mutations(0);
  ASSERT_TRUE(listed);
  ASSERT_EQ(listed->size(), 1U);
  EXPECT_EQ(listed->front().kind, "drop");
}

TEST_F(MutantMakerTest, AListerThatFailsSaysWhyInOneLine) {
  trees_.recipe().list = {"/bin/sh", "-c", "echo no parser >&2; echo more >&2; exit 1"};
  const auto listed = MutantMaker(trees_.recipe()).mutations(0);
  ASSERT_FALSE(listed);
  EXPECT_EQ(listed.error().message(), "no parser");
}

TEST_F(MutantMakerTest, BuildsThePoolWithTheChange) {
  MutantMaker maker(trees_.recipe());
  const auto made = maker.make(0, {0, 3, ""});
  ASSERT_TRUE(made);
  EXPECT_EQ(made->outcome, Outcome::kBuilt);
  EXPECT_EQ(sys::read_file(made->program).value(), ";g();");
  EXPECT_EQ(sys::read_file(trees_.recipe().sources[0]).value(), "f(); g();");
}

TEST_F(MutantMakerTest, TellsWhatDoesNotCompileAndWhatCompilesToTheSame) {
  MutantMaker maker(trees_.recipe());
  EXPECT_EQ(maker.make(0, {0, 1, "error"})->outcome, Outcome::kNotCompiled);
  EXPECT_EQ(maker.make(0, {4, 1, "   "})->outcome, Outcome::kSameProgram);
}

TEST_F(MutantMakerTest, WhatDoesNotLinkIsNoProgram) {
  trees_.recipe().link_before = {"/bin/false"};
  EXPECT_EQ(MutantMaker(trees_.recipe()).make(0, {0, 1, "h"})->outcome, Outcome::kNotCompiled);
}

TEST_F(MutantMakerTest, ASourceThatDoesNotCompileAsItStandsIsAnError) {
  trees_.add("b.cc", "error", "");
  const auto made = MutantMaker(trees_.recipe()).make(1, {0, 1, "h"});
  ASSERT_FALSE(made);
  EXPECT_THAT(made.error().message(), HasSubstr("b.cc itself does not compile"));
}

TEST_F(MutantMakerTest, LeavesNothingBehind) {
  { EXPECT_TRUE(MutantMaker(trees_.recipe()).make(0, {0, 1, "h"})); }
  EXPECT_TRUE(std::filesystem::is_empty(trees_.recipe().scratch));
}

TEST_F(MutantMakerTest, WithoutTheTreesOneLineSaysThatTheyAreNeeded) {
  const auto none = mutant_recipe_of(trees_.root());
  ASSERT_FALSE(none);
  EXPECT_THAT(none.error().message(), HasSubstr("need poolproof's source and build tree"));
  std::ofstream(trees_.root() / "generated.json")
      << R"({"sources": ["/nowhere/x.cc"], "root": "/", "scratch": "/", "list": [], "parse": [],)"
      << R"( "compile": [], "link_before": [], "link_after": []})";
  const auto gone = mutant_recipe_of(trees_.root());
  ASSERT_FALSE(gone);
  EXPECT_THAT(gone.error().message(), HasSubstr("/nowhere/x.cc is not there"));
  EXPECT_FALSE(mutant_recipe_from_json("{}", "generated.json"));
}

}  // namespace
}  // namespace poolproof::properties
