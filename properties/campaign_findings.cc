// The half of a campaign that makes findings of suspicions.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "properties/campaign.h"
#include "properties/complexity.h"

namespace poolproof::properties {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

/// What one finding's shrinking may take: new ones matter, known ones need only be recognised.
struct ShrinkBudget {
  int runs;
  int repeats;
  int weight;  // of its part in what is left of the time
  milliseconds least;
  milliseconds most;
  milliseconds late;  // so long after the run's end it is reported as it is
};
/// A long campaign takes more of its time to tell what it has found.
constexpr int kShareOfNew = 4;
constexpr ShrinkBudget kForNew{200, 10, 4, seconds(2), seconds(30), seconds(10)};
constexpr ShrinkBudget kForKnown{60, 3, 1, milliseconds(500), seconds(5), seconds(0)};

/// So many cases of one way to break a rule are kept, in case that the shortest does not repeat:
/// the three shortest, and the longest, which may be of another kind.
constexpr std::size_t kMostSuspects = 4;

/// What was not repeated failed never, as far as anybody knows. One of two that fail about as often
/// had more luck in its few repeats: the simpler one says more.
bool is_preferred(const Finding& one, const Finding& other) {
  if (!one.was_repeated()) return false;
  if (!other.was_repeated()) return true;
  if (one.is_stable() != other.is_stable()) return one.is_stable();
  if (one.rate().is_twice(other.rate()) || other.rate().is_twice(one.rate()))
    return one.rate().is_twice(other.rate());
  return complexity(one.simplest.scenario) < complexity(other.simplest.scenario);
}

}  // namespace

bool Campaign::Suspicion::is_of(const Finding& finding) const {
  return finding.pool == search->pool && finding.rule == rule && finding.known_link == known_link;
}

void Campaign::Suspicion::add(Suspect&& suspect) {
  const auto same = [&](const Suspect& other) { return other.scenario == suspect.scenario; };
  if (std::any_of(cases.begin(), cases.end(), same)) return;
  const auto longer = [&](const Suspect& other) {
    return other.scenario.length() > suspect.scenario.length();
  };
  cases.insert(std::find_if(cases.begin(), cases.end(), longer), std::move(suspect));
  if (cases.size() > kMostSuspects) cases.erase(cases.end() - 2);
}

void Campaign::suspect(const Ran& ran, int number, const Violation& violation, Search& search) {
  Suspicion fresh{&search, violation.rule, violation.known_link, {}};
  const auto found = [&](const Finding& finding) { return fresh.is_of(finding); };
  if (std::any_of(result_.findings.begin(), result_.findings.end(), found)) return;
  auto same = std::find_if(suspicions_.begin(), suspicions_.end(), [&](const Suspicion& suspicion) {
    return suspicion.search == &search && suspicion.rule == violation.rule &&
           suspicion.known_link == violation.known_link;
  });
  if (same == suspicions_.end()) same = suspicions_.insert(same, std::move(fresh));
  same->add({ran.scenario, *ran.trace, violation, number});
  if (options_.stop_at_first && violation.known_link.empty()) done_ = true;
}

void Campaign::investigate_all() {
  std::stable_partition(suspicions_.begin(), suspicions_.end(),
                        [](const Suspicion& suspicion) { return !suspicion.is_known(); });
  for (std::size_t index = 0; index < suspicions_.size(); ++index) {
    if (done_ && index > 0) break;  // one finding was asked for
    investigate(index);
  }
  suspicions_.clear();
}

/// The first of its cases that is reliable stands for all of them; else the best of them.
void Campaign::investigate(std::size_t index) {
  auto& suspicion = suspicions_[index];
  const auto& pool = *suspicion.search->pool;
  std::optional<Finding> best;
  for (auto& suspect : suspicion.cases) {
    const auto options = shrink_options(index);
    if (best && (options.repeats == 0 || desk_.stopped())) break;  // no time to learn more
    listener_.on_shrinking(pool, *suspicion.rule);
    auto finding = examined(pool, std::move(suspect), options);
    if (!best || is_preferred(finding, *best)) best = std::move(finding);
    if (best->is_stable()) break;
  }
  settle(std::move(*best), suspicion);
}

Finding Campaign::examined(const Pool& pool, Suspect&& suspect, const ShrinkOptions& options) {
  Finding finding;
  finding.pool = &pool;
  finding.rule = suspect.violation.rule;
  finding.known_link = suspect.violation.known_link;
  finding.case_number = suspect.number;
  finding.original = {pool.name.text(), suspect.scenario, desk_.settings(pool), options_.seed};
  finding.original_trace = suspect.trace;
  auto result = shrunk(pool, std::move(suspect), options);
  finding.simplest = finding.original;
  finding.simplest.scenario = result.best.scenario;
  finding.trace = std::move(result.best.trace);
  finding.evidence = result.best.violation.evidence;
  finding.runs = result.runs;
  finding.failed = result.rate.failed;
  finding.repeated = result.rate.made;
  return finding;
}

void Campaign::settle(Finding&& finding, Suspicion& suspicion) {
  const auto earlier = std::find_if(unstable_.begin(), unstable_.end(), [&](const Unstable& other) {
    return suspicion.is_of(other.finding);
  });
  if (finding.is_stable() && (finding.was_repeated() || earlier == unstable_.end())) {
    if (earlier != unstable_.end()) unstable_.erase(earlier);
    report(std::move(finding), suspicion.search->tally);
  } else if (earlier == unstable_.end()) {
    unstable_.push_back({suspicion.search, std::move(finding)});
  } else if (is_preferred(finding, earlier->finding)) {
    earlier->finding = std::move(finding);
  }
}

void Campaign::report_unstable() {
  for (auto& [search, finding] : unstable_) report(std::move(finding), search->tally);
  unstable_.clear();
}

Shrunk Campaign::shrunk(const Pool& pool, Suspect&& suspect, const ShrinkOptions& options) {
  Variants variants;
  variants.simpler = [&](const auto& scenario) { return source_.simpler(pool, scenario); };
  if (source_.surer)
    variants.surer = [&](const auto& scenario) { return source_.surer(pool, scenario); };
  Shrinker shrinker(
      desk_,
      {.pool = &pool, .rule = suspect.violation.rule, .known_link = suspect.violation.known_link},
      variants,
      [&](const harness::Scenario& scenario, const harness::Trace& trace) {
        return judge_case(pool, scenario, trace, options_.rules, options_.use_known);
      },
      options);
  return shrinker.shrink(
      {std::move(suspect.scenario), std::move(suspect.trace), std::move(suspect.violation)});
}

void Campaign::report(Finding&& finding, Tally& tally) {
  const auto same_rule = std::count_if(result_.findings.begin(), result_.findings.end(),
                                       [&](const Finding& f) { return f.rule == finding.rule; });
  finding.folder = fmt::format("{}-{}", finding.rule->id, same_rule + 1);
  const auto judged = judge_case(tally.pool(), finding.simplest.scenario, finding.trace,
                                 options_.rules, options_.use_known);
  for (const auto& other : judged.violations) {
    if (other.rule != finding.rule) finding.same_case.push_back(other);
  }
  for (const auto& earlier : result_.findings) {
    if (earlier.pool == finding.pool && earlier.simplest == finding.simplest) {
      finding.same_as = earlier.folder;
      break;
    }
  }
  if (!finding.is_stable() && !finding.is_known()) tally.set_unstable(*finding.rule);
  result_.findings.push_back(std::move(finding));
  listener_.on_finding(result_.findings.back());
}

ShrinkOptions Campaign::shrink_options(std::size_t index) const {
  const auto budget_of = [](const Suspicion& suspicion) {
    return suspicion.is_known() ? kForKnown : kForNew;
  };
  const auto budget = budget_of(suspicions_[index]);
  int weights = 0;
  for (auto at = index; at < suspicions_.size(); ++at) weights += budget_of(suspicions_[at]).weight;
  const auto now = Clock::now();
  const auto left = std::max(end_ - now, Clock::duration::zero());
  const bool late = now >= end_ + budget.late;
  ShrinkOptions options;
  options.runs = late ? 0 : budget.runs;
  options.repeats = late ? 0 : budget.repeats;
  Clock::duration most = budget.most;
  if (!suspicions_[index].is_known() && options_.time)
    most = std::max<Clock::duration>(most, *options_.time / kShareOfNew);
  options.deadline =
      now + std::clamp<Clock::duration>(left / weights * budget.weight, budget.least, most);
  return options;
}

}  // namespace poolproof::properties
