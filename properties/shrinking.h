#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "properties/desk.h"
#include "properties/judging.h"
#include "properties/shrink.h"

namespace poolproof::properties {

/// How often one failed, of how many runs.
struct Rate {
  int failed = 0;
  int made = 0;

  bool is_steady() const { return failed == made; }
  /// Nine of ten: what does so breaks the rule, and whoever runs it again sees it. Fewer than
  /// thirty runs with a miss among them do not say so.
  bool is_reliable() const { return is_steady() || (made >= 30 && 10 * failed >= 9 * made); }
  /// More is no chance, even of few runs.
  bool is_twice(Rate other) const {
    return failed > 0 && failed * other.made >= 2 * other.failed * made;
  }
  /// Never none nor all: a few runs leave doubt.
  double estimate() const { return (failed + 1.0) / (made + 2.0); }
  Rate& operator+=(Rate other) {
    failed += other.failed;
    made += other.made;
    return *this;
  }
};

/// What a simpler case must still show.
struct Target {
  const Pool* pool = nullptr;
  const Rule* rule = nullptr;
  std::string known_link;
};

struct ShrinkOptions {
  int runs = 200;    // at most, repeats not counted
  int confirm = 2;   // more times that a simpler case must fail to be taken; in doubt more
  int repeats = 10;  // of the final case
  Clock::time_point deadline;
};

/// A case that failed, with the recording of one time when it did.
struct Failing {
  harness::Scenario scenario;
  harness::Trace trace;
  Violation violation;
};

struct Shrunk {
  Failing best;
  int runs = 0;  // made while looking for simpler cases
  Rate rate;     // of its final ones
};

/// What else to try instead of a scenario.
struct Variants {
  std::function<Passes(const harness::Scenario&)> simpler;
  /// Not simpler, but with less left to chance; empty: there are none.
  std::function<std::vector<harness::Scenario>(const harness::Scenario&)> surer;
};

/// Looks for the simplest scenario that still violates the target's rule in the target's way:
/// greedily, siblings in flight side by side, the first that fails in sibling order is taken, if it
/// does so about as often as the first case of all. The search goes on behind it, and begins at the
/// front again in the end, so that what did not help is not tried after each step. Where anything
/// failed now and then only, what did not fail is tried again before it is given up. Where the
/// simplest is not reliable, a variant that leaves less to chance and is reliable is taken, or else
/// one before it that is; from there on only what is about reliable is.
class Shrinker {
 public:
  using Judge = std::function<Judged(const harness::Scenario&, const harness::Trace&)>;

  Shrinker(Desk& desk, Target target, Variants variants, Judge judge, ShrinkOptions options)
      : desk_(desk),
        target_(std::move(target)),
        variants_(std::move(variants)),
        judge_(std::move(judge)),
        options_(options) {}

  /// The simplest, with its rate; but one that is reliable, or fails twice as often, is preferred.
  Shrunk shrink(Failing first);

 private:
  /// Where in the passes.
  struct Place {
    std::size_t pass = 0;
    std::size_t at = 0;
    auto operator<=>(const Place&) const = default;
  };
  struct Candidate {
    harness::Scenario scenario;
    Place place;
  };
  class Siblings;

  /// False: it did not fail again, so that nothing can be learned from simpler ones.
  bool measure_first(const harness::Scenario& scenario);
  std::optional<Failing> simpler_failing(const harness::Scenario& scenario);
  /// What was not tried, from the place where the last was found.
  std::vector<Candidate> candidates(const harness::Scenario& scenario) const;
  /// Whether, at the speed so far, the time will be over before the runs are.
  bool is_in_haste() const;
  /// Nothing simpler fails, or no run is left to learn whether it does. Whether there is reason to
  /// look further: for what did not fail by chance, or from another one that is reliable.
  bool look_further(std::vector<Failing>& chain);
  /// To try again what did not fail: by chance, as far as anybody knows.
  bool begin_round(int most);
  /// A variant of the last becomes the last, if one is reliable.
  bool make_surer(std::vector<Failing>& chain);
  /// To one before the last that is reliable, if any is found; the chain ends there then. What was
  /// taken from there is not tried again.
  bool go_back(std::vector<Failing>& chain);
  /// From one that was found to be reliable.
  void go_on_surely();
  /// The last of the chain that many runs have shown to be reliable.
  std::optional<std::size_t> last_reliable(const std::vector<Failing>& chain) const;
  Shrunk preferred(std::vector<Failing>& chain);
  /// Of a case that has failed once.
  bool is_confirmed(const harness::Scenario& scenario);
  /// Told by final runs, so many in all, for which there is time even behind the deadline.
  Rate repeated(const harness::Scenario& scenario, int times);
  /// By more of them where not all fail.
  Rate repeated(const harness::Scenario& scenario);
  /// Ten repeats that fail do not undo one run that did not.
  Rate told(const harness::Scenario& scenario) const;
  /// By many final runs, as few as it takes to say no.
  bool is_reliable(const harness::Scenario& scenario, Clock::time_point deadline);
  int many() const { return kInDoubt * options_.repeats; }
  struct Runs {
    Rate rate;
    std::optional<Failing> last;  // that failed
  };
  /// Side by side, so many that could be judged. Where more do not fail than matters, no more are
  /// begun.
  Runs run(const harness::Scenario& scenario, int times, Clock::time_point deadline,
           std::optional<int> most_misses = std::nullopt);
  /// Of all its runs here.
  Rate seen(const harness::Scenario& scenario) const;
  Rate seen(const std::string& scenario_key) const;
  /// A run that could not be made says nothing.
  struct Outcome {
    bool was_judged = false;
    std::optional<Failing> failing;
  };
  Outcome judged(Ran&& ran);
  /// Something failed now and then: more of what did not fail may have been chance.
  bool has_race() const;
  /// What is found last is to be confirmed, too, and made surer.
  bool is_over() const {
    const bool may_make_surer = variants_.surer && !is_sure_only_ && has_race();
    const int reserve = may_make_surer ? kForSurer : 0;
    return runs_ + kMostConfirms * options_.confirm + reserve >= options_.runs || is_late();
  }
  bool is_late() const { return desk_.stopped() || Clock::now() >= options_.deadline; }

  static constexpr int kMostConfirms = 3;
  static constexpr int kInDoubt = 3;    // so many times the repeats are made then
  static constexpr int kForSurer = 16;  // five variants, each by three runs

  Desk& desk_;
  Target target_;
  Variants variants_;
  Judge judge_;
  ShrinkOptions options_;
  Clock::time_point start_;
  int runs_ = 0;
  std::map<std::string, Rate> seen_;     // all that was judged, by scenario
  std::map<std::string, Rate> repeats_;  // final runs, by scenario
  int rounds_ = 0;                       // so often all that is simpler than that was tried again
  Place place_;                          // of the one that was taken last
  Rate first_;                           // as it was measured in the beginning
  bool is_sure_only_ = false;            // simpler ones are to be about as reliable
  std::set<std::string> taken_;  // scenarios with their faults, as text: not to be run again
};

}  // namespace poolproof::properties
