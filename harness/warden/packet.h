#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "harness/sys/fd.h"
#include "harness/sys/result.h"

namespace poolproof::warden {

/// One message of a SEQPACKET socket pair, with descriptors and the sender's pid as the
/// *receiver's* PID namespace numbers it (which is how the warden learns the outer pid of a process
/// inside).
struct Packet {
  std::string bytes;
  std::vector<sys::Fd> descriptors;
  int sender = 0;  // 0 unless the receiver asked for credentials
};

sys::Result<std::pair<sys::Fd, sys::Fd>> packet_pair();
/// From now on received packets carry the sender's pid. Source: SO_PASSCRED, unix(7).
sys::Result<void> ask_for_sender(int socket);

sys::Result<void> send_packet(int socket, std::string_view bytes,
                              const std::vector<int>& descriptors = {});
/// Waits for one; empty bytes mean that the peer is gone.
sys::Result<Packet> receive_packet(int socket);

}  // namespace poolproof::warden
