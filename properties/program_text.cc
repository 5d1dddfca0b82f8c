#include "properties/program_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "properties/letters.h"
#include "properties/text.h"

namespace poolproof::properties {
namespace {

using harness::Body;
using harness::Ending;
using harness::EndingKind;
using harness::Field;
using harness::FieldType;
using harness::Parameter;
using harness::Scenario;
using harness::Step;
using harness::StepKind;

using Fields = std::vector<std::pair<std::string_view, std::string>>;

void replace_all(std::string& text, std::string_view what, std::string_view with) {
  for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + with.size())) {
    text.replace(at, what.size(), with);
  }
}

/// Where what ends at `end` and is made of these characters begins.
std::size_t begin_of(const std::string& text, std::size_t end, std::string_view characters) {
  while (end > 0 && characters.find(text[end - 1]) != characters.npos) --end;
  return end;
}

/// The field with what makes an argument of it: ", maxtasksperchild={quota}". The first argument
/// takes the comma behind it along.
void remove_argument(std::string& text, const std::string& field) {
  for (auto at = text.find(field); at != text.npos; at = text.find(field)) {
    auto from = begin_of(text, at, " ");
    const auto equals = begin_of(text, from, "=");
    if (equals < from)
      from = begin_of(text, begin_of(text, equals, " "), "abcdefghijklmnopqrstuvwxyz_.");
    const auto comma = begin_of(text, from, " ");
    auto end = at + field.size();
    if (comma > 0 && text[comma - 1] == ',') {
      from = comma - 1;
    } else if (text.compare(end, 2, ", ") == 0) {
      end += 2;
    }
    text.erase(from, end - from);
  }
}

/// Fills in the fields that we know; other braces belong to the language.
std::string filled(std::string text, const Fields& fields) {
  for (const auto& [name, value] : fields) {
    const auto field = fmt::format("{{{}}}", name);
    if (value.empty()) remove_argument(text, field);
    replace_all(text, field, value);
  }
  return text;
}

std::string seconds(std::chrono::milliseconds time) {
  return fmt::format("{:g}", static_cast<double>(time.count()) / 1000.0);
}

void add_amount(Parameter parameter, std::int64_t amount, Fields& fields) {
  switch (parameter) {
    case Parameter::kNone:
      return;
    case Parameter::kBytes:
      fields.emplace_back("bytes", std::to_string(amount));
      return;
    case Parameter::kCode:
      fields.emplace_back("code", std::to_string(amount));
      return;
    case Parameter::kMilliseconds:
      fields.emplace_back("ms", std::to_string(amount));
      fields.emplace_back("seconds", seconds(std::chrono::milliseconds(amount)));
      return;
  }
}

class Writer {
 public:
  explicit Writer(const Abilities& abilities) : abilities_(abilities) {}

  std::string operator()(const Step& step) const {
    const auto text = call(step);
    if (step.caller == harness::Caller::kMain) return text;
    const bool twice = step.caller == harness::Caller::kThreads;
    return called_by(twice ? "by_threads" : "by_thread", text);
  }

  /// What begins the call of this step before the step before it; empty where nothing does.
  std::string beginning(const Scenario& scenario, std::size_t place) const {
    if (find({"begin_early"}) == nullptr || find({"by_early"}) == nullptr) return "";
    if (!harness::begins_early(scenario.steps, place)) return "";
    const auto number = std::to_string(place + 1);
    return filled(called_by("begin_early", call(scenario.steps[place])), {{"number", number}});
  }

  /// What waits then for that call.
  std::string outcome(std::size_t place) const {
    return filled(*find({"by_early"}), {{"number", std::to_string(place + 1)}});
  }

  std::string operator()(const Ending& ending) const {
    const auto& entry = harness::entry(ending.kind);
    Fields fields;
    add_amount(entry.parameter, ending.code, fields);
    const auto name = std::string(entry.name);
    if (ending.kind == EndingKind::kReturn && find({"ending_return"}) == nullptr) return "";
    return with({"ending_" + name}, "ending " + name, fields);
  }

  /// What goes on when the statement raises.
  std::string attempt(const std::string& statement) const {
    const auto* found = find({"attempt"});
    if (found == nullptr || is_comment(statement)) return statement;
    std::string text = *found;
    std::string step = statement;
    // Python takes one line behind the colon, and of more a block.
    if (step.find('\n') != std::string::npos && text.find(": {step}") != std::string::npos) {
      replace_all(text, ": {step}", ":\n    {step}");
      replace_all(step, "\n", "\n    ");
    }
    return filled(text, {{"step", step}});
  }

  std::string_view comment() const { return abilities_.language == "python" ? "#" : "//"; }

 private:
  std::string call(const Step& step) const {
    const auto& entry = harness::entry(step.kind);
    const auto keys = letter(step.kind).templates;
    Fields fields;
    for (const auto& field : entry.fields) add(field, step, fields);
    return with(keys == nullptr ? std::vector{std::string(entry.name)} : keys(step), what(step),
                fields);
  }

  bool is_comment(std::string_view statement) const { return statement.starts_with(comment()); }

  /// The call in a thread of its own: "f1 = in_thread(lambda: pool.apply(...))". Of several lines
  /// the first is the call.
  std::string called_by(const std::string& key, const std::string& statement) const {
    const auto* found = find({key});
    if (found == nullptr || is_comment(statement)) return statement;
    if (const auto line = statement.find('\n'); line != statement.npos)
      return called_by(key, statement.substr(0, line)) + statement.substr(line);
    const auto equals = statement.find(" = ");
    const bool assigns = equals < statement.find_first_of("(\"");
    const auto from = assigns ? equals + 3 : 0;
    auto call = statement.substr(from);
    while (call.ends_with(';')) call.pop_back();
    return statement.substr(0, from) + filled(*found, {{"call", call}});
  }

  /// What a comment says of a step that has no template.
  static std::string what(const Step& step) {
    std::string text(entry(step.kind).name);
    for (const auto& field : entry(step.kind).fields) {
      if (field.type == FieldType::kName && !field.optional)
        text.append(" ").append(name_of(field, step));
    }
    return text;
  }

  static std::string_view name_of(const Field& field, const Step& step) {
    return field.names[static_cast<std::size_t>(field.get(step).value_or(0))];
  }

  void add(const Field& field, const Step& step, Fields& fields) const {
    const auto value = field.get(step);
    if (field.type == FieldType::kBody) return add(step.body, fields);
    if (!value) {
      fields.emplace_back(without_unit(field.key), "");
    } else if (field.type == FieldType::kName) {
      const auto name = name_of(field, step);
      const auto* text = find({fmt::format("{}_{}", field.key, name)});
      fields.emplace_back(field.key, text != nullptr ? *text : std::string(name));
    } else if (field.type == FieldType::kMilliseconds) {
      const auto in_seconds = seconds(std::chrono::milliseconds(*value));
      fields.emplace_back(field.key, std::to_string(*value));
      fields.emplace_back(field.key == "ms" ? "seconds" : without_unit(field.key), in_seconds);
    } else {
      fields.emplace_back(field.key, std::to_string(*value));
    }
  }

  /// "timeout" of "timeout_ms": programs have seconds there.
  static std::string_view without_unit(std::string_view key) {
    return key.ends_with("_ms") ? key.substr(0, key.size() - 3) : key;
  }

  void add(const Body& body, Fields& fields) const {
    const auto& entry = harness::entry(body.kind);
    add_amount(entry.parameter, body.amount, fields);
    const auto* found = find({"body_" + std::string(entry.name)});
    const std::string text = found != nullptr ? *found : std::string(entry.name) + "|";
    const auto bar = text.find('|');
    const auto args = bar == std::string::npos ? "" : filled(text.substr(bar + 1), fields);
    fields.emplace_back("body", filled(text.substr(0, bar), fields));
    fields.emplace_back("args", args);
  }

  const std::string* find(const std::vector<std::string>& keys) const {
    for (const auto& key : keys) {
      if (const auto at = abilities_.program.find(key); at != abilities_.program.end()) {
        return &at->second;
      }
    }
    return nullptr;
  }

  std::string with(const std::vector<std::string>& keys, const std::string& what,
                   const Fields& fields) const {
    const auto* found = find(keys);
    if (found == nullptr) return fmt::format("{} {}", comment(), what);
    return filled(*found, fields);
  }

  const Abilities& abilities_;
};

std::string text_of(const Abilities& abilities, const std::string& key) {
  const auto at = abilities.program.find(key);
  return at == abilities.program.end() ? "" : at->second;
}

std::string without_outer_newlines(const std::string& text) {
  const auto first = text.find_first_not_of('\n');
  if (first == std::string::npos) return "";
  return text.substr(first, text.find_last_not_of('\n') + 1 - first);
}

/// What a program cannot say of itself, as a comment.
std::vector<std::string> surroundings(const Scenario& scenario, const Abilities& abilities) {
  std::vector<std::string> lines;
  const auto comment = Writer(abilities).comment();
  if (scenario.processors)
    lines.push_back(fmt::format("{} main may use {} only: to be run under taskset", comment,
                                counted(*scenario.processors, "processor")));
  for (const auto inherited : scenario.inherits)
    lines.push_back(fmt::format("{} started with {}", comment, in_words(inherited)));
  return lines;
}

/// Whether a task of the step does that.
bool runs(const Step& step, harness::BodyKind body) {
  return harness::field(step.kind, "body") != nullptr && step.body.kind == body;
}

bool has_step(const Scenario& scenario, StepKind kind) {
  return std::any_of(scenario.steps.begin(), scenario.steps.end(),
                     [&](const Step& step) { return step.kind == kind; });
}

/// The parts that define what the scenario's tasks and workers run and what its steps need, one for
/// each.
std::vector<std::string> definition_parts(const Scenario& scenario) {
  std::vector<std::string> parts;
  for (const auto& body : harness::body_table()) {
    if (std::any_of(scenario.steps.begin(), scenario.steps.end(),
                    [&](const Step& step) { return runs(step, body.kind); }))
      parts.push_back("preamble." + std::string(body.name));
  }
  // By a list: a step may be called like a body.
  for (const auto kind : {StepKind::kMap, StepKind::kLaunch, StepKind::kLock}) {
    if (has_step(scenario, kind)) parts.push_back("preamble." + std::string(entry(kind).name));
  }
  if (std::any_of(scenario.steps.begin(), scenario.steps.end(),
                  [](const Step& step) { return step.raises_at.has_value(); }))
    parts.emplace_back("preamble.raising_input");
  for (const Step& step : scenario.steps) {
    if (step.initializer != harness::Initializer::kNone)
      parts.push_back(fmt::format("preamble.initializer_{}", harness::name(step.initializer)));
  }
  for (const auto callback :
       {harness::Callback::kReturns, harness::Callback::kRaises, harness::Callback::kTerminates}) {
    if (std::any_of(scenario.steps.begin(), scenario.steps.end(),
                    [&](const Step& step) { return step.callback == callback; }))
      parts.push_back(fmt::format("preamble.callback_{}", harness::name(callback)));
  }
  // One that cannot begin early is a thread's.
  std::set<harness::Caller> callers;
  for (std::size_t place = 0; place < scenario.steps.size(); ++place) {
    const auto caller = scenario.steps[place].caller;
    const bool early = harness::begins_early(scenario.steps, place);
    callers.insert(caller == harness::Caller::kEarly && !early ? harness::Caller::kThread : caller);
  }
  callers.erase(harness::Caller::kMain);
  for (const auto caller : callers)
    parts.push_back(fmt::format("preamble.by_{}", harness::name(caller)));
  return parts;
}

/// A preamble may come in parts: "always", definitions, "kill", and "main", which opens what the
/// postamble closes.
std::vector<std::string> preamble_parts(const Scenario& scenario) {
  std::vector<std::string> parts{"preamble", "preamble.always"};
  for (auto& part : definition_parts(scenario)) parts.push_back(std::move(part));
  if (has_step(scenario, StepKind::kKill)) parts.emplace_back("preamble.kill");
  parts.emplace_back("preamble.main");
  return parts;
}

}  // namespace

std::set<int> raising_steps(const harness::Trace& trace) {
  using Kind = harness::StepResult::Kind;
  std::set<int> steps;
  for (const auto& event : trace.events) {
    const auto* ended = std::get_if<harness::StepEnded>(&event.kind);
    if (ended == nullptr) continue;
    if (ended->result.kind != Kind::kOk && ended->result.kind != Kind::kNotFired) {
      steps.insert(ended->step);
    }
  }
  return steps;
}

std::vector<Statement> statements(const Scenario& scenario, const Abilities& abilities,
                                  const std::set<int>& raising) {
  const Writer write(abilities);
  std::vector<Statement> result;
  int number = 0;
  bool begun = false;  // this step's call, before the last one
  for (const auto& step : scenario.steps) {
    const auto place = static_cast<std::size_t>(number++);
    const auto text = begun ? write.outcome(place) : write(step);
    const auto next = place + 1 < scenario.steps.size() ? write.beginning(scenario, place + 1) : "";
    begun = !next.empty();
    if (begun) result.push_back({number + 1, lines_of(next)});
    result.push_back({number, lines_of(raising.contains(number) ? write.attempt(text) : text)});
  }
  if (auto ending = lines_of(write(scenario.ending)); !ending.empty()) {
    result.push_back({++number, std::move(ending)});
  }
  return result;
}

std::vector<std::string> definitions(const Scenario& scenario, const Abilities& abilities) {
  std::vector<std::string> found;
  for (const auto& part : definition_parts(scenario)) {
    auto text = without_outer_newlines(text_of(abilities, part));
    if (!text.empty()) found.push_back(std::move(text));
  }
  return found;
}

std::vector<std::string> numbered_program(const Scenario& scenario, const Abilities& abilities,
                                          std::size_t indent, const std::set<int>& raising) {
  constexpr std::size_t kColumn = 40;
  constexpr std::size_t kLastColumn = kLineWidth - 5;
  const auto program = statements(scenario, abilities, raising);
  std::size_t column = kColumn;
  for (const auto& statement : program) {
    for (const auto& line : statement.lines) column = std::max(column, indent + line.size() + 2);
  }
  column = std::min(column, kLastColumn);
  const Writer writer(abilities);
  std::vector<std::string> lines;
  for (const auto& line : surroundings(scenario, abilities))
    lines.push_back(std::string(indent, ' ') + line);
  for (const auto& statement : program) {
    bool first = true;
    for (const auto& line : statement.lines) {
      auto text = std::string(indent, ' ') + line;
      const auto number = fmt::format("{} {}", writer.comment(), statement.step);
      if (first && text.size() + 2 + number.size() > kLineWidth) {
        lines.push_back(std::string(indent, ' ') + number);  // above what leaves no room for it
      } else if (first) {
        text = fmt::format("{}  {}", padded(text, column - 2), number);
      }
      lines.push_back(std::move(text));
      first = false;
    }
  }
  return lines;
}

std::string whole_program(const Scenario& scenario, const Abilities& abilities,
                          const std::set<int>& raising) {
  const auto indent = text_of(abilities, "indent");
  std::string program;
  for (const auto& line : surroundings(scenario, abilities)) program += line + '\n';
  const auto add = [&](const std::string& text, const std::string& before) {
    for (const auto& line : lines_of(text)) program += (line.empty() ? "" : before + line) + '\n';
  };
  for (const auto& part : preamble_parts(scenario)) {
    const auto text = without_outer_newlines(text_of(abilities, part));
    if (text.empty()) continue;
    if (!program.empty()) program += abilities.language == "python" ? "\n\n" : "\n";
    add(text, "");
  }
  const auto body = statements(scenario, abilities, raising);
  for (const auto& statement : body) {
    for (const auto& line : statement.lines) add(line, indent);
  }
  if (body.empty() && abilities.language == "python") add("pass", indent);
  add(text_of(abilities, "postamble"), "");
  return program;
}

std::string program_file_name(const Abilities& abilities) {
  return abilities.language == "python" ? "program.py" : "program.cc";
}

}  // namespace poolproof::properties
