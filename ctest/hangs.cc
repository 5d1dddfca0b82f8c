// How soon a hang is proved: the time from the tree's last progress to the verdict, over many hangs
// of several kinds. `poolproof_hangs [--runs N] [--jobs N] [--most MS]`: with --most, exit status 1
// when the 95th percentile of some kind is above it in tree time, which a busy machine does not
// make longer.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "harness/runner.h"
#include "properties/desk.h"
#include "properties/pools.h"

namespace {

using namespace std::chrono_literals;
using namespace poolproof;
using harness::BodyKind;
using harness::EndingKind;
using harness::Scenario;
using harness::Step;
using harness::StepKind;
using std::chrono::nanoseconds;

struct Kind {
  const char* name;
  const char* pool;
  std::vector<Step> steps;
  EndingKind ending = EndingKind::kReturn;
};

Step submit(BodyKind body, int amount = 0) {
  Step step{.kind = StepKind::kSubmit, .task = 1};
  step.body.kind = body;
  step.body.amount = amount;
  return step;
}

std::vector<Kind> kinds() {
  const Step create{.kind = StepKind::kCreate, .workers = 2};
  const Step get{.kind = StepKind::kGet, .task = 1};
  const Step kill_idle{.kind = StepKind::kKill, .victim = harness::Victim::kIdle};
  const Step terminate{.kind = StepKind::kTerminate};
  return {
      {"a task lost with its worker",
       "multiprocessing.Pool:fork",
       {create, submit(BodyKind::kKillSelf), get}},
      {"a queue's lock, its holder killed",
       "multiprocessing.Pool:fork",
       {create, kill_idle, submit(BodyKind::kNothing), get}},
      {"get after terminate",
       "multiprocessing.Pool:fork",
       {create, submit(BodyKind::kSleep, 500), terminate, get}},
      {"workers whose main was killed",
       "ProcessPoolExecutor:fork",
       {create, submit(BodyKind::kNothing), get},
       EndingKind::kSigkill},
      {"a task lost with its worker",
       "multiprocessing.Pool:spawn",
       {create, submit(BodyKind::kKillSelf), get}},
  };
}

/// From the last event that is the tree's doing to the proof; nullopt where nothing was proved.
/// What the tree did without an event (it computed) only makes it longer.
struct Took {
  nanoseconds wall{0};
  nanoseconds tree{0};
};
std::optional<Took> time_to_verdict(const harness::Trace& trace) {
  nanoseconds last{0};
  for (const auto& event : trace.events) {
    if (const auto* rest = std::get_if<harness::AtRest>(&event.kind)) {
      if (rest->proved) return Took{event.at - last, trace.tree_time(last, event.at)};
    } else if (!std::holds_alternative<harness::Delay>(event.kind)) {
      last = event.at;
    }
  }
  return std::nullopt;
}

double ms(nanoseconds time) {
  return static_cast<double>(time.count()) / 1e6;
}

/// `share` of the sorted times are not longer.
nanoseconds percentile(const std::vector<nanoseconds>& sorted, double share) {
  const auto rank = static_cast<std::size_t>(share * static_cast<double>(sorted.size()));
  return sorted[std::min(rank, sorted.size() - 1)];
}

struct Options {
  int runs = 50;
  int jobs = 2;
  int most_ms = 0;
};

/// nullopt after one line that says what is wrong.
std::optional<Options> options_of(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; i += 2) {
    const std::string_view name = argv[i];
    const std::string_view text = i + 1 < argc ? argv[i + 1] : "";
    int* into = name == "--runs"   ? &options.runs
                : name == "--jobs" ? &options.jobs
                : name == "--most" ? &options.most_ms
                                   : nullptr;
    if (into == nullptr) {
      fmt::print(stderr, "hangs: knows --runs, --jobs and --most, not '{}'\n", name);
      return std::nullopt;
    }
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *into);
    if (error != std::errc() || end != text.data() + text.size() || *into < 1) {
      fmt::print(stderr, "hangs: {} takes a number from 1 on, not '{}'\n", name, text);
      return std::nullopt;
    }
  }
  return options;
}

/// The times of all proved hangs of one kind.
std::vector<Took> measure(const Kind& kind, const properties::Pool& pool, harness::Runner& runner,
                          int runs) {
  properties::Desk desk(runner, properties::CaseOptions::of_environment(), {});
  Scenario scenario{pool.start_method, kind.steps, {.kind = kind.ending, .code = 0}, {}};
  for (int i = 0; i < runs; ++i) desk.submit(pool, scenario);
  std::vector<Took> times;
  const auto deadline = properties::Clock::now() + 10min;
  while (const auto ran = desk.next(deadline)) {
    if (!ran->trace) continue;
    if (const auto took = time_to_verdict(*ran->trace)) times.push_back(*took);
  }
  return times;
}

std::vector<nanoseconds> sorted(const std::vector<Took>& times, nanoseconds Took::*which) {
  std::vector<nanoseconds> all;
  all.reserve(times.size());
  for (const auto& took : times) all.push_back(took.*which);
  std::sort(all.begin(), all.end());
  return all;
}

void print_row(const std::string& name, int runs, const std::vector<Took>& times) {
  std::printf("%-64s %4d %6zu", name.c_str(), runs, times.size());
  for (const auto which : {&Took::wall, &Took::tree}) {
    const auto all = sorted(times, which);
    if (all.empty()) continue;
    std::printf("  %5.0f %5.0f %5.0f", ms(percentile(all, 0.5)), ms(percentile(all, 0.95)),
                ms(all.back()));
  }
  std::printf("\n");
  std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
  const auto given = options_of(argc, argv);
  if (!given) return 2;
  const auto& options = *given;
  auto runner = harness::Runner::start({.jobs = options.jobs});
  if (!runner) {
    std::fprintf(stderr, "poolproof_hangs: %s\n", runner.error().message().c_str());
    return 3;
  }
  std::printf("%-64s %4s %6s  %s\n%-64s %4s %6s  %5s %5s %5s  %5s %5s %5s\n", "", "", "",
              "ms from the last progress;  without delays", "", "runs", "proved", "50 %", "95 %",
              "max", "50 %", "95 %", "max");
  std::vector<Took> all;
  int runs = 0;
  bool too_late = false;
  for (const auto& kind : kinds()) {
    properties::PoolPlaces places;
    places.share = properties::default_share();
    const std::vector<std::string> names{kind.pool};
    const auto pools = properties::PoolFinder(places).find(names);
    const auto name = fmt::format("{}: {}", kind.pool, kind.name);
    if (pools.found.empty()) {
      std::printf("%-64s is not here\n", name.c_str());
      continue;
    }
    const auto times = measure(kind, pools.found.front(), **runner, options.runs);
    print_row(name, options.runs, times);
    runs += options.runs;
    all.insert(all.end(), times.begin(), times.end());
    const auto tree = sorted(times, &Took::tree);
    too_late |= options.most_ms > 0 && !tree.empty() &&
                percentile(tree, 0.95) > std::chrono::milliseconds(options.most_ms);
  }
  print_row("all", runs, all);
  if (runs == 0) return 77;  // CTest: skipped
  // Whether a lock dies with its holder is chance; the others always hang.
  if (2 * all.size() < static_cast<std::size_t>(runs)) too_late = true;
  return too_late ? 1 : 0;
}
