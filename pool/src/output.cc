#include "output.hpp"

#include <stdio_ext.h>

#include <array>
#include <cstdio>

#include "worker.hpp"

namespace poolproof::detail {

bool flush_before_fork() {
  const std::array<FILE*, 3> streams{stdin, stdout, stderr};
  std::array<bool, 3> held_by_us{};
  bool all = true;
  for (std::size_t i = 0; i < streams.size(); ++i) {
    held_by_us[i] = ::ftrylockfile(streams[i]) == 0;
    all = all && held_by_us[i];
  }
  if (all) {
    flush_output();
  } else if (held_by_us[1]) {
    std::fflush(stdout);
  }
  for (std::size_t i = 0; i < streams.size(); ++i) {
    if (held_by_us[i]) ::funlockfile(streams[i]);
  }
  return all;
}

void forget_output() {
  ::__fpurge(stdout);
}

}  // namespace poolproof::detail
