#include "properties/report.h"

#include <fmt/format.h>

#include <cctype>

#include "poolproof/version.h"
#include "properties/matrix.h"
#include "properties/program_text.h"
#include "properties/repro_script.h"
#include "properties/symptom.h"
#include "properties/text.h"
#include "properties/timeline.h"
#include "properties/wait_graph.h"

namespace poolproof::properties {
namespace {

constexpr std::size_t kMostTimelineLines = 20;
constexpr std::size_t kMostEvidence = 120;  // of a companion

std::string without_scheme(const std::string& link) {
  static const std::string kScheme = "https://";
  return link.starts_with(kScheme) ? link.substr(kScheme.size()) : link;
}

std::string rate(const Finding& finding) {
  if (!finding.was_repeated()) return "not repeated";
  return fmt::format("{} of {}", finding.failed, finding.repeated);
}

std::string steps(const Finding& finding) {
  const int before = finding.original.scenario.length();
  const int after = finding.simplest.scenario.length();
  if (finding.runs == 0) return counted(after, "step");
  return fmt::format("{} -> {} in {}", before, counted(after, "step"),
                     counted(finding.runs, "run"));
}

std::string word_for(const Finding& finding) {
  if (finding.is_known()) return finding.is_stable() ? "KNOWN" : "KNOWN, UNSTABLE";
  return finding.is_stable() ? "FAILED" : "UNSTABLE";
}

/// "FAILED W1 NoWorkerOutlivesParent      case 41, 9 -> 4 steps in 63 runs, 10 of 10".
std::string title(const Finding& finding, const Console& console) {
  const std::string word = word_for(finding);
  const auto left = fmt::format("{} {} {}", word, finding.rule->id, finding.rule->name);
  const auto right =
      fmt::format("case {}, {}, {}", finding.case_number, steps(finding), rate(finding));
  const auto painted =
      finding.is_stable() && !finding.is_known() ? console.bad(word) : console.odd(word);
  const auto rest = left.substr(word.size());
  const bool fits = left.size() + 2 + right.size() <= kLineWidth;
  const auto between =
      fits ? std::string(kLineWidth - left.size() - right.size(), ' ') : std::string("\n  ");
  return fmt::format("{}{}{}{}\n", painted, rest, between, right);
}

std::string without_full_stop(const std::string& text) {
  return text.substr(0, text.find_last_not_of('.') + 1);
}

std::string as_sentence(std::string text) {
  if (text.empty()) return text;
  text.front() = static_cast<char>(std::toupper(static_cast<unsigned char>(text.front())));
  return without_full_stop(text) + ".";
}

std::string same_case(const Finding& finding) {
  std::string text;
  for (const auto& other : finding.same_case) {
    text += wrapped(fmt::format("Same case: {} {} ({}).", other.rule->id, other.rule->name,
                                clipped(without_full_stop(other.evidence), kMostEvidence)),
                    2);
  }
  return text;
}

std::string how_ended(const LimitReached& limit) {
  if (limit.what == "time") return "not finished when the time was over (a hang?)";
  if (limit.what == "fuse") return "ended by the fuse (a hang?)";
  if (limit.what == "deadline") return "ended because a step took too long, why is unclear";
  if (limit.what != "births") return "ended at the limit of " + limit.what;
  return "ended at the limit of births (a storm of new processes or threads?)";
}

std::string pool_line(const Pool& pool) {
  return fmt::format("{}, {}: {}", pool.label(), pool.abilities.runtime, in_words(pool.contract));
}

/// Whether `repro` has something to write: not of what only the harness sees.
bool shows_in_a_script(const Finding& finding) {
  const auto& pool = *finding.pool;
  const auto& scenario = finding.simplest.scenario;
  const Evidence evidence{scenario, finding.trace, pool.contract, pool.abilities.language,
                          pool.abilities.runtime};
  const Verdict verdict = finding.rule->judge(evidence);
  const auto* violated = std::get_if<Violated>(&verdict);
  if (violated == nullptr) return false;
  const auto symptom = symptom_of(evidence, *finding.rule, *violated);
  if (!symptom) return false;
  return repro_script({pool, scenario, *finding.rule, *symptom, finding.known_link,
                       raising_steps(finding.trace)})
      .has_value();
}

/// The command that writes one, where we can.
std::string script_of_its_own(const Finding& finding, const Again& again) {
  if (!shows_in_a_script(finding)) return "";
  constexpr std::string_view kIgnores = " --no-known";
  auto flags = again.flags;
  if (const auto at = flags.find(kIgnores); at != flags.npos) flags.erase(at, kIgnores.size());
  return fmt::format("  repro    poolproof repro {}/case.json --rule {}{}\n", again.folder,
                     finding.rule->id, flags);
}

}  // namespace

std::string report_head(const std::vector<Pool>& pools, const CampaignOptions& options,
                        const harness::Runner& runner, const Canary& canary) {
  auto line = fmt::format("poolproof {}  seed {:x}  {}", kVersion, options.seed,
                          counted(runner.jobs(), "job"));
  if (pools.size() > 1) {
    line += fmt::format("  {}", counted(static_cast<std::int64_t>(pools.size()), "pool"));
    if (options.time) {
      line += fmt::format(", {} each", in_seconds(*options.time / static_cast<int>(pools.size())));
    }
  }
  if (options.cases > 0) line += fmt::format("  {} each", counted(options.cases, "case"));
  if (options.faults) line += "  random faults";
  const auto& containment = runner.containment();
  const bool fits = line.size() + 2 + containment.name.size() <= kLineWidth;
  line += (fits ? "  " : "\n  ") + containment.name + "\n";
  if (!containment.why_not.empty()) {
    line +=
        wrapped(fmt::format("containment rung {}: {}", containment.rung, containment.why_not), 2);
  }
  for (const auto& pool : pools) line += hanging(pool_line(pool));
  if (canary.fate != Canary::Fate::kMissed) line += hanging("canary: " + canary.in_words());
  return line + "\n";
}

std::string report_case(const Pool& pool, const harness::Scenario& scenario,
                        const harness::Trace& trace, std::size_t most_lines) {
  std::string text = "\n";
  for (const auto& line : numbered_program(scenario, pool.abilities, 4, raising_steps(trace))) {
    text += line + "\n";
  }
  text += "\n";
  for (const auto& line : shortened(timeline(scenario, trace), most_lines)) text += line + "\n";
  return text + "\n";
}

std::string report_waits(const harness::Trace& trace, const std::string& told) {
  std::string text;
  for (const auto& line : wait_graph(trace)) {
    if (told.find(line) == std::string::npos) text += wrapped(as_sentence(line), 2);
  }
  return text;
}

std::string report_limit(const LimitReached& limit, const Again& again, const Console& console) {
  const std::string word = "LIMIT";
  auto text = hanging(fmt::format("{} {}: {} {}", word, limit.pool->label(),
                                  counted(limit.cases, "case"), how_ended(limit)));
  text.replace(0, word.size(), console.odd(word));
  return text +
         fmt::format("  again    poolproof replay {}/case.json{}\n\n", again.folder, again.flags);
}

std::string report_finding(const Finding& finding, const Again& again, const Console& console) {
  auto text = title(finding, console);
  text += wrapped(finding.rule->sentence, 2);
  if (finding.same_as.empty()) {
    text +=
        report_case(*finding.pool, finding.simplest.scenario, finding.trace, kMostTimelineLines);
  } else {
    text += fmt::format("\n  The case is that of {}/ again.\n", finding.same_as);
  }
  text += wrapped(as_sentence(finding.evidence), 2);
  if (finding.same_as.empty())
    text += report_waits(finding.trace, finding.evidence) + same_case(finding);
  if (finding.is_known()) text += fmt::format("  Known: {}\n", without_scheme(finding.known_link));
  const bool ignores = again.flags.find("--no-known") != std::string::npos;
  text += fmt::format("\n  again    poolproof replay {}/case.json{}{}\n", again.folder, again.flags,
                      finding.is_known() && !ignores ? " --no-known" : "");
  text +=
      fmt::format("  program  {}/{}\n", again.folder, program_file_name(finding.pool->abilities));
  text += script_of_its_own(finding, again);
  text += fmt::format("  rule     poolproof explain {}\n\n", finding.rule->id);
  return text;
}

}  // namespace poolproof::properties
