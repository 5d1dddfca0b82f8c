#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <vector>

#include "properties/rules/outcome.h"
#include "properties/rules/reading.h"
#include "properties/rules/rules.h"
#include "properties/rules/verdicts.h"

// T4: are the results of a map those of its items, in their order, each once?
namespace poolproof::properties {
namespace {

using harness::Form;
using Kind = Reading::Kind;

std::string in_words(const std::vector<std::string>& values) {
  std::string text;
  for (const auto& value : values) text += (text.empty() ? "" : ", ") + value.substr(0, 40);
  return text.empty() ? "nothing" : text.substr(0, 200);
}

/// A get of a map or starmap, which gives all at once.
void judge_all(const Reading& reading, int step, const std::vector<std::string>& wanted,
               Verdicts& verdicts) {
  const auto& run = reading.run(step);
  if (!run.is(Kind::kOk)) return;
  const auto given = values_in(run.result->value);
  if (given == wanted) return verdicts.held();
  verdicts.violated(fmt::format("{} of task {} gives {}, not {}", reading.name(step),
                                reading.step(step).task, in_words(given), in_words(wanted)),
                    {run.ended->event});
}

/// What an imap has given so far.
class Stream {
 public:
  Stream(const harness::Step& map, std::vector<std::string> wanted)
      : ordered_(map.form == Form::kImap), left_(std::move(wanted)) {}

  /// Whether this is what may come next; takes it.
  bool take(const std::string& value) {
    const auto found = std::find(left_.begin(), left_.end(), value);
    if (found == left_.end() || (ordered_ && found != left_.begin())) return false;
    left_.erase(found);
    return true;
  }
  const std::vector<std::string>& left() const { return left_; }

 private:
  bool ordered_;
  std::vector<std::string> left_;
};

/// A next that ended in an error tells no item: from there on nothing is known.
void judge_stream(const Reading& reading, int task, Stream stream, Verdicts& verdicts) {
  for (const int step : reading.gets(task)) {
    const auto& run = reading.run(step);
    if (run.is(Kind::kTimeout)) continue;
    if (run.is(Kind::kExhausted)) {
      if (stream.left().empty()) return verdicts.held();
      return verdicts.violated(
          fmt::format("{} of task {} says that there is nothing more, without {}",
                      reading.name(step), task, in_words(stream.left())),
          {run.ended->event});
    }
    if (!run.is(Kind::kOk)) return;
    const auto before = stream.left();
    if (!stream.take(run.result->value)) {
      return verdicts.violated(
          fmt::format("{} of task {} gives {}, where {} was to come", reading.name(step), task,
                      run.result->value.substr(0, 60), in_words(before)),
          {run.ended->event});
    }
    verdicts.held();
  }
}

}  // namespace

Verdict order_is_kept(const Evidence& evidence) {
  const Reading reading(evidence);
  Verdicts verdicts;
  for (const auto& [task, submitted] : reading.accepted()) {
    if (!reading.is_map(task)) continue;
    const auto& map = reading.handed_over(task);
    if (!value_of(task, map.body)) continue;  // none comes to a value
    auto wanted = item_values(map);
    if (is_stream(map.form)) {
      judge_stream(reading, task, Stream(map, std::move(wanted)), verdicts);
    } else {
      for (const int step : reading.gets(task)) judge_all(reading, step, wanted, verdicts);
    }
  }
  return verdicts.verdict();
}

}  // namespace poolproof::properties
