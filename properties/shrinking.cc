#include "properties/shrinking.h"

#include <algorithm>
#include <utility>

namespace poolproof::properties {
namespace {

using harness::Scenario;

/// The repeats of what is told, and of what is looked back at, are made even when shrinking has
/// used up its time: for so long.
constexpr std::chrono::seconds kRepeatTime{6};

/// So often what did not fail is tried again, for a case that fails now and then itself.
constexpr int kMostRounds = 2;

/// Of the rate of the first case, what a simpler one's must be at least.
constexpr double kAboutAsOften = 0.9;

/// By these few runs it may be reliable, by more of them.
constexpr double kMaybeReliable = 0.75;

/// So many runs that could not be judged are made up for.
constexpr int kMostLost = 2;

/// In steps that grow, at last to where it began.
std::size_t further_back(std::size_t back, std::size_t last) {
  return std::min(std::max<std::size_t>(2 * back, 1), last);
}

std::string key(const Scenario& scenario) {
  return to_json(harness::Case{.scenario = scenario});
}

}  // namespace

/// Candidates side by side: sent in order, resolved as they come, taken in order.
class Shrinker::Siblings {
 public:
  Siblings(Desk& desk, const Pool& pool, std::vector<Candidate> candidates, bool is_in_haste)
      : desk_(desk),
        pool_(pool),
        candidates_(std::move(candidates)),
        ahead_(is_in_haste ? 2 * desk.jobs() : 0) {}
  Siblings(const Siblings&) = delete;
  Siblings& operator=(const Siblings&) = delete;
  ~Siblings() {
    for (const auto& [id, at] : in_flight_) desk_.forget(id);
  }

  /// Nothing behind a failing one is sent, nor more than keeps every job busy. Those that nobody
  /// needs once one fails were run for nothing: without haste, the more did not, the more go side
  /// by side.
  bool send_next() {
    const auto end = failed_.empty() ? candidates_.size() : failed_.begin()->first;
    const auto most = std::min(2 + ahead_, 2 * desk_.jobs());
    if (sent_ >= end || std::cmp_greater_equal(in_flight_.size(), most)) return false;
    in_flight_[desk_.submit(pool_, candidates_[sent_].scenario)] = sent_;
    ++sent_;
    return true;
  }

  std::optional<Ran> next(Clock::time_point deadline) const {
    std::set<std::uint64_t> ids;
    for (const auto& [id, at] : in_flight_) ids.insert(id);
    return ids.empty() ? std::nullopt : desk_.next_of(ids, deadline);
  }

  void resolve(std::uint64_t id, std::optional<Failing> failing) {
    const auto at = in_flight_[id];
    in_flight_.erase(id);
    ahead_ += failing ? 0 : 1;
    if (failing) failed_.emplace(at, std::move(*failing));
  }

  /// Once none before it is on its way.
  std::optional<std::pair<Failing, Place>> take_first_failing() {
    if (failed_.empty()) return std::nullopt;
    const auto first = failed_.begin();
    for (const auto& [id, at] : in_flight_) {
      if (at < first->first) return std::nullopt;
    }
    std::pair taken{std::move(first->second), candidates_[first->first].place};
    failed_.erase(first);
    return taken;
  }

 private:
  Desk& desk_;
  const Pool& pool_;
  std::vector<Candidate> candidates_;
  std::size_t sent_ = 0;
  int ahead_;  // so many more than two side by side; no more than the jobs need
  std::map<std::uint64_t, std::size_t> in_flight_;
  std::map<std::size_t, Failing> failed_;  // by place
};

Shrunk Shrinker::shrink(Failing first) {
  start_ = Clock::now();
  std::vector<Failing> chain{std::move(first)};
  taken_.insert(key(chain.front().scenario));
  const bool fails_again = measure_first(chain.front().scenario);
  while (fails_again && !is_late()) {
    if (auto simpler = simpler_failing(chain.back().scenario)) {
      taken_.insert(key(simpler->scenario));
      chain.push_back(std::move(*simpler));
      rounds_ = 0;
    } else if (!look_further(chain)) {
      break;
    }
  }
  auto result = preferred(chain);
  result.runs = runs_;
  return result;
}

bool Shrinker::measure_first(const Scenario& scenario) {
  if (is_over()) return false;
  runs_ += run(scenario, options_.confirm, options_.deadline).rate.made;
  if (seen(scenario).failed == 0) repeated(scenario);
  first_ = seen(scenario);
  return first_.failed > 0;
}

bool Shrinker::is_in_haste() const {
  const auto now = Clock::now();
  return runs_ * (options_.deadline - now) < (options_.runs - runs_) * (now - start_);
}

Rate Shrinker::told(const Scenario& scenario) const {
  const auto found = repeats_.find(key(scenario));
  const auto repeats = found == repeats_.end() ? Rate() : found->second;
  return repeats.is_steady() && !seen(scenario).is_steady() ? seen(scenario) : repeats;
}

Rate Shrinker::repeated(const Scenario& scenario, int times) {
  auto& repeats = repeats_[key(scenario)];
  if (repeats.made < times)
    repeats += run(scenario, times - repeats.made, options_.deadline + kRepeatTime).rate;
  return told(scenario);
}

Rate Shrinker::repeated(const Scenario& scenario) {
  const auto rate = repeated(scenario, options_.repeats);
  const bool is_doubtful = !rate.is_steady() && rate.estimate() >= kMaybeReliable;
  return is_doubtful ? repeated(scenario, many()) : rate;
}

bool Shrinker::has_race() const {
  return std::any_of(seen_.begin(), seen_.end(), [](const auto& entry) {
    return entry.second.failed > 0 && !entry.second.is_steady();
  });
}

bool Shrinker::look_further(std::vector<Failing>& chain) {
  const auto& simplest = chain.back().scenario;
  if (is_late()) return false;
  if (begin_round(has_race() ? 1 : 0)) return true;
  // A few runs say little, and these will be made anyway.
  if (repeated(simplest).is_reliable()) return false;
  return begin_round(kMostRounds) || make_surer(chain) || go_back(chain);
}

bool Shrinker::begin_round(int most) {
  if (is_over() || rounds_ >= most) return false;
  ++rounds_;
  place_ = {};
  return true;
}

bool Shrinker::make_surer(std::vector<Failing>& chain) {
  if (is_sure_only_ || !variants_.surer) return false;
  for (const auto& surer : variants_.surer(chain.back().scenario)) {
    const int few = 1 + options_.confirm;
    if (is_late() || runs_ + few > options_.runs) return false;
    if (taken_.contains(key(surer))) continue;
    auto first = run(surer, few, options_.deadline, 0);
    runs_ += first.rate.made;
    if (first.rate.failed < few || !is_reliable(surer, options_.deadline)) continue;
    taken_ = {key(surer)};  // what was taken before may be simpler than that, and as reliable
    chain.push_back(std::move(*first.last));
    go_on_surely();
    return true;
  }
  return false;
}

bool Shrinker::go_back(std::vector<Failing>& chain) {
  const auto last = chain.size() - 1;
  auto found = last_reliable(chain);
  for (std::size_t back = 0; !found && back < last && !is_late();) {
    back = further_back(back, last);
    const auto before = seen(chain[last - back].scenario);
    if (!before.is_steady() && before.estimate() < kMaybeReliable) continue;
    if (is_reliable(chain[last - back].scenario, options_.deadline + kRepeatTime))
      found = last - back;
  }
  if (!found) return false;
  chain.erase(chain.begin() + static_cast<std::ptrdiff_t>(*found) + 1, chain.end());
  go_on_surely();
  return true;
}

std::optional<std::size_t> Shrinker::last_reliable(const std::vector<Failing>& chain) const {
  for (auto at = chain.size(); at > 0; --at) {
    const auto& scenario = chain[at - 1].scenario;
    const auto found = repeats_.find(key(scenario));
    const bool are_many = found != repeats_.end() && found->second.made >= std::max(many(), 1);
    if (are_many && told(scenario).is_reliable()) return at - 1;
  }
  return std::nullopt;
}

void Shrinker::go_on_surely() {
  rounds_ = 0;
  place_ = {};
  is_sure_only_ = true;
}

bool Shrinker::is_reliable(const Scenario& scenario, Clock::time_point deadline) {
  auto& repeats = repeats_[key(scenario)];
  if (repeats.made < many())
    repeats += run(scenario, many() - repeats.made, deadline, many() / 10).rate;
  return repeats.made >= std::max(many(), 1) && told(scenario).is_reliable();
}

/// What fails now and then only may have come in by shrinking: looks back; where time is over, at
/// once to where it began. That a longer one failed some more times may be chance.
Shrunk Shrinker::preferred(std::vector<Failing>& chain) {
  const auto last = chain.size() - 1;
  std::size_t best = last;
  Rate best_rate = repeated(chain[last].scenario);
  if (const auto found = last_reliable(chain); found && !best_rate.is_reliable()) {
    best = *found;
    best_rate = told(chain[best].scenario);
  }
  for (std::size_t back = 0; !best_rate.is_reliable() && back < last && !desk_.stopped();) {
    back = is_late() ? last : further_back(back, last);
    const auto at = last - back;
    auto rate = repeated(chain[at].scenario, options_.repeats);
    if (rate.made < options_.repeats) break;  // nobody knows how often it fails
    if (rate.is_steady() || rate.estimate() >= kMaybeReliable)
      rate = repeated(chain[at].scenario, many());
    const bool is_sure = rate.is_reliable() && rate.made >= many();
    if (is_sure || rate.is_twice(best_rate)) {
      best = at;
      best_rate = rate;
    }
  }
  if (best > 0 && best_rate.failed == 0 && best_rate.made > 0) {
    best = 0;
    best_rate = seen(chain.front().scenario);
  }
  return {.best = std::move(chain[best]), .rate = best_rate};
}

std::vector<Shrinker::Candidate> Shrinker::candidates(const Scenario& scenario) const {
  std::vector<Candidate> all;
  const auto passes = variants_.simpler(scenario);
  for (std::size_t pass = 0; pass < passes.size(); ++pass) {
    for (std::size_t at = 0; at < passes[pass].size(); ++at) {
      const auto scenario_key = key(passes[pass][at]);
      const auto rate = seen(scenario_key);
      if (rate.made - rate.failed <= rounds_ && !taken_.contains(scenario_key))
        all.push_back({passes[pass][at], {pass, at}});
    }
  }
  const auto next =
      std::find_if(all.begin(), all.end(), [&](const Candidate& c) { return c.place >= place_; });
  std::rotate(all.begin(), next, all.end());
  return all;
}

std::optional<Failing> Shrinker::simpler_failing(const Scenario& scenario) {
  Siblings siblings(desk_, *target_.pool, candidates(scenario), is_in_haste());
  for (;;) {
    while (!is_over() && siblings.send_next()) ++runs_;
    if (auto first = siblings.take_first_failing()) {
      auto& [simpler, place] = *first;
      if (is_confirmed(simpler.scenario)) {
        place_ = place;
        return std::move(simpler);
      }
      continue;
    }
    auto ran = siblings.next(options_.deadline);
    if (!ran) return std::nullopt;
    const auto id = ran->id;
    siblings.resolve(id, judged(std::move(*ran)).failing);
  }
}

bool Shrinker::is_confirmed(const Scenario& scenario) {
  if (runs_ + kMostConfirms * options_.confirm > options_.runs) return false;
  for (const int more : {1, kMostConfirms - 1}) {
    const int times = more * options_.confirm;
    const auto again = run(scenario, times, options_.deadline).rate;
    runs_ += again.made;
    const auto rate = seen(scenario);
    if (again.made < times) return false;
    if (rate.is_steady()) return true;
    if (rate.failed == 1) return false;
  }
  const auto least = is_sure_only_ ? 1 : kAboutAsOften * first_.estimate();
  return seen(scenario).estimate() >= std::min(least, kMaybeReliable);
}

Rate Shrinker::seen(const Scenario& scenario) const {
  return seen(key(scenario));
}

Rate Shrinker::seen(const std::string& scenario_key) const {
  const auto found = seen_.find(scenario_key);
  return found == seen_.end() ? Rate() : found->second;
}

Shrinker::Runs Shrinker::run(const Scenario& scenario, int times, Clock::time_point deadline,
                             std::optional<int> most_misses) {
  Runs runs;
  std::set<std::uint64_t> ids;
  int lost = 0;
  for (int sent = 0;;) {
    // What was sent is run, and counts: those that fail may take longer.
    const bool is_decided = runs.rate.made - runs.rate.failed > most_misses.value_or(times);
    const int end = is_decided ? sent : times + std::min(lost, kMostLost);
    for (; sent < end && std::cmp_less(ids.size(), std::max(desk_.jobs(), 1)); ++sent)
      ids.insert(desk_.submit(*target_.pool, scenario));
    if (ids.empty()) break;
    auto ran = desk_.next_of(ids, deadline);
    if (!ran) break;
    ids.erase(ran->id);
    auto outcome = judged(std::move(*ran));
    lost += outcome.was_judged ? 0 : 1;
    runs.rate.made += outcome.was_judged ? 1 : 0;
    runs.rate.failed += outcome.failing ? 1 : 0;
    if (outcome.failing) runs.last = std::move(outcome.failing);
  }
  for (const auto id : ids) desk_.forget(id);
  return runs;
}

Shrinker::Outcome Shrinker::judged(Ran&& ran) {
  if (!ran.trace || adapter_failure(*target_.pool, ran.scenario, *ran.trace)) return {};
  auto& rate = seen_[key(ran.scenario)];
  ++rate.made;
  const auto judged = judge_(ran.scenario, *ran.trace);
  const auto* violation = judged.find(*target_.rule, target_.known_link);
  if (violation == nullptr) return {.was_judged = true, .failing = std::nullopt};
  ++rate.failed;
  auto copy = *violation;
  return {.was_judged = true,
          .failing = Failing{std::move(ran.scenario), std::move(*ran.trace), std::move(copy)}};
}

}  // namespace poolproof::properties
