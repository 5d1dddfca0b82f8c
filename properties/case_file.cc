#include "properties/case_file.h"

#include <filesystem>

#include "harness/sys/fd.h"

namespace poolproof::properties {

constexpr std::size_t kMostCaseBytes = 1 << 20;

sys::Result<harness::Case> read_case(const std::string& path) {
  const auto text = sys::read_file(path);
  if (!text) return text.error();
  if (text->size() > kMostCaseBytes) {
    return sys::Error(path + ": larger than 1 MiB: that is no case that poolproof wrote");
  }
  auto read = harness::case_from_json(*text);
  if (!read) return sys::Error(path + ": " + read.error().message());
  return read;
}

std::string case_path(const std::string& path) {
  std::error_code ignored;
  if (path.empty() || !std::filesystem::is_directory(path, ignored)) return path;
  return (std::filesystem::path(path) / "case.json").string();
}

}  // namespace poolproof::properties
