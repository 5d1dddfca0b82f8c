#include "properties/selftest_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "properties/rule_columns.h"
#include "properties/text.h"

namespace poolproof::properties {
namespace {

constexpr std::string_view kMutant = "mutant:";

std::vector<const Rule*> all_rules() {
  std::vector<const Rule*> rules;
  for (const Rule& rule : rule_table()) rules.push_back(&rule);
  return rules;
}

std::string name_of(const SelftestRow& row) {
  const auto label = row.pool->label();
  return row.is_mutant() && label.starts_with(kMutant) ? label.substr(kMutant.size()) : label;
}

std::string letter(const SelftestRow& row, const Rule& rule, const Console& console) {
  switch (row.mark(rule)) {
    case Mark::kNotExercised:
      return row.rule == &rule ? console.bad("!") : "-";
    case Mark::kHeld:
      return row.rule == &rule ? console.bad("!") : ".";
    case Mark::kConsequence:
    case Mark::kViolated:
      break;
  }
  if (!row.is_mutant()) return console.bad("F");
  if (row.rule == &rule) return console.good("K");
  return row.mark(rule) == Mark::kViolated ? console.odd("x") : "c";
}

std::string seconds(std::chrono::milliseconds time) {
  return fmt::format("{:.1f}", static_cast<double>(time.count()) / 1000.0);
}

std::string row_text(const SelftestRow& row, std::size_t column, const Console& console) {
  const auto rules = all_rules();
  const auto letters =
      rule_columns(rules, [&](std::size_t at) { return letter(row, *rules[at], console); });
  // Of a mutant that was not caught, and of the unmutated pool: how long it was tried.
  const int cases = row.caught ? row.caught->cases : row.cases;
  const auto time = row.caught ? row.caught->after : row.elapsed;
  return fmt::format("{}{}{:>6}{:>6}\n", padded("  " + name_of(row), column), letters, cases,
                     seconds(time));
}

std::string wrong_lines(const SelftestResult& result, const Console& console) {
  std::string text;
  for (const auto* row : result.survivors()) {
    text += hanging(fmt::format("{}: {} survived {} of {}", console.bad("survivor"), name_of(*row),
                                row->rule->id, counted(row->cases, "case")));
  }
  for (const auto* row : result.blamed()) {
    const auto& blame = row->blames.front();
    text += hanging(fmt::format("{}: {} breaks {} {}: {}", console.bad("blamed"), name_of(*row),
                                blame.rule->id, blame.rule->name, blame.evidence));
    text += "  " + harness::to_json(blame.failing.scenario) + "\n";
    if (const auto& fault = blame.failing.scenario.fault)
      text += "  with the fault " + to_string(*fault) + "\n";
  }
  for (const auto* rule : result.unneeded()) {
    text += hanging(fmt::format("{}: {} {}: every mutant that it catches breaks others as well",
                                console.bad("unneeded"), rule->id, rule->name));
  }
  for (const auto* row : result.troubled()) {
    text += hanging(fmt::format("{}: {}: {}", console.bad("trouble"), name_of(*row),
                                row->trouble.empty() ? "no case was run" : row->trouble));
  }
  return text;
}

std::string summary_of(const SelftestResult& result) {
  const auto mutants = std::count_if(result.rows.begin(), result.rows.end(),
                                     [](const auto& row) { return row.is_mutant(); });
  const auto caught = std::count_if(result.rows.begin(), result.rows.end(),
                                    [](const auto& row) { return row.caught.has_value(); });
  int cases = 0;
  int healthy = 0;
  for (const auto& row : result.rows) (row.is_mutant() ? cases : healthy) += row.cases;
  return hanging(fmt::format("{}{} of {} caught in {}, the unmutated pool {} in {}, {}",
                             result.interrupted ? "interrupted: " : "", caught,
                             counted(mutants, "mutant"), counted(cases, "case"),
                             result.blamed().empty() ? "not blamed" : "blamed",
                             counted(healthy, "case"), in_seconds(result.elapsed)));
}

std::string_view in_json(Mark mark) {
  switch (mark) {
    case Mark::kNotExercised:
      return "not-exercised";
    case Mark::kHeld:
      return "held";
    case Mark::kConsequence:
      return "consequence";
    case Mark::kViolated:
      return "violated";
  }
  return "";
}

nlohmann::json row_as_json(const SelftestRow& row) {
  nlohmann::json object{{"type", row.is_mutant() ? "mutant" : "unmutated"},
                        {"pool", row.pool->name.text()},
                        {"cases", row.cases},
                        {"ms", row.elapsed.count()}};
  for (const Rule& rule : rule_table()) {
    object["rules"][std::string(rule.id)] = in_json(row.mark(rule));
  }
  if (row.is_mutant()) {
    object["rule"] = row.rule->id;
    object["caught"] = row.caught.has_value();
  }
  if (row.caught) {
    object["caught_after_cases"] = row.caught->cases;
    object["caught_after_ms"] = row.caught->after.count();
  }
  if (const auto* needed = row.is_mutant() ? needed_by(row) : nullptr) object["needs"] = needed->id;
  for (const auto& blame : row.blames) {
    object["violations"].push_back({{"rule", blame.rule->id},
                                    {"evidence", blame.evidence},
                                    {"case", nlohmann::json::parse(to_json(blame.failing))}});
  }
  if (!row.trouble.empty()) object["trouble"] = row.trouble;
  return object;
}

}  // namespace

std::string selftest_matrix(const SelftestResult& result, const Console& console) {
  std::size_t column = 0;
  for (const auto& row : result.rows) column = std::max(column, name_of(row).size() + 4);
  std::string text = rule_heading(all_rules(), column, "  case     s");
  for (const auto& row : result.rows) text += row_text(row, column, console);
  text +=
      "K caught by its rule  x also violated  c only with the rule that implies it\n"
      ". held  - not exercised  ! not caught by its rule  F unmutated, and blamed\n";
  const auto wrong = wrong_lines(result, console);
  return text + (wrong.empty() ? "" : "\n" + wrong) + summary_of(result);
}

std::string selftest_as_json_lines(const SelftestResult& result, const SelftestOptions& options) {
  std::string lines;
  for (const auto& row : result.rows) lines += row_as_json(row).dump() + "\n";
  nlohmann::json summary{{"type", "selftest"},
                         {"seed", fmt::format("{:x}", options.seed)},
                         {"ms", result.elapsed.count()},
                         {"complete", result.complete},
                         {"failed", result.failed()},
                         {"survivors", nlohmann::json::array()},
                         {"blamed", nlohmann::json::array()},
                         {"unneeded", nlohmann::json::array()}};
  for (const auto* row : result.survivors()) summary["survivors"].push_back(row->pool->name.text());
  for (const auto* row : result.blamed()) summary["blamed"].push_back(row->pool->name.text());
  for (const auto* rule : result.unneeded()) summary["unneeded"].push_back(rule->id);
  return lines + summary.dump() + "\n";
}

}  // namespace poolproof::properties
