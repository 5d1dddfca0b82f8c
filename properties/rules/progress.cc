#include <fmt/format.h>

#include "properties/rules/reading.h"
#include "properties/rules/rules.h"
#include "properties/wait_graph.h"

namespace poolproof::properties {
namespace {

std::string where(const Reading& reading, std::optional<int> pending) {
  return pending ? reading.name(*pending) : std::string("no step");
}

}  // namespace

Verdict no_deadlock(const Evidence& evidence) {
  const Reading reading(evidence);
  const auto* main = reading.main();
  if (main == nullptr || !main->born) return NotExercised{};
  const bool created = reading.before(reading.steps() + 1).state() != Model::State::kNone;
  if (reading.main_died()) return created ? Verdict(Held{}) : Verdict(NotExercised{});
  const auto pending = reading.pending();
  if (pending && reading.asked_to_wait(*pending)) return NotExercised{};
  const auto rest = reading.proved_at_rest(*main->born);
  if (!rest)
    return Inconclusive{where(reading, pending) + " was not over: " + reading.why_unclear()};
  if (!pending) return Inconclusive{"at rest before the first step or between two"};
  const auto waits = waits_in_words(evidence.trace, rest->event);
  return Violated{fmt::format("{} waits for ever: the whole tree is blocked{}{}",
                              where(reading, pending), waits.empty() ? "" : ": ", waits),
                  {rest->event},
                  ""};
}

}  // namespace poolproof::properties
