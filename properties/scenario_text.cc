#include "properties/scenario_text.h"

#include <fmt/format.h>

#include <vector>

#include "properties/text.h"

namespace poolproof::properties {
namespace {

using harness::Body;
using harness::Ending;
using harness::Field;
using harness::FieldType;
using harness::Parameter;
using harness::Step;

/// "7", "30 ms", "64 bytes"; empty where there is no number.
std::string in_words(Parameter parameter, std::int64_t amount) {
  if (parameter == Parameter::kNone) return "";
  if (parameter == Parameter::kCode) return fmt::format(" {}", amount);
  return fmt::format(" {} {}", amount, harness::key(parameter));
}

std::string in_words(const Body& body) {
  const auto& entry = harness::entry(body.kind);
  return std::string(entry.name) + in_words(entry.parameter, body.amount);
}

std::string in_words(const Field& field, const Step& step) {
  const auto value = field.get(step);
  if (!value) return "";
  switch (field.type) {
    case FieldType::kBody:
      return " " + in_words(step.body);
    case FieldType::kName:
      return fmt::format(" {}{}{}", field.optional ? field.key : "", field.optional ? " " : "",
                         field.names[static_cast<std::size_t>(*value)]);
    case FieldType::kMilliseconds:
      return fmt::format("{} {} ms", field.optional ? " for" : "", *value);
    case FieldType::kNumber:
    case FieldType::kNewTask:
    case FieldType::kOldTask:
      return fmt::format(" {} {}", field.key, *value);
  }
  return "";
}

std::string in_words(const Step& step) {
  const auto& entry = harness::entry(step.kind);
  std::string text(entry.name);
  for (const auto& field : entry.fields) text += in_words(field, step);
  return text;
}

std::string in_words(const Ending& ending) {
  const auto& entry = harness::entry(ending.kind);
  return std::string(entry.name) + in_words(entry.parameter, ending.code);
}

}  // namespace

std::string in_words(const harness::Scenario& scenario) {
  std::vector<std::string> steps;
  for (const Step& step : scenario.steps) steps.push_back(in_words(step));
  auto text = joined(steps, ", ");
  if (text.empty()) text = "no step";
  return fmt::format("{}; main: {}", text, in_words(scenario.ending));
}

}  // namespace poolproof::properties
