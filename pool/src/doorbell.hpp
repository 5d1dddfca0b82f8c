#pragma once

#include <atomic>
#include <cstdint>

#include "futex.hpp"

namespace poolproof::detail {

/// How one who has nothing to do is woken.
enum class Rest : std::uint32_t {
  awake = 0,   ///< not at all: it looks by itself
  futex = 1,   ///< it sleeps on the doorbell
  socket = 2,  ///< it waits for a message
};

/// In memory shared by two processes: where one of them sleeps until the other has something.
/// `asleep` is the sleeper's alone (a waker that cleared it could undo the announcement of the next
/// sleep, and the wake-up would be lost); `rung` is what wakers change. Neither lies to the side
/// that does not trust the other: a wrong value costs a wake-up, or the sleep of a caller who waits
/// for that very worker, until its death.
///
/// The protocol: the sleeper announces itself, *then* looks once more for what it waits for, then
/// sleeps; the waker provides it, *then* looks for sleepers. All four are sequentially consistent,
/// so at least one of them sees the other.
struct alignas(64) Doorbell {
  std::atomic<std::uint32_t> asleep;  ///< number of the sleep, times 4, plus a Rest
  std::atomic<std::uint32_t> rung;    ///< steps with each ring; the futex
};

/// The sleeper's side. Thread: any one at a time.
class Sleeper {
 public:
  /// Announces a sleep; returns what `sleep` needs. Then look again before sleeping.
  std::uint32_t lie_down(Doorbell& bell, Rest how) {
    const std::uint32_t seen = bell.rung.load(std::memory_order_seq_cst);
    sleeps_ += 4;
    bell.asleep.store(sleeps_ | static_cast<std::uint32_t>(how), std::memory_order_seq_cst);
    return seen;
  }
  void get_up(Doorbell& bell) { bell.asleep.store(sleeps_, std::memory_order_relaxed); }

  /// For Rest::futex: until a ring since `lie_down`, or `deadline`, or for no reason.
  /// False if `deadline` has come.
  static bool sleep(const Doorbell& bell, std::uint32_t seen, Deadline deadline) {
    return futex::wait(bell.rung, seen, deadline, futex::Scope::shared);
  }

 private:
  std::uint32_t sleeps_ = 0;
};

/// The waker's side. Thread: any one at a time.
class Waker {
 public:
  /// Wakes who sleeps on a futex. Rest::socket: the caller has to send a message. Each sleep is
  /// ended once only, however long the sleeper takes to get up.
  Rest ring(Doorbell& bell) {
    const std::uint32_t asleep = bell.asleep.load(std::memory_order_seq_cst);
    const auto how = static_cast<Rest>(asleep & 3);
    if (how == Rest::awake || asleep == last_) return Rest::awake;
    last_ = asleep;
    if (how == Rest::futex) rouse(bell);
    return how;
  }

  /// Wakes whoever sleeps on the futex in any case. Thread safe.
  static void rouse(Doorbell& bell) {
    bell.rung.fetch_add(1, std::memory_order_seq_cst);
    futex::wake(bell.rung, futex::Scope::shared);
  }

 private:
  std::uint32_t last_ = 0;
};

}  // namespace poolproof::detail
