#pragma once

#include <chrono>

#include "lifeline.hpp"
#include "worker_channel.hpp"

namespace poolproof::detail {

template <class Condition>
void WorkerChannel::sleep_until(Doorbell& bell, Condition there) {
  // So long on a futex, which costs least; then in recv(2), which ends when main does.
  constexpr std::chrono::milliseconds kOnFutex{5};
  const Deadline limit = deadline_after(kOnFutex);
  bool in_time = true;
  while (!there()) {
    const std::uint32_t seen = sleeper_.lie_down(bell, in_time ? Rest::futex : Rest::socket);
    if (there()) break;
    // An answer that main has not read may be gone: it shall not wait for it.
    if (!results_.intact()) lifeline::channel_lost();
    if (in_time) {
      in_time = Sleeper::sleep(bell, seen, limit);
    } else {
      keep_no_memory();
      await_message();
    }
  }
  sleeper_.get_up(bell);
}

}  // namespace poolproof::detail
