#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "harness/runner.h"
#include "properties/canary.h"
#include "properties/coverage.h"
#include "properties/desk.h"
#include "properties/judging.h"
#include "properties/plan.h"
#include "properties/pools.h"
#include "properties/shrinking.h"
#include "properties/tally.h"
#include "properties/usable.h"

namespace poolproof::properties {

struct CampaignOptions {
  std::uint64_t seed = 0;
  int cases = 0;  // for each pool, beside its regressions; 0: as many as time allows
  Part part = Part::kAll;
  std::optional<int> most_steps;                                             // of short scenarios
  std::optional<std::chrono::milliseconds> time = std::chrono::seconds(60);  // for the whole run
  std::vector<const Rule*> rules;                                            // empty: all
  bool stop_at_first = false;  // a new one that repeats
  bool use_known = true;
  bool faults = false;  // something goes wrong from outside in most cases
  CaseOptions case_options;
};

/// A rule that a pool breaks, in the simplest case that we found for it.
struct Finding {
  const Pool* pool = nullptr;
  const Rule* rule = nullptr;
  std::string known_link;  // empty: a new one
  std::string folder;      // "W1-1", unique in the run
  int case_number = 0;     // of its pool, from 1
  harness::Case original;
  harness::Trace original_trace;
  harness::Case simplest;  // settings and seed included
  harness::Trace trace;
  std::string evidence;
  std::vector<Violation> same_case;  // its consequences and companions
  int runs = 0;                      // made while shrinking
  int failed = 0;                    // of `repeated`
  int repeated = 0;
  std::string same_as;  // folder of an earlier finding with the very same case

  bool is_known() const { return !known_link.empty(); }
  Rate rate() const { return {failed, repeated}; }
  /// One that was never repeated, since the time was over, is not called unstable: it was seen, and
  /// nothing speaks against it. Whoever tells of it says that it was not repeated.
  bool is_stable() const { return rate().is_reliable(); }
  bool was_repeated() const { return repeated > 0; }
};

/// A limit of the harness (births, events, claims, the fuse, the run's time) that ended cases of
/// one pool. Few rules can be judged by them, and a storm of new workers or a hang that nobody can
/// prove may be behind it: it is told, and a case is kept.
struct LimitReached {
  const Pool* pool = nullptr;
  std::string what;    // "births", "fuse", "deadline", "time"
  std::string folder;  // "limit-1", unique in the run
  int cases = 0;
  harness::Case shortest;
  harness::Trace trace;  // without events where there is none
};

/// What was run of all short scenarios of one pool.
struct Exhausted {
  const Pool* pool = nullptr;
  Extent extent;
};

/// How the cases fared that were kept from earlier runs. The campaign counts; who keeps them knows
/// the rest.
struct RegressionCount {
  int run = 0;
  int violated = 0;               // a rule, in a way that is not known
  int vain = 0;                   // run, but what they are kept for did not come to be
  int left = 0;                   // not run for want of time
  std::string folder;             // empty: there is none
  int unfit = 0;                  // for none of the run's pools
  int unrunnable = 0;             // for one of them, which does not do all that they ask for
  std::vector<std::string> kept;  // names of files that this run added

  /// Whether cases of the run's pools said nothing.
  bool has_gap() const { return vain > 0 || left > 0 || unrunnable > 0; }
};

/// Which pairs of situation and step one pool's cases reached, and (where faults were asked for)
/// which of them with a fault of which kind.
struct Covered {
  const Pool* pool = nullptr;
  Reached pairs;
  std::optional<Reached> with_faults;
  std::vector<Moment> unreached;
};

struct CampaignResult {
  std::vector<Tally> tallies;         // a pool each, in order
  std::vector<Finding> findings;      // in the order in which they were made
  std::vector<LimitReached> limits;   // one for each pool and limit
  std::vector<Exhausted> exhausted;   // one for each pool of which all short scenarios were tried
  std::vector<Covered> covered;       // for each pool
  RegressionCount regressions;        // of all pools
  Canary canary;                      // let out by whoever drives the campaign
  std::vector<std::string> troubles;  // what kept the harness from doing its work, a line each
  std::chrono::milliseconds elapsed{0};
  std::set<std::string> unusable;  // labels of pools that take nothing: of them it is a trouble
  bool interrupted = false;

  int cases() const;
  bool has_violation() const;  // a new one that repeats, of a pool that does anything at all
  bool has_doubt() const;      // what --strict minds
};

/// Who wants to hear at once. Called from Campaign::run, in its thread.
class CampaignListener {
 public:
  virtual ~CampaignListener() = default;
  virtual void on_finding(const Finding&) {}
  virtual void on_case(const Pool&, int /*number*/) {}
  virtual void on_shrinking(const Pool&, const Rule&) {}
};

/// All short scenarios, and RapidCheck's random ones, each a function of (seed, pool, n) alone.
/// faults: most of them with one.
ScenarioSource random_source(std::uint64_t seed, bool faults = false);

/// By turns one without a fault and one of those.
ScenarioSource mixed_source(std::uint64_t seed);

/// Half of the time goes to a search, each pool its share and of that two fifths at most to all
/// short scenarios; then the shortest case that broke each rule is shrunk, new ones first; what is
/// left goes to the search again. Driven by one call from one thread; the runner's wardens work
/// meanwhile.
class Campaign {
 public:
  Campaign(harness::Runner& runner, const std::vector<Pool>& pools, CampaignOptions options,
           ScenarioSource source, CampaignListener& listener, std::function<bool()> stopped);

  Campaign(const Campaign&) = delete;
  Campaign& operator=(const Campaign&) = delete;

  CampaignResult run();

 private:
  /// How far the search is with one pool.
  struct Search {
    const Pool* pool = nullptr;
    Plan plan;
    Tally tally;
    Usable usable;
    Coverage coverage;
    int troubles = 0;                       // in a row
    std::map<std::uint64_t, Planned> sent;  // cases on their way
    bool started = false;
    Clock::time_point began;         // its first case
    Clock::time_point end_of_short;  // until then, short scenarios may take all of the time
  };
  /// A case that broke a rule.
  struct Suspect {
    harness::Scenario scenario;
    harness::Trace trace;
    Violation violation;
    int number = 0;
  };
  /// One way in which a pool breaks a rule, new or known by one link: the shortest cases so far,
  /// the shortest first. Where one of them does not repeat, the next may.
  struct Suspicion {
    Search* search = nullptr;
    const Rule* rule = nullptr;
    std::string known_link;
    std::vector<Suspect> cases;

    bool is_known() const { return !known_link.empty(); }
    bool is_of(const Finding& finding) const;
    void add(Suspect&& suspect);
  };
  /// A finding that does not repeat waits to the end of the run: a steady one takes its place.
  struct Unstable {
    Search* search = nullptr;
    Finding finding;
  };

  void search_and_investigate(Clock::time_point end);
  void search_all(Clock::time_point end);
  void search(Search& search, Clock::time_point end);
  void finish_started(Search& search);
  std::set<std::uint64_t> telling_cases_under_way(const Search& search);
  bool wants_more(const Search& search) const;
  void submit_cases(Search& search);
  void return_unbegun(Search& search);
  static bool has_time_for(std::int64_t cases, const Search& search);
  void take(Ran&& ran, Search& search);
  Covered covered_by(const Search& search) const;
  void count_regression(const Ran& ran, const Judged& judged);
  void note_limit(const std::string& what, const Pool& pool, const harness::Scenario& scenario,
                  const harness::Trace& trace);
  void suspect(const Ran& ran, int number, const Violation& violation, Search& search);
  void investigate_all();
  void investigate(std::size_t index);
  Finding examined(const Pool& pool, Suspect&& suspect, const ShrinkOptions& options);
  void settle(Finding&& finding, Suspicion& suspicion);
  void report_unstable();
  void report(Finding&& finding, Tally& tally);
  Shrunk shrunk(const Pool& pool, Suspect&& suspect, const ShrinkOptions& options);
  ShrinkOptions shrink_options(std::size_t index) const;
  void trouble(Search& search, const std::string& what);
  CampaignResult finished(Clock::time_point start);

  Desk desk_;
  CampaignOptions options_;
  ScenarioSource source_;
  CampaignListener& listener_;
  CampaignResult result_;
  std::vector<Search> searches_;  // a pool each
  std::vector<Suspicion> suspicions_;
  std::vector<Unstable> unstable_;
  Clock::time_point end_;  // of the whole run
  bool done_ = false;      // one finding was asked for, and is found
};

}  // namespace poolproof::properties
