#include "properties/results.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <ctime>
#include <fstream>
#include <nlohmann/json.hpp>

#include "properties/program_text.h"
#include "properties/text.h"
#include "properties/timeline.h"
#include "properties/wait_graph.h"

namespace poolproof::properties {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr std::string_view kRoot = "poolproof-results";
constexpr std::string_view kLatest = "latest";

/// A name of this second that nobody has; a second run in it gets a number.
sys::Result<fs::path> fresh_folder() {
  const auto now = fmt::format("{:%Y%m%d-%H%M%S}", fmt::localtime(std::time(nullptr)));
  for (int number = 1; number < 1000; ++number) {
    const auto path = fs::path(kRoot) / (number == 1 ? now : fmt::format("{}-{}", now, number));
    std::error_code error;
    fs::create_directories(kRoot, error);
    if (error) return sys::Error(error, fmt::format("create {}", kRoot));
    if (fs::create_directory(path, error)) return path;
    if (error) return sys::Error(error, "create " + path.string());
  }
  return sys::Error(fmt::format("{}/{}: too many runs in this second", kRoot, now));
}

sys::Result<void> point_latest_to(const fs::path& folder) {
  const auto link = fs::path(kRoot) / kLatest;
  const auto temporary = fs::path(kRoot) / (folder.filename().string() + ".latest");
  std::error_code error;
  fs::create_directory_symlink(folder.filename(), temporary, error);
  if (!error) fs::rename(temporary, link, error);
  if (error) return sys::Error(error, "link " + link.string());
  return {};
}

std::string in_lines(const std::vector<std::string>& lines) {
  return lines.empty() ? "" : joined(lines, "\n") + "\n";
}

/// A subject's words may be no UTF-8: that must not cost the run its verdicts.
std::string in_a_line(const Json& object) {
  return object.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

Json verdict(const Tally& tally, const RuleTally& rule, const CampaignResult& result,
             const std::string& results_name) {
  Json object{{"type", "verdict"},
              {"pool", tally.pool().name.text()},
              {"rule", rule.rule->id},
              {"name", rule.rule->name},
              {"outcome", entry(rule.outcome()).in_json},
              {"cases", rule.cases()},
              {"held", rule.held},
              {"violated", rule.violated},
              {"known", rule.known},
              {"inconclusive", rule.inconclusive}};
  if (const auto why = rule.main_reason(); !why.empty()) object["why"] = why;
  for (const auto& finding : result.findings) {
    if (finding.pool != &tally.pool() || finding.rule != rule.rule) continue;
    if (object.contains("case") && finding.is_known()) continue;
    object["case"] = results_name + "/" + finding.folder + "/case.json";
    object["steps"] = finding.simplest.scenario.length();
    object["failed"] = finding.failed;
    object["repeated"] = finding.repeated;
    if (finding.is_known()) object["link"] = finding.known_link;
  }
  return object;
}

Json extent_of(const Exhausted& exhausted) {
  const auto& extent = exhausted.extent;
  Json object{{"type", "exhaustive"},          {"pool", exhausted.pool->name.text()},
              {"steps", extent.steps},         {"workers", extent.workers},
              {"scenarios", extent.scenarios}, {"beyond", extent.beyond}};
  if (extent.beyond > 0) object["of"] = extent.of ? Json(*extent.of) : Json();
  return object;
}

Json coverage_of(const Covered& covered) {
  std::vector<std::string> unreached;
  for (const auto& moment : covered.unreached) unreached.push_back(to_string(moment));
  Json object{{"type", "coverage"},
              {"pool", covered.pool->name.text()},
              {"pairs", covered.pairs.reached},
              {"of", covered.pairs.of}};
  if (covered.with_faults) {
    object["with_faults"] = covered.with_faults->reached;
    object["with_faults_of"] = covered.with_faults->of;
  }
  object["unreached"] = unreached;
  return object;
}

Json regressions_of(const RegressionCount& count) {
  return {{"type", "regressions"}, {"folder", count.folder},
          {"run", count.run},      {"violated", count.violated},
          {"vain", count.vain},    {"left", count.left},
          {"unfit", count.unfit},  {"unrunnable", count.unrunnable},
          {"kept", count.kept}};
}

Json canary_of(const Canary& canary) {
  Json object{{"type", "canary"}, {"mutant", canary.mutant}, {"rule", canary.rule}};
  if (canary.fate == Canary::Fate::kSkipped) {
    object["fate"] = "skipped";
  } else {
    object["fate"] = canary.fate == Canary::Fate::kCaught ? "caught" : "missed";
    object["cases"] = canary.cases;
    object["ms"] = canary.took.count();
  }
  if (!canary.why.empty()) object["why"] = canary.why;
  return object;
}

}  // namespace

sys::Result<void> write_file(const fs::path& path, const std::string& text) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << text;
  file.close();
  if (file.fail()) return sys::Error::from_errno("write " + path.string());
  return {};
}

sys::Result<Results> Results::create(const std::string& wanted, const std::string& replay_flags) {
  if (!wanted.empty()) {
    std::error_code error;
    fs::create_directories(wanted, error);
    if (error) return sys::Error(error, "create " + wanted);
    return Results(wanted, wanted, replay_flags);
  }
  auto folder = fresh_folder();
  if (!folder) return folder.error();
  if (auto linked = point_latest_to(*folder); !linked) return linked.error();
  return Results(*folder, fmt::format("{}/{}", kRoot, kLatest), replay_flags);
}

sys::Result<void> Results::save_in(const std::string& name, const Files& files) const {
  const auto folder = path_ / name;
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) return sys::Error(error, "create " + folder.string());
  for (const auto& [file, text] : files) {
    if (auto written = write_file(folder / file, text); !written) return written;
  }
  return {};
}

sys::Result<void> Results::save(const Finding& finding, const std::string& stacks) const {
  const auto& scenario = finding.simplest.scenario;
  const auto& abilities = finding.pool->abilities;
  Files files{{"case.json", to_json(finding.simplest)},
              {"trace.jsonl", to_json_lines(finding.trace)},
              {"original-case.json", to_json(finding.original)},
              {"original-trace.jsonl", to_json_lines(finding.original_trace)},
              {"timeline.txt", in_lines(timeline(scenario, finding.trace))},
              {"waits.txt", in_lines(wait_graph(finding.trace))},
              {program_file_name(abilities),
               whole_program(scenario, abilities, raising_steps(finding.trace))},
              {"report.txt", report_finding(finding, for_ever(finding.folder), Console())}};
  if (!stacks.empty()) files.emplace_back("stacks.txt", stacks);
  return save_in(finding.folder, files);
}

sys::Result<void> Results::save(const LimitReached& limit) const {
  const auto& scenario = limit.shortest.scenario;
  const auto& abilities = limit.pool->abilities;
  Files files{{"case.json", to_json(limit.shortest)},
              {program_file_name(abilities),
               whole_program(scenario, abilities, raising_steps(limit.trace))}};
  if (!limit.trace.events.empty()) {
    files.emplace_back("trace.jsonl", to_json_lines(limit.trace));
    files.emplace_back("timeline.txt", in_lines(timeline(scenario, limit.trace)));
    files.emplace_back("waits.txt", in_lines(wait_graph(limit.trace)));
  }
  return save_in(limit.folder, files);
}

sys::Result<void> Results::save_verdicts(const std::string& json_lines) const {
  return write_file(path_ / "verdicts.jsonl", json_lines);
}

std::string verdicts_as_json_lines(const CampaignResult& result, const CampaignOptions& options,
                                   const std::string& results_name) {
  std::string lines;
  std::map<std::string, int> outcomes;
  for (const auto& tally : result.tallies) {
    for (const auto& rule : tally.rules()) {
      lines += in_a_line(verdict(tally, rule, result, results_name));
      ++outcomes[std::string(entry(rule.outcome()).in_json)];
    }
  }
  for (const auto& limit : result.limits) {
    const Json object{{"type", "limit"},
                      {"pool", limit.pool->name.text()},
                      {"limit", limit.what},
                      {"cases", limit.cases},
                      {"case", results_name + "/" + limit.folder + "/case.json"}};
    lines += in_a_line(object);
  }
  for (const auto& covered : result.covered) lines += in_a_line(coverage_of(covered));
  for (const auto& exhausted : result.exhausted) lines += in_a_line(extent_of(exhausted));
  if (!result.regressions.folder.empty()) lines += in_a_line(regressions_of(result.regressions));
  if (!result.canary.mutant.empty()) lines += in_a_line(canary_of(result.canary));
  Json last{{"type", "summary"},
            {"seed", fmt::format("{:x}", options.seed)},
            {"cases", result.cases()},
            {"seconds", static_cast<double>(result.elapsed.count()) / 1000.0},
            {"rules", outcomes},
            {"findings", result.findings.size()},
            {"troubles", result.troubles},
            {"interrupted", result.interrupted},
            {"results", results_name}};
  return lines + in_a_line(last);
}

}  // namespace poolproof::properties
