#include "properties/command.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <thread>

#include "properties/text.h"

namespace poolproof::properties {
namespace {

namespace fs = std::filesystem;

/// A signal handler reaches nothing else.
std::atomic<bool> interrupted = false;
static_assert(std::atomic<bool>::is_always_lock_free);

void on_interrupt(int number) {
  interrupted = true;
  std::signal(number, SIG_DFL);
}

/// Names that none of the pools found goes by. A pool of one's own is called what its adapter says.
std::optional<std::string> misnamed(const Pools& pools, const std::vector<std::string>& names) {
  for (const auto& name : names) {
    const auto wanted = PoolName::parse(name);
    if (std::none_of(pools.found.begin(), pools.found.end(),
                     [&](const Pool& pool) { return wanted.covers(pool.name); }))
      return name;
  }
  return std::nullopt;
}

/// "a and b are absent: why", one line for each reason.
std::vector<std::string> absences(const Pools& pools, const PoolOptions& options) {
  std::vector<std::pair<std::string, std::vector<std::string>>> by_reason;
  for (const auto& absent : pools.absent) {
    const auto found = std::find_if(by_reason.begin(), by_reason.end(),
                                    [&](const auto& reason) { return reason.first == absent.why; });
    if (found != by_reason.end()) {
      found->second.push_back(absent.implementation);
    } else {
      by_reason.push_back({absent.why, {absent.implementation}});
    }
  }
  std::vector<std::string> lines;
  for (const auto& [why, who] : by_reason) {
    const auto names = options.adapter.empty() ? fmt::format("{} {} absent", joined(who, ", "),
                                                             who.size() == 1 ? "is" : "are")
                                               : std::string("--adapter");
    lines.push_back(fmt::format("{}: {}", names, why));
  }
  return lines;
}

}  // namespace

int failed_with(ExitCode code, std::string_view what) {
  // Where nobody can read it, the exit status says enough: fmt::print would throw.
  std::fputs(fmt::format("poolproof: {}\n", what).c_str(), stderr);
  return code;
}

std::optional<std::string> misuse(const PoolOptions& options) {
  std::error_code ignored;
  if (options.adapter.empty()) {
    if (options.contract.empty()) return std::nullopt;
    return "--contract goes with --adapter: pools that poolproof knows have theirs";
  }
  const auto words = command_of_adapter(options.adapter);
  const auto program = words.empty() ? std::string() : words.front();
  if (program.find('/') != std::string::npos) {
    const auto status = fs::status(program, ignored);
    if (!fs::exists(status)) return fmt::format("--adapter {}: no such file", program);
    if (fs::is_directory(status)) return fmt::format("--adapter {}: is a folder", program);
    if ((status.permissions() & (fs::perms::owner_exec | fs::perms::group_exec |
                                 fs::perms::others_exec)) == fs::perms::none) {
      return fmt::format(
          "--adapter {}: not executable (chmod +x, or name its interpreter: "
          "--adapter \"python3 {}\")",
          program, program);
    }
  }
  if (!options.contract.empty()) {
    const auto contract = contract_from_file(options.contract);
    if (!contract) return contract.error().message();
  }
  return std::nullopt;
}

PoolPlaces PoolOptions::places() const {
  return {.share = default_share(), .pythons = pythons, .adapter = adapter, .contract = contract};
}

ChosenPools choose_pools(const PoolOptions& options, const std::vector<std::string>& names) {
  ChosenPools chosen;
  if (const auto wrong = misuse(options)) {
    chosen.exit_code = failed_with(kExitUsage, *wrong);
    return chosen;
  }
  const PoolFinder finder(options.places());
  chosen.pools = finder.find(names);
  const auto& pools = chosen.pools;
  if (!pools.unmatched.empty()) {
    chosen.exit_code =
        failed_with(kExitUsage, unknown_pool(pools.unmatched.front(), finder.find({})));
  } else if (!pools.absent.empty() &&
             (!names.empty() || !options.pythons.empty() || pools.found.empty())) {
    for (const auto& line : absences(pools, options))
      chosen.exit_code = failed_with(kExitHarness, line);
  } else if (pools.found.empty()) {
    chosen.exit_code = failed_with(kExitHarness, "no pool was found");
  } else if (const auto wrong = misnamed(pools, names); wrong && !options.adapter.empty()) {
    chosen.exit_code = failed_with(
        kExitUsage, fmt::format("--adapter {}: its pool is called {}, not '{}'", options.adapter,
                                pools.found.front().name.text(), printable(*wrong)));
  }
  return chosen;
}

std::unique_ptr<harness::Runner> start_runner(int jobs, int rung) {
  auto runner = harness::Runner::start({.jobs = jobs, .rung = rung, .warden = {}});
  if (runner) return std::move(*runner);
  failed_with(kExitHarness, runner.error().message());
  return nullptr;
}

int default_jobs() {
  constexpr int kEach = 2;
  const auto processors = std::thread::hardware_concurrency();
  return kEach * (processors == 0 ? 1 : static_cast<int>(processors));
}

std::function<bool()> finish_on_interrupt() {
  for (const int number : {SIGINT, SIGTERM}) std::signal(number, on_interrupt);
  // Under nohup(1) it stays ignored.
  if (std::signal(SIGHUP, on_interrupt) == SIG_IGN) std::signal(SIGHUP, SIG_IGN);
  return [] { return interrupted.load(); };
}

}  // namespace poolproof::properties
