#include "control.hpp"

#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

#include "fd.hpp"

namespace poolproof::detail::control {
namespace {

/// The kernel may be short of memory for a moment, and a message that wakes somebody must not be
/// lost for that. One each millisecond.
constexpr int kTriesWithoutMemory = 100;

union Ancillary {
  cmsghdr align;
  char bytes[CMSG_SPACE(kMaxDescriptors * sizeof(int))];
};

void take_descriptors(msghdr& header, Descriptors& descriptors) {
  descriptors.fill(-1);
  for (cmsghdr* part = CMSG_FIRSTHDR(&header); part; part = CMSG_NXTHDR(&header, part)) {
    if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) {
      continue;
    }
    // Without free numbers the kernel cuts the list short (MSG_CTRUNC).
    std::memcpy(descriptors.data(), CMSG_DATA(part), part->cmsg_len - CMSG_LEN(0));
  }
  for (int& descriptor : descriptors) descriptor = off_stdio_or_none(Fd(descriptor)).release();
}

}  // namespace

int send(int socket, const void* message, std::size_t size, const int* descriptors,
         std::size_t count) {
  iovec body{const_cast<void*>(message), size};
  msghdr header{};
  header.msg_iov = &body;
  header.msg_iovlen = 1;
  Ancillary ancillary{};
  if (count > 0) {
    header.msg_control = ancillary.bytes;
    header.msg_controllen = CMSG_SPACE(count * sizeof(int));
    cmsghdr* part = CMSG_FIRSTHDR(&header);
    part->cmsg_level = SOL_SOCKET;
    part->cmsg_type = SCM_RIGHTS;
    part->cmsg_len = CMSG_LEN(count * sizeof(int));
    std::memcpy(CMSG_DATA(part), descriptors, count * sizeof(int));
  }
  for (int tries = 0;; ++tries) {
    if (::sendmsg(socket, &header, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0) return 0;
    const bool short_of_memory = errno == ENOBUFS || errno == ENOMEM;
    if (errno != EINTR && (!short_of_memory || tries >= kTriesWithoutMemory)) return errno;
    if (short_of_memory) ::poll(nullptr, 0, 1);
  }
}

bool is_shortage(int error) {
  return error == ENOBUFS || error == ENOMEM || error == ETOOMANYREFS;
}

Received receive(int socket, void* message, std::size_t size, Descriptors& descriptors, bool wait) {
  iovec body{message, size};
  Ancillary ancillary{};
  msghdr header{};
  header.msg_iov = &body;
  header.msg_iovlen = 1;
  header.msg_control = ancillary.bytes;
  header.msg_controllen = sizeof ancillary.bytes;
  descriptors.fill(-1);
  for (;;) {
    const ssize_t got = ::recvmsg(socket, &header, MSG_CMSG_CLOEXEC | (wait ? 0 : MSG_DONTWAIT));
    if (got > 0) {
      take_descriptors(header, descriptors);
      const bool whole = got == static_cast<ssize_t>(size) && (header.msg_flags & MSG_TRUNC) == 0;
      return whole ? Received::message : Received::torn;
    }
    // An error only once: it tells that the other end has not read all; what that sent is still
    // here.
    if (got < 0 && (errno == EINTR || errno == ECONNRESET)) continue;
    if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
      return Received::nothing;
    }
    return Received::closed;
  }
}

}  // namespace poolproof::detail::control
