#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "harness/runner.h"
#include "properties/mutant_maker.h"
#include "properties/plan.h"
#include "properties/pools.h"
#include "properties/rules.h"
#include "properties/selftest.h"

namespace poolproof::properties {

/// A mutant that a machine made, and what became of it.
struct GeneratedMutant {
  enum class Fate {
    kCaught,    // some rule was violated, or no case could be run
    kSurvived,  // of all cases that were run
    kNotCompiled,
    kSameProgram,
    kNotRun,  // for want of time
  };

  std::string file;  // below the source tree's root
  Mutation mutation;
  std::vector<std::string> diff;
  Fate fate = Fate::kSurvived;
  const Rule* rule = nullptr;  // that was violated first
  std::string trouble;         // caught by no rule: why its runs said nothing
  std::string pool;            // the start method in which it was caught
  int cases = 0;
  std::chrono::milliseconds elapsed{0};
  /// Of a survivor: whether a process came there in as many cases; nullopt where nobody can tell.
  std::optional<bool> reached;

  /// What could not be told from the pool, or is no program, does not count.
  bool counts() const { return fate == Fate::kCaught || fate == Fate::kSurvived; }
};

struct GeneratedResult {
  std::vector<GeneratedMutant> mutants;
  std::chrono::milliseconds elapsed{0};
  bool interrupted = false;

  int number(GeneratedMutant::Fate fate) const;
  int counted() const;  // mutants that count
  /// Caught ones among those that count, in percent; nullopt where none counts.
  std::optional<double> percent_caught() const;
};

struct GeneratedOptions {
  int mutants = 0;
  int cases = 1500;                   // of each start method, with nothing caught
  std::chrono::milliseconds time{0};  // for all cases; compilers take theirs beside it
  std::uint64_t seed = 0;
  CaseOptions case_options;
};

/// Makes mutants one after the other and runs the selftest's cases on each, one start method after
/// the other, until a rule is violated. A mutant is never started outside of the sandbox: it is
/// taken for a pool that describes itself as the unmutated one does. Driven by one call from one
/// thread.
class GeneratedSelftest {
 public:
  using Listener = std::function<void(const GeneratedMutant&)>;

  /// reference: the unmutated pool, in each of its start methods. listener: told after each mutant.
  GeneratedSelftest(harness::Runner& runner, GeneratedOptions options, ScenarioSource source,
                    MutantMaker& maker, std::vector<Pool> reference, Listener listener,
                    std::function<bool()> stopped);

  /// Errors: why no mutant could be made.
  sys::Result<GeneratedResult> run();

 private:
  struct Dealt {
    std::size_t file = 0;
    Mutation mutation;
  };
  sys::Result<std::optional<Dealt>> deal();
  sys::Result<GeneratedMutant> judge(const Dealt& dealt);
  void search(const std::string& program, GeneratedMutant& mutant, Clock::time_point end);
  std::optional<bool> is_reached(const Dealt& dealt, const GeneratedMutant& mutant,
                                 Clock::time_point end);
  sys::Result<MutantMaker::Made> make(const Dealt& dealt, const TextChange& change);
  bool traps(const Pool& pool, Clock::time_point end);
  std::vector<Pool> pools_of(const std::string& program) const;

  harness::Runner& runner_;
  GeneratedOptions options_;
  ScenarioSource source_;
  MutantMaker& maker_;
  std::vector<Pool> reference_;
  Listener listener_;
  std::function<bool()> stopped_;
  MutationDealer dealer_;
  std::map<std::size_t, std::vector<Mutation>> mutations_;  // by file
  Clock::time_point end_;
  int number_ = 0;  // of the mutant, from 1
};

}  // namespace poolproof::properties
