#pragma once

#include <cstddef>
#include <cstdint>

/// What crosses between processes. Both sides are the same program, so plain
/// structs will do.
namespace poolproof::detail {

/// Between main and one worker, in shared memory: records, each a header and a payload.
enum class FrameKind : std::uint32_t {
  task = 1,         ///< to the worker: run `function` with the payload
  quit = 2,         ///< to the worker: leave in order
  value = 3,        ///< to main: the task's encoded result
  failure = 4,      ///< to main: the task's encoded error
  skip = 5,         ///< nothing: the next record is at the beginning of the ring
  initializer = 6,  ///< to the worker: as `task`, but it is the pool's initializer
};

/// Where a payload is.
enum class Carrier : std::uint16_t {
  ring,  ///< behind its header
  file,  ///< in a sealed memfd, which came before by the socket
};

struct FrameHeader {
  static constexpr std::uint16_t kMagic = 0x7070;

  std::uint16_t magic = kMagic;
  Carrier carrier = Carrier::ring;
  FrameKind kind = FrameKind::quit;
  std::uint64_t task = 0;      ///< number of the task, from 1, per pool
  std::uint64_t function = 0;  ///< its Invoke: address in a copy of main, else by image.hpp
  std::uint64_t size = 0;      ///< bytes of payload
};
static_assert(sizeof(FrameHeader) == 32);

/// Between main and one worker, by socket: a message without a descriptor wakes a sleeper; one with
/// a descriptor is the payload of that task, or of its result.
struct Parcel {
  std::uint64_t task = 0;
  std::uint64_t lease = 0;  ///< of a result's file: place in SharedRing::leases, plus 1; or 0
};

/// Between main and the supervisor: whole messages on a SEQPACKET socket.
struct Command {
  enum class Kind : std::int32_t {
    spawn,      ///< carries the worker's socket, its ring, stdout, stderr
    drain,      ///< workers leave by themselves; SIGKILL after the patience
    terminate,  ///< SIGTERM; SIGKILL after the patience
    kill,       ///< the worker of the slot: SIGKILL
  };
  Kind kind = Kind::spawn;
  std::int32_t slot = 0;
  std::uint64_t serial = 0;      ///< spawn: the worker's number, for its name
  std::int64_t patience_ms = 0;  ///< drain, terminate
  std::uint32_t has_stdout = 0;  ///< spawn: which of main's are open at all
  std::uint32_t has_stderr = 0;
};

struct Report {
  enum class Kind : std::int32_t {
    started,      ///< carries the worker's pidfd
    fork_failed,  ///< code: errno
    died,         ///< how: si_code, code: si_status; the worker is reaped
    ready,        ///< the supervisor is; how: one of those below, code: errno
  };
  static constexpr std::int32_t kThreads = 1;       ///< ready: but has threads
  static constexpr std::int32_t kNotContained = 2;  ///< ready: but without namespace
  Kind kind = Kind::started;
  std::int32_t slot = 0;
  std::int32_t pid = 0;
  std::int32_t how = 0;
  std::int32_t code = 0;
};

}  // namespace poolproof::detail
