#include "harness/warden/outside.h"

#include <linux/futex.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <cstddef>
#include <cstring>

#include "harness/sys/proc.h"

extern "C" {  // glibc 2.36 forgets it
#include <sys/pidfd.h>
}

namespace poolproof::warden {
namespace {

bool starts_with(const std::string& text, std::string_view head) {
  return text.rfind(head, 0) == 0;
}

bool lies_in(const std::string& path, const std::string& folder) {
  return path == folder || starts_with(path, folder + "/");
}

/// Whether a file of this name exists in the sandbox only.
bool known_inside_only(const std::string& path, const Outside& outside) {
  const bool is_private = lies_in(path, "/tmp") || lies_in(path, "/dev/shm");
  if (!outside.contained || !is_private || path.find("/..") != std::string::npos) return false;
  return std::none_of(outside.shown.begin(), outside.shown.end(),
                      [&](const auto& shown) { return lies_in(path, shown); });
}

/// A socket without a name is known to those only who inherited it. An abstract name cannot be told
/// from the machine's.
bool reachable_from_outside(const sockaddr_un& address, socklen_t size, const Outside& outside) {
  const socklen_t head = offsetof(sockaddr_un, sun_path);
  if (size <= head) return false;
  return !known_inside_only({address.sun_path, ::strnlen(address.sun_path, size - head)}, outside);
}

}  // namespace

bool is_known_outside(const sys::Fd& socket, const Outside& outside) {
  for (const auto ask : {&::getsockname, &::getpeername}) {
    sockaddr_un address{};
    socklen_t size = sizeof address;
    if (ask(socket.get(), reinterpret_cast<sockaddr*>(&address), &size) != 0) continue;
    if (address.sun_family == AF_UNIX && reachable_from_outside(address, size, outside))
      return true;
  }
  return false;
}

bool futex_is_known_outside(int pid, std::uint64_t address, std::uint64_t operation,
                            const Outside& outside) {
  if ((operation & FUTEX_PRIVATE_FLAG) != 0) return false;
  const auto mapping = sys::mapping_at(pid, address);
  if (!mapping) return true;
  auto path = mapping->path;
  if (!mapping->shared || path.empty() || path.front() != '/') return false;
  constexpr std::string_view kDeleted = " (deleted)";
  if (path.size() > kDeleted.size() &&
      path.compare(path.size() - kDeleted.size(), kDeleted.size(), kDeleted) == 0) {
    path.resize(path.size() - kDeleted.size());
    // Anonymous memory, and what memfd_create made, never had a name that somebody could open.
    // Where nothing is private, the names of /dev/shm are random ones that live for an instant.
    const bool nameless =
        path == "/dev/zero" || starts_with(path, "/memfd:") || starts_with(path, "/SYSV");
    if (nameless || (!outside.contained && lies_in(path, "/dev/shm"))) return false;
  }
  return !known_inside_only(path, outside);
}

bool leads_outside(int pid, int fd, const Outside& outside) {
  const sys::Fd copy = copy_of_descriptor(pid, fd);
  return !copy || is_known_outside(copy, outside);
}

sys::Fd copy_of_descriptor(int pid, int fd) {
  const sys::Fd process = sys::open_pidfd(pid);
  return sys::Fd(process ? ::pidfd_getfd(process.get(), fd, 0) : -1);
}

}  // namespace poolproof::warden
