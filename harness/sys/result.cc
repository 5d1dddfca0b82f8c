#include "harness/sys/result.h"

#include <cerrno>
#include <cstdio>
#include <cstdlib>

namespace poolproof::sys {

Error Error::from_errno(std::string_view doing) {
  const int code = errno;
  return Error(std::error_code(code, std::generic_category()), std::string(doing));
}

void check_failed(const char* file, int line, const char* text) {
  std::fprintf(stderr, "%s:%d: check failed: %s\n", file, line, text);
  std::abort();
}

}  // namespace poolproof::sys
