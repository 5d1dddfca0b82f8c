#include <algorithm>

#include "completions.hpp"
#include "core.hpp"

// Whom it pays to wake. To wake a worker who sleeps costs as much as many tasks that do little, and
// takes the processor from who would have done them meanwhile. So they wait for a worker that has
// something to do and will be done soon, by all that is known of it. That may turn out wrong: the
// dispatcher stays awake until it has come true, or the tasks have been given to somebody else.
// With the lock held.
namespace poolproof::detail {
namespace {

using Clock = std::chrono::steady_clock;

/// What a wake-up costs, the loss of a warm processor included.
constexpr std::chrono::nanoseconds kWakeUp{50'000};

}  // namespace

/// Whether that was all.
bool Core::give_to_who_is_awake(Completions& done) {
  if (idle_.empty() || is_looking(idle_.back()) || !soon_done(last_given_)) return false;
  const std::size_t room = room_of(last_given_);
  if (room == 0) return false;
  const auto usual = crew_.slots()[last_given_].channel.status().usual_ns.load();
  const auto most = static_cast<std::size_t>(kWakeUp.count() / std::max<std::int64_t>(usual, 1));
  give(last_given_, std::clamp(most, std::size_t{1}, room), done);
  call_dispatcher();
  return queue_.empty();
}

/// Whether the worker will have done all that is in its hands before another could begin with it.
/// What it tells is believed, but not for long.
bool Core::soon_done(std::size_t index) const {
  const Slot& slot = crew_.slots()[index];
  if (slot.in_hands.empty() || slot.initialising || !slot.channel.open()) return false;
  const WorkerStatus& status = slot.channel.status();
  if (status.tasks.load(std::memory_order_relaxed) == 0) return false;
  const std::chrono::nanoseconds usual(status.usual_ns.load(std::memory_order_relaxed));
  const auto tasks = static_cast<std::int64_t>(slot.in_hands.size() + 1);
  if (usual.count() < 0 || usual > kWakeUp / tasks) return false;
  const auto now = Clock::now();
  const auto since = std::max(slot.busy_since, crew_.began(index));
  return since <= now && now - since < kWakeUp;
}

/// Whether it sees a task without being woken.
bool Core::is_looking(std::size_t index) const {
  const Channel& channel = crew_.slots()[index].channel;
  return channel.open() && !channel.asleep();
}

/// It may be ready for the next.
void Core::look_at_last(Completions& done) {
  const Slot& slot = crew_.slots()[last_given_];
  if (!slot.in_hands.empty() && !slot.caller_asleep) read_answers(last_given_, done);
}

void Core::call_dispatcher() {
  if (dispatcher_awake_ || dispatcher_called_) return;
  dispatcher_called_ = true;
  ring_dispatcher();
}

}  // namespace poolproof::detail
