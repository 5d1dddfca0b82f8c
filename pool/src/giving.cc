#include "core.hpp"

// How one task is handed to a worker, and nothing else (its mutants replace this file). With the
// lock held.
namespace poolproof::detail {

/// Writes the first task of `from` to the worker's ring, unseen yet, and moves it into the worker's
/// hands, without an allocation: what is written is the worker's. False if there is no room.
bool Core::give_one(std::size_t index, std::list<Task>& from) {
  Slot& slot = crew_.slots()[index];
  Task& task = from.front();
  FrameHeader header;
  header.kind = slot.initialising ? FrameKind::initializer : FrameKind::task;
  header.task = task.number;
  header.function = task.function;
  header.size = task.payload.size();
  if (!slot.channel.give(header, task.payload)) return false;
  if (!slot.in_hands.empty()) ++ahead_;
  task.set_holder(static_cast<std::uint32_t>(index));
  slot.in_hands.splice(slot.in_hands.end(), from, from.begin());
  return true;
}

}  // namespace poolproof::detail
