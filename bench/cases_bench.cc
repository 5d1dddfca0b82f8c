// Cases per second on the reference pool with exact observation, beside its bare floor (the same
// tree of fork, exec, exit and wait; an ordinary program, and one linked statically like the
// adapter) and beside the same scenario run unobserved, in the same run and in random order, so
// that a noisy machine hits all of them alike.
#include <benchmark/benchmark.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "harness/runner.h"

extern char** environ;

namespace {

using namespace poolproof;

constexpr int kWorkers = 2;
constexpr int kBatch = 40;

/// As `poolproof check` has them; for the floor too.
int jobs() {
  return 2 * static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
}

std::filesystem::path bin() {
  return std::filesystem::read_symlink("/proc/self/exe").parent_path();
}
std::string adapter() {
  return (bin() / "../share/poolproof/adapters/reference").string();
}

harness::Scenario scenario() {
  using harness::Step;
  using harness::StepKind;
  harness::Scenario result;
  result.start_method = "fork";
  result.steps = {Step{.kind = StepKind::kCreate, .workers = kWorkers},
                  Step{.kind = StepKind::kSubmit, .task = 1},
                  Step{.kind = StepKind::kGet, .task = 1}, Step{.kind = StepKind::kClose},
                  Step{.kind = StepKind::kJoin}};
  return result;
}

/// Runs `command` kBatch times, as many side by side as there are jobs.
void spawn_batch(std::vector<std::string> command) {
  std::vector<char*> argv;
  for (auto& word : command) argv.push_back(word.data());
  argv.push_back(nullptr);
  int running = 0;
  for (int started = 0; started < kBatch || running > 0;) {
    if (started < kBatch && running < jobs()) {
      pid_t pid = 0;
      if (::posix_spawn(&pid, argv[0], nullptr, nullptr, argv.data(), environ) != 0) std::abort();
      ++started;
      ++running;
      continue;
    }
    int status = 0;
    if (::wait(&status) <= 0 || status != 0) std::abort();
    --running;
  }
}

void Floor(benchmark::State& state) {
  for (auto _ : state)
    spawn_batch({(bin() / "poolproof_bench_floor").string(), std::to_string(kWorkers)});
}

void StaticFloor(benchmark::State& state) {
  for (auto _ : state)
    spawn_batch({(bin() / "poolproof_bench_floor_static").string(), std::to_string(kWorkers)});
}

void Unobserved(benchmark::State& state) {
  const auto file =
      std::filesystem::temp_directory_path() / ("poolproof-bench-" + std::to_string(::getpid()));
  std::ofstream(file) << to_json(scenario()) << '\n';
  for (auto _ : state) spawn_batch({adapter(), file.string()});
  std::filesystem::remove(file);
}

void Observed(benchmark::State& state) {
  static const auto runner = harness::Runner::start({.jobs = jobs()});
  if (!runner) return state.SkipWithError(runner.error().message().c_str());
  if ((*runner)->containment().rung != 1) return state.SkipWithError("not on rung 1");
  for (auto _ : state) {
    for (int i = 0; i < kBatch; ++i)
      (*runner)->submit({.command = {adapter()}, .scenario = scenario()});
    while ((*runner)->pending() > 0) {
      const auto done =
          (*runner)->next(std::chrono::steady_clock::now() + std::chrono::seconds(30));
      if (!done || !done->trace || done->trace->end != harness::End::kAllDead ||
          !done->trace->exact) {
        return state.SkipWithError("a case did not run as it should");
      }
    }
  }
}

/// Prints cases per second and each one's share of the floor, medians and spread over repetitions.
class ShareReporter final : public benchmark::BenchmarkReporter {
 public:
  bool ReportContext(const Context&) override { return true; }
  void ReportRuns(const std::vector<Run>& runs) override {
    for (const auto& run : runs) {
      if (run.error_occurred) {
        std::fprintf(stderr, "%s: %s\n", run.benchmark_name().c_str(), run.error_message.c_str());
        failed_ = true;
      } else if (run.run_type == Run::RT_Iteration) {
        rates_[run.run_name.function_name].push_back(kBatch * static_cast<double>(run.iterations) /
                                                     run.real_accumulated_time);
      }
    }
  }
  void Finalize() override {
    std::printf(
        "cases per second, %d jobs, %d workers; median (lowest-highest), share of the floor, of "
        "the run unobserved\n",
        jobs(), kWorkers);
    for (auto& [name, rates] : rates_) {
      std::sort(rates.begin(), rates.end());
      std::printf("%-12s %7.0f  (%.0f-%.0f)  %3.0f %%  %3.0f %%  of %zu repetitions\n",
                  name.c_str(), median(name), rates.front(), rates.back(),
                  100 * median(name) / median("Floor"), 100 * median(name) / median("Unobserved"),
                  rates.size());
    }
  }
  bool failed() const { return failed_ || rates_.size() < 3; }

 private:
  double median(const std::string& name) {
    auto& rates = rates_[name];
    return rates.empty() ? 0 : rates[rates.size() / 2];
  }
  std::map<std::string, std::vector<double>> rates_;
  bool failed_ = false;
};

BENCHMARK(Floor)->UseRealTime();
BENCHMARK(StaticFloor)->UseRealTime();
BENCHMARK(Unobserved)->UseRealTime();
BENCHMARK(Observed)->UseRealTime();

}  // namespace

int main(int argc, char** argv) {
  std::vector<char*> arguments(argv, argv + argc);
  std::string repetitions = "--benchmark_repetitions=9";
  std::string interleaved = "--benchmark_enable_random_interleaving=true";
  std::string shortest = "--benchmark_min_time=0.3";
  arguments.insert(arguments.begin() + 1,
                   {repetitions.data(), interleaved.data(), shortest.data()});
  int count = static_cast<int>(arguments.size());
  benchmark::Initialize(&count, arguments.data());
  ShareReporter reporter;
  benchmark::RunSpecifiedBenchmarks(&reporter);
  return reporter.failed() ? 1 : 0;
}
