#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "harness/case.h"
#include "harness/trace.h"
#include "properties/abilities.h"
#include "properties/contract.h"
#include "properties/model.h"

namespace poolproof::properties {

/// What a pool has been through when main's next step begins, as the model tells it of a healthy
/// one.
enum class Situation {
  kNone,              // no pool yet
  kFresh,             // running, no task so far
  kBusy,              // running, the outcome of some task is open
  kIdle,              // running, every outcome is known
  kHurt,              // running, and a worker was lost, or none ever gets to work
  kClosedBusy,        // closed, the outcome of some task is open
  kClosedIdle,        // closed, every outcome is known
  kClosedJoined,      // closed and joined
  kTerminated,        //
  kTerminatedJoined,  //
  kDropped,
};
std::string_view name(Situation situation);
Situation situation_of(const Model& model);

/// A pair: a step, or main's ending, in a situation.
struct Moment {
  Situation situation = Situation::kNone;
  bool is_ending = false;
  int kind = 0;  // a StepKind or an EndingKind
  auto operator<=>(const Moment&) const = default;
};
/// "closed x kill", "running, busy x sigkill".
std::string to_string(const Moment& moment);

/// The moments of a scenario, one for each step and one for the ending.
std::vector<Moment> moments_of(const harness::Scenario& scenario, const Contract& contract);

/// All moments that a scenario over these abilities can reach: read off every short scenario.
std::set<Moment> reachable(const Abilities& abilities, const Contract& contract);

/// What faults are told apart by here.
using FaultKind = harness::Fault::Action;

/// Which pairs, and which of them with a fault of which kind, were reached, and how often.
class Coverage {
 public:
  /// Of a scenario that may be run: what it would reach if all went well.
  void add(const harness::Scenario& scenario, const Contract& contract);
  /// Of a recording: the steps that main began, and the fault where it fired.
  void add(const harness::Scenario& scenario, const Contract& contract,
           const harness::Trace& trace);

  int count(const Moment& moment) const;
  int count(const Moment& moment, FaultKind kind) const;

  const std::map<Moment, int>& pairs() const { return pairs_; }
  const std::map<std::pair<Moment, FaultKind>, int>& with_faults() const { return with_faults_; }

 private:
  std::map<Moment, int> pairs_;
  std::map<std::pair<Moment, FaultKind>, int> with_faults_;
};

/// The moment at which the scenario's fault is placed, if it is placed at a step of main or at a
/// task's begin; nullopt for one at a system call, which may come at any time, and for none.
std::optional<Moment> moment_of_fault(const harness::Scenario& scenario, const Contract& contract);

/// So many were reached out of so many.
struct Reached {
  std::int64_t reached = 0;
  std::int64_t of = 0;
};
Reached pairs_reached(const Coverage& coverage, const std::set<Moment>& reachable);
/// Of all reachable pairs with each of these kinds of fault.
Reached triples_reached(const Coverage& coverage, const std::set<Moment>& reachable,
                        const std::vector<FaultKind>& kinds);

}  // namespace poolproof::properties
