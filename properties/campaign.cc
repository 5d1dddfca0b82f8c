#include "properties/campaign.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "properties/conditions.h"
#include "properties/model.h"
#include "properties/random_fault.h"

namespace poolproof::properties {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

/// A pool whose adapter, or whose warden, fails so often in a row is given up.
constexpr int kMostTroubles = 3;

/// Cases that were begun when the time was over are waited for, but no longer than a part of the
/// fuse: that is more than any case takes whose end is in sight (a kill step alone may look for its
/// victim for 2 s), and a pool whose cases hang does not cost the others their share.
constexpr int kAfterTime = 4;  // one in so many

constexpr auto kForEver = std::chrono::hours(24 * 365);

/// The first round of the search; the second one has what shrinking leaves.
constexpr int kFirstRound = 2;  // one in so many

/// What all short scenarios may take of a pool's share of the first round: a fifth of its whole.
constexpr int kShortPercent = 40;
/// So many of them are begun before anybody knows how long one takes.
constexpr std::int64_t kHandful = 8;

/// Too little for another round.
constexpr milliseconds kLeastRound{500};

std::optional<std::string> limit_of(const harness::Trace& trace) {
  if (trace.end == harness::End::kFuse) return "fuse";
  if (trace.end == harness::End::kTimeOver) return "time";
  if (trace.end == harness::End::kDeadline) return "deadline";
  if (trace.end != harness::End::kLimit) return std::nullopt;
  for (const auto& event : trace.events) {
    if (const auto* hit = std::get_if<harness::LimitHit>(&event.kind)) return hit->what;
  }
  return "unknown";
}

}  // namespace

int CampaignResult::cases() const {
  int all = 0;
  for (const auto& tally : tallies) all += tally.cases();
  return all;
}

bool CampaignResult::has_violation() const {
  return std::any_of(tallies.begin(), tallies.end(), [&](const Tally& tally) {
    return !unusable.contains(tally.pool().label()) &&
           std::any_of(tally.rules().begin(), tally.rules().end(),
                       [](const RuleTally& rule) { return rule.outcome() == Outcome::kViolated; });
  });
}

bool CampaignResult::has_doubt() const {
  const auto in_doubt = [](const RuleTally& rule) {
    return rule.outcome() == Outcome::kInconclusive || rule.inconclusive > 0 ||
           rule.outcome() == Outcome::kNotExercised || rule.no_longer_seen;
  };
  return regressions.has_gap() ||
         std::any_of(tallies.begin(), tallies.end(), [&](const Tally& tally) {
           return std::any_of(tally.rules().begin(), tally.rules().end(), in_doubt);
         });
}

Campaign::Campaign(harness::Runner& runner, const std::vector<Pool>& pools, CampaignOptions options,
                   ScenarioSource source, CampaignListener& listener, std::function<bool()> stopped)
    : desk_(runner, options.case_options, std::move(stopped)),
      options_(std::move(options)),
      source_(std::move(source)),
      listener_(listener) {
  const PlanOptions plan{options_.part, options_.cases, options_.most_steps};
  for (const auto& pool : pools) {
    searches_.push_back({.pool = &pool,
                         .plan = Plan(pool, plan, source_),
                         .tally = Tally(pool, options_.rules, options_.use_known),
                         .usable = {},
                         .coverage = {},
                         .sent = {},
                         .began = {},
                         .end_of_short = {}});
  }
}

CampaignResult Campaign::run() {
  const auto start = Clock::now();
  const Clock::duration time = options_.time ? *options_.time : milliseconds(kForEver);
  end_ = start + time;
  search_and_investigate(start + time / kFirstRound);
  if (end_ - Clock::now() >= kLeastRound) search_and_investigate(end_);
  return finished(start);
}

/// Where one finding was asked for, an unstable one is none: the search goes on.
void Campaign::search_and_investigate(Clock::time_point end) {
  const auto stands = [](const Finding& finding) {
    return !finding.is_known() && finding.is_stable();
  };
  const auto& findings = result_.findings;
  while (true) {
    search_all(end);
    investigate_all();
    if (!done_) return;
    done_ = std::any_of(findings.begin(), findings.end(), stands);
    if (done_ || desk_.stopped() || end - Clock::now() < kLeastRound) return;
  }
}

CampaignResult Campaign::finished(Clock::time_point start) {
  desk_.forget_all();
  report_unstable();
  for (auto& search : searches_) {
    result_.regressions.left += search.plan.regressions_left();
    if (!search.started) continue;
    search.tally.close();
    if (auto unused = search.usable.trouble(*search.pool)) {
      result_.troubles.push_back(std::move(*unused));
      result_.unusable.insert(search.pool->label());
    }
    result_.covered.push_back(covered_by(search));
    if (auto extent = search.plan.extent()) result_.exhausted.push_back({search.pool, *extent});
    result_.tallies.push_back(std::move(search.tally));
  }
  result_.interrupted = desk_.stopped();
  result_.elapsed = std::chrono::duration_cast<milliseconds>(Clock::now() - start);
  return std::move(result_);
}

Covered Campaign::covered_by(const Search& search) const {
  const auto all = reachable(search.pool->abilities, search.pool->contract);
  Covered covered{search.pool, pairs_reached(search.coverage, all), std::nullopt, {}};
  if (options_.faults)
    covered.with_faults = triples_reached(search.coverage, all, random_fault_kinds());
  for (const auto& moment : all) {
    if (search.coverage.count(moment) == 0) covered.unreached.push_back(moment);
  }
  return covered;
}

void Campaign::search_all(Clock::time_point end) {
  std::vector<Search*> order;
  for (auto& search : searches_) order.push_back(&search);
  // What a pool takes beyond its share, those after it lack: who has nothing yet is the next.
  std::stable_partition(order.begin(), order.end(),
                        [](const Search* search) { return search->tally.cases() == 0; });
  for (std::size_t index = 0; index < order.size() && !done_ && !desk_.stopped(); ++index) {
    // Time that a pool did not use is shared by those after it.
    const auto left = std::max(end - Clock::now(), Clock::duration::zero());
    search(*order[index], Clock::now() + left / static_cast<int>(order.size() - index));
  }
}

void Campaign::search(Search& search, Clock::time_point end) {
  if (!search.started) {
    search.began = Clock::now();
    search.end_of_short = search.began + (end - search.began) * kShortPercent / 100;
  }
  search.started = true;
  while (Clock::now() < end && wants_more(search)) {
    submit_cases(search);
    if (search.sent.empty()) break;
    if (auto ran = desk_.next(end)) take(std::move(*ran), search);
  }
  finish_started(search);
  desk_.forget_all();
  return_unbegun(search);
}

/// What nobody began says nothing; what was begun and does not end must show, or a pool whose hangs
/// cannot be proved would look healthy in any run that is shorter than the fuse. It is ended, and
/// judged by what was seen of it.
void Campaign::finish_started(Search& search) {
  auto started = telling_cases_under_way(search);
  const auto patience = options_.case_options.fuse_here() / kAfterTime;
  const auto take_until = [&](Clock::time_point end, auto next) {
    while (!started.empty() && wants_more(search)) {
      auto ran = next(end);
      if (!ran) return;
      started.erase(ran->id);
      take(std::move(*ran), search);
    }
  };
  take_until(Clock::now() + patience, [&](auto end) { return desk_.next(end); });
  if (!started.empty() && wants_more(search)) desk_.end_under_way();
  // Of the others, which may wait, an end that was asked for says nothing.
  take_until(Clock::now() + patience, [&](auto end) { return desk_.next_of(started, end); });
  if (!wants_more(search)) return;  // it was stopped: that the rest is not over is not its fault
  for (const auto id : started) {
    search.tally.add_unfinished("not finished when the time was over");
    note_limit("time", *search.pool, search.sent.at(id).scenario, {});
    search.sent.erase(id);
  }
}

/// They come first in the next round, so that no gap is left in what was to be tried as a whole.
void Campaign::return_unbegun(Search& search) {
  for (auto& [id, planned] : search.sent) search.plan.put_back(std::move(planned));
  search.sent.clear();
}

/// Those in a warden's hands, but for scenarios in which a healthy pool may wait as well.
std::set<std::uint64_t> Campaign::telling_cases_under_way(const Search& search) {
  auto started = desk_.under_way();
  std::erase_if(started, [&](std::uint64_t id) {
    return may_wait_where_kills_miss(search.sent.at(id).scenario, search.pool->contract);
  });
  return started;
}

bool Campaign::wants_more(const Search& search) const {
  return !done_ && !desk_.stopped() && search.troubles < kMostTroubles;
}

void Campaign::submit_cases(Search& search) {
  const auto fits = [&](std::int64_t cases) { return has_time_for(cases, search); };
  while (std::cmp_less(search.sent.size(), 2 * desk_.jobs())) {
    auto planned = search.plan.next(fits);
    if (!planned) return;
    const auto id = desk_.submit(*search.pool, planned->scenario);
    search.sent.emplace(id, std::move(*planned));
  }
}

/// As long as its cases took so far. Before the first is over, a handful is always worth it.
bool Campaign::has_time_for(std::int64_t cases, const Search& search) {
  const int done = search.tally.cases();
  if (done == 0) return cases <= kHandful;
  const auto now = Clock::now();
  const std::chrono::duration<double> each = (now - search.began) / done;
  const std::chrono::duration<double> left = search.end_of_short - now;
  return static_cast<double>(cases) * each <= left;
}

void Campaign::take(Ran&& ran, Search& search) {
  const auto& pool = *search.pool;
  const auto planned = std::move(search.sent.extract(ran.id).mapped());
  if (!ran.trace) return trouble(search, ran.trace.error().message());
  if (auto failure = adapter_failure(pool, ran.scenario, *ran.trace))
    return trouble(search, *failure);
  search.troubles = 0;
  search.coverage.add(ran.scenario, pool.contract, *ran.trace);
  search.usable.add(pool, ran.scenario, *ran.trace, planned.number);
  const auto judged =
      judge_case(pool, ran.scenario, *ran.trace, options_.rules, options_.use_known);
  search.plan.ran(planned, judged.in_doubt());
  if (const auto limit = limit_of(*ran.trace); limit && judged.in_doubt()) {
    note_limit(*limit, pool, ran.scenario, *ran.trace);
  }
  search.tally.add(judged, [&](const KnownDeviation& deviation) {
    return all_hold(deviation.condition, ran.scenario, *ran.trace);
  });
  if (planned.origin == Origin::kRegression) count_regression(ran, judged);
  listener_.on_case(pool, planned.number);
  for (const auto& violation : judged.violations) {
    if (violation.cause == nullptr) suspect(ran, planned.number, violation, search);
  }
}

void Campaign::count_regression(const Ran& ran, const Judged& judged) {
  const auto& violations = judged.violations;
  const bool violated =
      std::any_of(violations.begin(), violations.end(),
                  [](const Violation& violation) { return violation.known_link.empty(); });
  ++result_.regressions.run;
  if (violated) {
    ++result_.regressions.violated;
  } else if (!not_come_to_be(ran.scenario, *ran.trace).empty()) {
    ++result_.regressions.vain;
  }
}

void Campaign::note_limit(const std::string& what, const Pool& pool,
                          const harness::Scenario& scenario, const harness::Trace& trace) {
  auto& limits = result_.limits;
  auto limit = std::find_if(limits.begin(), limits.end(), [&](const LimitReached& other) {
    return other.pool == &pool && other.what == what;
  });
  if (limit == limits.end()) {
    limit = limits.insert(limit, {.pool = &pool,
                                  .what = what,
                                  .folder = fmt::format("limit-{}", limits.size() + 1),
                                  .shortest = {},
                                  .trace = {}});
  }
  if (limit->cases++ > 0 && scenario.length() >= limit->shortest.scenario.length()) return;
  limit->shortest = {pool.name.text(), scenario, desk_.settings(pool), options_.seed};
  limit->trace = trace;
}

void Campaign::trouble(Search& search, const std::string& what) {
  ++search.troubles;
  auto line = fmt::format("{}: {}", search.pool->label(), what);
  if (std::find(result_.troubles.begin(), result_.troubles.end(), line) == result_.troubles.end()) {
    result_.troubles.push_back(std::move(line));
  }
}

}  // namespace poolproof::properties
