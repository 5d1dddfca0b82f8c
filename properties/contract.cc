#include "properties/contract.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>

#include <toml++/toml.h>

#include "properties/conditions.h"
#include "properties/rules.h"

namespace poolproof::properties {
namespace {

using std::chrono::milliseconds;

constexpr std::size_t kMaxBytes = 1 << 20;
constexpr std::int64_t kMaxGrace = 60'000;
constexpr std::int64_t kMostKept = 1000;

template <class Enum>
struct Word {
  std::string_view name;
  Enum value;
  std::string_view in_words;
};
constexpr std::array kExits{
    Word<Contract::Exit>{"terminates", Contract::Exit::kTerminates, "ends its workers at exit"},
    Word<Contract::Exit>{"drains", Contract::Exit::kDrains, "drains at exit"},
    Word<Contract::Exit>{"waits-for-close", Contract::Exit::kWaitsForClose,
                         "waits at exit until it is closed"}};
constexpr std::array kScopes{
    Word<Contract::Scope>{"terminates", Contract::Scope::kTerminates, "ends its workers"},
    Word<Contract::Scope>{"drains", Contract::Scope::kDrains, "drains"}};
constexpr std::array kDeaths{
    Word<Contract::WorkerDeath>{"reported", Contract::WorkerDeath::kReported,
                                "reports a dead worker"},
    Word<Contract::WorkerDeath>{"retried", Contract::WorkerDeath::kRetried,
                                "retries after a dead worker"},
    Word<Contract::WorkerDeath>{"breaks", Contract::WorkerDeath::kBreaks,
                                "breaks on a dead worker"}};

/// Fit for one line of a terminal.
bool is_printable(std::string_view text) {
  return text.size() <= 500 && std::all_of(text.begin(), text.end(),
                                           [](unsigned char c) { return c >= ' ' && c != 127; });
}

/// One table of the file: getters that complain with the line, and a check of what is left over.
class Table {
 public:
  Table(const toml::table& table, std::string_view file, std::string& complaint)
      : table_(table), file_(file), complaint_(complaint) {}

  void text(std::string_view key, std::string& into) {
    const auto* node = ask(key);
    if (node == nullptr) return;
    const auto value = node->value_exact<std::string>();
    if (!value || !is_printable(*value)) return complain(*node, key, "one line of text");
    into = *value;
  }
  void boolean(std::string_view key, bool& into) {
    const auto* node = ask(key);
    if (node == nullptr) return;
    const auto value = node->value_exact<bool>();
    if (!value) return complain(*node, key, "true or false");
    into = *value;
  }
  void count(std::string_view key, int& into) {
    const auto* node = ask(key);
    if (node == nullptr) return;
    const auto value = node->value_exact<std::int64_t>();
    if (!value || *value < 1 || *value > kMostKept) {
      return complain(*node, key, fmt::format("an integer from 1 to {}", kMostKept));
    }
    into = static_cast<int>(*value);
  }
  void time(std::string_view key, milliseconds& into) {
    const auto* node = ask(key);
    if (node == nullptr) return;
    const auto value = node->value_exact<std::int64_t>();
    if (!value || *value < 1 || *value > kMaxGrace) {
      return complain(*node, key, fmt::format("an integer from 1 to {}", kMaxGrace));
    }
    into = milliseconds(*value);
  }
  template <class Words, class Enum>
  void word(std::string_view key, const Words& words, Enum& into) {
    std::string said;
    text(key, said);
    if (said.empty()) return;
    std::string names;
    for (const auto& word : words) {
      if (word.name == said) return void(into = word.value);
      names += fmt::format("{}\"{}\"", names.empty() ? "" : ", ", word.name);
    }
    complain(*table_.get(key), key, "one of " + names);
  }
  void required(std::string_view key, const std::string& value) {
    if (value.empty()) complain(table_, key, "some text: it is missing");
  }
  const toml::node* ask(std::string_view key) {
    asked_.push_back(key);
    return table_.get(key);
  }
  void finish() {
    for (const auto& [key, node] : table_) {
      if (std::find(asked_.begin(), asked_.end(), key.str()) == asked_.end()) {
        complain(
            node, is_printable(key.str()) ? key.str() : "key",
            fmt::format("nothing: no such key is known, those are {}", fmt::join(asked_, ", ")));
      }
    }
  }
  void complain(const toml::node& node, std::string_view key, std::string_view expected) {
    if (!complaint_.empty()) return;
    complaint_ =
        fmt::format("{}:{}: {}: expected {}", file_, node.source().begin.line, key, expected);
  }

 private:
  const toml::table& table_;
  std::string_view file_;
  std::string& complaint_;
  std::vector<std::string_view> asked_;
};

KnownDeviation read_known(const toml::table& node, std::string_view file, std::string& complaint) {
  Table table(node, file, complaint);
  KnownDeviation known;
  known.condition = "always";
  table.text("rule", known.rule);
  table.text("condition", known.condition);
  table.text("link", known.link);
  table.text("note", known.note);
  table.required("rule", known.rule);
  table.required("link", known.link);
  const auto* rule = rule_named(known.rule);
  if (rule == nullptr) {
    table.complain(node, "rule", "a rule in force; `poolproof rules` lists them");
  } else {
    known.rule = rule->id;
  }
  if (!are_conditions(known.condition)) {
    table.complain(node, "condition", "one of " + condition_names());
  }
  table.finish();
  return known;
}

KeptDescriptors read_kept(const toml::table& node, std::string_view file, std::string& complaint) {
  Table table(node, file, complaint);
  KeptDescriptors kept;
  table.text("of", kept.of);
  table.count("most", kept.most);
  table.boolean("each_pool", kept.each_pool);
  table.text("start_method", kept.start_method);
  table.text("note", kept.note);
  table.required("of", kept.of);
  table.finish();
  return kept;
}

/// The tables of one name: [[known]].
template <class Each, class Read>
void read_list(Table& table, std::string_view key, std::vector<Each>& into, Read read,
               std::string_view file, std::string& complaint) {
  const auto* node = table.ask(key);
  if (node == nullptr) return;
  const auto expected = fmt::format("[[{}]] tables", key);
  const auto* list = node->as_array();
  if (list == nullptr) return table.complain(*node, key, expected);
  for (const auto& each : *list) {
    const auto* one = each.as_table();
    if (one == nullptr) return table.complain(each, key, expected);
    into.push_back(read(*one, file, complaint));
  }
}

sys::Result<Contract> read_contract(const toml::table& parsed, std::string_view file) {
  std::string complaint;
  Table table(parsed, file, complaint);
  Contract contract;
  table.text("pool", contract.pool);
  table.required("pool", contract.pool);
  table.word("exit", kExits, contract.exit);
  table.word("scope", kScopes, contract.scope);
  table.word("worker_death", kDeaths, contract.worker_death);
  table.boolean("join_needs_close", contract.join_needs_close);
  table.boolean("join_waits", contract.join_waits);
  table.boolean("replaces_workers", contract.replaces_workers);
  table.boolean("starts_workers_late", contract.starts_workers_late);
  table.boolean("workers_are_daemons", contract.workers_are_daemons);
  table.boolean("ends_task_children", contract.ends_task_children);
  table.boolean("drop_ends_pool", contract.drop_ends_pool);
  table.boolean("holds_descriptors_until_drop", contract.holds_descriptors_until_drop);
  table.time("grace_ms", contract.grace);
  read_list(table, "keeps", contract.keeps, read_kept, file, complaint);
  read_list(table, "known", contract.known, read_known, file, complaint);
  table.finish();
  if (!complaint.empty()) return sys::Error(complaint);
  return contract;
}

template <class Words, class Enum>
std::string_view in_words(const Words& words, Enum value) {
  const auto found = std::find_if(words.begin(), words.end(),
                                  [&](const auto& word) { return word.value == value; });
  return found->in_words;
}

}  // namespace

sys::Result<Contract> contract_from_toml(std::string_view text, std::string_view file_name) {
  if (text.size() > kMaxBytes) return sys::Error(fmt::format("{}: more than 1 MiB", file_name));
  try {
    return read_contract(toml::parse(text), file_name);
  } catch (const toml::parse_error& error) {
    return sys::Error(fmt::format("{}:{}: not TOML: {}", file_name, error.source().begin.line,
                                  is_printable(error.description()) ? error.description() : "?"));
  }
}

std::string in_words(const Contract& contract) {
  return fmt::format("{}, {}", in_words(kExits, contract.exit),
                     in_words(kDeaths, contract.worker_death));
}

}  // namespace poolproof::properties
