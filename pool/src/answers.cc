#include <new>

#include "completions.hpp"
#include "core.hpp"

// What a worker's answers become, in the order in which it was given the tasks, and nothing else
// (its mutants replace this file). With the lock held.
namespace poolproof::detail {

bool Core::read_answers(std::size_t index, Completions& done) {
  Slot& slot = crew_.slots()[index];
  if (!slot.channel.open()) return false;
  Frame frame;
  bool any = false;
  bool has_memory = true;
  while ((has_memory = done.make_room())) {
    const Channel::Incoming incoming = slot.channel.receive(frame);
    if (incoming == Channel::Incoming::nothing) {
      if (!must_arm_anew(slot)) break;
      await_answers(slot);
      continue;  // what came in between did not ring
    }
    const bool answer =
        frame.header.kind == FrameKind::value || frame.header.kind == FrameKind::failure;
    if (incoming == Channel::Incoming::garbage || !answer || slot.in_hands.empty() ||
        slot.in_hands.front().number != frame.header.task) {
      // The task, or a child of it, wrote into our channel.
      distrust(index);
      return true;
    }
    any = true;
    take_answer(index, frame, done);
  }
  if (any) {
    slot.channel.release();
    full_ = false;
    dismiss_if_spent(index);
    note_idle(index);
  }
  if (!has_memory) throw std::bad_alloc();  // what is left stays where it is, for the next try
  return any;
}

/// With a large answer its reader takes all that the socket has, which may be the ring that was to
/// wake the dispatcher.
bool Core::must_arm_anew(const Slot& slot) const {
  return attending_ == Attending::nobody && !slot.caller_asleep && slot.channel.rung();
}

void Core::take_answer(std::size_t index, Frame& frame, Completions& done) {
  Slot& slot = crew_.slots()[index];
  const Result result = std::move(slot.in_hands.front().result);
  slot.in_hands.pop_front();
  if (!slot.in_hands.empty()) {
    --ahead_;
    if (slot.in_hands.front().limit.count() > 0) ring_dispatcher();  // its time begins
  }
  if (slot.initialising) return on_initialised(index, frame, done);
  if (!result) return;  // it has an outcome already
  result->set_holder(ResultState::kNobody);
  if (frame.lost) {
    done.add(result, outcome::Unsent{frame.lost});
  } else if (frame.header.kind == FrameKind::value) {
    done.add(result, outcome::Value{std::move(frame.payload)});
  } else {
    done.add(result, outcome::Failure{std::move(frame.payload), slot.pid});
  }
}

/// Nothing that comes from that worker can be trusted any more. Its death is reported.
void Core::distrust(std::size_t index) {
  crew_.slots()[index].channel.distrust();
  crew_.kill_worker(index);
}

}  // namespace poolproof::detail
