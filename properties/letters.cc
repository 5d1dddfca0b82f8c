#include "properties/letters.h"

#include <array>

#include "harness/sys/check.h"

namespace poolproof::properties {
namespace {

using harness::BodyKind;
using harness::EndingKind;

/// In the order of the steps: letters_test.cc.
constexpr std::array<const Letter*, 25> kLetters{
    &letters::kCreate,    &letters::kSubmit,    &letters::kGet,    &letters::kClose,
    &letters::kTerminate, &letters::kJoin,      &letters::kDrop,   &letters::kWorkers,
    &letters::kSleep,     &letters::kKill,      &letters::kMap,    &letters::kNext,
    &letters::kFork,      &letters::kLaunch,    &letters::kReap,   &letters::kWait,
    &letters::kReady,     &letters::kCollect,   &letters::kCancel, &letters::kHandle,
    &letters::kResize,    &letters::kNeighbour, &letters::kLock,   &letters::kMask,
    &letters::kIgnore};
static_assert(kLetters.size() == static_cast<std::size_t>(harness::kLastStep) + 1);

struct BodyWeight {
  BodyKind kind;
  int weight;
};
constexpr std::array kBodyWeights{BodyWeight{BodyKind::kNothing, 16},
                                  BodyWeight{BodyKind::kEcho, 18},
                                  BodyWeight{BodyKind::kSleep, 12},
                                  BodyWeight{BodyKind::kSpin, 3},
                                  BodyWeight{BodyKind::kNever, 32},
                                  BodyWeight{BodyKind::kRaise, 10},
                                  BodyWeight{BodyKind::kExit, 8},
                                  BodyWeight{BodyKind::kOsExit, 13},
                                  BodyWeight{BodyKind::kAbort, 6},
                                  BodyWeight{BodyKind::kKillSelf, 16},
                                  BodyWeight{BodyKind::kSegfault, 3},
                                  BodyWeight{BodyKind::kStopSelf, 3},
                                  BodyWeight{BodyKind::kIgnoreSigterm, 3},
                                  BodyWeight{BodyKind::kLeaveChild, 3},
                                  BodyWeight{BodyKind::kUnserializable, 3},
                                  BodyWeight{BodyKind::kReadInput, 2},
                                  BodyWeight{BodyKind::kInterrupt, 2},
                                  BodyWeight{BodyKind::kUnbuildableError, 2},
                                  BodyWeight{BodyKind::kUnreadableValue, 2},
                                  BodyWeight{BodyKind::kUnserializableArgument, 2},
                                  BodyWeight{BodyKind::kUnreadableArgument, 2},
                                  BodyWeight{BodyKind::kPrint, 6},
                                  BodyWeight{BodyKind::kRaiseNested, 2},
                                  BodyWeight{BodyKind::kLeaveDaemon, 2},
                                  BodyWeight{BodyKind::kKeepFiles, 1},
                                  BodyWeight{BodyKind::kUsePool, 2},
                                  BodyWeight{BodyKind::kLeavePool, 2}};
static_assert(kBodyWeights.size() == static_cast<std::size_t>(harness::kLastBody) + 1);

constexpr bool weights_are_in_order() {
  for (std::size_t i = 0; i < kBodyWeights.size(); ++i) {
    if (static_cast<std::size_t>(kBodyWeights[i].kind) != i) return false;
  }
  return true;
}
static_assert(weights_are_in_order());

/// Around what pipes and pages hold.
constexpr std::array<std::int64_t, 8> kPayloads{0, 1, 4095, 4096, 4097, 65535, 65536, 65537};
constexpr std::int64_t kLargePayload = 1 << 20;

}  // namespace

std::span<const Letter* const> letter_table() {
  return kLetters;
}

const Letter& letter(harness::StepKind kind) {
  const auto* found = kLetters[static_cast<std::size_t>(kind)];
  POOLPROOF_CHECK(found->kind == kind);
  return *found;
}

int weight(BodyKind kind) {
  return kBodyWeights[static_cast<std::size_t>(kind)].weight;
}

int weight(EndingKind kind) {
  return kind == EndingKind::kReturn ? 4 : 1;
}

harness::Step letters::plain(harness::StepKind kind) {
  harness::Step step;
  step.kind = kind;
  return step;
}

harness::Caller Draft::caller(bool twice) {
  constexpr int kOtherPercent = 8;
  if (!can(harness::Setting::kCaller) || !dice.percent(kOtherPercent)) return {};
  using harness::Caller;
  return twice && dice.percent(50) ? Caller::kThreads : Caller::kThread;
}

harness::Body Draft::body() {
  std::vector<int> weights;
  for (const BodyKind kind : bodies) weights.push_back(weight(kind));
  const int index = dice.weighted(weights);
  if (index < 0) return {};
  harness::Body body{.kind = bodies[static_cast<std::size_t>(index)]};
  switch (entry(body.kind).parameter) {
    case harness::Parameter::kNone:
      break;
    case harness::Parameter::kCode:
      body.amount = dice.pick(std::array{0, 1, 3, 255});
      break;
    case harness::Parameter::kMilliseconds:
      body.amount = 1 + dice.below(50);
      break;
    case harness::Parameter::kBytes:
      body.amount = size > 20 && dice.percent(10) ? kLargePayload : dice.pick(kPayloads);
      break;
  }
  return body;
}

}  // namespace poolproof::properties
