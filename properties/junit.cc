#include "properties/junit.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <pugixml.hpp>
#include <sstream>

#include "properties/guides/guides.h"
#include "properties/matrix.h"
#include "properties/text.h"

namespace poolproof::properties {
namespace {

/// How a case ends in the schema's words; "" for one that passed.
struct Ending {
  const char* element = "";
  std::string message;
  std::string text;
};

/// Bytes of the sequence that `lead` begins, and the least value that needs so many (a smaller one
/// is an overlong form); 0 for a byte that begins none.
struct Sequence {
  std::size_t length = 0;
  char32_t least = 0;
  char32_t bits = 0;  // of the lead
};
Sequence sequence_of(unsigned char lead) {
  if (lead < 0x80) return {1, 0, lead};
  if ((lead & 0xe0) == 0xc0) return {2, 0x80, lead & 0x1fU};
  if ((lead & 0xf0) == 0xe0) return {3, 0x800, lead & 0x0fU};
  if ((lead & 0xf8) == 0xf0) return {4, 0x10000, lead & 0x07U};
  return {};
}

/// XML 1.0's Char, less the control characters that it discourages.
bool is_allowed(char32_t c) {
  if (c == '\t' || c == '\n') return true;
  const bool control = c < 0x20 || (c >= 0x7f && c < 0xa0);
  const bool surrogate = c >= 0xd800 && c < 0xe000;
  return !control && !surrogate && c != 0xfffe && c != 0xffff && c < 0x110000;
}

/// Length of the allowed character that `text` begins with; 0 where there is none.
std::size_t allowed_character(std::string_view text) {
  const auto sequence = sequence_of(static_cast<unsigned char>(text.front()));
  if (sequence.length == 0 || sequence.length > text.size()) return 0;
  char32_t value = sequence.bits;
  for (const char c : text.substr(1, sequence.length - 1)) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte & 0xc0) != 0x80) return 0;
    value = (value << 6) | (byte & 0x3fU);
  }
  return value >= sequence.least && is_allowed(value) ? sequence.length : 0;
}

/// The finding that stands for the outcome: a new one before a known one.
const Finding* finding_of(const CampaignResult& result, const Tally& tally, const Rule& rule,
                          bool known) {
  for (const auto& finding : result.findings) {
    const bool fits = finding.pool == &tally.pool() && finding.rule == &rule;
    if (fits && finding.is_known() == known) return &finding;
  }
  return nullptr;
}

Ending violated(const RuleTally& rule, const Finding* finding, const Again& results) {
  Ending ending{"failure",
                fmt::format("violated in {} of {}", rule.violated, counted(rule.cases(), "case")),
                {}};
  if (finding == nullptr) return ending;  // a consequence: told with its cause
  ending.message = finding->evidence;
  ending.text =
      report_finding(*finding, {results.folder + "/" + finding->folder, results.flags}, Console());
  return ending;
}

Ending unclear(const RuleTally& rule, const Finding* finding, const Again& results) {
  Ending ending{"error",
                fmt::format("unclear in {} of {}: {}", rule.inconclusive,
                            counted(rule.cases(), "case"), rule.main_reason()),
                {}};
  if (!rule.unstable) return ending;
  ending = violated(rule, finding, results);
  ending.element = "error";
  const auto rate = finding == nullptr
                        ? std::string("its cause does not always repeat")
                        : fmt::format("{} of {}", finding->failed, finding->repeated);
  ending.message = fmt::format("unstable ({}): {}", rate, ending.message);
  return ending;
}

std::string known_links(const Tally& tally, const RuleTally& rule, const Finding* finding) {
  if (finding != nullptr) return finding->known_link;
  std::vector<std::string> links;
  for (const auto& known : tally.known()) {
    if (known.deviation->rule == rule.rule->id) links.push_back(known.deviation->link);
  }
  return links.empty() ? "a consequence of one" : joined(links, ", ");
}

std::string not_exercised(const Rule& rule) {
  const auto* guide = guide_of(rule.id);
  return fmt::format("not exercised: no case put the rule to the test{}{}",
                     guide == nullptr ? "" : ", which takes ",
                     guide == nullptr ? "" : guide->exercised_by);
}

Ending ending_of(const CampaignResult& result, const Tally& tally, const RuleTally& rule,
                 const Again& results) {
  const auto* fresh = finding_of(result, tally, *rule.rule, false);
  const auto* known = finding_of(result, tally, *rule.rule, true);
  const char* skipped = "skipped";
  switch (rule.outcome()) {
    case Outcome::kHeld:
      return {};
    case Outcome::kViolated:
      return violated(rule, fresh, results);
    case Outcome::kKnown:
      return {skipped, "known deviation: " + known_links(tally, rule, known), {}};
    case Outcome::kNoLongerSeen:
      return {skipped, "known deviation, no longer seen: " + known_links(tally, rule, nullptr), {}};
    case Outcome::kNotApplicable:
      return {skipped, "not applicable: " + rule.main_reason(), {}};
    case Outcome::kNotExercised:
      return {skipped, not_exercised(*rule.rule), {}};
    case Outcome::kInconclusive:
      return unclear(rule, fresh, results);
  }
  return {};
}

void set(pugi::xml_node node, const char* key, std::string_view value) {
  node.append_attribute(key).set_value(xml_text(value).c_str());
}

void add_case(pugi::xml_node suite, std::string_view pool, std::string_view name,
              const Ending& ending) {
  auto node = suite.append_child("testcase");
  set(node, "classname", pool);
  set(node, "name", name);
  if (*ending.element == '\0') return;
  auto told = node.append_child(ending.element);
  // An attribute's newlines become blanks in any reader.
  set(told, "message", joined(lines_of(ending.message), " "));
  if (!ending.text.empty()) told.text().set(xml_text(ending.text).c_str());
}

void add_property(pugi::xml_node suite, const char* name, const std::string& value) {
  auto properties = suite.child("properties");
  if (!properties) properties = suite.append_child("properties");
  auto property = properties.append_child("property");
  set(property, "name", name);
  set(property, "value", value);
}

/// Counts what stands in the suite, so that numbers and elements cannot differ.
void add_counts(pugi::xml_node suite) {
  const auto cases = suite.children("testcase");
  const auto count = [&](const char* element) {
    return std::count_if(cases.begin(), cases.end(), [&](const pugi::xml_node& node) {
      return *element == '\0' || node.child(element);
    });
  };
  const std::array<std::pair<const char*, const char*>, 4> numbers{
      {{"tests", ""}, {"failures", "failure"}, {"errors", "error"}, {"skipped", "skipped"}}};
  for (const auto& [key, element] : numbers) set(suite, key, std::to_string(count(element)));
}

void add_pool(pugi::xml_node suites, const CampaignResult& result, const Tally& tally,
              const CampaignOptions& options, const Again& results) {
  auto suite = suites.append_child("testsuite");
  const auto name = tally.pool().name.text();
  set(suite, "name", name);
  add_property(suite, "runtime", tally.pool().abilities.runtime);
  add_property(suite, "seed", fmt::format("{:x}", options.seed));
  add_property(suite, "cases", std::to_string(tally.cases()));
  for (const auto& rule : tally.rules()) {
    add_case(suite, name, fmt::format("{} {}", rule.rule->id, rule.rule->name),
             ending_of(result, tally, rule, results));
  }
  add_counts(suite);
}

}  // namespace

std::string xml_text(std::string_view text) {
  std::string result;
  while (!text.empty()) {
    const auto length = allowed_character(text);
    result += length > 0 ? std::string(text.substr(0, length)) : printable(text.substr(0, 1));
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return result;
}

std::string as_junit(const CampaignResult& result, const std::vector<std::string>& troubles,
                     const CampaignOptions& options, const Again& results) {
  pugi::xml_document document;
  auto suites = document.append_child("testsuites");
  set(suites, "name", "poolproof check");
  set(suites, "time", fmt::format("{:.3f}", static_cast<double>(result.elapsed.count()) / 1000.0));
  for (const auto& tally : result.tallies) add_pool(suites, result, tally, options, results);
  const auto& regressions = result.regressions;
  if (!troubles.empty() || result.interrupted || regressions.has_gap()) {
    auto suite = suites.append_child("testsuite");
    set(suite, "name", "poolproof");
    if (result.interrupted) {
      const std::string why =
          "the run was interrupted: pools and rules may not have had their time";
      add_case(suite, "poolproof", "interrupted", {"error", why, why});
    }
    if (regressions.has_gap()) {
      const auto counts = regressions_in_words(regressions);
      add_case(suite, "poolproof", "regressions", {"error", counts, counts});
    }
    for (std::size_t at = 0; at < troubles.size(); ++at) {
      add_case(suite, "poolproof", fmt::format("harness {}", at + 1),
               {"error", troubles[at], troubles[at]});
    }
    add_counts(suite);
  }
  std::ostringstream text;
  document.save(text, "  ", pugi::format_default, pugi::encoding_utf8);
  return text.str();
}

}  // namespace poolproof::properties
