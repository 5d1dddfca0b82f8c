#include "core.hpp"

// Whom workers ring at their next answer, and nothing else (its mutants replace this file). With
// the lock held.
namespace poolproof::detail {

void Core::attend(Attending who) {
  attending_ = who;
  for (const std::size_t index : busy_) await_answers(crew_.slots()[index]);
}

/// Says whom the worker shall ring at its next answer. What has come already is still to be read.
void Core::await_answers(Slot& slot) {
  if (slot.caller_asleep || !slot.channel.open()) return;
  if (attending_ == Attending::nobody) {
    slot.channel.arm(Rest::socket);
  } else {
    slot.channel.disarm();
  }
}

}  // namespace poolproof::detail
