#include "properties/short_link.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <vector>

#include "properties/text.h"

namespace poolproof::properties {
namespace {

constexpr std::size_t kMostLetters = 36;

std::vector<std::string_view> parts_of(std::string_view path) {
  std::vector<std::string_view> parts;
  for (std::size_t at = 0; at <= path.size();) {
    const auto end = std::min(path.find('/', at), path.size());
    parts.push_back(path.substr(at, end - at));
    at = end + 1;
  }
  return parts;
}

/// github.com/OWNER/REPOSITORY/KIND/...; empty where it is no issue and no file.
std::string on_github(const std::vector<std::string_view>& parts) {
  if (parts.size() < 5 || parts[0] != "github.com") return "";
  if (parts[3] == "blob") return std::string(parts.back());
  if (parts.size() != 5 || (parts[3] != "issues" && parts[3] != "pull")) return "";
  if (parts[1] == "python" && parts[2] == "cpython") return fmt::format("gh-{}", parts[4]);
  return fmt::format("{}/{}#{}", parts[1], parts[2], parts[4]);
}

/// "multiprocessing.html#multiprocessing.Process.daemon": the place says which page, if it begins
/// with the page's name.
std::string in_page(std::string_view last) {
  const auto hash = last.find('#');
  if (hash == last.npos) return "";
  const auto page = last.substr(0, last.find('.'));
  const auto place = last.substr(hash + 1);
  return std::string(place.starts_with(page) ? place : last);
}

}  // namespace

std::string short_link(const std::string& link) {
  constexpr std::string_view kScheme = "https://";
  const auto rest = std::string_view(link).substr(link.starts_with(kScheme) ? kScheme.size() : 0);
  const auto parts = parts_of(rest);
  auto text = on_github(parts);
  if (text.empty()) text = in_page(parts.back());
  return clipped(text.empty() ? rest : std::string_view(text), kMostLetters);
}

}  // namespace poolproof::properties
