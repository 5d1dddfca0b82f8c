#include "properties/junit.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <pugixml.hpp>

#include "harness/launch.h"
#include "properties/test_traces.h"

namespace poolproof::properties {
namespace {

const char* const kLink = "https://github.com/python/cpython/issues/111873";
/// What a subject can print: markup, control bytes, bytes that are no UTF-8, and letters that are.
const std::string kNasty =
    "</failure>]]>&\"'<!--\x1b[2J\x01\x7f\r\n\t\xff\xc0\xaf\xed\xa0\x80\xef\xbf\xbf\xf4\x90\x80"
    "\x80\xe2\x82 gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80";

const auto kAlways = [](const KnownDeviation&) { return true; };

pugi::xml_document parsed(const std::string& text) {
  pugi::xml_document document;
  const auto result = document.load_string(text.c_str());
  EXPECT_TRUE(result) << result.description() << "\n" << text;
  return document;
}

/// What Python's reader makes of it: "tag name" of each element, or its error.
std::string read_by_python(const std::string& text) {
  const auto path =
      ::testing::TempDir() + "poolproof-junit-test-" + std::to_string(::getpid()) + ".xml";
  std::ofstream(path, std::ios::binary) << text;
  const std::string script =
      "import sys, xml.etree.ElementTree as t\n"
      "for e in t.parse(sys.argv[1]).iter(): print(e.tag, e.get('name') or '')";
  const std::vector<std::string> command{"python3", "-c", script, path};
  const auto output = harness::run_command(command, std::chrono::seconds(30));
  std::remove(path.c_str());
  return output ? output->out + output->err : output.error().message();
}

class JunitTest : public ::testing::Test {
 protected:
  JunitTest() {
    pools_[1].name.variant = "spawn";
    pools_[0].contract.known = {{"T6", "always", kLink, ""}, {"P1", "always", kLink, ""}};
  }

  /// Every outcome, in the first pool; the second has no case.
  CampaignResult every_outcome(const std::string& words) {
    CampaignResult result;
    result.elapsed = std::chrono::milliseconds(61'250);
    for (const auto& pool : pools_) result.tallies.emplace_back(pool, rules_, true);
    Judged judged;
    const auto say = [&](const char* id, const Verdict& verdict) {
      judged.judgements.push_back({rule_named(id), verdict});
      if (const auto* violated = std::get_if<Violated>(&verdict)) {
        judged.violations.push_back(
            {rule_named(id), violated->evidence, violated->known_link, nullptr});
      }
    };
    say("W1", Violated{words, {}, ""});
    say("W2", Violated{words, {}, ""});
    say("T6", Violated{words, {}, kLink});
    say("P1", Held{});
    say("S1", NotApplicable{words});
    say("S2", Inconclusive{words});
    say("E1", Held{});
    for (int i = 0; i < 20; ++i) result.tallies[0].add(judged, kAlways);
    result.tallies[0].set_unstable(*rule_named("W2"));
    for (auto& tally : result.tallies) tally.close();
    result.findings = {finding("W1", words, ""), finding("W2", words, ""),
                       finding("T6", words, kLink)};
    result.findings[1].failed = 3;
    return result;
  }

  Finding finding(const char* rule, const std::string& evidence, const std::string& link) {
    Finding finding;
    finding.pool = &pools_[0];
    finding.rule = rule_named(rule);
    finding.known_link = link;
    finding.folder = std::string(rule) + "-1";
    finding.original = {pools_[0].name.text(), orphan_scenario(), {}, 7};
    finding.simplest = finding.original;
    finding.trace = orphan_trace();
    finding.evidence = evidence;
    finding.failed = finding.repeated = 10;
    return finding;
  }

  std::string junit(const CampaignResult& result, const std::vector<std::string>& troubles = {}) {
    return as_junit(result, troubles, {}, {"r", " --python ./python"});
  }

  static pugi::xml_node case_of(const pugi::xml_document& document, const char* rule) {
    return document.child("testsuites").first_child().find_child([&](const pugi::xml_node& node) {
      return std::string(node.attribute("name").value()).starts_with(rule);
    });
  }

  std::vector<Pool> pools_{executor_pool(), executor_pool()};
  std::vector<const Rule*> rules_{rule_named("E1"), rule_named("W1"), rule_named("W2"),
                                  rule_named("T6"), rule_named("S1"), rule_named("S2"),
                                  rule_named("S3"), rule_named("P1")};
};

TEST_F(JunitTest, TellsEachOutcomeInTheWordsOfTheSchema) {
  const auto document = parsed(junit(every_outcome("it stayed")));
  const auto message = [&](const char* rule, const char* element) {
    return std::string(case_of(document, rule).child(element).attribute("message").value());
  };
  EXPECT_FALSE(case_of(document, "E1").first_child());
  EXPECT_EQ(message("W1", "failure"), "it stayed");
  EXPECT_EQ(message("W2", "error"), "unstable (3 of 10): it stayed");
  EXPECT_EQ(message("T6", "skipped"), std::string("known deviation: ") + kLink);
  EXPECT_EQ(message("P1", "skipped"), std::string("known deviation, no longer seen: ") + kLink);
  EXPECT_EQ(message("S1", "skipped"), "not applicable: it stayed");
  EXPECT_EQ(message("S2", "error"), "unclear in 20 of 20 cases: it stayed");
  EXPECT_EQ(
      message("S3", "skipped"),
      "not exercised: no case put the rule to the test, which takes a second close, terminate "
      "or join after the first one, or two threads that make the call at once");
  const std::string report = case_of(document, "W1").child("failure").text().get();
  EXPECT_NE(report.find("poolproof replay r/W1-1/case.json --python"), std::string::npos) << report;
}

TEST_F(JunitTest, HasASuiteForEachPoolWhoseNumbersAddUp) {
  const auto document = parsed(junit(every_outcome("it stayed")));
  const auto first = document.child("testsuites").first_child();
  const auto second = first.next_sibling();
  EXPECT_STREQ(first.attribute("name").value(), "ProcessPoolExecutor:fork@3.11.7");
  EXPECT_STREQ(second.attribute("name").value(), "ProcessPoolExecutor:spawn@3.11.7");
  EXPECT_FALSE(second.next_sibling());
  EXPECT_EQ(first.attribute("tests").as_int(), 8);
  EXPECT_EQ(first.attribute("failures").as_int(), 1);
  EXPECT_EQ(first.attribute("errors").as_int(), 2);
  EXPECT_EQ(first.attribute("skipped").as_int(), 4);
  EXPECT_EQ(second.attribute("skipped").as_int(), 8);  // nothing is green without a case
}

TEST_F(JunitTest, TroublesOfTheHarnessAreErrors) {
  const auto document = parsed(junit(CampaignResult(), {"start the warden: no such file"}));
  const auto suite = document.child("testsuites").first_child();
  EXPECT_EQ(suite.attribute("errors").as_int(), 1);
  EXPECT_STREQ(suite.child("testcase").child("error").attribute("message").value(),
               "start the warden: no such file");
}

TEST_F(JunitTest, AnyBytesOfASubjectGiveWellFormedXml) {
  const auto text = junit(every_outcome(kNasty), {kNasty});
  const auto document = parsed(text);
  const std::string message = case_of(document, "W1").child("failure").attribute("message").value();
  EXPECT_NE(message.find("</failure>]]>&\"'<!--\\x1b[2J\\x01\\x7f\\x0d"), std::string::npos)
      << message;
  EXPECT_NE(message.find("\\xff\\xc0\\xaf\\xed\\xa0\\x80\\xef\\xbf\\xbf\\xf4\\x90\\x80\\x80"),
            std::string::npos)
      << message;
  EXPECT_NE(message.find("gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80"), std::string::npos)
      << message;
  const auto read = read_by_python(text);
  EXPECT_EQ(read.find("Error"), std::string::npos) << read;
  EXPECT_NE(read.find("testcase W1 NoWorkerOutlivesParent\nfailure"), std::string::npos) << read;
}

TEST_F(JunitTest, TellsOfKeptCasesThatSaidNothing) {
  auto result = every_outcome("words");
  result.regressions.run = 2;
  EXPECT_EQ(junit(result).find("regressions"), std::string::npos);
  for (auto gap : {&RegressionCount::vain, &RegressionCount::left, &RegressionCount::unrunnable}) {
    auto with_gap = result;
    with_gap.regressions.*gap = 1;
    const auto text = junit(with_gap);
    const auto document = parsed(text);
    const auto suite = document.child("testsuites").last_child();
    EXPECT_STREQ(suite.child("testcase").attribute("name").value(), "regressions");
    EXPECT_TRUE(suite.child("testcase").child("error"));
    EXPECT_STREQ(suite.attribute("errors").value(), "1");
  }
}

TEST(XmlText, EveryByteAloneIsKeptOrToldAsANumber) {
  for (int byte = 0; byte < 256; ++byte) {
    const auto text = xml_text(std::string(1, static_cast<char>(byte)));
    const bool plain = (byte >= 0x20 && byte < 0x7f) || byte == '\t' || byte == '\n';
    EXPECT_EQ(text.size(), plain ? 1U : 4U) << byte;
  }
}

}  // namespace
}  // namespace poolproof::properties
