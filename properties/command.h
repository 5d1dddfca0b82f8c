#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/runner.h"
#include "properties/pools.h"

namespace poolproof::properties {

/// What the commands exit with.
enum ExitCode : int {
  kExitKept = 0,
  kExitViolated = 1,
  kExitUsage = 2,
  kExitHarness = 3,        // the harness could not do its work, or ran no case
  kExitCannotJudge = 125,  // replay, for `git bisect run`
  kExitInterrupted = 130,
};

/// Prints "poolproof: what" as one line on stderr; returns `code`.
int failed_with(ExitCode code, std::string_view what);

/// --python, --adapter and --contract, the same for every command that runs pools.
struct PoolOptions {
  std::vector<std::string> pythons;
  std::string adapter;
  std::string contract;

  PoolPlaces places() const;
};

/// What is wrong with --adapter and --contract before anything is started, as one line.
std::optional<std::string> misuse(const PoolOptions& options);

/// The pools that `names` mean, or the exit code after one line that says why not. Absent pools
/// that nobody named are left in `absent`.
struct ChosenPools {
  Pools pools;
  std::optional<int> exit_code;
};
ChosenPools choose_pools(const PoolOptions& options, const std::vector<std::string>& names);

/// Starts the wardens, or prints one line why they do not start.
std::unique_ptr<harness::Runner> start_runner(int jobs, int rung);

/// Two for each processor: in a case there is hardly ever more than one who does not wait for
/// another, and so a single one leaves its processor idle for a fifth of the time.
int default_jobs();

/// From now on Ctrl-C, SIGTERM and SIGHUP ask the command to finish with what it has; a second one
/// ends it at once. Returns what tells whether one came.
std::function<bool()> finish_on_interrupt();

}  // namespace poolproof::properties
