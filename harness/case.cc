#include "harness/case.h"

#include "harness/strict_json.h"

namespace poolproof::harness {
namespace {

using std::chrono::milliseconds;

constexpr std::size_t kMaxName = 200;
constexpr std::int64_t kMaxFuse = 600'000;
constexpr int kMaxBirths = 100'000;
constexpr std::int64_t kMaxLimit = 1LL << 46;

// ---- Writing -----------------------------------------------------------------------------------

void write(std::string& out, const Step& step) {
  ObjectWriter object(out);
  object.text("step", entry(step.kind).name);
  switch (step.kind) {
    case StepKind::kCreate:
      if (step.workers) object.number("workers", *step.workers);
      if (step.quota) object.number("quota", *step.quota);
      if (step.initializer != Initializer::kNone)
        object.text("initializer", name(step.initializer));
      break;
    case StepKind::kSubmit: {
      const auto& body = entry(step.body.kind);
      object.number("task", step.task).text("body", body.name);
      if (body.parameter != Parameter::kNone) object.number(key(body.parameter), step.body.amount);
      break;
    }
    case StepKind::kGet:
      object.number("task", step.task);
      if (step.timeout) object.number("timeout_ms", step.timeout->count());
      break;
    case StepKind::kSleep:
      object.number("ms", step.duration.count());
      break;
    case StepKind::kKill:
      object.text("victim", name(step.victim));
      break;
    case StepKind::kClose:
    case StepKind::kTerminate:
    case StepKind::kJoin:
    case StepKind::kDrop:
    case StepKind::kWorkers:
      break;
  }
  object.end();
}

void write(std::string& out, const Ending& ending) {
  ObjectWriter object(out);
  object.text("how", entry(ending.kind).name);
  if (entry(ending.kind).parameter == Parameter::kCode) object.number("code", ending.code);
  object.end();
}

void write(std::string& out, const Settings& settings) {
  const Settings usual;
  ObjectWriter object(out);
  object.number("grace_ms", settings.grace.count()).number("fuse_ms", settings.fuse.count());
  if (settings.max_births != usual.max_births) object.number("max_births", settings.max_births);
  if (settings.data_bytes != usual.data_bytes) object.number("data_bytes", settings.data_bytes);
  if (settings.file_bytes != usual.file_bytes) object.number("file_bytes", settings.file_bytes);
  object.end();
}

/// before_step and after_steps: the white space that makes it one line or many.
void write(std::string& out, const Scenario& scenario, std::string_view before_key,
           std::string_view before_step, std::string_view after_steps) {
  out += '{';
  if (!scenario.start_method.empty()) {
    out.append(before_key).append("\"start_method\": ");
    append_json_string(out, scenario.start_method);
    out += before_key.empty() ? ", " : ",";
  }
  out.append(before_key).append("\"steps\": [");
  bool first = true;
  for (const Step& step : scenario.steps) {
    if (!first) out += before_step.empty() ? ", " : ",";
    first = false;
    write(out.append(before_step), step);
  }
  if (!first) out += after_steps;
  out += before_key.empty() ? "], " : "],";
  write(out.append(before_key).append("\"ending\": "), scenario.ending);
}

// ---- Reading -----------------------------------------------------------------------------------

/// A name that will be printed, and be part of a file's name: visible ASCII only.
std::string read_name(ObjectReader& object, std::string_view key) {
  std::string name = object.maybe_text(key);
  const auto visible = [](char c) { return c > ' ' && c <= '~' && c != '/' && c != '\\'; };
  if (name.size() > kMaxName || !std::all_of(name.begin(), name.end(), visible)) {
    object.complain(key, "expected a name of at most 200 visible characters without slashes");
  }
  return name;
}

std::int64_t most(Parameter parameter) {
  switch (parameter) {
    case Parameter::kBytes:
      return kMaxBytes;
    case Parameter::kMilliseconds:
      return kMaxMilliseconds;
    case Parameter::kCode:
      return 255;
    case Parameter::kNone:
      return 0;
  }
  return 0;
}

Body read_body(ObjectReader& object) {
  Body body{.kind = object.one_of("body", body_named), .amount = 0};
  const Parameter parameter = entry(body.kind).parameter;
  if (parameter != Parameter::kNone) {
    body.amount = object.integer(key(parameter), 0, most(parameter));
  }
  return body;
}

Step read_step(const nlohmann::json& value, std::string path, Complaint& complaint) {
  ObjectReader object(value, std::move(path), complaint);
  Step step;
  step.kind = object.one_of("step", step_named);
  switch (step.kind) {
    case StepKind::kCreate:
      if (const auto n = object.maybe_integer("workers", 1, kMaxWorkers)) {
        step.workers = static_cast<int>(*n);
      }
      if (const auto n = object.maybe_integer("quota", 1, kMaxQuota)) {
        step.quota = static_cast<int>(*n);
      }
      if (object.has("initializer"))
        step.initializer = object.one_of("initializer", initializer_named);
      break;
    case StepKind::kSubmit:
      step.task = object.small("task", 1, kMaxSteps);
      step.body = read_body(object);
      break;
    case StepKind::kGet:
      step.task = object.small("task", 1, kMaxSteps);
      if (const auto ms = object.maybe_integer("timeout_ms", 0, kMaxMilliseconds)) {
        step.timeout = milliseconds(*ms);
      }
      break;
    case StepKind::kSleep:
      step.duration = milliseconds(object.integer("ms", 0, kMaxMilliseconds));
      break;
    case StepKind::kKill:
      step.victim = object.one_of("victim", victim_named);
      break;
    case StepKind::kClose:
    case StepKind::kTerminate:
    case StepKind::kJoin:
    case StepKind::kDrop:
    case StepKind::kWorkers:
      break;
  }
  object.finish();
  return step;
}

/// What exists while the steps are read in order: a step that needs something else is no case.
struct Existing {
  bool pool = false;
  bool dropped = false;
  int tasks = 0;

  std::string_view lacks(const Step& step) const {
    switch (step.kind) {
      case StepKind::kSleep:
        return "";
      case StepKind::kCreate:
        return pool ? "a second create: a scenario has one pool" : "";
      case StepKind::kGet:
        return step.task > tasks ? "gets a task that no earlier step submitted" : "";
      case StepKind::kSubmit:
        if (step.task != tasks + 1) return "tasks are numbered from 1 in order of submission";
        [[fallthrough]];
      default:
        if (!pool) return "needs a pool: an earlier step must create it";
        return dropped ? "needs the pool, but an earlier step dropped it" : "";
    }
  }
  void take(const Step& step) {
    if (step.kind == StepKind::kCreate) pool = true;
    if (step.kind == StepKind::kDrop) dropped = true;
    if (step.kind == StepKind::kSubmit) ++tasks;
  }
};

Scenario read_scenario(const nlohmann::json& value, Complaint& complaint) {
  ObjectReader object(value, "scenario", complaint);
  Scenario scenario;
  scenario.start_method = read_name(object, "start_method");
  const auto& steps = object.array("steps");
  if (steps.size() > static_cast<std::size_t>(kMaxSteps)) {
    object.complain("steps", "more than " + std::to_string(kMaxSteps));
  }
  Existing existing;
  for (std::size_t i = 0; i < steps.size() && !complaint.any(); ++i) {
    scenario.steps.push_back(read_step(steps[i], object.path_to("steps", i), complaint));
    const auto lack = existing.lacks(scenario.steps.back());
    if (!lack.empty()) complaint.say(object.path_to("steps", i), lack);
    existing.take(scenario.steps.back());
  }
  ObjectReader ending(object.object("ending"), "scenario.ending", complaint);
  scenario.ending.kind = ending.one_of("how", ending_named);
  if (entry(scenario.ending.kind).parameter == Parameter::kCode) {
    scenario.ending.code = ending.small("code", 0, 255);
  }
  ending.finish();
  object.finish();
  return scenario;
}

Settings read_settings(const nlohmann::json& value, Complaint& complaint) {
  ObjectReader object(value, "settings", complaint);
  Settings settings;
  const auto take = [&](std::string_view key, auto& into, std::int64_t low, std::int64_t high) {
    using Into = std::remove_reference_t<decltype(into)>;
    if (const auto n = object.maybe_integer(key, low, high)) into = Into(static_cast<int>(*n));
  };
  take("grace_ms", settings.grace, 1, kMaxMilliseconds);
  take("fuse_ms", settings.fuse, 1, kMaxFuse);
  take("max_births", settings.max_births, 1, kMaxBirths);
  settings.data_bytes =
      object.maybe_integer("data_bytes", 1, kMaxLimit).value_or(settings.data_bytes);
  settings.file_bytes =
      object.maybe_integer("file_bytes", 1, kMaxLimit).value_or(settings.file_bytes);
  object.finish();
  return settings;
}

Case read_case(const nlohmann::json& value, Complaint& complaint) {
  ObjectReader object(value, "", complaint);
  Case result;
  const auto format = object.integer("format", INT64_MIN, INT64_MAX);
  if (format != kCaseFormat) {
    object.complain("format", "this build reads format " + std::to_string(kCaseFormat) + " only");
  }
  result.pool = read_name(object, "pool");
  if (result.pool.empty())
    object.complain("pool", "expected a pool's name; `poolproof pools` lists them");
  result.seed = object.maybe_unsigned("seed");
  if (object.has("settings")) result.settings = read_settings(object.object("settings"), complaint);
  result.scenario = read_scenario(object.object("scenario"), complaint);
  if (object.has("fault")) {
    auto fault = fault_from_string(object.text("fault"));
    if (fault) result.scenario.fault = *std::move(fault);
    if (!fault) object.complain("fault", fault.error().message());
  }
  object.finish();
  return result;
}

}  // namespace

int Scenario::length() const {
  return static_cast<int>(steps.size()) + (ending.kind == EndingKind::kReturn ? 0 : 1);
}

std::string to_json(const Case& value) {
  std::string out = "{\n  \"format\": " + std::to_string(kCaseFormat) + ",\n  \"pool\": ";
  append_json_string(out, value.pool);
  out += ",\n  \"seed\": " + std::to_string(value.seed) + ",\n  \"settings\": ";
  write(out, value.settings);
  if (value.scenario.fault) {
    out += ",\n  \"fault\": ";
    append_json_string(out, to_string(*value.scenario.fault));
  }
  out += ",\n  \"scenario\": ";
  write(out, value.scenario, "\n    ", "\n      ", "\n    ");
  return out += "\n  }\n}\n";
}

std::string to_json(const Scenario& value) {
  std::string out;
  write(out, value, "", "", "");
  return out += "}";
}

sys::Result<Case> case_from_json(std::string_view text) {
  const auto parsed = parse_json(text, /*twice=*/true);
  if (!parsed) return sys::Error("case: " + parsed.error().message());
  Complaint complaint;
  Case result = read_case(*parsed, complaint);
  if (complaint.any()) return complaint.error("case");
  return result;
}

}  // namespace poolproof::harness
