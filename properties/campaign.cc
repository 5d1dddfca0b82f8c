#include "properties/campaign.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "properties/conditions.h"
#include "properties/model.h"

namespace poolproof::properties {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

/// A pool whose adapter, or whose warden, fails so often in a row is given up.
constexpr int kMostTroubles = 3;

/// Cases that were begun when the time was over are waited for, but no longer than a part of the
/// fuse: that is more than any case takes whose end is in sight (a kill step alone may look for its
/// victim for 2 s), and a pool whose cases hang does not cost the others their share.
constexpr int kAfterTime = 2;  // one in so many

constexpr auto kForEver = std::chrono::hours(24 * 365);

/// What one finding's shrinking may take: new ones matter, known ones need only be recognised.
struct ShrinkBudget {
  int runs;
  int repeats;
  int weight;  // of its part in what is left of the time
  milliseconds least;
  milliseconds most;
  milliseconds late;  // so long after the run's end it is reported as it is
};
constexpr ShrinkBudget kForNew{200, 10, 4, seconds(2), seconds(30), seconds(10)};
constexpr ShrinkBudget kForKnown{60, 3, 1, milliseconds(500), seconds(5), seconds(0)};

/// So many cases of one way to break a rule are kept, in case that the shortest does not repeat.
constexpr std::size_t kMostSuspects = 3;

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
  if (trace.end == harness::End::kDeadline) return "deadline";
  if (trace.end != harness::End::kLimit) return std::nullopt;
  for (const auto& event : trace.events) {
    if (const auto* hit = std::get_if<harness::LimitHit>(&event.kind)) return hit->what;
  }
  return "unknown";
}

/// What was not repeated failed never, as far as anybody knows.
bool fails_more_often(const Finding& one, const Finding& other) {
  return one.was_repeated() &&
         (!other.was_repeated() || one.failed * other.repeated > other.failed * one.repeated);
}

}  // namespace

int CampaignResult::cases() const {
  int all = 0;
  for (const auto& tally : tallies) all += tally.cases();
  return all;
}

bool CampaignResult::has_violation() const {
  return std::any_of(tallies.begin(), tallies.end(), [](const Tally& tally) {
    return std::any_of(tally.rules().begin(), tally.rules().end(),
                       [](const RuleTally& rule) { return rule.outcome() == Outcome::kViolated; });
  });
}

bool CampaignResult::has_doubt() const {
  return std::any_of(tallies.begin(), tallies.end(), [](const Tally& tally) {
    return std::any_of(tally.rules().begin(), tally.rules().end(), [](const RuleTally& rule) {
      return rule.outcome() == Outcome::kInconclusive || rule.inconclusive > 0 ||
             rule.outcome() == Outcome::kNotExercised || rule.no_longer_seen;
    });
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

/// Where one finding was asked for, one that does not repeat is none: the search goes on.
void Campaign::search_and_investigate(Clock::time_point end) {
  const auto steady = [](const Finding& finding) {
    return !finding.is_known() && finding.is_stable();
  };
  const auto& findings = result_.findings;
  while (true) {
    search_all(end);
    investigate_all();
    if (!done_) return;
    done_ = std::any_of(findings.begin(), findings.end(), steady);
    if (done_ || desk_.stopped() || end - Clock::now() < kLeastRound) return;
  }
}

CampaignResult Campaign::finished(Clock::time_point start) {
  desk_.forget_all();
  report_unstable();
  for (auto& search : searches_) {
    if (!search.started) continue;
    search.tally.close();
    if (auto unused = search.usable.trouble(*search.pool)) {
      result_.troubles.push_back(std::move(*unused));
    }
    if (auto extent = search.plan.extent()) result_.exhausted.push_back({search.pool, *extent});
    result_.tallies.push_back(std::move(search.tally));
  }
  result_.interrupted = desk_.stopped();
  result_.elapsed = std::chrono::duration_cast<milliseconds>(Clock::now() - start);
  return std::move(result_);
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
/// cannot be proved would look healthy in any run that is shorter than the fuse.
void Campaign::finish_started(Search& search) {
  auto started = telling_cases_under_way(search);
  const auto patience = Clock::now() + options_.case_options.fuse_here() / kAfterTime;
  while (!started.empty() && wants_more(search)) {
    auto ran = desk_.next(patience);
    if (!ran) break;
    started.erase(ran->id);
    take(std::move(*ran), search);
  }
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
  search.plan.ran(planned);
  search.usable.add(pool, ran.scenario, *ran.trace, planned.number);
  const auto judged =
      judge_case(pool, ran.scenario, *ran.trace, options_.rules, options_.use_known);
  if (const auto limit = limit_of(*ran.trace); limit && judged.in_doubt()) {
    note_limit(*limit, pool, ran.scenario, *ran.trace);
  }
  search.tally.add(judged, [&](const KnownDeviation& deviation) {
    const auto* condition = condition_named(deviation.condition);
    return condition != nullptr && condition->holds(ran.scenario, *ran.trace);
  });
  listener_.on_case(pool, planned.number);
  for (const auto& violation : judged.violations) {
    if (violation.cause == nullptr) suspect(ran, planned.number, violation, search);
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
  if (cases.size() > kMostSuspects) cases.pop_back();
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

/// The first of its cases that always fails stands for all of them; else the one that fails most.
void Campaign::investigate(std::size_t index) {
  auto& suspicion = suspicions_[index];
  const auto& pool = *suspicion.search->pool;
  std::optional<Finding> best;
  for (auto& suspect : suspicion.cases) {
    const auto options = shrink_options(index);
    if (best && (options.repeats == 0 || desk_.stopped())) break;  // no time to learn more
    listener_.on_shrinking(pool, *suspicion.rule);
    auto finding = examined(pool, std::move(suspect), options);
    if (!best || fails_more_often(finding, *best)) best = std::move(finding);
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
  finding.failed = result.failed;
  finding.repeated = result.repeated;
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
  } else if (fails_more_often(finding, earlier->finding)) {
    earlier->finding = std::move(finding);
  }
}

void Campaign::report_unstable() {
  for (auto& [search, finding] : unstable_) report(std::move(finding), search->tally);
  unstable_.clear();
}

Shrunk Campaign::shrunk(const Pool& pool, Suspect&& suspect, const ShrinkOptions& options) {
  Shrinker shrinker(
      desk_,
      {.pool = &pool, .rule = suspect.violation.rule, .known_link = suspect.violation.known_link},
      [&](const harness::Scenario& scenario) { return source_.simpler(pool, scenario); },
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
  options.deadline =
      now + std::clamp<Clock::duration>(left / weights * budget.weight, budget.least, budget.most);
  return options;
}

void Campaign::trouble(Search& search, const std::string& what) {
  ++search.troubles;
  auto line = fmt::format("{}: {}", search.pool->label(), what);
  if (std::find(result_.troubles.begin(), result_.troubles.end(), line) == result_.troubles.end()) {
    result_.troubles.push_back(std::move(line));
  }
}

}  // namespace poolproof::properties
