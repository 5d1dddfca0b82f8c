#pragma once

#include <cstdint>
#include <optional>

namespace poolproof::sys {

/// The inode of the socket at a connected unix socket's other end, of this network namespace.
/// nullopt: not connected, gone, or the kernel does not tell (built without unix_diag).
/// Source: sock_diag(7), UDIAG_SHOW_PEER.
std::optional<std::uint64_t> unix_socket_peer(std::uint64_t inode);

}  // namespace poolproof::sys
