#include "properties/contract_command.h"

#include <fmt/format.h>

#include <cmath>
#include <random>

#include "properties/campaign.h"
#include "properties/console.h"
#include "properties/contract_choices.h"
#include "properties/contract_text.h"
#include "properties/desk.h"
#include "properties/infer.h"
#include "properties/judging.h"
#include "properties/text.h"

namespace poolproof::properties {
namespace {

using std::chrono::milliseconds;

constexpr double kSeconds = 60;
/// What a weaker contract allows is generated only under it: so the proposal is tried, and mended.
constexpr int kRounds = 3;

/// Runs random scenarios as a pool under `contract` and keeps what came of them.
class Gathering {
 public:
  Gathering(harness::Runner& runner, const ScenarioSource& source, std::function<bool()> stopped)
      : desk_(runner, CaseOptions::of_environment(), std::move(stopped)), source_(source) {}

  void run(const Pool& pool, int cases, Clock::time_point end) {
    const auto enough = experiences_.size() + static_cast<std::size_t>(cases);
    int sent = 0;
    while (!desk_.stopped() && Clock::now() < end && experiences_.size() < enough) {
      while (sent <= desk_.jobs()) {
        const auto scenario = source_.generate(pool, generated_++);
        if (!scenario) break;
        desk_.submit(pool, *scenario);
        ++sent;
      }
      auto ran = desk_.next(end);
      if (!ran) break;
      --sent;
      take(std::move(*ran));
    }
    desk_.forget_all();
  }

  const std::vector<Experience>& experiences() const { return experiences_; }
  const std::string& trouble() const { return trouble_; }
  bool stopped() const { return desk_.stopped(); }

 private:
  void take(Ran&& ran) {
    if (!ran.trace) return void(trouble_ = ran.trace.error().message());
    if (auto failure = adapter_failure(*ran.pool, ran.scenario, *ran.trace))
      return void(trouble_ = std::move(*failure));
    experiences_.push_back({std::move(ran.scenario), std::move(*ran.trace)});
  }

  Desk desk_;
  const ScenarioSource& source_;
  int generated_ = 0;
  std::vector<Experience> experiences_;
  std::string trouble_;
};

/// Where it is not what the pool is held to today.
std::string differences(const Pool& pool, const Contract& inferred) {
  std::string text;
  for (const auto& choice : contract_choices()) {
    const auto today = value_of(choice, pool.contract).text;
    if (today == value_of(choice, inferred).text) continue;
    text += fmt::format("# {} is {} in the contract that is here\n", choice.key, today);
  }
  return text;
}

int infer(const ContractCommand& command, const Pool& pool) {
  const int jobs = command.jobs > 0 ? command.jobs : default_jobs();
  const auto runner = start_runner(jobs, command.rung);
  if (runner == nullptr) return kExitHarness;
  const auto seed = command.seed.value_or(std::random_device{}());
  const auto source = random_source(seed);
  Gathering gathering(*runner, source, finish_on_interrupt());
  const auto time =
      milliseconds(std::llround(command.seconds.value_or(command.cases ? 1e6 : kSeconds) * 1000));
  const auto start = Clock::now();
  auto hypothesis = pool;
  hypothesis.contract = Contract{};
  hypothesis.contract.pool = pool.abilities.name;
  hypothesis.contract.grace = pool.contract.grace;
  Inferred inferred;
  for (int round = 1; round <= kRounds && !gathering.stopped(); ++round) {
    gathering.run(hypothesis, command.cases.value_or(1'000'000) / kRounds + 1,
                  start + time * round / kRounds);
    inferred = infer_contract(pool, gathering.experiences());
    inferred.contract.grace = pool.contract.grace;
    hypothesis.contract = inferred.contract;
  }
  if (gathering.stopped()) return kExitInterrupted;
  if (gathering.experiences().empty()) {
    return failed_with(kExitHarness,
                       gathering.trouble().empty() ? "no case was run" : gathering.trouble());
  }
  Console::of_this_process().print(
      fmt::format("# {}, {}: by {}, seed {:x}\n", pool.name.text(), pool.abilities.runtime,
                  counted(static_cast<std::int64_t>(gathering.experiences().size()), "case"),
                  seed) +
      differences(pool, inferred.contract) + inferred_as_toml(inferred, pool.abilities.name));
  return kExitKept;
}

}  // namespace

int run_contract(const ContractCommand& command) {
  if (!command.infer && (command.seconds || command.cases || command.seed))
    return failed_with(kExitUsage, "--time, --cases and --seed go with --infer");
  if (command.pool.empty() && command.places.adapter.empty())
    return failed_with(kExitUsage, "contract: which pool? 'poolproof pools' lists them");
  const auto names = command.pool.empty() ? std::vector<std::string>{} : std::vector{command.pool};
  const auto chosen = choose_pools(command.places, names);
  if (chosen.exit_code) return *chosen.exit_code;
  const auto& pool = chosen.pools.found.front();
  if (command.infer) return infer(command, pool);
  Console::of_this_process().print(to_toml(pool.contract));
  return kExitKept;
}

}  // namespace poolproof::properties
