// What a task costs on the reference pool, and beside it what two processes can do without a pool.
// One figure each; `./dev bench pool` (pool.py) runs them in turn with their peers, each repetition
// in a process of its own, and prints medians. The environment variable POOLPROOF_BENCH_MOST_TASKS
// bounds the number of tasks of one figure, for a quick look whether all of them work.
#include <benchmark/benchmark.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <poolproof/pool.hpp>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "ping_pong.h"
#include "proc.h"

namespace {

using namespace poolproof;
using bench::Placement;
using Clock = std::chrono::steady_clock;

constexpr std::int64_t kMiB = std::int64_t{1} << 20;

// --- tasks
// -----------------------------------------------------------------------------------------

void nothing() {}

void nothing_with(int /*item*/) {}

std::string same(std::string text) {
  return text;
}

std::string text_of(std::size_t size) {
  return std::string(size, 'x');
}

std::size_t size_of(const std::string& text) {
  return text.size();
}

void nap(int milliseconds) {
  std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds));
}

// --- measuring
// -------------------------------------------------------------------------------------

std::size_t at_most(std::int64_t tasks) {
  const char* const most = std::getenv("POOLPROOF_BENCH_MOST_TASKS");
  return static_cast<std::size_t>(most ? std::min<std::int64_t>(tasks, std::atoll(most)) : tasks);
}

/// As counter `median_ns`: on a machine with other work a mean tells of that work.
template <class Once>
void time_each(benchmark::State& state, Once once) {
  std::vector<double> took;
  took.reserve(static_cast<std::size_t>(state.max_iterations));
  for (auto _ : state) {
    const auto start = Clock::now();
    once();
    took.push_back(std::chrono::duration<double, std::nano>(Clock::now() - start).count());
  }
  std::nth_element(took.begin(), took.begin() + static_cast<std::ptrdiff_t>(took.size() / 2),
                   took.end());
  state.counters["median_ns"] = took[took.size() / 2];
}

/// Says why, where a figure cannot be had on this machine.
template <class Figure>
void or_skip(benchmark::State& state, Figure figure) {
  try {
    figure();
  } catch (const std::exception& error) {
    state.SkipWithError(error.what());
  }
}

// --- no-op tasks, many in flight
// -------------------------------------------------------------------

void submit_and_get(Pool& pool, std::size_t tasks) {
  std::vector<Future<void>> futures;
  futures.reserve(tasks);
  for (std::size_t i = 0; i < tasks; ++i) futures.push_back(pool.apply_async<&nothing>());
  for (const Future<void>& future : futures) future.get();
}

void Noop(benchmark::State& state) {
  const std::size_t tasks = at_most(state.range(1));
  Pool pool{{.workers = static_cast<int>(state.range(0))}};
  submit_and_get(pool, 10 * pool.size());  // all are there
  for (auto _ : state) submit_and_get(pool, tasks);
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(tasks));
}

void NoopMap(benchmark::State& state) {
  const std::vector<int> items(at_most(state.range(1)));
  Pool pool{{.workers = static_cast<int>(state.range(0))}};
  submit_and_get(pool, 10 * pool.size());
  for (auto _ : state) pool.map<&nothing_with>(items, 1);
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(items.size()));
}

// --- one at a time
// ---------------------------------------------------------------------------------

void Apply(benchmark::State& state, Placement placement) {
  or_skip(state, [&] {
    bench::place(placement == Placement::apart ? Placement::anywhere : placement, 0);
    Pool pool{{.workers = 1}};
    if (placement == Placement::apart) {
      bench::place(placement, 0);
      pool.apply([] { bench::place(Placement::apart, 1); });
    }
    time_each(state, [&] { pool.apply<&nothing>(); });
    bench::place(Placement::anywhere, 0);
  });
}

void PipePingPong(benchmark::State& state, Placement placement) {
  or_skip(state, [&] {
    bench::PipeEcho echo(placement);
    time_each(state, [&] { echo.round_trip(); });
  });
}

void FutexPingPong(benchmark::State& state, Placement placement, bool spinning) {
  or_skip(state, [&] {
    bench::FutexEcho echo(placement, spinning);
    time_each(state, [&] { echo.round_trip(); });
  });
}

// --- large payloads
// --------------------------------------------------------------------------------

void EchoText(benchmark::State& state) {
  const std::string text = text_of(static_cast<std::size_t>(state.range(0) * kMiB));
  Pool pool{{.workers = 2}};
  pool.apply<&same>(text);
  time_each(state, [&] {
    if (pool.apply<&same>(text).size() != text.size()) std::abort();
  });
}

/// How main grows at most while a large payload crosses, in multiples of the payload.
template <class Crossing>
void growth_of_main(benchmark::State& state, Crossing crossing) {
  const auto size = static_cast<std::size_t>(state.range(0) * kMiB);
  Pool pool{{.workers = 1}};
  pool.apply<&nothing>();
  for (auto _ : state) {
    const auto ready = crossing(pool, size);
    bench::forget_peak();
    const std::uint64_t before = bench::memory_of_this_process().now;
    ready();
    const std::uint64_t peak = bench::memory_of_this_process().peak;
    state.counters["payloads"] = static_cast<double>(peak - before) / static_cast<double>(size);
  }
}

void GrowthByResult(benchmark::State& state) {
  growth_of_main(state, [](Pool& pool, std::size_t size) {
    return [&pool, size] {
      if (pool.apply<&text_of>(size).size() != size) std::abort();
    };
  });
}

void GrowthByArgument(benchmark::State& state) {
  growth_of_main(state, [](Pool& pool, std::size_t size) {
    return [&pool, text = text_of(size)] {
      if (pool.apply<&size_of>(text) != text.size()) std::abort();
    };
  });
}

// --- at rest, and waiting
// --------------------------------------------------------------------------

/// Work of dispatcher, supervisor and workers in a second in which nobody asks for anything.
void Idle(benchmark::State& state) {
  Pool pool{{.workers = static_cast<int>(state.range(0))}};
  submit_and_get(pool, 100 * pool.size());
  std::vector<pid_t> pids{::getpid()};
  for (const ChildInfo& worker : pool.active_children()) pids.push_back(worker.pid);
  pids.push_back(bench::parent_of(pids.back()));
  std::this_thread::sleep_for(std::chrono::milliseconds(200));  // what is bounded comes to its end
  for (auto _ : state) {
    const bench::Work before = bench::work_of(pids);
    std::this_thread::sleep_for(std::chrono::seconds(1));
    const bench::Work after = bench::work_of(pids);
    state.counters["run_ns"] = static_cast<double>(after.run_ns - before.run_ns);
    state.counters["wake_ups"] = static_cast<double>(after.times_run - before.times_run);
  }
}

/// Bytes of main for each task that waits behind busy workers, futures included.
void MemoryPerQueuedTask(benchmark::State& state) {
  const std::size_t tasks = at_most(state.range(0));
  for (auto _ : state) {
    Pool pool{{.workers = 1}};
    const auto busy = pool.apply_async<&nap>(1000'000);
    std::vector<Future<void>> futures(1, pool.apply_async<&nothing>());
    const std::uint64_t before = bench::memory_of_this_process().now;
    futures.reserve(tasks);
    for (std::size_t i = 0; i < tasks; ++i) futures.push_back(pool.apply_async<&nothing>());
    const std::uint64_t after = bench::memory_of_this_process().now;
    state.counters["bytes"] = static_cast<double>(after - before) / static_cast<double>(tasks);
    pool.terminate();
  }
}

// --- which of them
// ---------------------------------------------------------------------------------

void tell(benchmark::internal::Benchmark* figure) {
  figure->UseRealTime()->Iterations(1);
}

/// As many iterations as make a hundred thousand tasks.
void noop_figures(benchmark::internal::Benchmark* figure) {
  figure->ArgNames({"workers", "tasks"})->UseRealTime();
}

void register_noop() {
  benchmark::RegisterBenchmark("Noop", &Noop)
      ->Apply(noop_figures)
      ->Args({2, 100'000})
      ->Iterations(2);
  benchmark::RegisterBenchmark("NoopMap", &NoopMap)
      ->Apply(noop_figures)
      ->Args({2, 100'000})
      ->Iterations(2);
  for (const int workers : {1, 4, 16, 64, 256}) {
    benchmark::RegisterBenchmark("Noop", &Noop)
        ->Apply(noop_figures)
        ->Args({workers, 100'000})
        ->Iterations(2);
  }
  for (std::int64_t tasks = 1; tasks <= 10'000'000; tasks *= 10) {
    if (tasks == 100'000) continue;  // is there already
    benchmark::RegisterBenchmark("Noop", &Noop)
        ->Apply(noop_figures)
        ->Args({2, tasks})
        ->Iterations(std::max<std::int64_t>(100'000 / tasks, 1));
  }
}

void register_round_trips() {
  constexpr int kRoundTrips = 5000;
  const std::vector<std::pair<std::string, Placement>> placements{
      {"anywhere", Placement::anywhere}, {"same", Placement::same}, {"apart", Placement::apart}};
  for (const auto& [name, placement] : placements) {
    benchmark::RegisterBenchmark(("Apply/" + name).c_str(), &Apply, placement)
        ->Iterations(kRoundTrips);
    benchmark::RegisterBenchmark(("Pipe/" + name).c_str(), &PipePingPong, placement)
        ->Iterations(kRoundTrips);
    benchmark::RegisterBenchmark(("Futex/" + name).c_str(), &FutexPingPong, placement, false)
        ->Iterations(kRoundTrips);
  }
  benchmark::RegisterBenchmark("Spin/apart", &FutexPingPong, Placement::apart, true)
      ->Iterations(kRoundTrips);
}

void register_the_rest() {
  benchmark::RegisterBenchmark("Echo", &EchoText)->ArgName("MiB")->Arg(1)->Iterations(100);
  benchmark::RegisterBenchmark("Echo", &EchoText)->ArgName("MiB")->Arg(64)->Iterations(3);
  benchmark::RegisterBenchmark("GrowthByResult", &GrowthByResult)
      ->ArgName("MiB")
      ->Arg(64)
      ->Apply(tell);
  benchmark::RegisterBenchmark("GrowthByArgument", &GrowthByArgument)
      ->ArgName("MiB")
      ->Arg(64)
      ->Apply(tell);
  benchmark::RegisterBenchmark("Idle", &Idle)->ArgName("workers")->Arg(4)->Apply(tell);
  for (const std::int64_t tasks : {10'000, 1'000'000}) {
    benchmark::RegisterBenchmark("MemoryPerQueuedTask", &MemoryPerQueuedTask)
        ->ArgName("tasks")
        ->Arg(tasks)
        ->Apply(tell);
  }
}

}  // namespace

int main(int argc, char** argv) {
  poolproof::init(argc, argv);
  register_noop();
  register_round_trips();
  register_the_rest();
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
