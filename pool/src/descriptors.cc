#include "descriptors.hpp"

#include <unistd.h>

#include <algorithm>

namespace poolproof::detail {

void close_all_but(int* keep, std::size_t count) {
  std::sort(keep, keep + count);
  unsigned next = 3;
  for (std::size_t i = 0; i < count; ++i) {
    if (keep[i] < 3) continue;
    const auto kept = static_cast<unsigned>(keep[i]);
    if (kept > next) ::close_range(next, kept - 1, 0);
    next = kept + 1;
  }
  ::close_range(next, ~0U, 0);
}

}  // namespace poolproof::detail
