#include "properties/rules/main_after.h"

#include <algorithm>
#include <array>
#include <set>
#include <string_view>

#include "properties/rules/outcome.h"

namespace poolproof::properties {
namespace {

using harness::MainState;
using harness::StepKind;

struct Look {
  const MainState* state = nullptr;
  Reading::Moment moment;
};

std::optional<Look> look(const Reading& reading, std::string_view at) {
  const auto& events = reading.trace().events;
  for (std::size_t i = 0; i < events.size() && !reading.over_at(i); ++i) {
    const auto* state = std::get_if<MainState>(&events[i].kind);
    if (state != nullptr && state->at == at) return Look{state, {events[i].at, i}};
  }
  return std::nullopt;
}

bool every_pool_was_made(const Reading& reading) {
  bool any = false;
  for (int step = 1; step <= reading.steps(); ++step) {
    if (reading.step(step).kind != StepKind::kCreate || reading.was_rightly_refused(step)) continue;
    if (!reading.run(step).is(Reading::Kind::kOk)) return false;
    any = true;
  }
  return any;
}

/// Whether main knows the outcome of each task: a future without one may hold its pool by rights.
bool every_outcome_is_known(const Reading& reading) {
  const auto& accepted = reading.accepted();
  return std::all_of(accepted.begin(), accepted.end(), [&](const auto& task) {
    const auto gets = reading.gets(task.first);
    return std::any_of(gets.begin(), gets.end(), [&](int get) {
      const auto& run = reading.run(get);
      return run.result != nullptr && is_told(run.result->kind);
    });
  });
}

/// Whether main may have been given what holds the pool, besides its futures, for which we know
/// when they let go: the results of a map.
bool hands_out_other_references(const Reading& reading) {
  const auto& steps = reading.scenario().steps;
  return std::any_of(steps.begin(), steps.end(),
                     [](const harness::Step& step) { return step.kind == StepKind::kMap; });
}

/// The step by which main gives everything back, and from when on.
std::optional<int> last_reference(const Reading& reading) {
  const bool by_join = !reading.contract().holds_descriptors_until_drop;
  for (int step = 1; step <= reading.steps(); ++step) {
    if (!reading.run(step).is(Reading::Kind::kOk)) continue;
    const auto kind = reading.step(step).kind;
    if (kind == StepKind::kJoin && by_join && reading.contract().join_waits) return step;
    if (reading.lets_go(step) && reading.contract().drop_ends_pool)
      return every_outcome_is_known(reading) && !hands_out_other_references(reading)
                 ? std::optional(step)
                 : std::nullopt;
  }
  return std::nullopt;
}

/// Another pool has the grace too to give back what it had.
Reading::Moment last_neighbour_left(const Reading& reading) {
  Reading::Moment left;
  for (int step = 1; step <= reading.steps(); ++step) {
    const auto& run = reading.run(step);
    if (reading.step(step).kind == StepKind::kNeighbour && run.ended) left = *run.ended;
  }
  return left;
}

/// Whether the case's fault may be why main is another than before.
bool is_excused(const Reading& reading, const Reading::Moment& moment) {
  return reading.calls_failed_before(moment) ||
         (reading.main() != nullptr && reading.harmed_before(moment) &&
          reading.harmed_by_fault(*reading.main()));
}

}  // namespace

MainsSigterm mains_sigterm(const Reading& reading, const Reading::Moment& moment) {
  using Disposition = MainsSigterm::Disposition;
  MainsSigterm sigterm;
  for (int step = 1; step <= reading.steps(); ++step) {
    const auto& ended = reading.run(step).ended;
    if (!ended || moment < *ended) continue;
    const auto kind = reading.step(step).kind;
    if (kind == StepKind::kHandle) sigterm.disposition = Disposition::kCaught;
    if (kind == StepKind::kIgnore) sigterm.disposition = Disposition::kIgnored;
    if (kind == StepKind::kMask) sigterm.is_blocked = true;
  }
  return sigterm;
}

bool has_a_busy_neighbour(const Reading& reading) {
  for (int step = 1; step <= reading.steps(); ++step) {
    const auto& asked = reading.step(step);
    const bool busy =
        asked.kind == StepKind::kNeighbour && asked.neighbour == harness::Neighbour::kBusy;
    if (busy && reading.run(step).begun) return true;
  }
  return false;
}

std::optional<int> end_of_pool(const Reading& reading) {
  for (int step = 1; step <= reading.steps(); ++step) {
    const auto kind = reading.step(step).kind;
    const bool ends =
        kind == StepKind::kJoin || (reading.lets_go(step) && reading.contract().drop_ends_pool);
    if (ends && reading.run(step).is(Reading::Kind::kOk)) return step;
  }
  return std::nullopt;
}

namespace {

/// The step whose call a thread of main's own has begun early, if it was born then: between the two
/// steps before it.
std::optional<int> early_step(const Reading& reading, const Reading::Moment& birth) {
  for (int step = 2; step <= reading.steps(); ++step) {
    const auto place = static_cast<std::size_t>(step) - 1;
    if (!harness::begins_early(reading.scenario().steps, place)) continue;
    const auto& next = reading.run(step - 1).begun;
    const auto last = step == 2 ? Reading::Maybe(Reading::Moment{}) : reading.run(step - 2).ended;
    if (last && next && *last < birth && birth < *next) return step;
  }
  return std::nullopt;
}

}  // namespace

std::vector<harness::Pid> threads_of_pool(const Reading& reading, const Reading::Moment& ended,
                                          const Reading::Moment& moment) {
  std::vector<harness::Pid> left;
  std::set<int> early;
  const auto& events = reading.trace().events;
  for (std::size_t i = 0; i < moment.event && i < events.size(); ++i) {
    const auto* born = std::get_if<harness::ThreadBorn>(&events[i].kind);
    const auto* dead = std::get_if<harness::ThreadDead>(&events[i].kind);
    const Reading::Moment now{events[i].at, i};
    if (born != nullptr && born->pid == reading.trace().main() && i < ended.event &&
        reading.is_within_the_pools_life(now)) {
      const auto step = early_step(reading, now);
      if (!step || !early.insert(*step).second) left.push_back(born->tid);
    }
    if (dead != nullptr) std::erase(left, dead->tid);
  }
  return left;
}

std::optional<MainAfter> main_after_pool(const Reading& reading) {
  const auto before = look(reading, "started");
  const auto after = look(reading, "ending");
  const auto step = last_reference(reading);
  if (!before || !after || !step || !every_pool_was_made(reading) || reading.has_a_neighbour())
    return std::nullopt;
  if (is_excused(reading, after->moment)) return std::nullopt;
  const auto ended = std::max(*reading.run(*step).ended, last_neighbour_left(reading));
  const bool alone = threads_of_pool(reading, after->moment, after->moment).empty();
  return MainAfter{.before = *before->state,
                   .after = *after->state,
                   .sigterm = mains_sigterm(reading, after->moment),
                   .looked_before = before->moment,
                   .looked_after = after->moment,
                   .ended_by = *step,
                   .final = alone || !reading.within_grace(ended, after->moment)};
}

}  // namespace poolproof::properties
