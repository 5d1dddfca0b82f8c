#include "harness/warden/small_pipes.h"

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <string>

#include "harness/sys/fd.h"
#include "harness/sys/proc.h"

namespace poolproof::warden {
namespace {

constexpr std::array kCalls{
#ifdef SYS_pipe
    static_cast<long>(SYS_pipe),
#endif
    static_cast<long>(SYS_pipe2)};

/// By whichever end. What is no pipe, or not there, is left as it is: the call has failed.
void shrink(int pid, int fd) {
  const std::string path = "/proc/" + std::to_string(pid) + "/fd/" + std::to_string(fd);
  const sys::Fd end(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  if (end) ::fcntl(end.get(), F_SETPIPE_SZ, static_cast<int>(::sysconf(_SC_PAGESIZE)));
}

}  // namespace

std::vector<long> SmallPipes::filtered_calls() const {
  return wanted_ ? std::vector<long>(kCalls.begin(), kCalls.end()) : std::vector<long>();
}

void SmallPipes::at_call(int pid, int tid, const trace::CallStop& stop) {
  if (!wanted_ || stop.foreign) return;
  if (stop.at == trace::CallStop::At::kFilter) {
    if (std::find(kCalls.begin(), kCalls.end(), stop.number) != kCalls.end())
      calls_[tid] = stop.arguments[0];
    return;
  }
  if (stop.at != trace::CallStop::At::kExit) return;
  const auto call = calls_.extract(tid);
  if (call.empty()) return;
  std::array<int, 2> ends{-1, -1};
  if (sys::read_memory(pid, call.mapped(), ends.data(), sizeof ends)) shrink(pid, ends[0]);
}

}  // namespace poolproof::warden
