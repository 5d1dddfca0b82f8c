// The tables that people read beside the code, held against it: harness/protocol/README.md and
// fixtures/README.md.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "harness/alphabet.h"
#include "properties/contract.h"
#include "properties/contract_choices.h"
#include "properties/text.h"

namespace poolproof::properties {
namespace {

using Words = std::vector<std::string>;

std::string document(const std::string& path) {
  std::ifstream file(std::string(POOLPROOF_GOLDEN) + "/../../" + path);
  std::stringstream text;
  text << file.rdbuf();
  EXPECT_FALSE(text.str().empty()) << path;
  return text.str();
}

std::string trimmed(const std::string& text) {
  const auto first = text.find_first_not_of(' ');
  if (first == text.npos) return "";
  return text.substr(first, text.find_last_not_of(' ') + 1 - first);
}

/// "| a | b |" as "a", "b".
Words cells_of(const std::string& line) {
  Words cells;
  for (auto at = line.find('|') + 1; at < line.size();) {
    const auto end = line.find('|', at);
    if (end == line.npos) break;
    cells.push_back(trimmed(line.substr(at, end - at)));
    at = end + 1;
  }
  return cells;
}

/// The rows of the table whose first column has this head.
std::vector<Words> table(const std::string& text, const std::string& head) {
  std::vector<Words> rows;
  bool inside = false;
  for (const auto& line : lines_of(text)) {
    if (inside && !line.starts_with("|")) break;
    if (inside && !line.starts_with("| ---")) rows.push_back(cells_of(line));
    if (line.starts_with("| " + head + " |")) inside = true;
  }
  EXPECT_FALSE(rows.empty()) << "a table with the head " << head;
  return rows;
}

/// What stands between backticks.
Words quoted(const std::string& text) {
  Words words;
  for (auto at = text.find('`'); at != text.npos; at = text.find('`', at)) {
    const auto end = text.find('`', at + 1);
    if (end == text.npos) break;
    words.push_back(text.substr(at + 1, end - at - 1));
    at = end + 1;
  }
  return words;
}

/// The words of a list in JSON: "steps": ["create", ...].
Words listed(const std::string& text, const std::string& key) {
  Words words;
  auto at = text.find("\"" + key + "\": [");
  EXPECT_NE(at, text.npos) << key;
  const auto end = text.find(']', at);
  for (at = text.find('"', text.find('[', at)); at < end; at = text.find('"', at)) {
    const auto close = text.find('"', at + 1);
    words.push_back(text.substr(at + 1, close - at - 1));
    at = close + 1;
  }
  return words;
}

template <class Table>
Words names_of(const Table& entries) {
  Words names;
  for (const auto& entry : entries) names.emplace_back(entry.name);
  return names;
}

bool has(const Words& words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

const std::string kProtocol = "harness/protocol/README.md";
const std::string kFixtures = "fixtures/README.md";

// ---- The alphabet -------------------------------------------------------------------------------

TEST(ProtocolDocument, HasARowForEachStepInItsOrder) {
  Words steps;
  for (const auto& row : table(document(kProtocol), "step")) steps.push_back(quoted(row[0]).at(0));
  EXPECT_EQ(steps, names_of(harness::step_table()));
}

TEST(ProtocolDocument, HasEachStepsKeysAndNoOthers) {
  const auto rows = table(document(kProtocol), "step");
  ASSERT_EQ(rows.size(), harness::step_table().size());
  for (std::size_t at = 0; at < rows.size(); ++at) {
    const auto& entry = harness::step_table()[at];
    const auto told = quoted(rows[at].at(1));
    Words known;
    for (const auto& field : entry.fields) {
      EXPECT_TRUE(has(told, field.key)) << entry.name << " has a key " << field.key;
      const bool is_body = field.type == harness::FieldType::kBody;
      EXPECT_TRUE(!is_body || rows[at][1].find("the body's number") != std::string::npos);
      known.emplace_back(field.key);
      known.insert(known.end(), field.names.begin(), field.names.end());
    }
    for (const auto& word : told) EXPECT_TRUE(has(known, word)) << entry.name << " has no " << word;
  }
}

TEST(ProtocolDocument, NamesEachWordThatAKeyCanHave) {
  const auto text = document(kProtocol);
  for (const auto& entry : harness::step_table()) {
    for (const auto& field : entry.fields) {
      for (const auto name : field.names) {
        const bool is_default = field.optional && name == field.names.front();
        const auto word = "`" + std::string(name) + "`";
        EXPECT_TRUE(is_default || text.find(word) != text.npos) << entry.name << ": " << word;
      }
    }
  }
}

TEST(ProtocolDocument, HasEachBodyWithItsNumber) {
  std::set<std::pair<std::string, std::string>> told;
  std::set<std::pair<std::string, std::string>> known;
  for (const auto& row : table(document(kProtocol), "body")) {
    const auto number = quoted(row.at(1));
    for (const auto& body : quoted(row[0])) told.emplace(body, number.empty() ? "" : number[0]);
  }
  for (const auto& body : harness::body_table())
    known.emplace(body.name, harness::key(body.parameter));
  EXPECT_EQ(told, known);
}

TEST(ProtocolDocument, HasEachEndingWithItsNumber) {
  const auto text = document(kProtocol);
  const auto at = text.find("\nEndings: ");
  ASSERT_NE(at, text.npos);
  const auto paragraph = text.substr(at, text.find("\n\n", at) - at);
  Words known;
  for (const auto& ending : harness::ending_table()) {
    const auto name = "`" + std::string(ending.name) + "`";
    EXPECT_NE(paragraph.find(name), text.npos) << name;
    const auto number = std::string(harness::key(ending.parameter));
    const bool is_told =
        number.empty() || paragraph.find(fmt::format("{} (`{}`)", name, number)) != text.npos;
    EXPECT_TRUE(is_told) << name << " has a number: " << number;
    known.emplace_back(ending.name);
    if (!number.empty()) known.push_back(number);
  }
  for (const auto& word : quoted(paragraph))
    EXPECT_TRUE(has(known, word) || word.starts_with("/")) << "no ending: " << word;
}

/// What --describe prints there is what a pool prints that can do everything.
TEST(ProtocolDocument, DescribesAnAdapterThatKnowsAll) {
  const auto whole = document(kProtocol);
  const auto text = whole.substr(whole.find("`ADAPTER --describe"));
  EXPECT_EQ(listed(text, "steps"), names_of(harness::step_table()));
  EXPECT_EQ(listed(text, "bodies"), names_of(harness::body_table()));
  EXPECT_EQ(listed(text, "endings"), names_of(harness::ending_table()));
  const auto* form = harness::field(harness::StepKind::kMap, "form");
  ASSERT_NE(form, nullptr);
  EXPECT_EQ(listed(text, "forms"), Words(form->names.begin(), form->names.end()));
  for (const auto& word : listed(text, "settings"))
    EXPECT_TRUE(harness::setting_named(word).has_value()) << word;
}

// ---- Contracts ----------------------------------------------------------------------------------

/// The keys that the reader knows, as its complaint about another one tells them.
Words keys_known(const std::string& before) {
  const auto read = contract_from_toml("pool = \"p\"\n" + before + "zzz = 1\n", "c.toml");
  EXPECT_FALSE(read.has_value());
  const auto told = read.error().message();
  const std::string lead = "those are ";
  const auto at = told.find(lead);
  EXPECT_NE(at, told.npos) << told;
  Words keys;
  std::stringstream list(told.substr(at + lead.size()));
  for (std::string key; std::getline(list, key, ',');) keys.push_back(trimmed(key));
  return keys;
}

Words keys_told(const std::string& head) {
  Words keys;
  for (const auto& row : table(document(kFixtures), head)) keys.push_back(quoted(row[0]).at(0));
  return keys;
}

TEST(FixturesDocument, HasARowForEachKeyOfAContract) {
  std::set<std::string> told;
  std::set<std::string> known;
  for (const auto& key : keys_told("key")) told.insert(key);
  for (const auto& key : keys_known("")) known.insert(key);
  EXPECT_EQ(told, known);
}

TEST(FixturesDocument, HasARowForEachKeyOfItsTables) {
  EXPECT_EQ(keys_told("key of `[[keeps]]`"), keys_known("[[keeps]]\nof = \"pipe\"\n"));
  EXPECT_EQ(keys_told("key of `[[known]]`"),
            keys_known("[[known]]\nrule = \"W1\"\nlink = \"https://x\"\n"));
}

TEST(FixturesDocument, TellsTheValuesOfEachChoiceTheDefaultFirst) {
  const auto rows = table(document(kFixtures), "key");
  for (const auto& choice : contract_choices()) {
    Words values;
    for (const auto& value : choice.values) values.emplace_back(value.text);
    const auto row = std::find_if(rows.begin(), rows.end(), [&](const Words& each) {
      return quoted(each[0]).at(0) == choice.key;
    });
    ASSERT_NE(row, rows.end()) << choice.key;
    EXPECT_EQ(quoted(row->at(1)), values) << choice.key;
    EXPECT_EQ(value_of(choice, Contract()).text, values.front()) << choice.key;
  }
}

}  // namespace
}  // namespace poolproof::properties
