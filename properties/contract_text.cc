#include "properties/contract_text.h"

#include <fmt/format.h>

#include "properties/contract_choices.h"
#include "properties/text.h"

namespace poolproof::properties {
namespace {

std::string to_toml(const KeptDescriptors& kept) {
  auto text = fmt::format("[[keeps]]\nof = {}\nmost = {}\neach_pool = {}\n", toml_string(kept.of),
                          kept.most, kept.each_pool);
  if (!kept.start_method.empty())
    text += fmt::format("start_method = {}\n", toml_string(kept.start_method));
  return text + fmt::format("note = {}\n", toml_string(kept.note));
}

}  // namespace

std::string toml_string(std::string_view text) {
  std::string result = "\"";
  for (const char c : printable(text)) {
    if (c == '"' || c == '\\') result += '\\';
    result += c;
  }
  return result + '"';
}

std::string to_toml(const KnownDeviation& known) {
  return fmt::format(
      "[[known]]\nrule = {}\ncondition = {}\nlink = {}{}\nnote = {}\n", toml_string(known.rule),
      toml_string(known.condition), toml_string(known.link),
      known.link.empty() ? "  # where it is told; a contract without it is not read" : "",
      toml_string(known.note));
}

std::string to_toml(const Contract& contract) {
  auto text = fmt::format("pool = {}\n", toml_string(contract.pool));
  for (const auto& choice : contract_choices())
    text += fmt::format("{} = {}\n", choice.key, value_of(choice, contract).text);
  text += fmt::format("grace_ms = {}\n", contract.grace.count());
  for (const auto& kept : contract.keeps) text += '\n' + to_toml(kept);
  for (const auto& known : contract.known) text += '\n' + to_toml(known);
  return text;
}

}  // namespace poolproof::properties
