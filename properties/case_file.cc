#include "properties/case_file.h"

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

}  // namespace poolproof::properties
