#include "processors.hpp"

#include <sched.h>

#include <cerrno>

namespace poolproof::detail {

int usable_processors() {
  // The kernel refuses a set smaller than its own, whose size it doesn't tell.
  for (int capacity = 1024; capacity <= (1 << 20); capacity *= 2) {
    cpu_set_t* set = CPU_ALLOC(static_cast<std::size_t>(capacity));
    if (!set) break;
    const std::size_t size = CPU_ALLOC_SIZE(static_cast<std::size_t>(capacity));
    const int rc = ::sched_getaffinity(0, size, set);
    const int error = errno;
    const int count = rc == 0 ? CPU_COUNT_S(size, set) : 0;
    CPU_FREE(set);
    if (rc == 0) return count > 0 ? count : 1;
    if (error != EINVAL) break;
  }
  return 1;
}

}  // namespace poolproof::detail
