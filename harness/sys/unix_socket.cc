#include "harness/sys/unix_socket.h"

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <sys/socket.h>

#include <array>
#include <cstring>

#include "harness/sys/fd.h"

namespace poolproof::sys {
namespace {

struct Question {
  nlmsghdr header;
  unix_diag_req request;
};

bool ask(const Fd& netlink, std::uint32_t inode) {
  Question question{};
  question.header.nlmsg_len = sizeof question;
  question.header.nlmsg_type = SOCK_DIAG_BY_FAMILY;
  question.header.nlmsg_flags = NLM_F_REQUEST;
  question.request.sdiag_family = AF_UNIX;
  question.request.udiag_states = ~0U;
  question.request.udiag_ino = inode;
  question.request.udiag_show = UDIAG_SHOW_PEER;
  question.request.udiag_cookie[0] = question.request.udiag_cookie[1] = ~0U;  // any
  return ::send(netlink.get(), &question, sizeof question, 0) ==
         static_cast<ssize_t>(sizeof question);
}

std::optional<std::uint64_t> peer_in(const char* attributes, std::size_t size) {
  while (size >= sizeof(rtattr)) {
    rtattr attribute;
    std::memcpy(&attribute, attributes, sizeof attribute);
    const std::size_t whole = RTA_ALIGN(attribute.rta_len);
    if (attribute.rta_len < sizeof attribute || attribute.rta_len > size) break;
    std::uint32_t peer = 0;
    if (attribute.rta_type == UNIX_DIAG_PEER &&
        attribute.rta_len >= sizeof attribute + sizeof peer) {
      std::memcpy(&peer, attributes + sizeof attribute, sizeof peer);
      return peer;
    }
    if (whole >= size) break;
    attributes += whole;
    size -= whole;
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::uint64_t> unix_socket_peer(std::uint64_t inode) {
  // The kernel answers within send().
  const Fd netlink(
      ::socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_SOCK_DIAG));
  if (!netlink || inode > UINT32_MAX || !ask(netlink, static_cast<std::uint32_t>(inode)))
    return std::nullopt;
  std::array<char, 1024> answer{};
  const auto size = ::recv(netlink.get(), answer.data(), answer.size(), 0);
  constexpr std::size_t kHead = sizeof(nlmsghdr) + sizeof(unix_diag_msg);
  if (size < static_cast<ssize_t>(kHead)) return std::nullopt;
  nlmsghdr header;
  std::memcpy(&header, answer.data(), sizeof header);
  if (header.nlmsg_type != SOCK_DIAG_BY_FAMILY) return std::nullopt;
  return peer_in(answer.data() + kHead, static_cast<std::size_t>(size) - kHead);
}

}  // namespace poolproof::sys
