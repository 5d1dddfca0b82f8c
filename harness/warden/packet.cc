#include "harness/warden/packet.h"

#include <sys/socket.h>
#include <sys/uio.h>

#include <array>
#include <cstring>

namespace poolproof::warden {
namespace {

constexpr std::size_t kLargest = 128 * 1024;  // command lines included; below the socket's default
constexpr std::size_t kMostDescriptors = 8;

}  // namespace

sys::Result<std::pair<sys::Fd, sys::Fd>> packet_pair() {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    return sys::Error::from_errno("socketpair");
  }
  return std::pair{sys::Fd(ends[0]), sys::Fd(ends[1])};
}

sys::Result<void> ask_for_sender(int socket) {
  const int on = 1;
  if (::setsockopt(socket, SOL_SOCKET, SO_PASSCRED, &on, sizeof on) != 0) {
    return sys::Error::from_errno("setsockopt SO_PASSCRED");
  }
  return {};
}

sys::Result<void> send_packet(int socket, std::string_view bytes,
                              const std::vector<int>& descriptors) {
  iovec data{const_cast<char*>(bytes.data()), bytes.size()};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int) * kMostDescriptors)> control{};
  msghdr message{};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  if (!descriptors.empty()) {
    message.msg_control = control.data();
    message.msg_controllen = CMSG_SPACE(sizeof(int) * descriptors.size());
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int) * descriptors.size());
    std::memcpy(CMSG_DATA(header), descriptors.data(), sizeof(int) * descriptors.size());
  }
  if (sys::retry_eintr([&] { return ::sendmsg(socket, &message, MSG_NOSIGNAL); }) < 0) {
    return sys::Error::from_errno("send to the sandbox's init");
  }
  return {};
}

sys::Result<Packet> receive_packet(int socket) {
  static thread_local std::array<char, kLargest> buffer;
  iovec data{buffer.data(), buffer.size()};
  alignas(cmsghdr)
      std::array<char, CMSG_SPACE(sizeof(int) * kMostDescriptors) + CMSG_SPACE(sizeof(ucred))>
          control{};
  msghdr message{};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  const ssize_t got =
      sys::retry_eintr([&] { return ::recvmsg(socket, &message, MSG_CMSG_CLOEXEC); });
  if (got < 0) return sys::Error::from_errno("receive from the sandbox's init");
  Packet packet;
  packet.bytes.assign(buffer.data(), static_cast<std::size_t>(got));
  for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr;
       header = CMSG_NXTHDR(&message, header)) {
    if (header->cmsg_level != SOL_SOCKET) continue;
    if (header->cmsg_type == SCM_CREDENTIALS) {
      ucred credentials{};
      std::memcpy(&credentials, CMSG_DATA(header), sizeof credentials);
      packet.sender = credentials.pid;
    } else if (header->cmsg_type == SCM_RIGHTS) {
      const std::size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
      std::array<int, kMostDescriptors> received{};
      std::memcpy(received.data(), CMSG_DATA(header), count * sizeof(int));
      for (std::size_t i = 0; i < count; ++i) packet.descriptors.emplace_back(received[i]);
    }
  }
  return packet;
}

}  // namespace poolproof::warden
