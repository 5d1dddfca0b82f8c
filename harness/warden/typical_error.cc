#include "harness/warden/typical_error.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <iterator>

namespace poolproof::warden {
namespace {

struct Entry {
  std::string_view call;
  int error;
};
constexpr Entry kErrors[] = {
    {"clone", EAGAIN},         {"clone3", EAGAIN},       {"fork", EAGAIN},
    {"vfork", EAGAIN},         {"mmap", ENOMEM},         {"mremap", ENOMEM},
    {"brk", ENOMEM},           {"open", EMFILE},         {"openat", EMFILE},
    {"pipe", EMFILE},          {"pipe2", EMFILE},        {"socket", EMFILE},
    {"socketpair", EMFILE},    {"accept", EMFILE},       {"accept4", EMFILE},
    {"dup", EMFILE},           {"dup3", EMFILE},         {"eventfd2", EMFILE},
    {"epoll_create1", EMFILE}, {"memfd_create", EMFILE}, {"timerfd_create", EMFILE},
    {"signalfd4", EMFILE},     {"pidfd_open", EMFILE},   {"ftruncate", ENOSPC},
    {"fallocate", ENOSPC},     {"read", EINTR},          {"readv", EINTR},
    {"recvfrom", EINTR},       {"recvmsg", EINTR},       {"poll", EINTR},
    {"ppoll", EINTR},          {"select", EINTR},        {"pselect6", EINTR},
    {"epoll_wait", EINTR},     {"epoll_pwait", EINTR},   {"wait4", EINTR},
    {"waitid", EINTR},         {"nanosleep", EINTR},     {"clock_nanosleep", EINTR},
    {"connect", EINTR},
};
constexpr std::array<std::string_view, 5> kWrites{"write", "writev", "pwrite64", "sendto",
                                                  "sendmsg"};

/// Not EPIPE: as long as somebody reads, it would be a lie. Nor is an eventfd ever full.
std::optional<int> of_write(std::string_view target) {
  if (target == "socket") return ENOBUFS;
  if (target == "file" || target == "memfd") return ENOSPC;
  return target == "pipe" ? std::optional(EINTR) : std::nullopt;
}

}  // namespace

std::optional<int> typical_error(std::string_view call, std::string_view target) {
  if (std::find(kWrites.begin(), kWrites.end(), call) != kWrites.end()) return of_write(target);
  const auto found = std::find_if(std::begin(kErrors), std::end(kErrors),
                                  [call](const Entry& entry) { return entry.call == call; });
  return found != std::end(kErrors) ? std::optional(found->error) : std::nullopt;
}

}  // namespace poolproof::warden
