#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <optional>
#include <string_view>
#include <vector>

#include "properties/rules/main_after.h"
#include "properties/rules/reading.h"
#include "properties/rules/rules.h"
#include "properties/rules/verdicts.h"

// R1, R4: what is left in main when a pool is over. R2, R3: what is left of the tree when all of it
// is gone.
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

/// "pipe" of "pipe:[4711]", "eventpoll" of "anon_inode:[eventpoll]"; a path is its own kind.
std::string kind_of(std::string_view target) {
  constexpr std::string_view kAnonymous = "anon_inode:";
  if (target.starts_with('/')) return std::string(target);
  if (target.starts_with(kAnonymous)) {
    target.remove_prefix(kAnonymous.size());
    if (target.starts_with('[')) target = target.substr(1, target.find(']') - 1);
    return std::string(target);
  }
  return std::string(target.substr(0, target.find(':')));
}

constexpr int kFirstOther = 3;  // 0 to 2 are I2's

using Descriptors = std::vector<harness::MainState::Descriptor>;

/// Those of `here` that are not there, number and all.
Descriptors missing(const Descriptors& here, const Descriptors& there) {
  Descriptors found;
  std::copy_if(here.begin(), here.end(), std::back_inserter(found), [&](const auto& one) {
    return one.fd >= kFirstOther &&
           std::none_of(there.begin(), there.end(), [&](const auto& other) {
             return other.fd == one.fd && other.of == one.of;
           });
  });
  return found;
}

/// How many pools have taken a task: what main has of its outcome may be why it keeps something. A
/// neighbour always takes one.
int pools_with_tasks(const Reading& reading) {
  int pools = 0;
  bool is_counted = true;
  for (int step = 1; step <= reading.steps(); ++step) {
    const auto& asked = reading.step(step);
    const bool neighbour = asked.kind == harness::StepKind::kNeighbour;
    if (asked.kind == harness::StepKind::kCreate) is_counted = false;
    const bool takes = reading.accepted().contains(asked.task) &&
                       reading.accepted().at(asked.task) == step && !is_counted;
    if (takes) is_counted = true;
    pools += neighbour || takes ? 1 : 0;
  }
  return pools;
}

/// Takes those off that the contract says main keeps.
void forgive_kept(const Reading& reading, Descriptors& left) {
  const int pools = pools_with_tasks(reading);
  for (const auto& kept : reading.contract().keeps) {
    const auto& method = reading.scenario().start_method;
    if (!kept.start_method.empty() && kept.start_method != method) continue;
    auto allowed = kept.most * (kept.each_pool ? pools : 1);
    std::erase_if(left,
                  [&](const auto& one) { return kind_of(one.of) == kept.of && allowed-- > 0; });
  }
}

std::string in_words(const Descriptors& descriptors) {
  std::string text;
  for (const auto& one : descriptors)
    text += fmt::format("{}{} ({})", text.empty() ? "" : ", ", one.fd, one.of);
  return text;
}

}  // namespace

/// In a pool of threads what a task keeps open is open in main.
static bool kept_files_itself(const Reading& reading) {
  return std::any_of(reading.accepted().begin(), reading.accepted().end(), [&](const auto& task) {
    const auto& runs = reading.runs(task.first);
    return reading.body(task.first).kind == harness::BodyKind::kKeepFiles &&
           std::any_of(runs.begin(), runs.end(),
                       [&](const Reading::Run& run) { return run.pid == reading.trace().main(); });
  });
}

Verdict no_descriptor_left(const Evidence& evidence) {
  const Reading reading(evidence);
  const auto main = main_after_pool(reading);
  if (!main || kept_files_itself(reading)) return NotExercised{};
  auto left = missing(main->after.descriptors, main->before.descriptors);
  const auto gone = missing(main->before.descriptors, main->after.descriptors);
  forgive_kept(reading, left);
  if (left.empty() && gone.empty()) return Held{};
  if (!main->final) return NotExercised{};
  auto what = left.empty() ? "has no more what it had open before the pool: " + in_words(gone)
                           : "still has open what it opened for the pool: " + in_words(left);
  return Violated{fmt::format("at its end, after {}, main {}", reading.name(main->ended_by), what),
                  {main->looked_before.event, main->looked_after.event},
                  ""};
}

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
  if (!step || reading.has_a_neighbour()) return NotExercised{};
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
