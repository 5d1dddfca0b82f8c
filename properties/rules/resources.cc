#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>
#include <vector>

#include "properties/rules/reading.h"
#include "properties/rules/rules.h"
#include "properties/rules/verdicts.h"

// R2, R3: what is left of the tree when all of it is gone. R4: what is left in main when a pool is
// over.
namespace poolproof::properties {
namespace {

constexpr int kOwnNamespaces = 1;  // the rung on which what is left can only be the subject's

/// Begun is enough: what is there before the creation fails, or main dies in it, is to go as well.
bool pool_was_begun(const Reading& reading) {
  for (int step = 1; step <= reading.steps(); ++step) {
    if (reading.step(step).kind == harness::StepKind::kCreate && reading.run(step).begun)
      return true;
  }
  return false;
}

/// Only where everybody came to its own end: whoever the warden had to kill may have been about to
/// clear up, and that it was there at all is W1's affair.
bool all_ended_by_themselves(const Reading& reading) {
  return reading.main_died() && reading.trace().end == harness::End::kAllDead;
}

template <std::size_t N>
Verdict nothing_left_in(const Evidence& evidence, const std::array<std::string_view, N>& places) {
  const Reading reading(evidence);
  if (!pool_was_begun(reading) || !all_ended_by_themselves(reading)) return NotExercised{};
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

/// The first step after which nothing of the pool may go on: a join, or a drop once nothing is
/// pending.
std::optional<int> end_of_pool(const Reading& reading) {
  for (int step = 1; step <= reading.steps(); ++step) {
    const auto kind = reading.step(step).kind;
    const bool ends = kind == harness::StepKind::kJoin ||
                      (kind == harness::StepKind::kDrop && reading.contract().drop_ends_pool);
    if (ends && reading.run(step).is(Reading::Kind::kOk)) return step;
  }
  return std::nullopt;
}

/// Main's threads that began while the pool was made or in use, and have not ended before `moment`.
std::vector<harness::Pid> threads_of_pool(const Reading& reading, const Reading::Moment& ended,
                                          const Reading::Moment& moment) {
  std::vector<harness::Pid> left;
  const auto& events = reading.trace().events;
  for (std::size_t i = 0; i < moment.event && i < events.size(); ++i) {
    const auto* born = std::get_if<harness::ThreadBorn>(&events[i].kind);
    const auto* dead = std::get_if<harness::ThreadDead>(&events[i].kind);
    if (born != nullptr && born->pid == reading.trace().main() && i < ended.event &&
        reading.is_within_the_pools_life({events[i].at, i}))
      left.push_back(born->tid);
    if (dead != nullptr) std::erase(left, dead->tid);
  }
  return left;
}

}  // namespace

Verdict no_shared_memory_left(const Evidence& evidence) {
  return nothing_left_in(evidence, std::array<std::string_view, 3>{"/dev/shm", "System V IPC",
                                                                   "POSIX message queues"});
}

Verdict no_file_left(const Evidence& evidence) {
  return nothing_left_in(evidence, std::array<std::string_view, 1>{"/tmp"});
}

Verdict no_thread_left(const Evidence& evidence) {
  const Reading reading(evidence);
  const auto step = end_of_pool(reading);
  if (!step) return NotExercised{};
  const auto from = reading.released_from(*step);
  if (!from) return NotExercised{};
  const auto watched = reading.main_goes_on_until();
  if (watched < *from) return NotExercised{};
  const auto left = threads_of_pool(reading, *from, watched);
  if (left.empty()) return Held{};
  if (reading.within_grace(*from, watched)) return NotExercised{};
  return Violated{fmt::format("{} after {} main still has {} of the pool's threads: {}",
                              in_words(reading.tree_time(*from, watched)), reading.name(*step),
                              left.size(), fmt::join(left, ", ")),
                  {from->event, watched.event},
                  ""};
}

}  // namespace poolproof::properties
