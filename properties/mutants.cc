#include "properties/mutants.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <optional>

#include "harness/sys/fd.h"
#include "properties/text.h"

namespace poolproof::properties {
namespace {

using nlohmann::json;

std::optional<std::string> text_at(const json& entry, const char* key) {
  if (!entry.is_object()) return std::nullopt;
  const auto found = entry.find(key);
  if (found == entry.end() || !found->is_string()) return std::nullopt;
  return found->get<std::string>();
}

}  // namespace

sys::Result<std::vector<Mutant>> mutants_from_json(const std::string& text,
                                                   const std::string& path) {
  const auto table = json::parse(text, nullptr, false);
  if (!table.is_array()) return sys::Error(path + ": not a table of mutants");
  std::vector<Mutant> mutants;
  for (const auto& entry : table) {
    const auto name = text_at(entry, "name");
    const auto id = text_at(entry, "rule");
    if (!name || !id) return sys::Error(path + ": a mutant has a name and a rule, both strings");
    const auto* rule = rule_named(*id);
    if (rule == nullptr) {
      return sys::Error(fmt::format("{}: mutant '{}' names rule '{}', which there is not", path,
                                    printable(*name), printable(*id)));
    }
    mutants.push_back({*name, rule});
  }
  return mutants;
}

sys::Result<std::vector<Mutant>> mutants_of(const std::filesystem::path& share) {
  const auto path = (share / "mutants.json").string();
  const auto text = sys::read_file(path);
  if (!text) return text.error();
  return mutants_from_json(*text, path);
}

}  // namespace poolproof::properties
