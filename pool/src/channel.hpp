#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "fd.hpp"
#include "wire.hpp"

namespace poolproof::detail {

struct Frame {
  FrameHeader header;
  std::string payload;
};

/// Main's end of one worker's channel. Never blocks in either direction, so
/// the two sides can't wait for each other whatever they send.
/// Thread: guarded by the pool's lock.
class Channel {
 public:
  Channel() = default;
  explicit Channel(Fd fd) : fd_(std::move(fd)) {}

  [[nodiscard]] int fd() const { return fd_.get(); }
  [[nodiscard]] bool open() const { return fd_.valid(); }
  /// Whether something is left to be written when the socket has room.
  [[nodiscard]] bool sending() const { return unsent_ > 0; }
  /// Whether the worker's end may still bring something.
  [[nodiscard]] bool listening() const { return open() && !ended_; }

  /// Starts to send a frame; `payload` must stay where it is until sending()
  /// is false or the channel closed. Requires: not sending().
  void send(const FrameHeader& header, std::string_view payload = {});

  /// Writes what fits. A dead peer is not noticed here: its death is reported.
  void flush();

  enum class Incoming {
    nothing,  ///< for now
    frame,
    ended,    ///< no more to come
    garbage,  ///< somebody else wrote into it; or no memory for it
  };
  /// Reads on; a whole frame is moved to `frame`.
  Incoming receive(Frame& frame);

  void close();

 private:
  Incoming fill(char* target, std::size_t size);

  Fd fd_;
  FrameHeader out_header_;
  std::string_view out_payload_;
  std::size_t unsent_ = 0;  // of header and payload together
  Frame in_;
  std::size_t received_ = 0;  // of header and payload together
  bool ended_ = false;
};

}  // namespace poolproof::detail
