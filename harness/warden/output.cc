#include "harness/warden/output.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "harness/sys/proc.h"

namespace poolproof::warden {
namespace {

constexpr std::size_t kKept = 64 * 1024;
/// Somebody who writes without end must not keep the warden from the clock.
constexpr int kMostReads = 16;

}  // namespace

Output::Output(std::string stream, sys::Fd pipe)
    : stream_(std::move(stream)), pipe_(std::move(pipe)) {
  (void)sys::set_nonblocking(pipe_.get());
}

bool Output::drain() {
  bool any = false;
  std::array<char, 16384> chunk;
  for (int i = 0; pipe_ && i < kMostReads; ++i) {
    const ssize_t got =
        sys::retry_eintr([&] { return ::read(pipe_.get(), chunk.data(), chunk.size()); });
    if (got < 0) return any;
    any = true;
    if (got == 0) pipe_.reset();
    captured_.bytes += got;
    const auto room = kKept - std::min(kKept, captured_.text.size());
    captured_.text.append(chunk.data(), std::min(room, static_cast<std::size_t>(got)));
  }
  return any;
}

std::string Output::inode() const {
  return sys::descriptor_target(::getpid(), pipe_.get()).value_or("");
}

}  // namespace poolproof::warden
