#include "harness/case.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

namespace poolproof::harness {
namespace {

using std::chrono::milliseconds;

// ---- Any case at all ---------------------------------------------------------------------------

rc::Gen<Body> bodies() {
  return rc::gen::exec([] {
    const auto& entry = body_table()[*rc::gen::inRange<std::size_t>(0, body_table().size())];
    Body body{.kind = entry.kind};
    if (entry.parameter != Parameter::kNone) {
      body.amount = *rc::gen::inRange<std::int64_t>(0, greatest(entry.parameter) + 1);
    }
    return body;
  });
}

/// Tasks that a step with this need can be about.
std::vector<int> fitting_tasks(Needs needs, const std::vector<bool>& streams) {
  std::vector<int> fitting;
  for (std::size_t i = 0; i < streams.size(); ++i) {
    const bool wrong = needs == (streams[i] ? Needs::kWholeTask : Needs::kStream);
    if (!wrong) fitting.push_back(static_cast<int>(i) + 1);
  }
  return fitting;
}

std::int64_t any_value(const Field& field, Needs needs, const std::vector<bool>& streams) {
  if (field.type == FieldType::kNewTask) return static_cast<int>(streams.size()) + 1;
  if (field.type == FieldType::kOldTask) return *rc::gen::elementOf(fitting_tasks(needs, streams));
  if (field.type == FieldType::kName)
    return *rc::gen::inRange<std::int64_t>(0, static_cast<int>(field.names.size()));
  return *rc::gen::inRange(field.low, field.high + 1);
}

/// Of any kind that fits, with any parameters.
Step any_step(bool first, const std::vector<bool>& streams, bool program) {
  std::vector<StepKind> fitting;
  for (const auto& entry : step_table()) {
    const bool there = first ? entry.needs == Needs::kNoPool : entry.needs != Needs::kNoPool;
    const bool has_task = !needs_task(entry.needs) || !fitting_tasks(entry.needs, streams).empty();
    const bool wrong = entry.needs == (program ? Needs::kNoProgram : Needs::kProgram);
    if (there && has_task && !wrong && entry.makes != Makes::kNoReference)
      fitting.push_back(entry.kind);
  }
  Step step{.kind = fitting[*rc::gen::inRange<std::size_t>(0, fitting.size())]};
  for (const Field& field : entry(step.kind).fields) {
    if (field.optional && *rc::gen::arbitrary<bool>()) continue;
    if (field.type == FieldType::kBody) {
      step.body = *bodies();
    } else {
      field.set(step, any_value(field, entry(step.kind).needs, streams));
    }
  }
  return step;
}

Case any_case() {
  Case made;
  made.pool = "some.Pool:fork@1.0";
  made.seed = *rc::gen::arbitrary<std::uint64_t>();
  made.settings.grace = milliseconds(*rc::gen::inRange(1, 60'001));
  made.settings.max_births = *rc::gen::inRange(1, 1000);
  made.settings.data_bytes = *rc::gen::inRange<std::int64_t>(1, 1LL << 40);
  made.scenario.start_method = *rc::gen::element<std::string>("", "fork", "forkserver");
  do {
    made.scenario.steps.push_back(any_step(true, {}, false));
  } while (has_bad_count(made.scenario.steps.back()));
  std::vector<bool> streams;
  bool program = false;
  for (int i = *rc::gen::inRange(0, 12); i > 0; --i) {
    made.scenario.steps.push_back(any_step(false, streams, program));
    const Step& last = made.scenario.steps.back();
    const auto makes = entry(last.kind).makes;
    if (makes == Makes::kTask)
      streams.push_back(last.kind == StepKind::kMap && is_stream(last.form));
    if (makes == Makes::kProgram || makes == Makes::kNoProgram) program = makes == Makes::kProgram;
  }
  const auto& ending = ending_table()[*rc::gen::inRange<std::size_t>(0, ending_table().size())];
  made.scenario.ending.kind = ending.kind;
  if (ending.parameter == Parameter::kCode) made.scenario.ending.code = *rc::gen::inRange(0, 256);
  return made;
}

RC_GTEST_PROP(CaseCodec, WhatIsWrittenIsReadBack, ()) {
  const Case made = any_case();
  const auto read = case_from_json(to_json(made));
  RC_ASSERT(read.has_value());
  RC_ASSERT(*read == made);
}

/// One byte of a good case, replaced: read or refused in one line, never a crash.
RC_GTEST_PROP(CaseCodec, AnyDamageIsReadOrRefusedInOneLine, ()) {
  std::string text = to_json(any_case());
  const auto at = *rc::gen::inRange<std::size_t>(0, text.size());
  text[at] = *rc::gen::arbitrary<char>();
  if (*rc::gen::arbitrary<bool>()) text.resize(at);
  const auto read = case_from_json(text);
  if (read) return;
  RC_ASSERT(read.error().message().find('\n') == std::string::npos);
  RC_ASSERT(read.error().message().starts_with("case: "));
}

// ---- By hand -----------------------------------------------------------------------------------

const char* const kByHand = R"({
  "format": 1,
  "pool": "multiprocessing.Pool:fork@3.11.7",
  "seed": 8339233,
  "settings": {"grace_ms": 1000, "fuse_ms": 10000},
  "scenario": {
    "start_method": "fork",
    "steps": [
      {"step": "create", "workers": 1},
      {"step": "submit", "task": 1, "body": "os_exit", "code": 3},
      {"step": "get", "task": 1}
    ],
    "ending": {"how": "return"}
  }
}
)";

TEST(CaseCodec, TheExampleOfTheProtocolIsReadAndWrittenAsItStands) {
  const auto read = case_from_json(kByHand);
  ASSERT_TRUE(read.has_value()) << read.error().message();
  ASSERT_EQ(read->scenario.steps.size(), 3u);
  EXPECT_EQ(read->scenario.steps[1].body, (Body{BodyKind::kOsExit, 3}));
  EXPECT_EQ(to_json(*read), kByHand);
}

TEST(CaseCodec, AnAdapterGetsItsScenarioInOneLine) {
  const auto read = case_from_json(kByHand);
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(to_json(read->scenario),
            R"({"start_method": "fork", "steps": [{"step": "create", "workers": 1}, )"
            R"({"step": "submit", "task": 1, "body": "os_exit", "code": 3}, )"
            R"({"step": "get", "task": 1}], "ending": {"how": "return"}})");
}

TEST(Alphabet, EachFieldIsKeptInAMemberOfItsOwnStep) {
  for (const auto& entry : step_table()) {
    for (const Field& field : entry.fields) {
      Step step{.kind = entry.kind};
      const Step before = step;
      const auto other = field.high > 0 ? field.high : 1;  // a name, a body: the second
      field.set(step, other);
      EXPECT_EQ(field.get(step), other) << entry.name << "." << field.key;
      EXPECT_NE(step, before) << entry.name << "." << field.key;
      if (!field.optional) continue;
      field.set(step, std::nullopt);
      EXPECT_EQ(step, before) << entry.name << "." << field.key;
    }
  }
}

TEST(CaseCodec, AnEmptyScenarioIsOne) {
  Case empty{.pool = "p"};
  const auto read = case_from_json(to_json(empty));
  ASSERT_TRUE(read.has_value()) << read.error().message();
  EXPECT_EQ(*read, empty);
}

TEST(CaseCodec, AnEndingOtherThanReturnCountsAsAStep) {
  Scenario scenario{.steps = {Step{}}};
  EXPECT_EQ(scenario.length(), 1);
  scenario.ending.kind = EndingKind::kSigkill;
  EXPECT_EQ(scenario.length(), 2);
}

struct Bad {
  const char* what;
  std::string from;  // a part of kByHand
  std::string to;
  std::string complaint;
};

std::ostream& operator<<(std::ostream& out, const Bad& bad) {
  return out << bad.what;
}

class BadCase : public testing::TestWithParam<Bad> {};

TEST_P(BadCase, IsRefusedWithItsPlace) {
  std::string text = kByHand;
  const auto at = text.find(GetParam().from);
  ASSERT_NE(at, std::string::npos);
  text.replace(at, GetParam().from.size(), GetParam().to);
  const auto read = case_from_json(text);
  ASSERT_FALSE(read.has_value());
  EXPECT_NE(read.error().message().find(GetParam().complaint), std::string::npos)
      << read.error().message();
}

INSTANTIATE_TEST_SUITE_P(
    CaseCodec, BadCase,
    testing::Values(
        Bad{"OtherFormat", "\"format\": 1", "\"format\": 7", "format: this build reads format 1"},
        Bad{"NoFormat", "\"format\": 1,", "", "format: missing"},
        Bad{"UnknownKey", "\"seed\"", "\"sead\"", "unknown key \"sead\""},
        Bad{"UnknownKeyOfAStep", "\"workers\": 1", "\"worker\": 1",
            "scenario.steps[0]: unknown key \"worker\""},
        Bad{"KeyTwice", "\"seed\": 8339233", "\"seed\": 1, \"seed\": 2", "key \"seed\" twice"},
        Bad{"UnknownStep", "\"get\"", "\"got\"", "scenario.steps[2].step: \"got\" is none"},
        Bad{"CodeOutOfBounds", "\"code\": 3", "\"code\": 256",
            "steps[1].code: expected an integer from 0 to 255"},
        Bad{"CodeIsNoInteger", "\"code\": 3", "\"code\": 3.0",
            "steps[1].code: expected an integer"},
        Bad{"CodeBeyondInt64", "\"code\": 3", "\"code\": 18446744073709551615",
            "steps[1].code: expected an integer"},
        Bad{"NoCode", ", \"code\": 3", "", "steps[1].code: missing"},
        Bad{"TooManyWorkers", "\"workers\": 1", "\"workers\": 65", "steps[0].workers: expected"},
        Bad{"NegativeSeed", "8339233", "-1", "seed: expected"},
        Bad{"GraceOfZero", "\"grace_ms\": 1000", "\"grace_ms\": 0", "settings.grace_ms: expected"},
        Bad{"TaskNotSubmitted", "\"get\", \"task\": 1", "\"get\", \"task\": 2",
            "steps[2]: gets a task that no earlier step submitted"},
        Bad{"NextOfNoMap", "\"get\", \"task\": 1", "\"next\", \"task\": 1",
            "steps[2]: takes the results of an imap only"},
        Bad{"GetOfAnImap", "\"submit\", \"task\": 1",
            "\"map\", \"form\": \"imap\", \"items\": 1, \"task\": 1",
            "steps[2]: the results of an imap are taken by next"},
        Bad{"TaskOutOfOrder", "\"submit\", \"task\": 1", "\"submit\", \"task\": 2",
            "steps[1]: tasks are numbered"},
        Bad{"NoPool", "{\"step\": \"create\", \"workers\": 1},", "", "steps[0]: needs a pool"},
        Bad{"SecondCreate", "{\"step\": \"get\", \"task\": 1}", "{\"step\": \"create\"}",
            "steps[2]: a second create"},
        Bad{"PoolNameWithSlash", "multiprocessing.Pool:fork", "../../etc", "pool: expected a name"},
        Bad{"PoolNameWithEscape", "multiprocessing.Pool:fork", "\\u001b[2J",
            "pool: expected a name"},
        Bad{"ScenarioIsNoObject", "\"ending\": {\"how\": \"return\"}", "\"ending\": 1",
            "scenario.ending: expected an object"},
        Bad{"Cut", "\"how\"", "\"ho", "not JSON"}),
    [](const auto& test) { return std::string(test.param.what); });

TEST(CaseCodec, DepthAndSizeAreBoundedBeforeAnythingIsBuilt) {
  const auto deep = case_from_json(std::string(1'000'000, '['));
  ASSERT_FALSE(deep.has_value());
  EXPECT_EQ(deep.error().message(), "case: nested too deeply");
  const auto large = case_from_json(std::string(5'000'000, ' '));
  ASSERT_FALSE(large.has_value());
  EXPECT_EQ(large.error().message(), "case: more than 4 MiB");
}

TEST(CaseCodec, StepsAreBounded) {
  Case large{.pool = "p"};
  large.scenario.steps.assign(kMaxSteps + 1, Step{.kind = StepKind::kSleep});
  const auto read = case_from_json(to_json(large));
  ASSERT_FALSE(read.has_value());
  EXPECT_EQ(read.error().message(), "case: scenario.steps: more than 256");
}

TEST(CaseJson, KeepsItsFaultFromTheAdapter) {
  Case value;
  value.pool = "reference:fork";
  value.scenario.steps = {Step{.kind = StepKind::kCreate, .workers = 1}};
  value.scenario.fault = *fault_from_string("main:read(pipe):2=SIGKILL");
  const auto again = case_from_json(to_json(value));
  ASSERT_TRUE(again) << again.error().message();
  EXPECT_EQ(*again, value);
  EXPECT_EQ(to_json(value.scenario).find("fault"), std::string::npos);
}

TEST(CaseJson, KeepsItsProcessorsFromTheAdapter) {
  Case value;
  value.pool = "reference:fork";
  value.scenario.steps = {Step{.kind = StepKind::kCreate}};
  value.scenario.processors = 1;
  const auto again = case_from_json(to_json(value));
  ASSERT_TRUE(again) << again.error().message();
  EXPECT_EQ(*again, value);
  EXPECT_EQ(to_json(value.scenario).find("processors"), std::string::npos);
  auto none = to_json(value);
  none.replace(none.find("\"processors\": 1"), 15, "\"processors\": 0");
  EXPECT_FALSE(case_from_json(none));
}

TEST(CaseJson, WhatMainInheritsStandsBesideTheScenario) {
  Case value;
  value.pool = "reference:fork";
  value.scenario.steps = {Step{.kind = StepKind::kCreate}};
  for (int i = 0; i <= static_cast<int>(kLastInherited); ++i) {
    value.scenario.inherits.insert(static_cast<Inherited>(i));
    const auto again = case_from_json(to_json(value));
    ASSERT_TRUE(again) << again.error().message();
    EXPECT_EQ(*again, value);
  }
  EXPECT_EQ(to_json(value.scenario).find("inherits"), std::string::npos);
  value.scenario.inherits = {Inherited::kStdinClosed};
  const auto with = [&](std::string_view list) {
    auto text = to_json(value);
    const std::string_view old = "[\"stdin_closed\"]";
    return text.replace(text.find(old), old.size(), list);
  };
  EXPECT_TRUE(case_from_json(with("[]")));
  for (const auto* wrong :
       {"[\"a fortune\"]", "[1]", "\"stdin_closed\"", "[\"stdin_closed\", \"stdin_closed\"]"})
    EXPECT_FALSE(case_from_json(with(wrong))) << wrong;
}

TEST(CaseJson, RefusesAFaultThatIsNone) {
  const auto wrong = case_from_json(
      R"({"format": 1, "pool": "p", "fault": "main:read=SIGKILL", "scenario": {"start_method": "",
          "steps": [], "ending": {"how": "return"}}})");
  ASSERT_FALSE(wrong);
  EXPECT_NE(wrong.error().message().find("fault"), std::string::npos);
}

}  // namespace
}  // namespace poolproof::harness
