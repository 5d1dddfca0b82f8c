#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "properties/rules/reading.h"
#include "properties/rules/rules.h"
#include "properties/rules/verdicts.h"

// R2, R3: what is left of the tree when all of it is gone.
namespace poolproof::properties {
namespace {

constexpr int kOwnNamespaces = 1;  // the rung on which what is left can only be the subject's

bool pool_was_made(const Reading& reading) {
  return reading.before(reading.steps() + 1).state() != Model::State::kNone;
}

/// Only where everybody came to its own end: whoever the warden had to kill may have been about to
/// clear up, and that it was there at all is W1's affair.
bool all_ended_by_themselves(const Reading& reading) {
  return reading.main_died() && reading.trace().end == harness::End::kAllDead;
}

template <std::size_t N>
Verdict nothing_left_in(const Evidence& evidence, const std::array<std::string_view, N>& places) {
  const Reading reading(evidence);
  if (!pool_was_made(reading) || !all_ended_by_themselves(reading)) return NotExercised{};
  if (evidence.trace.rung != kOwnNamespaces) {
    return Inconclusive{
        fmt::format("whose files are whose cannot be told on rung {}", evidence.trace.rung)};
  }
  Verdicts verdicts;
  verdicts.held();
  const auto& events = evidence.trace.events;
  for (std::size_t i = 0; i < events.size(); ++i) {
    const auto* left = std::get_if<harness::LeftOver>(&events[i].kind);
    if (left == nullptr || std::find(places.begin(), places.end(), left->where) == places.end())
      continue;
    verdicts.violated(fmt::format("everybody is gone, but {} {} left in {}", left->count,
                                  left->count == 1 ? "object is" : "objects are", left->where),
                      {reading.main_dead()->event, i});
  }
  return verdicts.verdict();
}

}  // namespace

Verdict no_shared_memory_left(const Evidence& evidence) {
  return nothing_left_in(evidence, std::array<std::string_view, 3>{"/dev/shm", "System V IPC",
                                                                   "POSIX message queues"});
}

Verdict no_file_left(const Evidence& evidence) {
  return nothing_left_in(evidence, std::array<std::string_view, 1>{"/tmp"});
}

}  // namespace poolproof::properties
