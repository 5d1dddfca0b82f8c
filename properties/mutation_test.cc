#include "properties/mutation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>

namespace poolproof::properties {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

Mutation one(const char* kind) {
  return {.kind = kind, .line = 1, .change = {}, .probe = {}};
}

TEST(Mutation, IsReadFromALine) {
  const auto read = mutations_from_json_lines(
      R"({"kind": "drop", "line": 3, "offset": 7, "length": 2, "text": "", "probe": null})"
      "\n"
      R"({"kind": "swap", "line": 4, "offset": 9, "length": 1, "text": "x",)"
      R"( "probe": {"offset": 8, "length": 0, "text": "t"}})"
      "\n",
      "lister");
  ASSERT_TRUE(read);
  ASSERT_EQ(read->size(), 2U);
  EXPECT_EQ(read->front().kind, "drop");
  EXPECT_EQ(read->front().line, 3);
  EXPECT_FALSE(read->front().probe);
  EXPECT_EQ(read->back().change.text, "x");
  EXPECT_EQ(read->back().probe->offset, 8U);
}

TEST(Mutation, WhatIsNoneIsRefusedWithItsOrigin) {
  for (const char* text : {"{", "[]", "{}", R"({"kind": "drop", "line": "x"})"}) {
    const auto read = mutations_from_json_lines(text, "lister");
    ASSERT_FALSE(read) << text;
    EXPECT_THAT(read.error().message(), HasSubstr("lister: no list of mutations"));
  }
}

TEST(Mutation, ChangesTheBytesThatItMeans) {
  EXPECT_EQ(applied("f(1);", {2, 1, "2"}), "f(2);");
  EXPECT_EQ(applied("f(1);", {0, 4, ""}), ";");
  EXPECT_EQ(applied("f(1);", {0, 0, "t; "}), "t; f(1);");
}

TEST(Mutation, DiffHasWholeLinesAndNoOthers) {
  constexpr std::string_view kSource = "int x;\n  if (a)\n    b();\n  c();\n";
  EXPECT_THAT(diff_lines(kSource, {13, 1, "!(a)"}), ElementsAre("-  if (a)", "+  if (!(a))"));
  EXPECT_THAT(diff_lines(kSource, {20, 11, "c();\n  b();"}),
              ElementsAre("-    b();", "-  c();", "+    c();", "+  b();"));
  EXPECT_THAT(diff_lines("last", {0, 4, "other"}), ElementsAre("-last", "+other"));
}

TEST(Mutation, ALongDiffIsCut) {
  const auto lines = diff_lines("1\n2\n3\n4\n5\n6\n7\n", {0, 13, "x"});
  ASSERT_EQ(lines.size(), 7U);
  EXPECT_EQ(lines[5], "- ...");
  EXPECT_EQ(lines[6], "+x");
}

TEST(Mutation, AreDealtOutEvenlyAndNoneTwice) {
  const std::vector<Mutation> all{one("drop"), one("drop"),   one("negate"),
                                  one("swap"), one("adjust"), one("adjust")};
  MutationDealer dealer(3, 7);
  std::set<std::pair<std::size_t, std::size_t>> seen;
  std::map<std::size_t, int> files;
  std::map<std::string, int> kinds;
  for (int i = 0; i < 12; ++i) {
    const auto dealt = dealer.deal(all);
    ASSERT_TRUE(dealt);
    EXPECT_TRUE(seen.insert({dealt->file, dealt->mutation}).second);
    ++files[dealt->file];
    ++kinds[all[dealt->mutation].kind];
  }
  EXPECT_THAT(files, ElementsAre(std::pair{0, 4}, std::pair{1, 4}, std::pair{2, 4}));
  for (const auto& [kind, times] : kinds) EXPECT_EQ(times, 3) << kind;
}

TEST(Mutation, DealingEndsWhenEachWasDealt) {
  const std::vector<Mutation> all{one("drop"), one("swap")};
  MutationDealer dealer(2, 7);
  int dealt = 0;
  while (!dealer.is_over()) dealt += dealer.deal(all) ? 1 : 0;
  EXPECT_EQ(dealt, 4);
}

TEST(Mutation, DealingIsAFunctionOfTheSeed) {
  const std::vector<Mutation> all(5, one("drop"));
  const auto dealt = [&](std::uint64_t seed) {
    MutationDealer dealer(9, seed);
    std::vector<std::pair<std::size_t, std::size_t>> places;
    for (int i = 0; i < 20; ++i) {
      const auto one = dealer.deal(all);
      places.emplace_back(one->file, one->mutation);
    }
    return places;
  };
  EXPECT_EQ(dealt(7), dealt(7));
  EXPECT_NE(dealt(7), dealt(8));
}

}  // namespace
}  // namespace poolproof::properties
