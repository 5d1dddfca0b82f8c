#include "completions.hpp"
#include "core.hpp"

// When the crew is stopped, and how, and nothing else (its mutants replace this file). With the
// lock held.
namespace poolproof::detail {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

/// Beyond the patience granted to the supervisor: it may be stuck itself.
constexpr milliseconds kSupervisorMargin{2000};

}  // namespace

void Core::stop_when_drained() {
  drop_cancelled();
  if (stopping_ || state_ != PoolState::closed || !queue_.empty()) return;
  for (const Slot& slot : crew_.slots()) {
    if (!slot.in_hands.empty()) return;
  }
  stop(Command::Kind::drain);
}

void Core::stop(Command::Kind how) {
  // Once only: a repeated terminate must not prolong the patience.
  if (terminating_) return;
  terminating_ = how == Command::Kind::terminate;
  stopping_ = true;
  overdue_ = deadline_after(Clock::now() + kSupervisorMargin, options_.terminate_patience);
  crew_.stop(how, options_.terminate_patience);
}

void Core::kill_when_overdue() {
  if (Clock::now() < overdue_) return;
  overdue_ = kNever;
  crew_.kill_supervisor();  // its end is noticed, and bury does the rest
}

void Core::break_down(const std::string& why, Completions& done) {
  broken_ = why;
  state_ = PoolState::terminated;
  fail_all(outcome::Broken{why}, done);
  if (!crew_.supervisor_lost()) stop(Command::Kind::terminate);
}

}  // namespace poolproof::detail
