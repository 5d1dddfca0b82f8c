#include <string>

#include "completions.hpp"
#include "core.hpp"
#include "reexec.hpp"

// When a worker's empty place is filled again, and nothing else (its mutants replace this file).
// With the lock held.
namespace poolproof::detail {
namespace {

using Clock = std::chrono::steady_clock;

/// So often in a row may a worker fail to start, or end before it could take
/// a single task, before a pool that has no other gives up; about one second of delays.
constexpr int kMaxFailures = 11;
/// So long a pool has been without a worker then. One that still works is worth more than the
/// number asked for: what it lacks may be there again at any time.
constexpr std::chrono::seconds kDeserted{1};

}  // namespace

void Core::vacate_after(const Report& death) {
  const auto index = static_cast<std::size_t>(death.slot);
  const Slot& slot = crew_.slots()[index];
  const bool was_ready = slot.channel.ready();
  if (!was_ready) last_failed_start_ = death;
  // Without its pidfd it was sent away at once, ready or not: so may be the next.
  const bool could_work = was_ready && slot.pidfd.valid();
  crew_.vacate(index, could_work ? Vacancy::after_work : Vacancy::failed_start);
}

std::string Core::why_none_starts(const Slot& slot) const {
  if (slot.never_came) return reexec::never_came();
  std::string why = "workers fail again and again before their first task";
  if (last_failed_start_.pid == 0) return why;
  return why + "; the last: worker " + std::to_string(last_failed_start_.pid) + ", " +
         to_string(status_of(last_failed_start_));
}

void Core::fill_vacancies(Completions& done) {
  // A closed pool needs nobody for an empty queue.
  if (state_ != PoolState::running && queue_.empty()) return;
  const auto now = Clock::now();
  std::size_t hires_left = crew_.hires_left();
  std::size_t missing = crew_.missing(target_);
  for (std::size_t i = 0; i < crew_.size() && missing > 0; ++i) {
    const Slot& slot = crew_.slots()[i];
    if (slot.life != Slot::Life::vacant) continue;
    --missing;
    const bool is_hopeless = slot.failures >= kMaxFailures || slot.never_came;
    if (is_hopeless && crew_.deserted_for(kDeserted))
      return break_down(why_none_starts(slot), done);
    if (crew_.due(i) > now || hires_left == 0) continue;
    --hires_left;
    crew_.hire(i);
  }
}

}  // namespace poolproof::detail
