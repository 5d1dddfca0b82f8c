#include "properties/generated.h"

#include <fmt/format.h>

#include <algorithm>
#include <csignal>
#include <utility>

#include "properties/desk.h"

namespace poolproof::properties {
namespace {

using std::chrono::milliseconds;
using Fate = GeneratedMutant::Fate;

milliseconds since(Clock::time_point start) {
  return std::chrono::duration_cast<milliseconds>(Clock::now() - start);
}

/// A moment of the time that is left, the same for each of `parts`.
Clock::time_point share_of(Clock::time_point end, std::size_t parts) {
  const auto left = std::max(end - Clock::now(), Clock::duration::zero());
  return Clock::now() + left / static_cast<int>(parts);
}

bool has_trapped(const harness::Trace& trace) {
  return std::any_of(trace.events.begin(), trace.events.end(), [](const harness::Event& event) {
    const auto* dying = std::get_if<harness::Dying>(&event.kind);
    return dying != nullptr && dying->status == sys::ExitStatus(sys::Killed{SIGILL});
  });
}

}  // namespace

int GeneratedResult::number(Fate fate) const {
  return static_cast<int>(std::count_if(mutants.begin(), mutants.end(),
                                        [&](const auto& mutant) { return mutant.fate == fate; }));
}

int GeneratedResult::counted() const {
  return number(Fate::kCaught) + number(Fate::kSurvived);
}

std::optional<double> GeneratedResult::percent_caught() const {
  if (counted() == 0) return std::nullopt;
  return 100.0 * number(Fate::kCaught) / counted();
}

GeneratedSelftest::GeneratedSelftest(harness::Runner& runner, GeneratedOptions options,
                                     ScenarioSource source, MutantMaker& maker,
                                     std::vector<Pool> reference, Listener listener,
                                     std::function<bool()> stopped)
    : runner_(runner),
      options_(options),
      source_(std::move(source)),
      maker_(maker),
      reference_(std::move(reference)),
      listener_(std::move(listener)),
      stopped_(std::move(stopped)),
      dealer_(maker.files(), options.seed) {}

sys::Result<GeneratedResult> GeneratedSelftest::run() {
  const auto start = Clock::now();
  end_ = start + options_.time;
  GeneratedResult result;
  while (number_ < options_.mutants && Clock::now() < end_ && !stopped_()) {
    auto dealt = deal();
    if (!dealt) return dealt.error();
    if (!*dealt) break;
    ++number_;
    auto mutant = judge(**dealt);
    if (!mutant) return mutant.error();
    if (stopped_()) break;
    listener_(*mutant);
    result.mutants.push_back(std::move(*mutant));
  }
  result.interrupted = stopped_();
  result.elapsed = since(start);
  return result;
}

/// The next one; nullopt when there are no more.
sys::Result<std::optional<GeneratedSelftest::Dealt>> GeneratedSelftest::deal() {
  while (!dealer_.is_over()) {
    const auto file = dealer_.file();
    if (!mutations_.contains(file)) {
      auto listed = maker_.mutations(file);
      if (!listed) return listed.error();
      mutations_[file] = std::move(*listed);
    }
    if (const auto dealt = dealer_.deal(mutations_[file]))
      return std::optional(Dealt{file, mutations_[file][dealt->mutation]});
  }
  return std::optional<Dealt>();
}

sys::Result<GeneratedMutant> GeneratedSelftest::judge(const Dealt& dealt) {
  const auto start = Clock::now();
  const auto source = maker_.source(dealt.file);
  if (!source) return source.error();
  GeneratedMutant mutant;
  mutant.file = maker_.name_of(dealt.file);
  mutant.mutation = dealt.mutation;
  mutant.diff = diff_lines(*source, dealt.mutation.change);
  const auto made = make(dealt, dealt.mutation.change);
  if (!made) return made.error();
  if (made->outcome == MutantMaker::Outcome::kNotCompiled) mutant.fate = Fate::kNotCompiled;
  if (made->outcome == MutantMaker::Outcome::kSameProgram) mutant.fate = Fate::kSameProgram;
  if (made->outcome == MutantMaker::Outcome::kBuilt) {
    const auto left = static_cast<std::size_t>(options_.mutants - number_ + 1);
    const auto end = share_of(end_, left);
    search(made->program, mutant, end);
    if (mutant.fate == Fate::kSurvived) mutant.reached = is_reached(dealt, mutant, end);
  }
  mutant.elapsed = since(start);
  return mutant;
}

/// The time that it takes is given back to the cases.
sys::Result<MutantMaker::Made> GeneratedSelftest::make(const Dealt& dealt,
                                                       const TextChange& change) {
  const auto start = Clock::now();
  auto made = maker_.make(dealt.file, change);
  end_ += Clock::now() - start;
  return made;
}

void GeneratedSelftest::search(const std::string& program, GeneratedMutant& mutant,
                               Clock::time_point end) {
  const auto pools = pools_of(program);
  for (std::size_t i = 0; i < pools.size() && !stopped_(); ++i) {
    SelftestOptions options;
    // One share stays, for a survivor's probe.
    const auto until = share_of(end, pools.size() - i + 1);
    options.time = std::chrono::duration_cast<milliseconds>(until - Clock::now());
    options.seed = options_.seed;
    options.healthy_cases = options_.cases;
    options.case_options = options_.case_options;
    Selftest selftest(runner_, options, source_, {}, stopped_);
    const auto row = std::move(selftest.run({{.pool = &pools[i]}}).rows.front());
    mutant.cases += row.cases;
    if (row.blames.empty() && row.trouble.empty()) continue;
    mutant.fate = Fate::kCaught;
    mutant.pool = pools[i].start_method;
    if (row.blames.empty()) {
      mutant.trouble = row.trouble;
    } else {
      mutant.rule = row.blames.front().rule;
    }
    return;
  }
  if (mutant.cases == 0) mutant.fate = Fate::kNotRun;
}

/// Builds the pool so that it traps there, and runs the survivor's own cases.
std::optional<bool> GeneratedSelftest::is_reached(const Dealt& dealt, const GeneratedMutant& mutant,
                                                  Clock::time_point end) {
  if (!dealt.mutation.probe || mutant.cases == 0) return std::nullopt;
  const auto before = end_;
  const auto made = make(dealt, *dealt.mutation.probe);
  end += end_ - before;
  if (!made || made->outcome != MutantMaker::Outcome::kBuilt) return std::nullopt;
  for (const auto& pool : pools_of(made->program)) {
    if (traps(pool, end)) return true;
  }
  return Clock::now() < end && !stopped_() ? std::optional(false) : std::nullopt;
}

bool GeneratedSelftest::traps(const Pool& pool, Clock::time_point end) {
  Desk desk(runner_, options_.case_options, stopped_);
  int sent = 0;
  int under_way = 0;
  bool trapped = false;
  while (!trapped && Clock::now() < end && !stopped_()) {
    for (; sent < options_.cases && under_way <= desk.jobs(); ++sent) {
      const auto scenario = source_.generate(pool, sent);
      if (!scenario) continue;
      desk.submit(pool, *scenario);
      ++under_way;
    }
    const auto ran = desk.next(end);
    if (!ran) break;
    --under_way;
    trapped = ran->trace && has_trapped(*ran->trace);
  }
  desk.forget_all();
  return trapped;
}

std::vector<Pool> GeneratedSelftest::pools_of(const std::string& program) const {
  auto pools = reference_;
  for (auto& pool : pools) {
    // A name of its own: cases are written in the light of the pool's earlier ones.
    pool.name.implementation = fmt::format("generated-{}", number_);
    pool.command = {program};
    pool.adapter = program;
  }
  return pools;
}

}  // namespace poolproof::properties
