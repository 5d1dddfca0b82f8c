#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "harness/launch.h"
#include "harness/sys/result.h"
#include "properties/abilities.h"
#include "properties/contract.h"

namespace poolproof::properties {

/// "implementation:variant@version"; the last two may be empty.
struct PoolName {
  std::string implementation;
  std::string variant;
  std::string version;

  static PoolName parse(std::string_view text);
  std::string text() const;

  /// Whether this, as somebody wrote it, means `full`: what is left out means all, and version
  /// "3.8" means 3.8.18 too.
  bool covers(const PoolName& full) const;
};

/// One pool in one variant, ready to be run.
struct Pool {
  PoolName name;             // whole, as cases name it
  std::string start_method;  // for its scenarios; empty where there is no choice
  Abilities abilities;
  Contract contract;
  std::vector<std::string> command;  // argv of the adapter, without a scenario
  std::string adapter;               // its path

  /// As reports name it: without the version.
  std::string label() const { return PoolName{name.implementation, name.variant, ""}.text(); }
};

/// A pool that we have an adapter for, and cannot run here.
struct AbsentPool {
  std::string implementation;
  std::string adapter;  // the path that was tried
  std::string why;      // one line
};

struct Pools {
  std::vector<Pool> found;
  std::vector<AbsentPool> absent;
  std::vector<std::string> unmatched;  // names that mean neither a found pool nor an absent one
};

/// Where pools come from.
struct PoolPlaces {
  std::filesystem::path share;       // holds adapters/ and contracts/
  std::vector<std::string> pythons;  // commands; empty: python3 of PATH
  std::string adapter;               // one's own, instead of all others
  std::string contract;              // for it; empty: every MUST rule counts
};

/// POOLPROOF_SHARE, else ../share/poolproof beside the running executable.
std::filesystem::path default_share();

/// What `--adapter` asks for, word by word; the path of a file may have blanks.
std::vector<std::string> command_of_adapter(const std::string& adapter);

/// Asks adapters to describe themselves. Nothing is kept between calls.
class PoolFinder {
 public:
  using Run = std::function<sys::Result<harness::CommandOutput>(std::span<const std::string>,
                                                                std::chrono::milliseconds)>;

  explicit PoolFinder(PoolPlaces places, Run run = harness::run_command)
      : places_(std::move(places)), run_(std::move(run)) {}

  /// The pools that `names` mean, in the table's order, each once; no names: all of them. Mutants
  /// are found by name only. With PoolPlaces::adapter: the variants of that one.
  Pools find(std::span<const std::string> names) const;

 private:
  struct Candidate {
    std::string implementation;        // what it is expected to be; empty: what it says
    std::vector<std::string> command;  // empty: `why` says why there is none
    std::string adapter;
    std::string contract;  // path
    bool must_have_contract = true;
    std::string why;
  };
  std::vector<Candidate> candidates(std::span<const std::string> names) const;
  std::vector<Candidate> python_candidates(const std::vector<PoolName>& wanted) const;
  std::vector<std::string> interpreters(const std::vector<PoolName>& wanted) const;
  Candidate own() const;
  Candidate mutant(const std::string& name) const;
  void examine(const Candidate& candidate, Pools& pools) const;
  void add_variant(const Candidate& candidate, const Abilities& general, const Contract& contract,
                   const std::string& start_method, Pools& pools) const;
  sys::Result<Abilities> describe(const Candidate& candidate,
                                  const std::string& start_method) const;
  sys::Result<std::string> resolved_interpreter(const std::vector<std::string>& command) const;

  PoolPlaces places_;
  Run run_;
};

/// What `poolproof pools` prints.
std::string pools_in_words(const Pools& pools);

/// One line: what there is instead of `name`.
std::string unknown_pool(std::string_view name, const Pools& all);

/// Reads and checks a contract file.
sys::Result<Contract> contract_from_file(const std::string& path);

}  // namespace poolproof::properties
