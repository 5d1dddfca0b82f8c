#include "properties/sweep_report.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "properties/text.h"

namespace poolproof::properties {
namespace {

std::string row_text(const SweepRow& row) {
  const std::string points =
      fmt::format("{}{}", row.points, row.extent == SweepExtent::kCutShort ? "+" : "");
  return fmt::format("  {:<43} {:>6} {:>5} {:>4} {:>4} {:>4} {:>6.1f}\n",
                     clipped(fmt::format("{}: {}", row.who, row.scenario), 43), points,
                     row.outcomes[0], row.outcomes[1], row.outcomes[2], row.outcomes[3],
                     static_cast<double>(row.took.count()) / 1000.0);
}

std::string group_text(const SweepGroup& group, const Console& console) {
  const auto& fault = group.first.original.scenario.fault;
  std::string text = fmt::format(
      "\n{} {} {} {}: {}{}\n", group.known_link.empty() ? console.bad("F") : "x", group.rule->id,
      group.rule->name, fault ? "at " + group.call : "without the fault's having fired",
      counted(group.points, "point"), fault ? ", first " + to_string(*fault) : "");
  text += wrapped(group.first.evidence, 2);
  if (!group.first.folder.empty()) text += fmt::format("  {}/\n", group.first.folder);
  return text;
}

/// What a row's figures do not say; empty where they say it all.
std::string remark(const SweepRow& row) {
  std::string text = row.reason;
  if (row.extent == SweepExtent::kNobody) text = fmt::format("no {} was seen", row.who);
  if (row.extent == SweepExtent::kCutShort) {
    text += fmt::format("{}{}", text.empty() ? "" : "; ",
                        row.points == 0 ? "not reached" : "cut short: there are more points");
  }
  return text;
}

nlohmann::json row_as_json(const SweepRow& row) {
  return {{"type", "sweep"},
          {"pool", row.pool->name.text()},
          {"scenario", row.scenario},
          {"who", row.who},
          {"points", row.points},
          {"kept", row.outcomes[0]},
          {"violated", row.outcomes[1]},
          {"known", row.outcomes[2]},
          {"inconclusive", row.outcomes[3]},
          {"complete", row.extent == SweepExtent::kComplete},
          {"remark", remark(row)},
          {"ms", row.took.count()}};
}

nlohmann::json group_as_json(const SweepGroup& group) {
  const auto& fault = group.first.original.scenario.fault;
  return {{"type", "sweep-group"},
          {"pool", group.pool->name.text()},
          {"rule", group.rule->id},
          {"call", group.call},
          {"points", group.points},
          {"known", group.known_link},
          {"first", fault ? to_string(*fault) : ""},
          {"case", group.first.folder}};
}

}  // namespace

std::string sweep_table(const SweepResult& result, const Console& console) {
  std::string text = fmt::format("{:<45} {:>6} {:>5} {:>4} {:>4} {:>4} {:>6}\n", "", "points",
                                 "kept", "F", "x", "?", "s");
  const Pool* pool = nullptr;
  for (const auto& row : result.rows) {
    if (row.pool != pool) text += row.pool->label() + "\n";
    pool = row.pool;
    text += row_text(row);
  }
  text += "F violated  x known  ? unclear  + cut short\n";
  for (const auto& group : result.groups) text += group_text(group, console);
  for (const auto& row : result.rows) {
    if (const auto said = remark(row); !said.empty()) {
      text += fmt::format("\n? {} {}: {}\n", row.pool->label(), row.who, row.scenario);
      text += wrapped(said, 2);
    }
  }
  return text;
}

std::string sweep_as_json_lines(const SweepResult& result) {
  std::string text;
  for (const auto& row : result.rows) text += row_as_json(row).dump() + "\n";
  for (const auto& group : result.groups) text += group_as_json(group).dump() + "\n";
  return text;
}

}  // namespace poolproof::properties
