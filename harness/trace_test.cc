#include "harness/trace.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

namespace poolproof::harness {
namespace {

using sys::Exited;
using sys::Killed;

Nanoseconds ms(int n) {
  return std::chrono::milliseconds(n);
}

// ---- Any trace at all --------------------------------------------------------------------------

std::string any_text() {
  return *rc::gen::container<std::string>(rc::gen::inRange('\x01', '\x7f'));
}
int any_pid() {
  return *rc::gen::inRange(0, 1 << 22);
}
sys::ExitStatus any_status() {
  if (*rc::gen::arbitrary<bool>()) return Exited{*rc::gen::inRange(0, 256)};
  return Killed{*rc::gen::inRange(1, 65)};
}

StepResult any_result() {
  StepResult result;
  result.kind = static_cast<StepResult::Kind>(*rc::gen::inRange(0, 8));
  result.error = any_text();
  result.message = any_text();
  result.value = any_text();
  if (*rc::gen::arbitrary<bool>()) {
    result.workers = std::vector<StepResult::Listed>{
        {.pid = any_pid(), .name = any_text(), .daemon = true, .alive = std::nullopt}, {}};
  }
  result.killed = any_pid();
  return result;
}

Event::Kind any_kind() {
  switch (*rc::gen::inRange(0, 28)) {
    case 0:
      return Born{any_pid(), any_pid(), any_pid(), any_text()};
    case 1:
      return Execed{any_pid(), any_text()};
    case 2:
      return ThreadBorn{any_pid(), any_pid()};
    case 3:
      return ThreadDead{any_pid(), any_pid()};
    case 4:
      return Signalled{any_pid(), 15, any_pid()};
    case 5:
      return Dying{any_pid(), any_status()};
    case 6:
      return Dead{any_pid(), any_status()};
    case 7:
      return KilledByWarden{any_pid()};
    case 8:
      return OutputEof{any_text()};
    case 9:
      return Snapshot{3, {{any_pid(), 'Z', any_pid()}, {any_pid(), 'S', 1}}, -1, 12};
    case 10:
      return AtRest{true,
                    {{any_pid(),
                      any_pid(),
                      "read",
                      any_text(),
                      any_text(),
                      {{"byte", any_text(), any_pid()}, {"signal", "", 0}}}},
                    {{any_text(), any_text(), {{any_pid(), -1, "map"}, {any_pid(), 3, "rw"}}}}};
    case 11:
      return Delay{Nanoseconds(*rc::gen::arbitrary<std::int64_t>())};
    case 12:
      return Foreign{any_pid()};
    case 13:
      return LimitHit{any_text()};
    case 14:
      return LeftOver{any_text(), 7};
    case 15:
      return Lost{any_text()};
    case 16:
      return Started{any_pid()};
    case 17:
      return StepBegun{any_pid(), 1};
    case 18:
      return StepEnded{any_pid(), 1, any_result()};
    case 19:
      return TaskBegun{any_pid(), 2};
    case 20:
      return TaskEnded{any_pid(), 2, any_text(), 3, 1};
    case 21:
      return EndingBegun{any_pid()};
    case 25:
      return OwnChild{any_pid(), any_pid()};
    case 26:
      return CalledBack{any_pid(), 2, any_text()};
    case 23:
      return Polling{Nanoseconds(7), {{any_pid(), any_pid(), "sleep", 600}}, any_text()};
    case 24:
      return MainState{.at = "ending",
                       .descriptors = {{3, any_text()}, {4, any_text()}},
                       .blocked = any_text(),
                       .ignored = any_text(),
                       .caught = any_text(),
                       .umask = any_text(),
                       .folder = any_text(),
                       .root = any_text(),
                       .limits = any_text(),
                       .nice = any_text(),
                       .oom_score_adj = any_text(),
                       .group = any_text(),
                       .session = any_text(),
                       .processors = any_text()};
    case 22:
      return FaultFired{any_pid(), any_text(), any_pid()};
    default:
      return Garbage{any_text()};
  }
}

Trace any_trace() {
  Trace trace;
  trace.rung = *rc::gen::inRange(1, 4);
  trace.exact = *rc::gen::arbitrary<bool>();
  trace.end = static_cast<End>(*rc::gen::inRange(0, 7));
  trace.out = {any_text(), *rc::gen::inRange(0, 1000)};
  for (int i = *rc::gen::inRange(0, 20); i > 0; --i) {
    trace.events.push_back({Nanoseconds(*rc::gen::arbitrary<std::int64_t>()), any_kind()});
  }
  return trace;
}

RC_GTEST_PROP(TraceCodec, WhatIsWrittenIsReadBack, ()) {
  const Trace made = any_trace();
  const std::string text = to_json_lines(made);
  const auto read = trace_from_json_lines(text);
  RC_ASSERT(read.has_value());
  RC_ASSERT(read->events.size() == made.events.size());
  for (std::size_t i = 0; i < made.events.size(); ++i) {
    RC_ASSERT(read->events[i].kind.index() == made.events[i].kind.index());
  }
  RC_ASSERT(to_json_lines(*read) == text);  // every member is a key, so equal text is equal
}

RC_GTEST_PROP(TraceCodec, AnyDamageIsReadOrRefusedInOneLine, ()) {
  std::string text = to_json_lines(any_trace());
  const auto at = *rc::gen::inRange<std::size_t>(0, text.size());
  text[at] = *rc::gen::arbitrary<char>();
  if (*rc::gen::arbitrary<bool>()) text.resize(at);
  const auto read = trace_from_json_lines(text);
  if (!read) RC_ASSERT(read.error().message().find('\n') == std::string::npos);
}

// ---- By hand -----------------------------------------------------------------------------------

TEST(TraceCodec, EventsAreWrittenAsTheProtocolTells) {
  EXPECT_EQ(to_json(Event{ms(0), Born{2, 2104, 0, "main"}}),
            R"({"at_ns": 0, "fact": "born", "pid": 2, "outer": 2104, "parent": 0, "how": "main"})");
  EXPECT_EQ(to_json(Event{Nanoseconds(31'200'000), StepBegun{2, 1}}),
            R"({"at_ns": 31200000, "claim": "step-begun", "pid": 2, "step": 1})");
  EXPECT_EQ(to_json(Event{Nanoseconds(31'900'000), Dying{3, Exited{0}}}),
            R"({"at_ns": 31900000, "fact": "dying", "pid": 3, "exited": 0})");
  EXPECT_EQ(to_json(Event{ms(1), Dead{3, Killed{9}}}),
            R"({"at_ns": 1000000, "fact": "dead", "pid": 3, "killed": 9})");
  EXPECT_EQ(to_json(Event{ms(1), EndingBegun{2}}),
            R"({"at_ns": 1000000, "claim": "ending", "pid": 2})");
}

TEST(TraceCodec, WhatThePoolCannotTellIsAbsent) {
  const auto event = event_from_json(
      R"({"at_ns": 5, "claim": "step-ended", "pid": 2, "step": 4,
          "result": {"kind": "ok", "workers": [{"pid": 3, "daemon": true}]}})");
  ASSERT_TRUE(event.has_value()) << event.error().message();
  const auto& listed = std::get<StepEnded>(event->kind).result.workers.value().at(0);
  EXPECT_EQ(listed.pid, 3);
  EXPECT_EQ(listed.daemon, true);
  EXPECT_EQ(listed.alive, std::nullopt);
}

TEST(TraceCodec, BytesThatAreNotTextAreReplacedNotFatal) {
  Trace trace;
  trace.out.text =
      "a\xff"
      "b\n\x1b[2J";
  const auto read = trace_from_json_lines(to_json_lines(trace));
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(read->out.text,
            "a\xEF\xBF\xBD"
            "b\n\x1b[2J");
}

TEST(TraceCodec, AClaimCarriesItsWritersSequenceNumber) {
  const auto claim = claim_from_json(R"({"claim": "started", "pid": 2, "seq": 1, "at_ns": 77})");
  ASSERT_TRUE(claim.has_value()) << claim.error().message();
  EXPECT_EQ(claim->seq, 1);
  EXPECT_EQ(claim->event.at, Nanoseconds(77));
  EXPECT_EQ(std::get<Started>(claim->event.kind).pid, 2);
}

TEST(TraceCodec, AFactIsNoClaim) {
  EXPECT_FALSE(claim_from_json(R"({"fact": "foreign", "pid": 2, "seq": 1, "at_ns": 77})"));
  EXPECT_FALSE(claim_from_json(R"({"claim": "foreign", "pid": 2, "seq": 1, "at_ns": 77})"));
  EXPECT_FALSE(claim_from_json(R"({"claim": "started", "pid": 2, "at_ns": 77})"));
}

struct Bad {
  const char* what;
  const char* text;
  const char* complaint;
};

std::ostream& operator<<(std::ostream& out, const Bad& bad) {
  return out << bad.what;
}

class BadEvent : public testing::TestWithParam<Bad> {};

TEST_P(BadEvent, IsRefusedWithItsPlace) {
  const auto read = event_from_json(GetParam().text);
  ASSERT_FALSE(read.has_value());
  EXPECT_EQ(read.error().message(), GetParam().complaint);
}

INSTANTIATE_TEST_SUITE_P(
    TraceCodec, BadEvent,
    testing::Values(Bad{"UnknownFact", R"({"at_ns": 1, "fact": "born again"})",
                        "event: fact: \"born again\" is none of the names known here"},
                    Bad{"NeitherFactNorClaim", R"({"at_ns": 1})", "event: fact: missing"},
                    Bad{"UnknownKey", R"({"at_ns": 1, "fact": "foreign", "pid": 3, "x": 1})",
                        "event: unknown key \"x\""},
                    Bad{"NestedPlace", R"({"at_ns": 1, "claim": "step-ended", "pid": 2, "step": 1,
                               "result": {"kind": "fine"}})",
                        "event: result.kind: \"fine\" is none of the names known here"},
                    Bad{"PlaceInAList",
                        R"({"at_ns": 1, "fact": "at-rest", "proved": true, "waits": [7]})",
                        "event: waits[0]: expected an object"},
                    Bad{"LetterTooLong", R"({"at_ns": 1, "fact": "snapshot", "step": 0, "processes":
                                 [{"pid": 1, "state": "ZZ", "parent": 0}],
                                 "main_descriptors": 1, "main_threads": 1})",
                        "event: processes[0].state: expected one letter"}),
    [](const auto& test) { return std::string(test.param.what); });

TEST(TraceCodec, ABadLineIsNamed) {
  Trace trace;
  trace.events.push_back({ms(1), Foreign{3}});
  const auto read = trace_from_json_lines(to_json_lines(trace) + "{}\n");
  ASSERT_FALSE(read.has_value());
  EXPECT_EQ(read.error().message(), "trace line 3: event: at_ns: missing");
  EXPECT_FALSE(trace_from_json_lines(""));
}

// ---- Tree time ---------------------------------------------------------------------------------

Trace delayed() {
  Trace trace;
  trace.events = {{ms(10), Delay{ms(1)}}, {ms(20), Delay{ms(4)}}, {ms(30), Delay{ms(9)}}};
  return trace;
}

TEST(TreeTime, LeavesOutTheDelayBetweenTwoSamples) {
  EXPECT_EQ(delayed().tree_time(ms(10), ms(20)), ms(7));
  EXPECT_EQ(delayed().tree_time(ms(10), ms(30)), ms(12));
}

TEST(TreeTime, ErrsToTheShortSideBetweenSamples) {
  EXPECT_EQ(delayed().tree_time(ms(12), ms(18)), ms(3));   // as if from 10 to 20
  EXPECT_EQ(delayed().tree_time(ms(15), ms(25)), ms(2));   // as if from 10 to 30
  EXPECT_EQ(delayed().tree_time(ms(5), ms(100)), ms(86));  // all of the delay
}

TEST(TreeTime, IsNeverNegative) {
  EXPECT_EQ(delayed().tree_time(ms(28), ms(29)), ms(0));
  EXPECT_EQ(delayed().tree_time(ms(30), ms(10)), ms(0));
}

TEST(TreeTime, IsThatOfTheClockWithoutSamples) {
  EXPECT_EQ(Trace{}.tree_time(ms(3), ms(10)), ms(7));
}

RC_GTEST_PROP(TreeTime, IsNeverLongerThanTheClocks, (std::vector<std::pair<int, int>> samples)) {
  Trace trace;
  int at = 0;
  int total = 0;
  for (const auto& [step, more] : samples) {
    at += std::abs(step % 100);
    total += std::abs(more % 100);
    trace.events.push_back({ms(at), Delay{ms(total)}});
  }
  const int from = *rc::gen::inRange(0, 1000);
  const int to = *rc::gen::inRange(0, 1000);
  RC_ASSERT(trace.tree_time(ms(from), ms(to)) <= std::max(ms(to - from), ms(0)));
}

TEST(Trace, MainIsTheProcessBornAsMain) {
  Trace trace;
  EXPECT_EQ(trace.main(), 0);
  trace.events = {{ms(0), Born{7, 70, 0, "main"}}, {ms(1), Born{8, 80, 7, "fork"}}};
  EXPECT_EQ(trace.main(), 7);
}

}  // namespace
}  // namespace poolproof::harness
