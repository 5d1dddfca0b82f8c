#pragma once

#include <span>
#include <string>
#include <vector>

#include "harness/case.h"
#include "properties/draft.h"
#include "properties/pool_state.h"

namespace poolproof::properties {

struct SmallAlphabet;

/// What a pool does with a call; impossible: not a scenario at all.
enum class Call { kLegal, kIllegal, kImpossible };

/// What one step means for a healthy pool, and how scenarios use it: one entry for each step of
/// harness/alphabet.h, pure functions all. Each stands in a file of letters/; what is absent has
/// the meaning told here. What a step needs to exist has been asked before any of these is.
struct Letter {
  harness::StepKind kind;

  // ---- The model ----
  /// Absent: legal.
  Call (*call)(const PoolState& state, const harness::Step& step) = nullptr;
  /// Whether a healthy pool may let main wait for ever in it by what the scenario asked for. Doubt
  /// counts as "may". Absent: never.
  bool (*may_wait_for_ever)(const PoolState& state, const harness::Step& step) = nullptr;
  /// What is different after it did what it does; of a submission that was refused too.
  /// Absent: nothing.
  void (*apply)(PoolState& state, const harness::Step& step, bool took_effect) = nullptr;
  /// Whether it may be in vain although it is legal: a wait with a timeout. Absent: never.
  bool (*may_be_in_vain)(const harness::Step& step) = nullptr;
  /// Whether a task begun before it may be over after it. Absent: no.
  bool (*lets_time_pass)(const harness::Step& step) = nullptr;
  /// Whether it takes a time by itself, whatever the pool does. Absent: no.
  bool (*takes_a_time)(const harness::Step& step) = nullptr;
  /// Whether it has to be over within the grace, where it is legal. Absent: no.
  bool (*is_prompt)(const PoolState& state, const harness::Step& step) = nullptr;

  // ---- Scenarios ----
  int weight = 0;           // in random scenarios, beside those of the others
  bool is_in_each = false;  // no random part of the alphabet is without it
  /// Chooses the parameters. Absent: there are none.
  void (*fill)(Draft& draft, harness::Step& step) = nullptr;
  /// How often, with these parameters, at this point. Absent: `weight`.
  int (*weigh)(const Draft& draft, const harness::Step& step) = nullptr;
  /// Its forms in the small alphabet of bounded-exhaustive search. Absent: it is not in there.
  std::vector<harness::Step> (*in_short)(const SmallAlphabet& alphabet, int tasks) = nullptr;

  // ---- Text ----
  /// The keys of its template in --describe's `program`, the best first. Absent: the step's name.
  std::vector<std::string> (*templates)(const harness::Step& step) = nullptr;
};

std::span<const Letter* const> letter_table();
const Letter& letter(harness::StepKind kind);

/// How often a body, an ending is chosen, beside the others.
int weight(harness::BodyKind kind);
int weight(harness::EndingKind kind);

/// The entries, each in its file: letters/create.cc, letters/tasks.cc, letters/life.cc,
/// letters/aside.cc, letters/maps.cc.
namespace letters {
extern const Letter kCreate;
extern const Letter kSubmit, kGet, kWait, kReady, kCancel;
extern const Letter kClose, kTerminate, kJoin, kDrop, kWorkers, kResize;
extern const Letter kSleep, kKill, kFork, kLaunch, kReap, kCollect, kHandle, kNeighbour, kLock,
    kMask, kIgnore;
extern const Letter kMap, kNext;

/// An answer that does not depend on the step.
inline bool always(const harness::Step& /*step*/) {
  return true;
}

/// The step without parameters, or with those that every one of its kind has.
harness::Step plain(harness::StepKind kind);
}  // namespace letters

}  // namespace poolproof::properties
