// To what shrinking leads from different beginnings: for each mutant, random cases of several seeds
// are run up to the first violation of the rule that must catch it, and the shrunk scenarios are
// compared. `poolproof_normal_forms [--seeds N] [--most N] [--jobs N] [--workers N] [--found DIR]
// [MUTANT...]`: with --most, exit status 1 where a mutant has more forms, or a shrinking took more
// than 200 runs. With --found, the cases to begin with are kept in that folder, and taken from
// there when they are there: what a change of the shrinker does is seen without the long search.
// Most cases wait more than they compute, and shrinking is one decision after the other. So seeds
// are tried side by side, by workers of the reference pool: --workers, each with --jobs cases of
// its own. (More cases for one seed are no help: siblings that nobody needs count as runs.)
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <poolproof/pool.hpp>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "harness/runner.h"
#include "properties/campaign.h"
#include "properties/case_file.h"
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

/// For one seed: half of it goes to the search, a quarter to shrinking. The rarest defects are seen
/// in one of some thousand cases, and some take ten seconds to show.
constexpr auto kTime = 2400s;

/// A kept case may fail now and then only: so often it is tried.
constexpr int kTries = 300;

struct Wanted {
  int seeds = 20;
  int most = 0;  // 0: any number
  int jobs = 4;
  int workers = static_cast<int>(2 * std::max(1U, std::thread::hardware_concurrency()));
  std::string found;  // folder of cases to begin with; empty: none are kept
  std::vector<std::string_view> mutants;

  bool has(std::string_view mutant) const {
    return mutants.empty() || std::find(mutants.begin(), mutants.end(), mutant) != mutants.end();
  }
  std::string file_of(std::string_view mutant, int seed) const {
    return found.empty() ? "" : fmt::format("{}/{}-{}.case.json", found, mutant, seed);
  }
};

/// One seed of one mutant, as it goes to a worker.
struct Task {
  int mutant = 0;  // in kMutants
  int seed = 0;
  int jobs = 0;
  std::string found;  // file of the case to begin with, if there is one; empty: none is kept
};

/// To what it led.
struct Form {
  int mutant = 0;
  int seed = 0;
  std::string scenario;  // empty: not caught
  bool is_stable = true;
  int runs = 0;
};

/// What the seeds of one mutant came to.
struct Forms {
  std::map<std::string, std::vector<int>> shrunk;  // scenario to the seeds that led there
  int seeds = 0;
  int uncaught = 0;
  int unstable = 0;
  int most_runs = 0;

  void add(const Form& form) {
    ++seeds;
    if (form.scenario.empty()) {
      ++uncaught;
      return;
    }
    shrunk[form.scenario].push_back(form.seed);
    unstable += form.is_stable ? 0 : 1;
    most_runs = std::max(most_runs, form.runs);
  }

  /// Of the seeds, those that led to one of the two most frequent.
  int in_two() const {
    std::vector<std::size_t> counts;
    for (const auto& [scenario, by_seeds] : shrunk) counts.push_back(by_seeds.size());
    std::sort(counts.rbegin(), counts.rend());
    counts.resize(2);
    return static_cast<int>(counts[0] + counts[1]);
  }
};

/// One for each worker, for all its tasks.
harness::Runner& runner_of(int jobs) {
  static const auto runner = harness::Runner::start({.jobs = jobs});
  if (!runner) throw std::runtime_error(runner.error().message());
  return **runner;
}

/// Random cases; where one is kept, that one.
ScenarioSource source_of(const Task& task, CampaignOptions& options) {
  auto source = mixed_source(options.seed);
  options.part = Part::kRandom;  // the short ones are the same for each seed
  if (task.found.empty() || !std::filesystem::exists(task.found)) return source;
  const auto kept = read_case(task.found);
  if (!kept) throw std::runtime_error(kept.error().message());
  options.part = Part::kRegressions;
  source.regressions = [scenario = kept->scenario](const auto&) {
    return std::vector(kTries, scenario);
  };
  return source;
}

void keep(const harness::Case& found, const std::string& path) {
  if (path.empty() || std::filesystem::exists(path)) return;
  std::ofstream file(path);
  file << to_json(found) << '\n';
  if (!file.flush()) throw std::runtime_error(path + ": cannot be written");
}

/// In a worker.
Form form_of(const Task& task) {
  const auto& mutant = kMutants[task.mutant];
  PoolPlaces places;
  places.share = default_share();
  const std::vector<std::string> names{std::string("mutant:") + mutant.name};
  const auto pools = PoolFinder(places).find(names);
  CampaignOptions options;
  options.seed = static_cast<std::uint64_t>(task.seed);
  options.time = kTime;
  options.rules = {rule_named(mutant.rule)};
  options.stop_at_first = true;
  CampaignListener nobody;
  const auto source = source_of(task, options);
  Campaign campaign(runner_of(task.jobs), pools.found, options, source, nobody,
                    [] { return false; });
  const auto result = campaign.run();
  if (result.findings.empty()) return {.mutant = task.mutant, .seed = task.seed};
  const auto& finding = result.findings.front();
  keep(finding.original, task.found);
  const auto& scenario = finding.simplest.scenario;
  const auto fault = scenario.fault ? " " + to_string(*scenario.fault) : "";
  return {task.mutant, task.seed, to_json(scenario) + fault,
          finding.is_stable() && finding.was_repeated(), finding.runs};
}

bool is_known(std::string_view name) {
  return std::any_of(std::begin(kMutants), std::end(kMutants),
                     [&](const Mutant& mutant) { return name == mutant.name; });
}

/// Empty: what was asked for is understood.
std::string read(int argc, char** argv, Wanted& wanted) {
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    if (word == "--found") {
      if (i + 1 >= argc) return "--found takes a folder";
      wanted.found = argv[++i];
      std::error_code error;
      std::filesystem::create_directories(wanted.found, error);
      if (error) return fmt::format("{}: {}", wanted.found, error.message());
      continue;
    }
    int* number = word == "--seeds"     ? &wanted.seeds
                  : word == "--most"    ? &wanted.most
                  : word == "--jobs"    ? &wanted.jobs
                  : word == "--workers" ? &wanted.workers
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
  for (const auto& [scenario, seeds] : forms.shrunk)
    fmt::print("  {:>2} x {}  (seeds {})\n", seeds.size(), scenario, fmt::join(seeds, " "));
  std::fflush(stdout);
  const bool few = wanted.most == 0 || count <= wanted.most;
  return few && forms.uncaught == 0 && forms.most_runs <= kMostRuns;
}

void tell_all(const std::map<int, Forms>& all) {
  int few = 0;
  int seeds = 0;
  int in_two = 0;
  int uncaught = 0;
  int unstable = 0;
  int most_runs = 0;
  for (const auto& [mutant, forms] : all) {
    few += forms.uncaught == 0 && forms.shrunk.size() <= 2 ? 1 : 0;
    seeds += forms.seeds;
    uncaught += forms.uncaught;
    in_two += forms.in_two();
    unstable += forms.unstable;
    most_runs = std::max(most_runs, forms.most_runs);
  }
  fmt::print(
      "{} of {} mutants have at most 2 forms; {} of {} seeds come to one of their mutant's two ",
      few, all.size(), in_two, seeds);
  fmt::print("most frequent, {} are not caught, {} are unstable; at most {} runs\n", uncaught,
             unstable, most_runs);
}

}  // namespace

int main(int argc, char** argv) {
  Wanted wanted;
  if (const auto wrong = read(argc, argv, wanted); !wrong.empty()) {
    fmt::print(stderr, "poolproof_normal_forms: {}\n", wrong);
    return 2;
  }
  std::vector<Task> tasks;
  for (int mutant = 0; mutant < static_cast<int>(std::size(kMutants)); ++mutant) {
    for (int seed = 1; wanted.has(kMutants[mutant].name) && seed <= wanted.seeds; ++seed)
      tasks.push_back({mutant, seed, wanted.jobs, wanted.file_of(kMutants[mutant].name, seed)});
  }
  bool good = true;
  std::map<int, Forms> all;  // by mutant
  try {
    poolproof::Pool pool{{.workers = wanted.workers}};
    // As they come: a mutant that is hard to catch keeps nobody waiting.
    auto forms =
        pool.imap_unordered<form_of>(tasks, {.ahead = std::max<std::size_t>(tasks.size(), 1)});
    while (const auto form = forms.next()) {
      auto& here = all[form->mutant];
      here.add(*form);
      if (here.seeds == wanted.seeds) good &= tell(kMutants[form->mutant], here, wanted);
    }
  } catch (const std::exception& error) {
    fmt::print(stderr, "poolproof_normal_forms: {}\n", error.what());
    return 3;
  }
  tell_all(all);
  return good || wanted.most == 0 ? 0 : 1;
}
