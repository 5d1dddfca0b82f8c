#include "properties/rules/outcome.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>

namespace poolproof::properties {

using harness::BodyKind;
using Kind = Reading::Kind;

/// FNV-1a 64 over the bytes that the protocol gives the task.
static std::uint64_t hash_of(int task, std::int64_t bytes) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (std::int64_t i = 0; i < bytes; ++i) {
    hash ^= static_cast<std::uint64_t>((static_cast<std::int64_t>(task) * 31 + i) & 0xff);
    hash *= 0x100000001b3;
  }
  return hash;
}

bool is_told(Kind kind) {
  return kind == Kind::kOk || kind == Kind::kTaskError || kind == Kind::kWorkerDied ||
         kind == Kind::kCancelled;
}

bool is_to_fail(const harness::Body& body) {
  return entry(body.kind).comes != harness::Comes::kToItsValue;
}

std::optional<std::string> value_of(int task, const harness::Body& body) {
  switch (body.kind) {
    case BodyKind::kNothing:
    case BodyKind::kSleep:
    case BodyKind::kSpin:
    case BodyKind::kLeaveChild:
    case BodyKind::kLeaveDaemon:
    case BodyKind::kKeepFiles:
    case BodyKind::kUsePool:
    case BodyKind::kLeavePool:
    case BodyKind::kReadInput:
    case BodyKind::kPrint:
      return "none";
    case BodyKind::kEcho:
      return fmt::format("bytes:{}:{:016x}", body.amount, hash_of(task, body.amount));
    default:
      return std::nullopt;
  }
}

int items_of(const harness::Step& map) {
  return map.raises_at ? std::min(map.items, *map.raises_at - 1) : map.items;
}

bool tells_input(std::string_view message, const harness::Step& map) {
  return map.raises_at && tells_task(message, map.task) &&
         message.find(fmt::format("input {} of task {}", *map.raises_at, map.task)) != message.npos;
}

std::vector<std::string> item_values(const harness::Step& map) {
  std::vector<std::string> values;
  if (!value_of(map.task, map.body)) return values;
  for (int item = 1; item <= items_of(map); ++item) {
    const bool echoes = map.body.kind == BodyKind::kEcho;
    // Each echoes bytes of its own: those of the task as many numbers on.
    values.push_back(echoes ? *value_of(map.task + item, map.body) : fmt::format("item:{}", item));
  }
  return values;
}

std::vector<std::string> values_in(std::string_view told) {
  if (!told.starts_with('[') || !told.ends_with(']')) return {std::string(told)};
  told = told.substr(1, told.size() - 2);
  std::vector<std::string> values;
  while (!told.empty()) {
    const auto comma = std::min(told.find(','), told.size());
    values.emplace_back(told.substr(0, comma));
    told.remove_prefix(std::min(comma + 1, told.size()));
  }
  return values;
}

/// "1" and "12" of "task 1, not task 12".
static std::vector<std::string_view> tasks_told(std::string_view message) {
  constexpr std::string_view kTask = "task ";
  std::vector<std::string_view> numbers;
  for (auto at = message.find(kTask); at != message.npos; at = message.find(kTask, at + 1)) {
    const auto rest = message.substr(at + kTask.size());
    const auto number = rest.substr(0, rest.find_first_not_of("0123456789"));
    if (!number.empty()) numbers.push_back(number);
  }
  return numbers;
}

bool tells_task(std::string_view message, int task) {
  const auto told = tasks_told(message);
  return std::find(told.begin(), told.end(), std::to_string(task)) != told.end();
}

bool tells_any_task(std::string_view message) {
  return !tasks_told(message).empty();
}

bool is_made_by_body(int task, const harness::Body& body, const harness::StepResult& result) {
  if (result.kind == Kind::kTaskError)
    return is_to_fail(body) && !entry(body.kind).never_begins &&
           (entry(body.kind).comes == harness::Comes::kToAnError ||
            tells_task(result.message, task));
  const auto value = value_of(task, body);
  return result.kind == Kind::kOk && value && result.value == *value;
}

/// The same of a task of any kind: of a map's items at least one must have run.
static bool is_made_by_body(const harness::Step& task, const harness::StepResult& result) {
  if (tells_input(result.message, task)) return false;  // no body had it
  if (task.kind != harness::StepKind::kMap || result.kind != Kind::kOk)
    return is_made_by_body(task.task, task.body, result);
  const auto values = item_values(task);
  const auto told = values_in(result.value);
  return std::any_of(told.begin(), told.end(), [&](const std::string& value) {
    return std::find(values.begin(), values.end(), value) != values.end();
  });
}

std::optional<std::string> doubt_about_runs(const Reading& reading) {
  for (const auto& [task, submitted] : reading.accepted()) {
    if (!reading.runs(task).empty()) continue;
    for (const int step : reading.gets(task)) {
      const auto& run = reading.run(step);
      if (!run.ended || !is_made_by_body(reading.handed_over(task), *run.result)) continue;
      return fmt::format(
          "{} was told what task {} comes to, but no claim says that it ran: "
          "workers write no claims",
          reading.name(step), task);
    }
  }
  return std::nullopt;
}

bool any_claimed_to_run(const Reading& reading) {
  const auto& accepted = reading.accepted();
  return std::any_of(accepted.begin(), accepted.end(),
                     [&](const auto& task) { return !reading.runs(task.first).empty(); });
}

}  // namespace poolproof::properties
