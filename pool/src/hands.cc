#include <algorithm>
#include <exception>
#include <iterator>
#include <new>

#include "completions.hpp"
#include "core.hpp"

// Which worker has which task: giving and taking back. A worker gets more than one only when none
// is idle, so that it need not wait for main between two tasks; what it has not begun when another
// becomes idle is taken back for that one. All with the lock held.
namespace poolproof::detail {
namespace {

/// Enough for a worker to go on while main is off its processor, with tasks that do nothing.
constexpr std::size_t kMostAhead = 256;

}  // namespace

bool Core::can_take(std::size_t index) const {
  const Slot& slot = crew_.slots()[index];
  return slot.life == Slot::Life::alive && !slot.leaving && !slot.initialising &&
         slot.channel.listening() && quota_left(index) > 0;
}

std::size_t Core::room_of(std::size_t index) const {
  const Slot& slot = crew_.slots()[index];
  if (!can_take(index)) return 0;
  return std::min(kMostAhead - std::min(slot.in_hands.size(), kMostAhead), quota_left(index));
}

void Core::note_idle(std::size_t index) {
  Slot& slot = crew_.slots()[index];
  if (slot.listed_idle || !slot.in_hands.empty() || !can_take(index)) return;
  slot.listed_idle = true;
  idle_.push_back(index);
}

/// The one that was busy last: its memory is warm, and it may still be looking for work.
std::optional<std::size_t> Core::take_idle() {
  while (!idle_.empty()) {
    const std::size_t index = idle_.back();
    Slot& slot = crew_.slots()[index];
    idle_.pop_back();
    slot.listed_idle = false;
    if (can_take(index) && slot.in_hands.empty()) return index;
  }
  return std::nullopt;
}

void Core::dispatch(Completions& done) {
  if (stopping_) return;
  if (queue_.empty() && ahead_ > 0) take_back_for_idle();
  const std::size_t share = std::clamp(queue_.size() / crew_.size(), std::size_t{1}, kMostAhead);
  while (!queue_.empty() && !give_to_who_is_awake(done)) {
    const std::optional<std::size_t> index = take_idle();
    if (!index) break;
    try {
      give(*index, share, done);
    } catch (...) {  // no memory: it is still there for the next try
      note_idle(*index);
      throw;
    }
    note_idle(*index);  // if it could not even take one
    if (crew_.slots()[*index].listed_idle) break;
  }
  give_ahead(share, done);
}

/// To workers that have something to do already, in turn.
void Core::give_ahead(std::size_t share, Completions& done) {
  std::size_t refused = 0;
  while (!queue_.empty() && !full_ && refused < busy_.size()) {
    next_busy_ = (next_busy_ + 1) % busy_.size();
    const std::size_t index = busy_[next_busy_];
    const std::size_t room = room_of(index);
    const std::size_t before = queue_.size();
    if (room > 0) give(index, std::min(share, room), done);
    refused = queue_.size() < before ? 0 : refused + 1;
  }
  full_ = !queue_.empty();  // until somebody has answered
}

/// Gives up to `most` tasks, fewer if the ring is full.
void Core::give(std::size_t index, std::size_t most, Completions& done) {
  Slot& slot = crew_.slots()[index];
  most = std::min(most, quota_left(index));
  std::size_t given = 0;
  bool has_memory = true;
  while (given < most) {
    drop_cancelled();
    if (queue_.empty()) break;
    has_memory = done.make_room();  // for one that cannot be given
    if (!has_memory) break;
    try {
      if (!give_one(index, queue_)) break;
      ++given;
    } catch (...) {
      done.add(queue_.front().result, outcome::Unsent{std::current_exception()});
      queue_.pop_front();
    }
  }
  slot.given += given;
  if (given > 0) {
    if (slot.in_hands.size() == given) slot.busy_since = std::chrono::steady_clock::now();
    last_given_ = index;
    hand_out(index);
  }
  if (!has_memory) throw std::bad_alloc();  // for the dispatcher to try again
}

/// Lets the worker see what was written, and says whom to ring.
void Core::hand_out(std::size_t index) {
  Slot& slot = crew_.slots()[index];
  if (!slot.listed_busy) {
    full_ = false;
    slot.listed_busy = true;
    busy_.push_back(index);
    await_answers(slot);
    grant_spinning(index);
  }
  if (!slot.channel.publish()) distrust(index);
  // The dispatcher has to know when a limit ends.
  if (!slot.in_hands.empty() && slot.in_hands.front().limit.count() > 0) ring_dispatcher();
}

bool Core::anybody_idle() const {
  return std::any_of(idle_.begin(), idle_.end(), [this](std::size_t index) {
    return can_take(index) && crew_.slots()[index].in_hands.empty();
  });
}

/// One worker has nothing to do, and there is nothing to give: others may have too much.
void Core::take_back_for_idle() {
  if (!anybody_idle()) return;
  for (const std::size_t index : busy_) {
    if (crew_.slots()[index].in_hands.size() < 2) continue;
    if (soon_done(index)) {
      call_dispatcher();  // which sees to it that this comes true
      continue;
    }
    take_back(index, static_cast<std::uint32_t>(crew_.slots()[index].in_hands.size() / 2));
    if (!queue_.empty()) return;
  }
}

/// Its last task goes to the front of the queue, since it was submitted before what is there, or
/// away where nobody waits for it.
void Core::requeue_last(Slot& slot) {
  const auto task = std::prev(slot.in_hands.end());
  task->set_holder(ResultState::kNobody);
  if (task->result) {
    queue_.splice(queue_.begin(), slot.in_hands, task);
  } else {
    slot.in_hands.pop_back();
  }
}

void Core::take_back(std::size_t index, std::uint32_t most) {
  Slot& slot = crew_.slots()[index];
  for (std::uint32_t back = slot.channel.recall(most); back > 0; --back) {
    requeue_last(slot);
    --ahead_;
    --slot.given;
  }
  // Who sleeps for an answer of this worker may wait for one of those, which comes from elsewhere.
  slot.rouse_caller();
  full_ = false;
}

/// As many workers may look for tasks, rather than sleep, as there are processors beside ours:
/// those that had something to do last.
void Core::grant_spinning(std::size_t index) {
  if (processors_ < 2) return;
  crew_.slots()[index].channel.let_spin(true);
  if (std::find(spinning_workers_.begin(), spinning_workers_.end(), index) !=
      spinning_workers_.end()) {
    return;
  }
  spinning_workers_.push_back(index);
  if (spinning_workers_.size() < static_cast<std::size_t>(processors_)) return;
  const Slot& first = crew_.slots()[spinning_workers_.front()];
  if (first.channel.open()) crew_.slots()[spinning_workers_.front()].channel.let_spin(false);
  spinning_workers_.erase(spinning_workers_.begin());
}

}  // namespace poolproof::detail
