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
/// sleep, and the wake-up would be lost); `rung` is what wakers change. A task may write anything
/// into both. `asleep` tells whether it is what a sleeper wrote; if not, the waker wakes by every
/// means. A wrong `rung` ends a sleep too soon.
///
/// The protocol: the sleeper announces itself, *then* looks once more for what it waits for, then
/// sleeps; the waker provides it, *then* looks for sleepers. All four are sequentially consistent,
/// so at least one of them sees the other.
struct alignas(64) Doorbell {
  /// Lower half: number of the sleep, times 4, plus a Rest. Upper half: its complement, so that
  /// neither zeros nor chance are taken for a word of the sleeper's.
  std::atomic<std::uint64_t> asleep{word(0)};
  std::atomic<std::uint32_t> rung{0};  ///< steps with each ring; the futex

  static constexpr std::uint64_t word(std::uint32_t sleep) {
    return std::uint64_t{~sleep} << 32 | sleep;
  }
  static constexpr bool is_word(std::uint64_t asleep) {
    return asleep == word(static_cast<std::uint32_t>(asleep));
  }
};

/// The sleeper's side. Thread: any one at a time.
class Sleeper {
 public:
  /// Announces a sleep; returns what `sleep` needs. Then look again before sleeping.
  std::uint32_t lie_down(Doorbell& bell, Rest how) {
    const std::uint32_t seen = bell.rung.load(std::memory_order_seq_cst);
    sleeps_ += 4;
    bell.asleep.store(Doorbell::word(sleeps_ | static_cast<std::uint32_t>(how)),
                      std::memory_order_seq_cst);
    return seen;
  }
  void get_up(Doorbell& bell) {
    bell.asleep.store(Doorbell::word(sleeps_), std::memory_order_relaxed);
  }

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
  /// ended once only, however long the sleeper takes to get up, unless the doorbell is overwritten.
  Rest ring(Doorbell& bell) {
    const std::uint64_t asleep = bell.asleep.load(std::memory_order_seq_cst);
    if (!Doorbell::is_word(asleep)) {
      rouse(bell);
      return Rest::socket;
    }
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
  std::uint64_t last_ = 0;
};

}  // namespace poolproof::detail
