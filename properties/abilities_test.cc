#include "properties/abilities.h"

#include <gtest/gtest.h>

namespace poolproof::properties {
namespace {

using harness::BodyKind;
using harness::EndingKind;
using harness::StepKind;

const char* const kDescription = R"json({
  "protocol": 0, "name": "multiprocessing.Pool", "version": "3.11.7", "language": "python",
  "runtime": "CPython 3.11.7", "start_methods": ["fork", "spawn"],
  "steps": ["create", "submit", "levitate", "submit"], "bodies": ["nothing", "dream"],
  "endings": ["return", "ascend"], "settings": ["quota", "mood"], "news": {"of": "a later version"},
  "program": {"preamble": ["import os", "import sys"], "create": "pool = Pool({workers})"}})json";

TEST(Describe, IsReadWithLettersThatAreKnownHere) {
  const auto read = abilities_from_json(kDescription);
  ASSERT_TRUE(read.has_value()) << read.error().message();
  EXPECT_EQ(read->name, "multiprocessing.Pool");
  EXPECT_EQ(read->runtime, "CPython 3.11.7");
  EXPECT_EQ(read->start_methods, (std::vector<std::string>{"fork", "spawn"}));
  EXPECT_EQ(read->steps, (std::vector<StepKind>{StepKind::kCreate, StepKind::kSubmit}));
  EXPECT_EQ(read->bodies, (std::vector<BodyKind>{BodyKind::kNothing}));
  EXPECT_EQ(read->endings, (std::vector<EndingKind>{EndingKind::kReturn}));
  EXPECT_EQ(read->settings, std::vector{harness::Setting::kQuota});
  EXPECT_EQ(read->program.at("preamble"), "import os\nimport sys");
  EXPECT_EQ(read->program.at("create"), "pool = Pool({workers})");
}

TEST(Describe, MaySayThatThePoolIsNotThere) {
  const auto read = abilities_from_json(R"({"absent": "No module named 'loky'"})");
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(read->absent, "No module named 'loky'");
}

std::string complaint(std::string_view text) {
  const auto read = abilities_from_json(text);
  return read ? "" : read.error().message();
}

TEST(Describe, IsRefusedInOneLine) {
  EXPECT_EQ(complaint("{}"), "--describe: protocol: missing");
  EXPECT_EQ(complaint(R"({"protocol": 7})"), "--describe: protocol: this build speaks 0 only");
  EXPECT_EQ(complaint("[]"), "--describe: document: expected an object");
  EXPECT_TRUE(complaint("Traceback (most recent call last):").starts_with("--describe: not JSON"));
  std::string text = kDescription;
  text.replace(text.find("[\"nothing\""), 1, "[3, ");
  EXPECT_EQ(complaint(text), "--describe: bodies: expected strings");
}

}  // namespace
}  // namespace poolproof::properties
