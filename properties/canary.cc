#include "properties/canary.h"

#include <fmt/format.h>

#include "properties/judging.h"
#include "properties/text.h"

namespace poolproof::properties {
namespace {

/// Its rule needs all that the warden observes: births, main's death, who is left, and rest.
constexpr std::string_view kMutant = "workers_outlive_main";
constexpr std::string_view kRule = "W1";

/// Its workers stay for ever: what tells them from slow ones need not take the usual second.
constexpr std::chrono::milliseconds kGrace{200};

Canary named() {
  Canary canary;
  canary.mutant = kMutant;
  canary.rule = kRule;
  return canary;
}

}  // namespace

std::string Canary::in_words() const {
  switch (fate) {
    case Fate::kCaught:
      return fmt::format("mutant:{} caught by {} in {}", mutant, rule, counted(cases, "case"));
    case Fate::kMissed:
      return fmt::format(
          "the canary was missed: {} did not catch mutant:{} in {}{}, so that nothing which this "
          "run could say holds",
          rule, mutant, counted(cases, "case"), why.empty() ? "" : " (" + why + ")");
    case Fate::kSkipped:
      return "skipped, " + why;
  }
  return "";
}

Canary skipped_canary(const std::string& why) {
  auto canary = named();
  canary.why = why;
  return canary;
}

std::optional<Pool> canary_pool(const PoolPlaces& places, std::string& why) {
  const auto name = fmt::format("mutant:{}", kMutant);
  const std::vector<std::string> names{name};
  auto pools =
      PoolFinder({.share = places.share, .pythons = {}, .adapter = {}, .contract = {}}).find(names);
  if (!pools.found.empty()) return std::move(pools.found.front());
  why = name + " is not installed";
  return std::nullopt;
}

Canary try_canary(harness::Runner& runner, const Pool& mutant, const ScenarioSource& source,
                  const CaseOptions& case_options, const CanaryOptions& options,
                  std::function<bool()> stopped) {
  auto canary = named();
  canary.fate = Canary::Fate::kMissed;
  const auto& rule = *rule_named(canary.rule);
  auto hasty = mutant;
  hasty.contract.grace = kGrace;
  Desk desk(runner, case_options, std::move(stopped));
  const auto start = Clock::now();
  const auto end =
      start + std::chrono::duration_cast<Clock::duration>(options.time * case_options.time_scale);
  int sent = 0;
  for (int under_way = 0; canary.fate == Canary::Fate::kMissed; --under_way) {
    for (; under_way < desk.jobs() && sent < options.cases; ++under_way) {
      const auto scenario = source.generate(hasty, sent++);
      if (scenario) desk.submit(hasty, *scenario);
    }
    const auto ran = desk.next(end);
    if (!ran) break;
    if (!ran->trace) {
      canary.why = ran->trace.error().message();
      continue;
    }
    ++canary.cases;
    const auto judged = judge_case(hasty, ran->scenario, *ran->trace, {&rule}, false);
    if (judged.find(rule, "") != nullptr) canary.fate = Canary::Fate::kCaught;
  }
  if (desk.stopped()) canary = skipped_canary("interrupted");
  desk.forget_all();
  canary.took = std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - start);
  return canary;
}

}  // namespace poolproof::properties
