#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "doorbell.hpp"
#include "wire.hpp"
#include "worker_status.hpp"

/// What main and one worker share: a ring of tasks, a ring of results, three doorbells. Nothing in
/// it can be left locked or half done by a death at any instruction: a record exists once a counter
/// has been stepped past it, by one atomic operation. Main believes nothing that it reads here.
/// No system calls in this file but the doorbells' own.
namespace poolproof::detail {

inline constexpr std::size_t kRingBytes = std::size_t{64} << 10;
/// Larger payloads go by file.
inline constexpr std::size_t kLargestInRing = std::size_t{16} << 10;
/// How many tasks a worker may have at once: one that it works on, others so that it need not wait.
inline constexpr std::uint32_t kMostInHands = 512;

/// How many of a worker's files main may be reading at once and still give back.
inline constexpr std::size_t kLeases = 4;

/// The layout of the shared memory; a fresh memfd's zeros are an empty ring, but for
/// the doorbells. Who writes what: each
/// cache line has one writer, but for `tasks`.
struct SharedRing {
  /// How many tasks the worker has begun (upper half), and main has published (lower half), both
  /// modulo 2^32. One word, so that main can take back what has not been begun: who changes it, by
  /// compare-exchange, knows that the other has not.
  alignas(64) std::atomic<std::uint64_t> tasks;
  Doorbell for_tasks;    ///< the idle worker sleeps here
  Doorbell for_room;     ///< the worker sleeps here when there is no room for a result
  Doorbell for_results;  ///< main sleeps here
  // The worker's:
  alignas(64) std::atomic<std::uint64_t> results_written;  ///< bytes
  WorkerStatus status;
  // Main's:
  alignas(64) std::atomic<std::uint64_t> results_read;  ///< bytes
  std::atomic<std::uint32_t> may_spin;                  ///< whether a processor is to spare
  /// Of the worker's files: set by the worker when it lends one, cleared by main (lease.hpp).
  alignas(64) std::array<std::atomic<std::uint32_t>, kLeases> leases;
  alignas(64) std::array<char, kRingBytes> task_bytes;
  std::array<char, kRingBytes> result_bytes;
};
static_assert(std::atomic<std::uint64_t>::is_always_lock_free);

/// A record as it lies in a ring, whose header has been copied out.
struct Record {
  FrameHeader header;
  std::string_view payload;  ///< in the ring
};

/// Main's side of the tasks. Also keeps account of the room: the worker reads its arguments in
/// place, so a record's room is free again when its result has come, which main knows best.
/// Thread: guarded by the pool's lock.
class TaskWriter {
 public:
  explicit TaskWriter(SharedRing& ring) : ring_(&ring) {}

  /// Writes a record, which nobody sees before `publish`. False if there is no room, or too much
  /// in hands. `payload`: what lies in the ring; the header tells the size of all.
  bool write(const FrameHeader& header, std::string_view payload);
  /// Hands what was written to the worker; the caller rings. False on garbage.
  bool publish();

  /// The oldest has been answered.
  void retire();
  /// Takes back the newest, at most `most`; neither what has been begun nor the oldest in hands.
  /// Returns how many.
  std::uint32_t recall(std::uint32_t most);

  [[nodiscard]] std::uint32_t in_hands() const { return written_ - retired_; }
  /// The number of the oldest in hands, if there is one.
  [[nodiscard]] std::uint64_t oldest() const { return numbers_[retired_ % kMostInHands]; }
  /// How many of those in hands the worker has begun, some perhaps answered; one if it left garbage
  /// behind, since to do so it had to run.
  [[nodiscard]] std::uint32_t begun() const;

 private:
  [[nodiscard]] bool sane(std::uint64_t tasks) const;
  [[nodiscard]] std::uint64_t& start(std::uint32_t number) {
    return starts_[number % kMostInHands];
  }

  SharedRing* ring_;
  std::uint64_t position_ = 0;  // bytes ever written
  std::uint32_t written_ = 0;   // tasks, as are the others
  std::uint32_t published_ = 0;
  std::uint32_t retired_ = 0;
  std::array<std::uint64_t, kMostInHands> starts_{};   // positions of those in hands
  std::array<std::uint64_t, kMostInHands> numbers_{};  // and what they are called
};

/// The worker's side of the tasks. It trusts main.
class TaskReader {
 public:
  explicit TaskReader(SharedRing& ring) : ring_(&ring) {}

  /// Whether there is one; no more than a look.
  [[nodiscard]] bool available() const;
  /// Begins the next task: from now on it is this worker's. The payload stays where it is until the
  /// task is answered. False if there is none.
  bool begin(Record& record);
  /// Whether what `begin` found was no record: a task has written into the ring.
  [[nodiscard]] bool torn() const { return torn_; }

 private:
  SharedRing* ring_;
  std::uint64_t position_ = 0;
  bool torn_ = false;
};

/// The worker's side of the results.
class ResultWriter {
 public:
  explicit ResultWriter(SharedRing& ring) : ring_(&ring) {}

  /// Writes and publishes one; the caller rings. False if there is no room now.
  bool write(const FrameHeader& header, std::string_view payload);
  [[nodiscard]] bool has_room(std::size_t payload) const;
  /// False if somebody else has written into what only this worker writes, or main could not have
  /// written what main writes: then nobody can be relied on to be woken by this ring.
  [[nodiscard]] bool intact() const;

 private:
  SharedRing* ring_;
  std::uint64_t position_ = 0;
};

/// Main's side of the results. Thread: guarded by the pool's lock.
class ResultReader {
 public:
  enum class Found { nothing, record, garbage };

  explicit ResultReader(SharedRing& ring) : ring_(&ring) {}

  [[nodiscard]] bool available() const { return is_past(*ring_, position_); }
  /// For who looks without the lock, which it held when it asked for the position.
  [[nodiscard]] std::uint64_t position() const { return position_; }
  static bool is_past(const SharedRing& ring, std::uint64_t position) {
    return ring.results_written.load(std::memory_order_seq_cst) != position;
  }
  /// The next record. Its header is a copy; its payload lies in the ring, where the worker could
  /// still change it, so copy it before use. Stays until `release`.
  Found next(Record& record);
  /// Gives the room of all that was read back; the caller rings.
  void release();

 private:
  SharedRing* ring_;
  std::uint64_t position_ = 0;
};

}  // namespace poolproof::detail
