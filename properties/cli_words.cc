#include "properties/cli_words.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <optional>

#include "properties/text.h"

namespace poolproof::properties {
namespace {

std::optional<double> number_in(const std::string& text) {
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(number))
    return std::nullopt;
  return number;
}

/// "0.1", "100000000".
std::string in_words(double number) {
  const bool is_whole = number == std::floor(number);
  return is_whole ? fmt::format("{:.0f}", number) : fmt::format("{:g}", number);
}

std::vector<std::string> commands_of(const CLI::App& app) {
  std::vector<std::string> names;
  for (const auto* command : app.get_subcommands({})) names.push_back(command->get_name());
  return names;
}

/// What it says of words that nobody wants: "... was not expected: --foo".
std::string unwanted(const CLI::App& command, const std::string& said) {
  const auto at = said.rfind(": ");
  const auto words = said.substr(at == said.npos ? 0 : at + 2);
  return fmt::format("{} {} '{}'", command.get_name(),
                     words.starts_with('-') ? "knows no" : "does not take", printable(words));
}

}  // namespace

CLI::Validator between(double least, double most) {
  const auto check = [least, most](std::string& text) -> std::string {
    const auto number = number_in(text);
    if (number && *number >= least && *number <= most) return "";
    return fmt::format("expected a number from {} to {}, not '{}'", in_words(least), in_words(most),
                       printable(text));
  };
  return CLI::Validator(check, "");
}

CLI::Validator one_of(std::vector<std::string> words) {
  const auto check = [words = std::move(words)](std::string& text) -> std::string {
    if (std::find(words.begin(), words.end(), text) != words.end()) return "";
    return fmt::format("expected one of {}, not '{}'", joined(words, ", "), printable(text));
  };
  return CLI::Validator(check, "");
}

std::string usage_in_words(const CLI::App& app, const CLI::ParseError& error) {
  const auto chosen = app.get_subcommands();
  if (chosen.empty()) return fmt::format("{} (see 'poolproof --help')", printable(error.what()));
  const auto& command = *chosen.front();
  std::string what = error.what();
  if (dynamic_cast<const CLI::ExtrasError*>(&error) != nullptr) {
    what = unwanted(command, what);
  } else if (dynamic_cast<const CLI::RequiredError*>(&error) != nullptr) {
    what = fmt::format("{}: {}", command.get_name(), what);
  }
  if (what.starts_with(": ")) what = what.substr(2);  // of an option that --help does not show
  return fmt::format("{} (see 'poolproof {} --help')", what, command.get_name());
}

std::string wrong_command(const CLI::App& app, int argc, const char* const* argv) {
  const auto names = commands_of(app);
  if (argc < 2) return fmt::format("a command is needed: {}", joined(names, ", "));
  constexpr std::array<std::string_view, 3> kAlone{"-h", "--help", "--version"};
  if (argv[1][0] == '-' && std::find(kAlone.begin(), kAlone.end(), argv[1]) == kAlone.end())
    return fmt::format("a command comes first, not '{}'; there are: {}", printable(argv[1]),
                       joined(names, ", "));
  if (argv[1][0] == '-' || std::find(names.begin(), names.end(), argv[1]) != names.end()) return "";
  return fmt::format("no command is named '{}'; there are: {}", printable(argv[1]),
                     joined(names, ", "));
}

}  // namespace poolproof::properties
