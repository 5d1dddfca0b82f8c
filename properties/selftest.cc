#include "properties/selftest.h"

#include <algorithm>
#include <utility>

namespace poolproof::properties {
namespace {

using std::chrono::milliseconds;

/// So many cases tell what else a mutant breaks than the rule that catches it.
constexpr int kMutantCases = 100;
/// An adapter that fails so often in a row is given up.
constexpr int kMostTroubles = 3;

milliseconds since(Clock::time_point start) {
  return std::chrono::duration_cast<milliseconds>(Clock::now() - start);
}

std::size_t index_of(const Rule& rule) {
  return static_cast<std::size_t>(&rule - rule_table().data());
}

Mark mark_of(const Judgement& judgement, const Judged& judged) {
  if (std::holds_alternative<Held>(judgement.verdict)) return Mark::kHeld;
  for (const auto& violation : judged.violations) {
    if (violation.rule != judgement.rule) continue;
    return violation.cause == nullptr ? Mark::kViolated : Mark::kConsequence;
  }
  return Mark::kNotExercised;
}

}  // namespace

Mark SelftestRow::mark(const Rule& of) const {
  return marks.empty() ? Mark::kNotExercised : marks[index_of(of)];
}

bool is_derived_from(const Rule& rule, const Rule& other) {
  const auto all = causes(rule);
  return std::any_of(all.begin(), all.end(), [&](const Rule* cause) {
    return cause == &other || is_derived_from(*cause, other);
  });
}

const Rule* needed_by(const SelftestRow& row) {
  for (const Rule& rule : rule_table()) {
    if (row.mark(rule) != Mark::kViolated) continue;
    const bool alone =
        std::all_of(rule_table().begin(), rule_table().end(), [&](const Rule& other) {
          return row.mark(other) < Mark::kConsequence || &other == &rule ||
                 is_derived_from(other, rule);
        });
    if (alone) return &rule;
  }
  return nullptr;
}

std::vector<const SelftestRow*> SelftestResult::survivors() const {
  std::vector<const SelftestRow*> found;
  for (const auto& row : rows) {
    if (row.is_mutant() && !row.caught && row.trouble.empty()) found.push_back(&row);
  }
  return found;
}

std::vector<const SelftestRow*> SelftestResult::blamed() const {
  std::vector<const SelftestRow*> found;
  for (const auto& row : rows) {
    if (row.is_blamed()) found.push_back(&row);
  }
  return found;
}

std::vector<const SelftestRow*> SelftestResult::troubled() const {
  std::vector<const SelftestRow*> found;
  for (const auto& row : rows) {
    if (!row.trouble.empty() || row.cases == 0) found.push_back(&row);
  }
  return found;
}

std::vector<const Rule*> SelftestResult::unneeded() const {
  std::vector<const Rule*> found;
  if (!complete) return found;
  for (const Rule& rule : rule_table()) {
    if (!rule.implied_by.empty()) continue;
    const bool needed = std::any_of(rows.begin(), rows.end(), [&](const SelftestRow& row) {
      return row.is_mutant() && needed_by(row) == &rule;
    });
    if (!needed) found.push_back(&rule);
  }
  return found;
}

bool SelftestResult::failed() const {
  return !survivors().empty() || !blamed().empty() || !unneeded().empty();
}

Selftest::Selftest(harness::Runner& runner, SelftestOptions options, ScenarioSource source,
                   Listener listener, std::function<bool()> stopped)
    : desk_(runner, options.case_options, std::move(stopped)),
      options_(options),
      source_(std::move(source)),
      listener_(std::move(listener)) {}

SelftestResult Selftest::run(std::vector<SelftestRow> rows) {
  const auto start = Clock::now();
  const auto end = start + options_.time;
  rows_ = std::move(rows);
  generated_.assign(rows_.size(), 0);
  failed_in_turn_.assign(rows_.size(), 0);
  for (auto& row : rows_) row.marks.assign(rule_table().size(), Mark::kNotExercised);
  for (std::size_t index = 0; index < rows_.size() && !desk_.stopped(); ++index) {
    const auto left = std::max(end - Clock::now(), Clock::duration::zero());
    search(index, Clock::now() + left / static_cast<int>(rows_.size() - index));
  }
  search_on(end);
  SelftestResult result;
  result.rows = std::move(rows_);
  result.interrupted = desk_.stopped();
  result.elapsed = since(start);
  return result;
}

/// By turns, so that one that is hard to catch does not take the time of the others.
void Selftest::search_on(Clock::time_point end) {
  constexpr auto kLeastTurn = std::chrono::seconds(5);
  for (;;) {
    std::vector<std::size_t> at_large;
    for (std::size_t index = 0; index < rows_.size(); ++index) {
      if (rows_[index].is_mutant() && !rows_[index].caught && wants_more(index))
        at_large.push_back(index);
    }
    if (at_large.empty()) return;
    for (std::size_t i = 0; i < at_large.size(); ++i) {
      const auto left = end - Clock::now();
      if (left <= Clock::duration::zero() || desk_.stopped()) return;
      const auto turn =
          std::max<Clock::duration>(left / static_cast<int>(at_large.size() - i), kLeastTurn);
      search(at_large[i], std::min(end, Clock::now() + turn));
    }
  }
}

void Selftest::search(std::size_t index, Clock::time_point end) {
  auto& row = rows_[index];
  const auto start = Clock::now();
  const auto before = row.elapsed;
  sent_ = 0;
  while (Clock::now() < end && wants_more(index)) {
    submit_cases(index);
    auto ran = desk_.next(end);
    if (!ran) break;
    --sent_;
    const bool says_nothing = !ran->trace || adapter_failure(*row.pool, ran->scenario, *ran->trace);
    failed_in_turn_[index] = says_nothing ? failed_in_turn_[index] + 1 : 0;
    take(std::move(*ran), row, before + since(start));
  }
  desk_.forget_all();
  row.elapsed = before + since(start);
  if (failed_in_turn_[index] < kMostTroubles) row.trouble.clear();
}

bool Selftest::wants_more(std::size_t index) const {
  const auto& row = rows_[index];
  if (desk_.stopped() || failed_in_turn_[index] >= kMostTroubles) return false;
  if (row.is_mutant()) return !row.caught || row.cases < kMutantCases;
  return !row.is_blamed() && row.cases < options_.healthy_cases;
}

void Selftest::submit_cases(std::size_t index) {
  while (std::cmp_less(sent_, desk_.jobs() + 1)) {
    const auto& pool = *rows_[index].pool;
    const auto scenario = source_.generate(pool, generated_[index]++);
    if (!scenario) return;
    desk_.submit(pool, *scenario);
    ++sent_;
  }
}

void Selftest::take(Ran&& ran, SelftestRow& row, milliseconds since) {
  const auto& pool = *row.pool;
  if (!ran.trace) {
    row.trouble = ran.trace.error().message();
    return;
  }
  if (auto failure = adapter_failure(pool, ran.scenario, *ran.trace)) {
    row.trouble = std::move(*failure);
    return;
  }
  ++row.cases;
  const auto judged = judge_case(pool, ran.scenario, *ran.trace, {}, true);
  for (const auto& judgement : judged.judgements) {
    auto& mark = row.marks[index_of(*judgement.rule)];
    mark = std::max(mark, mark_of(judgement, judged));
  }
  for (const auto& violation : judged.violations) {
    if (violation.rule == row.rule && !row.caught) row.caught = {row.cases, since};
    if (violation.cause == nullptr) blame(violation, ran.scenario, row);
  }
  if (listener_) listener_(row);
}

void Selftest::blame(const Violation& violation, const harness::Scenario& scenario,
                     SelftestRow& row) const {
  const bool known = std::any_of(row.blames.begin(), row.blames.end(),
                                 [&](const auto& blame) { return blame.rule == violation.rule; });
  if (known) return;
  row.blames.push_back(
      {violation.rule,
       violation.evidence,
       {row.pool->name.text(), scenario, desk_.settings(*row.pool), options_.seed}});
}

}  // namespace poolproof::properties
