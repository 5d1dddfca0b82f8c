#include "channel.hpp"

#include <sys/socket.h>
#include <sys/uio.h>

#include <array>
#include <cerrno>
#include <exception>
#include <utility>

namespace poolproof::detail {

void Channel::send(const FrameHeader& header, std::string_view payload) {
  out_header_ = header;
  out_payload_ = payload;
  unsent_ = sizeof header + payload.size();
  flush();
}

void Channel::flush() {
  while (unsent_ > 0) {
    const std::size_t head = unsent_ > out_payload_.size() ? unsent_ - out_payload_.size() : 0;
    const std::size_t tail = unsent_ - head;
    std::array<iovec, 2> parts{
        {{reinterpret_cast<char*>(&out_header_) + sizeof out_header_ - head, head},
         {const_cast<char*>(out_payload_.data()) + out_payload_.size() - tail, tail}}};
    msghdr message{};
    message.msg_iov = parts.data();
    message.msg_iovlen = parts.size();
    const ssize_t sent = ::sendmsg(fd_.get(), &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent >= 0) {
      unsent_ -= static_cast<std::size_t>(sent);
    } else if (errno == EAGAIN || errno == ENOBUFS || errno == ENOMEM) {
      return;
    } else if (errno != EINTR) {
      unsent_ = 0;  // the worker is dead or dying
    }
  }
}

Channel::Incoming Channel::receive(Frame& frame) {
  constexpr std::size_t kHead = sizeof(FrameHeader);
  if (received_ < kHead) {
    const Incoming head = fill(reinterpret_cast<char*>(&in_.header), kHead);
    if (head != Incoming::frame) return head;
    if (in_.header.magic != FrameHeader::kMagic) return Incoming::garbage;
    try {
      in_.payload.resize(in_.header.size);
    } catch (const std::exception&) {
      return Incoming::garbage;
    }
  }
  const Incoming body = fill(in_.payload.data() - kHead, kHead + in_.payload.size());
  if (body != Incoming::frame) return body;
  received_ = 0;
  frame = std::exchange(in_, Frame{});
  return Incoming::frame;
}

/// Reads until `size` bytes of the frame are there; `target` is where its
/// first byte would be.
Channel::Incoming Channel::fill(char* target, std::size_t size) {
  while (received_ < size) {
    const ssize_t got = ::recv(fd_.get(), target + received_, size - received_, MSG_DONTWAIT);
    if (got > 0) {
      received_ += static_cast<std::size_t>(got);
    } else if (got < 0 && errno == EINTR) {
      continue;
    } else if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
      return Incoming::nothing;
    } else {
      ended_ = true;
      return Incoming::ended;
    }
  }
  return Incoming::frame;
}

void Channel::close() {
  fd_.reset();
  unsent_ = 0;
  received_ = 0;
  ended_ = true;
}

}  // namespace poolproof::detail
