#include "properties/abilities.h"

#include "harness/strict_json.h"

namespace poolproof::properties {
namespace {

using harness::Complaint;
using harness::ObjectReader;

constexpr int kProtocol = 0;
constexpr std::size_t kMostNames = 1000;

std::vector<std::string> read_texts(const nlohmann::json& array, const std::string& path,
                                    Complaint& complaint) {
  std::vector<std::string> texts;
  if (array.size() > kMostNames) complaint.say(path, "too long a list");
  for (const auto& one : array) {
    if (complaint.any()) break;
    if (one.is_string()) {
      texts.push_back(one.get<std::string>());
    } else {
      complaint.say(path, "expected strings");
    }
  }
  return texts;
}

std::vector<std::string> read_list(ObjectReader& object, std::string_view key,
                                   Complaint& complaint) {
  return read_texts(object.array(key), object.path_to(key), complaint);
}

/// Letters that this build knows, each once.
template <class Named>
auto read_letters(ObjectReader& object, std::string_view key, Named named, Complaint& complaint) {
  std::vector<typename decltype(named(key))::value_type> letters;
  for (const auto& word : read_list(object, key, complaint)) {
    const auto letter = named(word);
    if (letter && std::find(letters.begin(), letters.end(), *letter) == letters.end()) {
      letters.push_back(*letter);
    }
  }
  return letters;
}

/// A template is a line, or lines that belong together.
std::map<std::string, std::string> read_program(const nlohmann::json& program,
                                                Complaint& complaint) {
  std::map<std::string, std::string> templates;
  for (const auto& [name, value] : program.items()) {
    std::string& text = templates[name];
    if (value.is_string()) {
      text = value.get<std::string>();
      continue;
    }
    if (!value.is_array()) complaint.say("program." + name, "expected a string or a list of lines");
    for (const auto& line : read_texts(value, "program." + name, complaint)) {
      if (!text.empty()) text += '\n';
      text += line;
    }
  }
  return templates;
}

}  // namespace

sys::Result<Abilities> abilities_from_json(std::string_view text) {
  const auto parsed = harness::parse_json(text, /*twice=*/true);
  if (!parsed) return sys::Error("--describe: " + parsed.error().message());
  Complaint complaint;
  ObjectReader object(*parsed, "", complaint);
  Abilities abilities;
  abilities.absent = object.maybe_text("absent");
  if (!complaint.any() && !abilities.absent.empty()) {
    abilities.name = object.maybe_text("name");
    return abilities;
  }
  if (object.integer("protocol", 0, INT32_MAX) != kProtocol) {
    object.complain("protocol", "this build speaks " + std::to_string(kProtocol) + " only");
  }
  abilities.name = object.text("name");
  abilities.version = object.text("version");
  abilities.language = object.text("language");
  abilities.runtime = object.maybe_text("runtime");
  abilities.start_methods = read_list(object, "start_methods", complaint);
  abilities.steps = read_letters(object, "steps", harness::step_named, complaint);
  abilities.bodies = read_letters(object, "bodies", harness::body_named, complaint);
  abilities.endings = read_letters(object, "endings", harness::ending_named, complaint);
  if (object.has("settings"))
    abilities.settings = read_letters(object, "settings", harness::setting_named, complaint);
  if (object.has("forms"))
    abilities.forms = read_letters(object, "forms", harness::form_named, complaint);
  if (object.has("program")) abilities.program = read_program(object.object("program"), complaint);
  if (complaint.any()) return complaint.error("--describe");
  return abilities;
}

}  // namespace poolproof::properties
