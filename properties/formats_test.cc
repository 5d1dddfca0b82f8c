// Format 1 of case and trace, frozen: what a build of then has written is read, and means the same.
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>
#include <string>
#include <variant>
#include <vector>

#include "harness/case.h"
#include "harness/trace.h"
#include "properties/contract.h"
#include "properties/rules.h"

namespace poolproof::properties {
namespace {

std::string frozen(const std::string& file) {
  std::ifstream in(std::string(POOLPROOF_GOLDEN) + "/../../fixtures/formats/1/" + file);
  std::stringstream text;
  text << in.rdbuf();
  EXPECT_FALSE(text.str().empty()) << file;
  return text.str();
}

TEST(Format1, ACaseIsReadAndWrittenAsItWas) {
  for (const char* file : {"case.json", "hang/case.json"}) {
    const auto text = frozen(file);
    const auto read = harness::case_from_json(text);
    ASSERT_TRUE(read) << file << ": " << read.error().message();
    EXPECT_EQ(harness::to_json(*read), text) << file;
  }
}

TEST(Format1, ATraceIsReadAndWrittenAsItWas) {
  const auto text = frozen("hang/trace.jsonl");
  const auto read = harness::trace_from_json_lines(text);
  ASSERT_TRUE(read) << read.error().message();
  EXPECT_EQ(harness::to_json_lines(*read), text);
}

/// A hang that was proved then: main waits for the outcome of a task that has killed its worker.
TEST(Format1, ATraceIsJudgedAsItWas) {
  const auto saved = harness::case_from_json(frozen("hang/case.json"));
  const auto trace = harness::trace_from_json_lines(frozen("hang/trace.jsonl"));
  ASSERT_TRUE(saved && trace);
  const Contract contract;
  const Evidence evidence{saved->scenario, *trace, contract, "python", "CPython 3.11.7"};
  std::vector<std::string> violated;
  for (const auto& judgement : judge(evidence, false)) {
    if (std::holds_alternative<Violated>(judgement.verdict))
      violated.emplace_back(judgement.rule->id);
  }
  EXPECT_EQ(violated, (std::vector<std::string>{"T6", "P1"}));
}

}  // namespace
}  // namespace poolproof::properties
