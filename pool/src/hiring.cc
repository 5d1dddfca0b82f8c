#include <variant>

#include "completions.hpp"
#include "core.hpp"

// When a worker's empty place is filled again, and nothing else (its mutants replace this file).
// With the lock held.
namespace poolproof::detail {
namespace {

using Clock = std::chrono::steady_clock;

/// So often in a row may a worker fail to start, or leave before it could take
/// a single task, before the pool gives up; about two seconds of delays.
constexpr int kMaxFailures = 11;

/// A worker that somebody kills while it starts is not what the pool should
/// give up for.
Vacancy vacancy_after(const Report& death, bool was_ready) {
  if (was_ready) return Vacancy::after_work;
  const ExitStatus status = status_of(death);
  return std::holds_alternative<Killed>(status) ? Vacancy::killed_early : Vacancy::failed_start;
}

}  // namespace

void Core::vacate_after(const Report& death) {
  const auto index = static_cast<std::size_t>(death.slot);
  crew_.vacate(index, vacancy_after(death, crew_.slots()[index].channel.ready()));
}

void Core::fill_vacancies(Completions& done) {
  // A closed pool needs nobody for an empty queue.
  if (state_ != PoolState::running && queue_.empty()) return;
  const auto now = Clock::now();
  for (std::size_t i = 0; i < target_; ++i) {
    const Slot& slot = crew_.slots()[i];
    if (slot.life != Slot::Life::vacant) continue;
    if (slot.failures >= kMaxFailures) {
      return break_down("workers fail again and again before their first task", done);
    }
    if (slot.hire_at <= now) crew_.hire(i);
  }
}

}  // namespace poolproof::detail
