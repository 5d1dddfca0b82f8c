#include "properties/program_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "properties/text.h"

namespace poolproof::properties {
namespace {

using harness::Body;
using harness::Ending;
using harness::EndingKind;
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
    const auto name = std::string(harness::entry(step.kind).name);
    switch (step.kind) {
      case StepKind::kCreate:
        return create(step);
      case StepKind::kSubmit:
        return submit(step);
      case StepKind::kGet:
        if (!step.timeout) return with({"get"}, name, {{"task", task(step)}, {"timeout", ""}});
        return with({"get_timeout", "get"}, name,
                    {{"task", task(step)}, {"timeout", seconds(*step.timeout)}});
      case StepKind::kSleep:
        return with(
            {"sleep"}, name,
            {{"ms", std::to_string(step.duration.count())}, {"seconds", seconds(step.duration)}});
      case StepKind::kKill: {
        const auto victim = std::string(harness::name(step.victim));
        return with({"kill_" + victim, "kill"}, name + " " + victim, {{"victim", victim}});
      }
      default:
        return with({name}, name, {});
    }
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
    return found == nullptr ? statement : filled(*found, {{"step", statement}});
  }

  std::string_view comment() const { return abilities_.language == "python" ? "#" : "//"; }

 private:
  static std::string task(const Step& step) { return std::to_string(step.task); }

  std::string create(const Step& step) const {
    Fields fields;
    if (step.workers) fields.emplace_back("workers", std::to_string(*step.workers));
    fields.emplace_back("quota", step.quota ? std::to_string(*step.quota) : "");
    const auto* initializer =
        find({fmt::format("initializer_{}", harness::name(step.initializer))});
    fields.emplace_back("initializer", initializer != nullptr ? *initializer : "");
    return with({step.workers ? "create" : "create_default"}, "create", fields);
  }

  std::string submit(const Step& step) const {
    const auto& entry = harness::entry(step.body.kind);
    Fields fields{{"task", task(step)}};
    add_amount(entry.parameter, step.body.amount, fields);
    const auto* found = find({"body_" + std::string(entry.name)});
    const std::string body = found != nullptr ? *found : std::string(entry.name) + "|";
    const auto bar = body.find('|');
    const auto args = bar == std::string::npos ? "" : filled(body.substr(bar + 1), fields);
    fields.emplace_back("body", filled(body.substr(0, bar), fields));
    fields.emplace_back("args", args);
    return with({"submit"}, "submit", fields);
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

/// The parts that define what the scenario's tasks and workers run, one for each.
std::vector<std::string> definition_parts(const Scenario& scenario) {
  std::vector<std::string> parts;
  for (const auto& body : harness::body_table()) {
    const auto runs = [&](const Step& step) {
      return step.kind == StepKind::kSubmit && step.body.kind == body.kind;
    };
    if (std::any_of(scenario.steps.begin(), scenario.steps.end(), runs))
      parts.push_back("preamble." + std::string(body.name));
  }
  for (const Step& step : scenario.steps) {
    if (step.initializer != harness::Initializer::kNone)
      parts.push_back(fmt::format("preamble.initializer_{}", harness::name(step.initializer)));
  }
  return parts;
}

/// A preamble may come in parts: "always", definitions, "kill", and "main", which opens what the
/// postamble closes.
std::vector<std::string> preamble_parts(const Scenario& scenario) {
  std::vector<std::string> parts{"preamble", "preamble.always"};
  for (auto& part : definition_parts(scenario)) parts.push_back(std::move(part));
  const auto kills = [](const Step& step) { return step.kind == StepKind::kKill; };
  if (std::any_of(scenario.steps.begin(), scenario.steps.end(), kills))
    parts.emplace_back("preamble.kill");
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
  for (const auto& step : scenario.steps) {
    const auto text = write(step);
    ++number;
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
  for (const auto& statement : program) {
    bool first = true;
    for (const auto& line : statement.lines) {
      auto text = std::string(indent, ' ') + line;
      if (first) {
        text = fmt::format("{}  {} {}", padded(text, column - 2), writer.comment(), statement.step);
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
