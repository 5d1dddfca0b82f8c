#include "properties/judging.h"

#include <fmt/format.h>

#include <algorithm>

#include "properties/family.h"
#include "properties/text.h"

namespace poolproof::properties {
namespace {

using harness::Scenario;
using harness::Trace;

constexpr int kAdapterFailed = 99;  // harness/protocol/README.md

const Violated* violated(const Rule& rule, const std::vector<Judgement>& judgements) {
  for (const auto& judgement : judgements) {
    if (judgement.rule == &rule) return std::get_if<Violated>(&judgement.verdict);
  }
  return nullptr;
}

/// Whether the one showed before anything of the other was to be seen.
bool is_older(const Violated& one, const Violated& other) {
  if (one.events.empty() || other.events.empty()) return false;
  return *std::max_element(one.events.begin(), one.events.end()) <
         *std::min_element(other.events.begin(), other.events.end());
}

/// Follows implied_by as long as a cause is violated in the same case; what is older than that has
/// another one.
const Rule* cause_of(const Rule& rule, const std::vector<Judgement>& judgements) {
  const Rule* cause = nullptr;
  for (const Rule* wanted = &rule; wanted != nullptr;) {
    const auto all = causes(*wanted);
    const auto* consequence = violated(*wanted, judgements);
    const auto found = std::find_if(all.begin(), all.end(), [&](const Rule* each) {
      const auto* before = violated(*each, judgements);
      return before != nullptr && !is_older(*consequence, *before);
    });
    wanted = found == all.end() || *found == &rule ? nullptr : *found;
    if (wanted != nullptr) cause = wanted;
  }
  return cause;
}

std::string first_line(const std::string& text) {
  const auto lines = lines_of(text);
  return lines.empty() ? "it printed nothing" : clipped(printable(lines.front()), 160);
}

/// The first step that ought to make a pool; 0 for none.
int first_sound_create(const Scenario& scenario) {
  int number = 0;
  for (const auto& step : scenario.steps) {
    ++number;
    if (step.kind == harness::StepKind::kCreate && !has_bad_count(step) && !fails(step.initializer))
      return number;
  }
  return 0;
}

template <class Kind>
const Kind* first(const Trace& trace) {
  for (const auto& event : trace.events) {
    if (const auto* kind = std::get_if<Kind>(&event.kind)) return kind;
  }
  return nullptr;
}

}  // namespace

const Violation* Judged::find(const Rule& rule, const std::string& known_link) const {
  for (const auto& violation : violations) {
    if (violation.rule == &rule && violation.known_link == known_link) return &violation;
  }
  return nullptr;
}

bool Judged::held(const Rule& rule) const {
  return std::any_of(judgements.begin(), judgements.end(), [&](const Judgement& judgement) {
    return judgement.rule == &rule && std::holds_alternative<Held>(judgement.verdict);
  });
}

bool Judged::in_doubt() const {
  return std::any_of(judgements.begin(), judgements.end(), [](const Judgement& judgement) {
    return std::holds_alternative<Inconclusive>(judgement.verdict);
  });
}

Judged judge_case(const Pool& pool, const Scenario& scenario, const Trace& trace,
                  const std::vector<const Rule*>& rules, bool use_known) {
  Judged judged;
  judged.judgements = judge({.scenario = scenario,
                             .trace = trace,
                             .contract = pool.contract,
                             .language = pool.abilities.language,
                             .runtime = pool.abilities.runtime},
                            use_known);
  const auto is_asked_for = [&](const Rule* rule) {
    return rules.empty() || std::find(rules.begin(), rules.end(), rule) != rules.end();
  };
  for (auto& judgement : judged.judgements) {
    auto* found = std::get_if<Violated>(&judgement.verdict);
    if (found == nullptr || !is_asked_for(judgement.rule)) continue;
    const auto* cause = cause_of(*judgement.rule, judged.judgements);
    if (cause != nullptr && found->known_link.empty()) {
      found->known_link = violated(*cause, judged.judgements)->known_link;
    }
    // A cause that nobody asked about leaves its consequence to be told.
    const bool told = cause != nullptr && is_asked_for(cause);
    judged.violations.push_back(
        {judgement.rule, found->evidence, found->known_link, told ? cause : nullptr});
  }
  std::erase_if(judged.judgements,
                [&](const Judgement& judgement) { return !is_asked_for(judgement.rule); });
  return judged;
}

std::optional<std::string> adapter_failure(const Pool& pool, const Scenario& scenario,
                                           const Trace& trace) {
  const Family family(trace);
  const auto* main = family.main();
  if (trace.end == harness::End::kLimit || main == nullptr) return std::nullopt;
  const bool gave_up = main->status == sys::ExitStatus(sys::Exited{kAdapterFailed});
  if (gave_up && scenario.ending.code != kAdapterFailed) {
    return fmt::format("{} gave up: {}", pool.adapter, first_line(trace.err.text));
  }
  if (const auto* garbage = first<harness::Garbage>(trace)) {
    return fmt::format("{} wrote a line that is no claim into POOLPROOF_TRACE: {}", pool.adapter,
                       clipped(printable(garbage->text), 60));
  }
  if (first<harness::Started>(trace) == nullptr) {
    const auto how = main->status ? sys::to_string(*main->status) : "hung";
    const auto said = last_line(trace.err.text);
    return fmt::format("{} {} without a 'started' claim in POOLPROOF_TRACE; stderr: {}",
                       pool.adapter, how, said.empty() ? "it printed nothing" : said);
  }
  return std::nullopt;
}

std::vector<std::string> not_come_to_be(const Scenario& scenario, const Trace& trace) {
  std::vector<std::string> reasons;
  if (scenario.fault && first<harness::FaultFired>(trace) == nullptr)
    reasons.push_back("the fault never fired: " + to_string(*scenario.fault));
  const int create = first_sound_create(scenario);
  for (const auto& event : trace.events) {
    const auto* ended = std::get_if<harness::StepEnded>(&event.kind);
    if (ended == nullptr) continue;
    const auto kind = ended->result.kind;
    // Every step after it is refused then, and no rule has anything to say.
    if (ended->step == create && !scenario.fault && kind != harness::StepResult::Kind::kOk)
      reasons.emplace_back("the adapter made no pool (create failed)");
    if (kind == harness::StepResult::Kind::kNotFired)
      reasons.push_back(fmt::format("step {} found no worker to kill", ended->step));
  }
  return reasons;
}

}  // namespace poolproof::properties
