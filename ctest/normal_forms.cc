// To what shrinking leads from different beginnings: for each mutant, campaigns of several seeds
// are run up to the first violation of the rule that must catch it, and the shrunk scenarios are
// compared. `poolproof_normal_forms [--seeds N] [--most N] [--jobs N] [MUTANT...]`: with --most,
// exit status 1 where a mutant has more forms, or a shrinking took more than 200 runs.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "harness/runner.h"
#include "properties/campaign.h"
#include "properties/pools.h"

namespace {

using namespace std::chrono_literals;
using namespace poolproof;
using namespace poolproof::properties;

struct Mutant {
  const char* name;
  const char* rule;
};
constexpr Mutant kMutants[] = {
#include "poolproof/mutants.inc"
};

constexpr int kMostRuns = 200;

struct Wanted {
  int seeds = 20;
  int most = 0;  // 0: any number
  int jobs = 4;
  std::vector<std::string_view> mutants;
};

/// What the seeds of one mutant came to.
struct Forms {
  std::map<std::string, int> shrunk;  // scenario to how many seeds led there
  int uncaught = 0;
  int unstable = 0;
  int most_runs = 0;
};

CampaignResult search(harness::Runner& runner, const std::vector<Pool>& pools, const Rule& rule,
                      std::uint64_t seed) {
  CampaignOptions options;
  options.seed = seed;
  options.time = 60s;
  options.rules = {&rule};
  options.stop_at_first = true;
  CampaignListener nobody;
  return Campaign(runner, pools, options, random_source(seed), nobody, [] { return false; }).run();
}

Forms forms_of(const Mutant& mutant, harness::Runner& runner, int seeds) {
  PoolPlaces places;
  places.share = default_share();
  const std::vector<std::string> names{std::string("mutant:") + mutant.name};
  const auto pools = PoolFinder(places).find(names);
  Forms forms;
  for (int seed = 1; seed <= seeds; ++seed) {
    const auto result =
        search(runner, pools.found, *rule_named(mutant.rule), static_cast<std::uint64_t>(seed));
    if (result.findings.empty()) {
      ++forms.uncaught;
      continue;
    }
    const auto& finding = result.findings.front();
    const auto& scenario = finding.simplest.scenario;
    const auto fault = scenario.fault ? " " + to_string(*scenario.fault) : "";
    ++forms.shrunk[to_json(scenario) + fault];
    forms.unstable += finding.is_stable() ? 0 : 1;
    forms.most_runs = std::max(forms.most_runs, finding.runs);
  }
  return forms;
}

bool is_wanted(const Mutant& mutant, const Wanted& wanted) {
  const auto& names = wanted.mutants;
  return names.empty() || std::find(names.begin(), names.end(), mutant.name) != names.end();
}

bool is_known(std::string_view name) {
  return std::any_of(std::begin(kMutants), std::end(kMutants),
                     [&](const Mutant& mutant) { return name == mutant.name; });
}

/// Empty: what was asked for is understood.
std::string read(int argc, char** argv, Wanted& wanted) {
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    int* number = word == "--seeds"  ? &wanted.seeds
                  : word == "--most" ? &wanted.most
                  : word == "--jobs" ? &wanted.jobs
                                     : nullptr;
    if (number != nullptr && (i + 1 >= argc || (*number = std::atoi(argv[++i])) < 1))
      return fmt::format("{} takes a number", word);
    if (number == nullptr && !is_known(word)) return fmt::format("no mutant is named '{}'", word);
    if (number == nullptr) wanted.mutants.push_back(word);
  }
  return "";
}

bool tell(const Mutant& mutant, const Forms& forms, const Wanted& wanted) {
  const auto count = static_cast<int>(forms.shrunk.size());
  fmt::print("{:<30} {:<3} {:>2} forms of {:>2} seeds, at most {:>3} runs{}{}\n", mutant.name,
             mutant.rule, count, wanted.seeds, forms.most_runs,
             forms.uncaught > 0 ? fmt::format(", {} not caught", forms.uncaught) : "",
             forms.unstable > 0 ? fmt::format(", {} unstable", forms.unstable) : "");
  for (const auto& [scenario, seeds] : forms.shrunk) fmt::print("  {:>2} x {}\n", seeds, scenario);
  std::fflush(stdout);
  const bool few = wanted.most == 0 || count <= wanted.most;
  return few && forms.uncaught == 0 && forms.most_runs <= kMostRuns;
}

}  // namespace

int main(int argc, char** argv) {
  Wanted wanted;
  if (const auto wrong = read(argc, argv, wanted); !wrong.empty()) {
    fmt::print(stderr, "poolproof_normal_forms: {}\n", wrong);
    return 2;
  }
  const auto runner = harness::Runner::start({.jobs = wanted.jobs});
  if (!runner) {
    fmt::print(stderr, "poolproof_normal_forms: {}\n", runner.error().message());
    return 3;
  }
  bool good = true;
  for (const auto& mutant : kMutants) {
    if (is_wanted(mutant, wanted))
      good &= tell(mutant, forms_of(mutant, **runner, wanted.seeds), wanted);
  }
  return good || wanted.most == 0 ? 0 : 1;
}
