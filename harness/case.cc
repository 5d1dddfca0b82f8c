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

void write(ObjectWriter& object, const Body& body) {
  const auto& entry = harness::entry(body.kind);
  object.text("body", entry.name);
  if (entry.parameter != Parameter::kNone) object.number(key(entry.parameter), body.amount);
}

void write(std::string& out, const Step& step) {
  ObjectWriter object(out);
  object.text("step", entry(step.kind).name);
  for (const Field& field : entry(step.kind).fields) {
    const auto value = field.get(step);
    if (!value) continue;
    if (field.type == FieldType::kBody) {
      write(object, step.body);
    } else if (field.type == FieldType::kName) {
      object.text(field.key, field.names[static_cast<std::size_t>(*value)]);
    } else {
      object.number(field.key, *value);
    }
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

Body read_body(ObjectReader& object) {
  Body body{.kind = object.one_of("body", body_named), .amount = 0};
  const Parameter parameter = entry(body.kind).parameter;
  if (parameter != Parameter::kNone) {
    body.amount = object.integer(key(parameter), 0, greatest(parameter));
  }
  return body;
}

void read_field(ObjectReader& object, const Field& field, Step& step) {
  if (field.optional && !object.has(field.key)) return;
  if (field.type == FieldType::kBody) {
    step.body = read_body(object);
  } else if (field.type == FieldType::kName) {
    const auto place = [&](std::string_view name) -> std::optional<std::int64_t> {
      const auto found = std::find(field.names.begin(), field.names.end(), name);
      if (found == field.names.end()) return std::nullopt;
      return found - field.names.begin();
    };
    field.set(step, object.one_of(field.key, place));
  } else {
    field.set(step, object.integer(field.key, field.low, field.high));
  }
}

Step read_step(const nlohmann::json& value, std::string path, Complaint& complaint) {
  ObjectReader object(value, std::move(path), complaint);
  Step step;
  step.kind = object.one_of("step", step_named);
  for (const Field& field : entry(step.kind).fields) read_field(object, field, step);
  object.finish();
  return step;
}

/// What exists while the steps are read in order: a step that needs something else is no case.
struct Existing {
  bool pool = false;
  bool dropped = false;
  bool program = false;
  std::vector<bool> streams;  // of the tasks so far

  std::string_view lacks(const Step& step) const {
    const auto& entry = harness::entry(step.kind);
    if (entry.makes == Makes::kTask && std::cmp_not_equal(step.task, streams.size() + 1))
      return "tasks are numbered from 1 in order of submission";
    switch (entry.needs) {
      case Needs::kNothing:
        return "";
      case Needs::kNoPool:
        return pool ? "a second create: a scenario has one pool" : "";
      case Needs::kTask:
      case Needs::kWholeTask:
      case Needs::kStream:
        return lacks_task(step, entry.needs);
      case Needs::kNoProgram:
        return program ? "a second program: the first must be reaped before" : "";
      case Needs::kProgram:
        return program ? "" : "needs a program: an earlier step must launch it";
      case Needs::kPool:
        if (!pool) return "needs a pool: an earlier step must create it";
        return dropped ? "needs the pool, but an earlier step dropped it" : "";
    }
    return "";
  }
  std::string_view lacks_task(const Step& step, Needs needs) const {
    const auto index = static_cast<std::size_t>(step.task) - 1;
    if (index >= streams.size()) return "gets a task that no earlier step submitted";
    if (needs == Needs::kWholeTask && streams[index])
      return "the results of an imap are taken by next";
    if (needs == Needs::kStream && !streams[index]) return "takes the results of an imap only";
    return "";
  }
  void take(const Step& step) {
    const Makes makes = entry(step.kind).makes;
    if (makes == Makes::kPool && !has_bad_count(step)) pool = true;
    if (makes == Makes::kNoReference) dropped = true;
    if (makes == Makes::kProgram || makes == Makes::kNoProgram) program = makes == Makes::kProgram;
    if (makes == Makes::kTask)
      streams.push_back(step.kind == StepKind::kMap && is_stream(step.form));
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

std::set<Inherited> read_inherits(ObjectReader& object, Complaint& complaint) {
  std::set<Inherited> inherits;
  const auto& names = object.array("inherits");
  for (std::size_t i = 0; i < names.size(); ++i) {
    const auto named =
        names[i].is_string() ? inherited_named(names[i].get<std::string>()) : std::nullopt;
    if (!named || !inherits.insert(*named).second)
      complaint.say(object.path_to("inherits", i), "expected what main can inherit, each once");
  }
  return inherits;
}

void write(std::string& out, const std::set<Inherited>& inherits) {
  std::string_view before = "[";
  for (const Inherited inherited : inherits) {
    append_json_string(out.append(before), name(inherited));
    before = ", ";
  }
  out += "]";
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
  if (object.has("processors"))
    result.scenario.processors = object.small("processors", 1, kMaxProcessors);
  if (object.has("inherits")) result.scenario.inherits = read_inherits(object, complaint);
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
  if (value.scenario.processors)
    out += ",\n  \"processors\": " + std::to_string(*value.scenario.processors);
  if (!value.scenario.inherits.empty())
    write(out += ",\n  \"inherits\": ", value.scenario.inherits);
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
