#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "harness/trace.h"
#include "harness/warden/rest.h"

namespace poolproof::warden {

/// Counts wake-ups that come to nothing, from looks at the whole tree through /proc that disturb
/// nothing. Whatever may be progress begins the count anew: a byte read or written, a thread that
/// woke from a sleep without timeout, one that computes, one in a state that is neither sleep nor
/// run (stopped, swapping). What it cannot see is told by reset(). A thread that sleeps with a
/// timeout and has not woken often keeps the count from being enough: it will end by itself.
class PollMeter {
 public:
  /// Of each thread that polls. A pool that polls on a deadline of its own gets there only if that
  /// is so many intervals away.
  static constexpr std::int64_t kEnough = 500;

  /// Something has happened. `delay`: what tree time leaves out by now.
  void reset(harness::Nanoseconds now, harness::Nanoseconds delay);
  void look_at(const std::vector<Sleeper>& tree, const Outside& outside, harness::Nanoseconds now,
               harness::Nanoseconds delay);

  /// Whether some poll, each often enough, and all others sleep without a timeout.
  bool in_vain() const;
  harness::Nanoseconds since() const { return since_; }
  harness::Nanoseconds delay_then() const { return delay_then_; }
  harness::Polling polling() const;

 private:
  struct Account {
    harness::Pid pid = 0;
    harness::Pid tid = 0;
    std::uint64_t first_switches = 0;
    std::uint64_t switches = 0;
    std::chrono::nanoseconds first_ran{0};
    bool polls = false;
    std::string call;
    std::int64_t wakes() const { return static_cast<std::int64_t>(switches - first_switches); }
  };
  bool look_at_thread(const Sleeper& process, const Sleeper::Thread& thread,
                      const Outside& outside);
  bool look_at_bytes(const std::vector<Sleeper>& tree);

  std::map<int, Account> accounts_;  // by tid
  std::optional<std::uint64_t> bytes_;
  std::string doubt_;
  harness::Nanoseconds since_{0};
  harness::Nanoseconds delay_then_{0};
};

}  // namespace poolproof::warden
