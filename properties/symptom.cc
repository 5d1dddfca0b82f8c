#include "properties/symptom.h"

#include <algorithm>
#include <array>
#include <variant>

#include "properties/rules/reading.h"

namespace poolproof::properties {
namespace {

using Kind = Symptom::Kind;

template <std::size_t n>
bool is_one_of(const Rule& rule, const std::array<std::string_view, n>& ids) {
  return std::find(ids.begin(), ids.end(), rule.id) != ids.end();
}

/// These are about what is there when main is gone, whatever it stood in before.
constexpr std::array<std::string_view, 2> kOfSurvivors{"W1", "E3"};
constexpr std::array<std::string_view, 2> kOfFiles{"R2", "R3"};
constexpr std::array<std::string_view, 4> kOfWorkers{"W3", "S4", "S5", "S6"};
/// Where a call raised or not is what is wrong: what else a result should be, the kit alone knows.
constexpr std::array<std::string_view, 3> kOfResults{"S1", "S2", "S3"};

int status_of(const sys::ExitStatus& status) {
  if (const auto* exited = std::get_if<sys::Exited>(&status)) return exited->code;
  return -std::get<sys::Killed>(status).signal;
}

/// The last step that was over when what shows the violation had been recorded; 0 for none.
int step_before(const Reading& reading, const Violated& violated) {
  if (violated.events.empty()) return 0;
  const auto last = *std::max_element(violated.events.begin(), violated.events.end());
  int before = 0;
  for (int step = 1; step <= reading.steps(); ++step) {
    const auto& ended = reading.run(step).ended;
    if (ended && ended->event <= last) before = step;
  }
  return before;
}

/// The step whose end is among what shows the violation; 0 for none.
int step_among(const Reading& reading, const Violated& violated) {
  for (int step = 1; step <= reading.steps(); ++step) {
    const auto& ended = reading.run(step).ended;
    if (!ended) continue;
    const auto& shown = violated.events;
    if (std::find(shown.begin(), shown.end(), ended->event) != shown.end()) return step;
  }
  return 0;
}

/// A dropped pool has the grace, and what is seen later belongs to the drop.
int drop_in(const Reading& reading) {
  for (int step = 1; step <= reading.steps(); ++step) {
    if (reading.lets_go(step)) return step;
  }
  return 0;
}

/// Whether the violation shows in what main has come to a stop in, and not before.
bool shows_while(const Reading& reading, int pending, const Violated& violated) {
  const auto& begun = pending == 0 ? reading.ending_begun() : reading.run(pending).begun;
  return violated.events.empty() || !begun ||
         *std::max_element(violated.events.begin(), violated.events.end()) >= begun->event;
}

std::optional<Symptom> of_a_step(Kind kind, int step) {
  if (step == 0) return std::nullopt;
  return Symptom{kind, step, 0};
}

}  // namespace

std::optional<Symptom> symptom_of(const Evidence& evidence, const Rule& rule,
                                  const Violated& violated) {
  const Reading reading(evidence);
  if (is_one_of(rule, kOfFiles)) return Symptom{Kind::kLeavesFiles, 0, 0};
  if (is_one_of(rule, kOfSurvivors) && reading.main_died())
    return Symptom{Kind::kLeavesProcesses, 0, 0};
  const auto pending = reading.pending();
  if (pending && shows_while(reading, *pending, violated))
    return Symptom{Kind::kDoesNotEnd, *pending, 0};
  if (rule.id == "E2" && reading.main_died())
    return Symptom{Kind::kEndsOtherwise, 0, status_of(*reading.main()->status)};
  if (rule.id == "S6" || rule.id == "S7") return of_a_step(Kind::kKeepsWorkers, drop_in(reading));
  if (is_one_of(rule, kOfWorkers))
    return of_a_step(Kind::kKeepsWorkers, step_before(reading, violated));
  if (!is_one_of(rule, kOfResults)) return std::nullopt;
  const int step = step_among(reading, violated);
  // Which error is the documented one, the kit alone knows.
  const bool is_refused = rule.id != "S3" && step != 0 && !reading.run(step).is(Reading::Kind::kOk);
  if (!is_refused) return of_a_step(Kind::kComesOutWrong, step);
  return std::nullopt;
}

}  // namespace poolproof::properties
