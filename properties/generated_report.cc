#include "properties/generated_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "properties/text.h"

namespace poolproof::properties {
namespace {

using Fate = GeneratedMutant::Fate;

std::string_view name_of(Fate fate) {
  switch (fate) {
    case Fate::kCaught:
      return "caught";
    case Fate::kSurvived:
      return "survived";
    case Fate::kNotCompiled:
      return "does not compile";
    case Fate::kSameProgram:
      return "same program";
    case Fate::kNotRun:
      return "not run";
  }
  return "";
}

std::string place_of(const GeneratedMutant& mutant) {
  return fmt::format("{}:{} {}", mutant.file, mutant.mutation.line, mutant.mutation.kind);
}

std::string word_on(const GeneratedMutant& survivor) {
  const auto cases = counted(survivor.cases, "case");
  if (!survivor.reached) return fmt::format("survived {}", cases);
  return fmt::format("{} by any of {}", *survivor.reached ? "reached, not caught," : "not reached",
                     cases);
}

nlohmann::json as_json(const GeneratedMutant& mutant) {
  nlohmann::json object{{"type", "generated"},          {"file", mutant.file},
                        {"line", mutant.mutation.line}, {"kind", mutant.mutation.kind},
                        {"diff", mutant.diff},          {"fate", name_of(mutant.fate)},
                        {"cases", mutant.cases},        {"ms", mutant.elapsed.count()}};
  if (mutant.rule != nullptr) object["rule"] = mutant.rule->id;
  if (!mutant.trouble.empty()) object["trouble"] = mutant.trouble;
  if (!mutant.pool.empty()) object["start_method"] = mutant.pool;
  if (mutant.reached) object["reached"] = *mutant.reached;
  return object;
}

int caught_by_no_rule(const GeneratedResult& result) {
  return static_cast<int>(std::count_if(
      result.mutants.begin(), result.mutants.end(),
      [](const auto& mutant) { return mutant.fate == Fate::kCaught && mutant.rule == nullptr; }));
}

std::string share_text(const GeneratedResult& result) {
  const auto percent = result.percent_caught();
  auto text = fmt::format("{} of {} caught{}", result.number(Fate::kCaught),
                          counted(result.counted(), "mutant"),
                          percent ? fmt::format(" ({:.1f} %)", *percent) : "");
  if (const int none = caught_by_no_rule(result); none > 0)
    text += fmt::format(", {} of them by no rule: no case could be run", none);
  int cases = 0;
  for (const auto& mutant : result.mutants) cases += mutant.cases;
  text += fmt::format(", in {}, {}", counted(cases, "case"), in_seconds(result.elapsed));
  const int broken = result.number(Fate::kNotCompiled);
  const int same = result.number(Fate::kSameProgram);
  const int not_run = result.number(Fate::kNotRun);
  if (broken + same + not_run > 0) {
    text += fmt::format(
        "; {} more do not count: {} did not compile, {} compiled to the same code, for {} no time "
        "was left",
        broken + same + not_run, broken, same, not_run);
  }
  return text;
}

}  // namespace

std::string generated_line(const GeneratedMutant& mutant, const Console& console) {
  const bool survived = mutant.fate == Fate::kSurvived;
  const auto fate = padded(name_of(mutant.fate), 16);
  const auto by = mutant.rule != nullptr ? std::string(mutant.rule->id)
                                         : std::string(mutant.trouble.empty() ? "" : "run");
  return fmt::format("{} {:<4}{:>5} {:>6.1f}  {}\n", survived ? console.odd(fate) : fate, by,
                     mutant.cases, static_cast<double>(mutant.elapsed.count()) / 1000.0,
                     place_of(mutant));
}

std::string generated_summary(const GeneratedResult& result, const Console& console) {
  std::string text = "\n";
  for (const auto& mutant : result.mutants) {
    if (mutant.fate != Fate::kSurvived) continue;
    text += hanging(
        fmt::format("{}: {}: {}", console.odd("survivor"), place_of(mutant), word_on(mutant)));
    for (const auto& line : mutant.diff) text += "  " + line + "\n";
  }
  return text + hanging((result.interrupted ? "interrupted: " : "") + share_text(result));
}

std::string generated_as_json_lines(const GeneratedResult& result, std::uint64_t seed) {
  std::string lines;
  for (const auto& mutant : result.mutants) lines += as_json(mutant).dump() + "\n";
  nlohmann::json summary{{"type", "generated-selftest"},
                         {"seed", fmt::format("{:x}", seed)},
                         {"ms", result.elapsed.count()},
                         {"caught", result.number(Fate::kCaught)},
                         {"caught_by_no_rule", caught_by_no_rule(result)},
                         {"survived", result.number(Fate::kSurvived)},
                         {"not_compiled", result.number(Fate::kNotCompiled)},
                         {"same_program", result.number(Fate::kSameProgram)},
                         {"not_run", result.number(Fate::kNotRun)},
                         {"interrupted", result.interrupted}};
  if (const auto percent = result.percent_caught()) summary["percent_caught"] = *percent;
  return lines + summary.dump() + "\n";
}

}  // namespace poolproof::properties
