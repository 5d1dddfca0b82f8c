#include "proc.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

namespace poolproof::bench {
namespace {

namespace fs = std::filesystem;

std::uint64_t status_line(const fs::path& status, const std::string& name) {
  std::ifstream file(status);
  for (std::string word; file >> word;) {
    std::uint64_t value = 0;
    if (word == name && file >> value) return value;
  }
  return 0;
}

}  // namespace

Memory memory_of_this_process() {
  constexpr std::uint64_t kKiB = 1024;
  return {kKiB * status_line("/proc/self/status", "VmRSS:"),
          kKiB * status_line("/proc/self/status", "VmHWM:")};
}

void forget_peak() {
  std::ofstream("/proc/self/clear_refs") << 5;
}

Work work_of(const std::vector<pid_t>& pids) {
  const std::string self = std::to_string(::syscall(SYS_gettid));
  Work sum;
  for (const pid_t pid : pids) {
    for (const auto& thread : fs::directory_iterator("/proc/" + std::to_string(pid) + "/task")) {
      if (thread.path().filename() == self) continue;
      std::ifstream file(thread.path() / "schedstat");
      std::uint64_t run = 0;
      std::uint64_t waited = 0;
      std::uint64_t times = 0;
      file >> run >> waited >> times;
      sum.run_ns += run;
      sum.times_run += times;
    }
  }
  return sum;
}

pid_t parent_of(pid_t pid) {
  return static_cast<pid_t>(status_line("/proc/" + std::to_string(pid) + "/status", "PPid:"));
}

}  // namespace poolproof::bench
