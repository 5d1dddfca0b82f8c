#include "properties/regressions.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "properties/case_file.h"
#include "properties/model.h"
#include "properties/results.h"
#include "properties/text.h"

namespace poolproof::properties {
namespace {

namespace fs = std::filesystem;
using harness::Case;
using harness::Scenario;

template <class Kind>
bool has(const std::vector<Kind>& kinds, Kind kind) {
  return std::find(kinds.begin(), kinds.end(), kind) != kinds.end();
}

bool can_perform(const Abilities& abilities, const Scenario& scenario) {
  return has(abilities.endings, scenario.ending.kind) &&
         std::all_of(scenario.steps.begin(), scenario.steps.end(), [&](const harness::Step& step) {
           const bool submits = step.kind == harness::StepKind::kSubmit;
           const bool quota = step.quota.has_value();
           const bool initializer = step.initializer != harness::Initializer::kNone;
           const bool cycle = step.farewell == harness::Farewell::kCycle;
           const bool scope = !cycle && step.farewell != harness::Farewell::kPlain;
           const bool callback = step.callback != harness::Callback::kNone;
           const bool ends = step.callback == harness::Callback::kTerminates;
           const bool input = step.raises_at.has_value();
           const bool caller = step.caller != harness::Caller::kMain;
           return has(abilities.steps, step.kind) &&
                  (!submits || has(abilities.bodies, step.body.kind)) &&
                  (!quota || has(abilities.settings, harness::Setting::kQuota)) &&
                  (!initializer || has(abilities.settings, harness::Setting::kInitializer)) &&
                  (!scope || has(abilities.settings, harness::Setting::kScope)) &&
                  (!cycle || has(abilities.settings, harness::Setting::kCycle)) &&
                  (!ends || has(abilities.steps, harness::StepKind::kTerminate)) &&
                  (!input || has(abilities.settings, harness::Setting::kInput)) &&
                  (!caller || has(abilities.settings, harness::Setting::kCaller)) &&
                  (!callback || has(abilities.settings, harness::Setting::kCallback));
         });
}

bool is_of(const Case& kept, const Pool& pool) {
  const auto name = PoolName::parse(kept.pool);
  return PoolName{name.implementation, name.variant, ""}.text() == pool.label() &&
         kept.scenario.start_method == pool.start_method;
}

bool fits(const Case& kept, const Pool& pool) {
  return is_of(kept, pool) && can_perform(pool.abilities, kept.scenario) &&
         is_runnable(kept.scenario, pool.contract);
}

using Fits = bool (*)(const Case&, const Pool&);
int fitting_none(const std::vector<Case>& cases, const std::vector<Pool>& pools, Fits fits) {
  return static_cast<int>(std::count_if(cases.begin(), cases.end(), [&](const Case& kept) {
    return std::none_of(pools.begin(), pools.end(),
                        [&](const Pool& pool) { return fits(kept, pool); });
  }));
}

/// FNV-1a, in the 32 bits that a file's name has room for.
std::uint32_t hash_of(std::string_view text) {
  std::uint32_t hash = 0x811c9dc5;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x01000193;
  return hash;
}

std::vector<fs::path> json_files(const fs::path& folder, std::vector<std::string>& troubles) {
  std::vector<fs::path> files;
  std::error_code error;
  for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    if (at->path().extension() == ".json") files.push_back(at->path());
  }
  if (error) troubles.push_back(fmt::format("{}: {}", folder.string(), error.message()));
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace

std::vector<Scenario> Regressions::of(const Pool& pool) const {
  std::vector<Scenario> scenarios;
  for (const auto& kept : cases) {
    const bool twice =
        std::find(scenarios.begin(), scenarios.end(), kept.scenario) != scenarios.end();
    if (!twice && fits(kept, pool)) scenarios.push_back(kept.scenario);
  }
  return scenarios;
}

int Regressions::of_none(const std::vector<Pool>& pools) const {
  return fitting_none(cases, pools, is_of);
}

int Regressions::runnable_by_none(const std::vector<Pool>& pools) const {
  return fitting_none(cases, pools, fits);
}

Regressions read_regressions(const fs::path& folder) {
  Regressions regressions;
  for (const auto& file : json_files(folder, regressions.troubles)) {
    if (auto kept = read_case(file.string())) {
      regressions.cases.push_back(std::move(*kept));
    } else {
      regressions.troubles.push_back(kept.error().message());
    }
  }
  std::stable_sort(
      regressions.cases.begin(), regressions.cases.end(),
      [](const Case& a, const Case& b) { return a.scenario.length() < b.scenario.length(); });
  return regressions;
}

std::string regression_name(const Finding& finding) {
  auto pool = finding.pool->label();
  std::replace_if(
      pool.begin(), pool.end(),
      [](unsigned char c) { return std::isalnum(c) == 0 && c != '.' && c != '-'; }, '_');
  auto identity = to_json(finding.simplest.scenario);
  if (const auto& fault = finding.simplest.scenario.fault) identity += to_string(*fault);
  if (const auto processors = finding.simplest.scenario.processors)
    identity += std::to_string(*processors);
  for (const auto inherited : finding.simplest.scenario.inherits) identity += name(inherited);
  return fmt::format("{}-{}-{:08x}.json", pool, finding.rule->id, hash_of(identity));
}

bool is_worth_keeping(const Finding& finding) {
  return !finding.is_known() && finding.is_stable() && finding.was_repeated();
}

sys::Result<bool> keep_regression(const fs::path& folder, const Finding& finding) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) return sys::Error(error, "create " + folder.string());
  const auto path = folder / regression_name(finding);
  if (fs::exists(path, error)) return false;
  if (auto written = write_file(path, to_json(finding.simplest)); !written) return written.error();
  return true;
}

}  // namespace poolproof::properties
