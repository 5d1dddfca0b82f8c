#include "properties/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <sstream>

namespace poolproof::properties {

std::vector<std::string> wrap(std::string_view text, std::size_t indent, std::size_t width) {
  std::vector<std::string> lines;
  std::istringstream words{std::string(text)};
  std::string line;
  for (std::string word; words >> word;) {
    if (!line.empty() && indent + line.size() + 1 + word.size() > width) {
      lines.push_back(std::string(indent, ' ') + line);
      line.clear();
    }
    line += (line.empty() ? "" : " ") + word;
  }
  if (!line.empty()) lines.push_back(std::string(indent, ' ') + line);
  return lines;
}

std::string wrapped(std::string_view text, std::size_t indent) {
  std::string all;
  for (const auto& line : wrap(text, indent)) all += line + '\n';
  return all;
}

std::string hanging(std::string_view text) {
  auto all = wrapped(text, 2);
  return all.empty() ? all : all.substr(2);
}

std::string padded(std::string_view text, std::size_t width) {
  return fmt::format("{:<{}}", text, width);
}

std::string clipped(std::string_view text, std::size_t width) {
  if (text.size() <= width) return std::string(text);
  if (width < 3) return std::string(text.substr(0, width));
  return std::string(text.substr(0, width - 3)) + "...";
}

std::string printable(std::string_view text) {
  std::string result;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte < 0x7f) {
      result += c;
    } else {
      result += fmt::format("\\x{:02x}", byte);
    }
  }
  return result;
}

std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const auto end = text.find('\n');
    lines.emplace_back(text.substr(0, end));
    if (end == std::string_view::npos) break;
    text.remove_prefix(end + 1);
  }
  return lines;
}

std::string joined(const std::vector<std::string>& words, std::string_view separator) {
  return fmt::format("{}", fmt::join(words, separator));
}

std::string enumerated(const std::vector<std::string>& words) {
  std::string text;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (i > 0) text += i + 1 == words.size() ? " and " : ", ";
    text += words[i];
  }
  return text;
}

std::string counted(std::int64_t number, std::string_view noun) {
  return fmt::format("{} {}{}", number, noun, number == 1 ? "" : "s");
}

std::string in_seconds(std::chrono::milliseconds time) {
  const auto tenths = (time.count() + 50) / 100;
  if (tenths % 10 == 0 || tenths >= 1000) return fmt::format("{} s", (tenths + 5) / 10);
  return fmt::format("{}.{} s", tenths / 10, tenths % 10);
}

std::string last_line(std::string_view text) {
  const auto lines = lines_of(text);
  const auto last =
      std::find_if(lines.rbegin(), lines.rend(), [](const auto& line) { return !line.empty(); });
  return last == lines.rend() ? "" : clipped(printable(*last), 200);
}

}  // namespace poolproof::properties
