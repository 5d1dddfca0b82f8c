#include "properties/case_file.h"

#include <filesystem>
#include <string_view>

#include "harness/sys/fd.h"

namespace poolproof::properties {

constexpr std::size_t kMostCaseBytes = 1 << 20;

sys::Result<harness::Case> read_case(const std::string& path) {
  constexpr std::string_view kWanted = " (wanted: the case.json of a finding, or its folder)";
  if (path.empty()) return sys::Error("a case without a name" + std::string(kWanted));
  const auto text = sys::read_regular_file(path, kMostCaseBytes);
  if (!text) return sys::Error(text.error().message() + std::string(kWanted));
  auto read = harness::case_from_json(*text);
  if (read) return read;
  const auto what = read.error().message();
  const bool is_none = what.starts_with("not JSON") || what.find("format: ") != std::string::npos;
  return sys::Error(path + ": " + what + std::string(is_none ? kWanted : ""));
}

std::string case_path(const std::string& path) {
  std::error_code ignored;
  if (path.empty() || !std::filesystem::is_directory(path, ignored)) return path;
  return (std::filesystem::path(path) / "case.json").string();
}

}  // namespace poolproof::properties
