#pragma once

#include <array>
#include <cstddef>

/// Small messages with descriptors over a SEQPACKET socket. No allocation and
/// no exceptions: the supervisor uses this right after fork.
namespace poolproof::detail::control {

inline constexpr std::size_t kMaxDescriptors = 4;
using Descriptors = std::array<int, kMaxDescriptors>;

/// Sends one message, which never tears, and copies of `count` descriptors.
/// Returns 0 or an errno (EAGAIN: full; EPIPE: nobody there; ENOBUFS, ENOMEM: the kernel has had no
/// memory for 0.1 s). No SIGPIPE.
/// Source: unix(7), sendmsg(2).
int send(int socket, const void* message, std::size_t size, const int* descriptors = nullptr,
         std::size_t count = 0);

/// Whether `send` failed for what the kernel may have again at any time, without telling anybody:
/// memory, or room for descriptors in flight (ETOOMANYREFS, of all processes of the user's).
bool is_shortage(int error);

enum class Received {
  message,
  nothing,  ///< for now
  closed,   ///< no more to come
  torn,     ///< a message of another size, which this library did not send
};

/// Takes one message of exactly `size` bytes; descriptors that came along are
/// close-on-exec, the caller's to close, and -1 where there was none.
/// wait: whether to block until there is one.
Received receive(int socket, void* message, std::size_t size, Descriptors& descriptors, bool wait);

}  // namespace poolproof::detail::control
