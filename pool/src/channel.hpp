#pragma once

#include <cstdint>
#include <deque>
#include <exception>
#include <memory>
#include <poolproof/detail/bytes.hpp>

#include "fd.hpp"
#include "lease.hpp"
#include "mapping.hpp"
#include "ring.hpp"
#include "ring_memory.hpp"
#include "wire.hpp"

namespace poolproof::detail {

/// What a worker answered.
struct Frame {
  FrameHeader header;
  Bytes payload;
  std::exception_ptr lost;  ///< set if the payload could not be taken in
};

/// Main's end of one worker's channel: its ring, and a socket that brings doorbells to who sleeps
/// in poll(2), carries the files of large payloads, and ends when the worker does. Never blocks.
/// Thread: guarded by the pool's lock.
class Channel {
 public:
  Channel() = default;
  Channel(Fd socket, std::shared_ptr<RingMemory> memory);

  [[nodiscard]] int fd() const { return socket_.get(); }
  [[nodiscard]] bool open() const { return ring_ != nullptr; }
  /// Whether the worker's end may still bring something by socket, and take tasks.
  [[nodiscard]] bool listening() const { return open() && !ended_; }

  /// Puts a task behind those in hands; `publish` makes it visible. False if there is no room for
  /// it now: a large one has to be the only one in hands, so that its file is never taken back.
  /// Errors: std::system_error if a large payload finds no file to be sent in, or the kernel does
  /// not carry that now.
  bool give(const FrameHeader& header, Bytes& payload);
  /// For the last one, with nothing in hands: leave in order. False as `publish`.
  [[nodiscard]] bool give_quit();
  /// False on garbage: the worker may never see them.
  [[nodiscard]] bool publish();

  /// Takes back the newest, at most `most`, that have not been begun; never the oldest.
  std::uint32_t recall(std::uint32_t most) { return ring_->tasks.recall(most); }
  /// How many in hands have been begun, as far as one can believe the worker.
  [[nodiscard]] std::uint32_t begun() const { return ring_->tasks.begun(); }
  /// Whether the worker has come as far as to take tasks.
  [[nodiscard]] bool ready() const;
  [[nodiscard]] const WorkerStatus& status() const { return ring_->memory->ring().status; }

  enum class Incoming {
    nothing,  ///< for now
    frame,
    garbage,  ///< somebody else wrote into it
  };
  /// The next answer, that of the oldest task in hands: which is no longer in hands then. After
  /// garbage nothing more comes, and what was in hands stays there.
  Incoming receive(Frame& frame);
  /// After a round of `receive`: gives the room back to the worker.
  void release();
  /// Whether there is something to receive.
  [[nodiscard]] bool available() const { return ring_->results.available(); }

  /// Takes what the socket has. False on garbage.
  bool read_socket();

  /// Has the worker ring at its next answer: by socket, or on the futex of `bell`.
  /// Look at `available` afterwards. Returns what Sleeper::sleep needs.
  std::uint32_t arm(Rest how);
  void disarm();
  /// Whether a ring has been taken from the socket since `arm`, by whoever it was meant for or not:
  /// there will be no other for that sleep.
  [[nodiscard]] bool rung() const { return rung_; }
  void let_spin(bool may);
  /// Whether the worker sleeps until it is rung.
  [[nodiscard]] bool asleep() const;

  /// The memory, for those who sleep in it or look at it without the lock: it must outlive them.
  [[nodiscard]] std::shared_ptr<RingMemory> memory() const { return ring_->memory; }
  [[nodiscard]] std::uint64_t read_position() const { return ring_->results.position(); }

  /// Nothing that comes from there can be trusted any more.
  void distrust() { ended_ = distrusted_ = true; }
  void close();
  /// In a forked child: closes the descriptors, touches nothing else.
  void abandon();

 private:
  struct Parts {
    explicit Parts(std::shared_ptr<RingMemory> shared);
    std::shared_ptr<RingMemory> memory;
    TaskWriter tasks;
    ResultReader results;
    Sleeper sleeper;
    Waker task_waker;
    Waker room_waker;
  };
  struct ReceivedFile {
    std::uint64_t task;
    Fd file;
    Lease lease;
  };

  [[nodiscard]] bool answers_oldest(const FrameHeader& answer) const;
  bool take_file(Frame& frame);
  static void take_copy(std::string_view payload, Frame& frame);

  Fd socket_;
  std::unique_ptr<Parts> ring_;
  std::deque<ReceivedFile> files_;
  MappingCache mappings_;
  bool ended_ = false;
  bool distrusted_ = false;
  bool rung_ = false;
};

}  // namespace poolproof::detail
