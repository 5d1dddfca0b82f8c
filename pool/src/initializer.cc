#include <new>
#include <poolproof/detail/failure.hpp>
#include "completions.hpp"
#include "core.hpp"

// The initializer is a task of the pool's own, the first of each worker. What fails in it, fails
// for every worker: the pool says so once, instead of starting workers without end.
namespace poolproof::detail {
namespace {

std::string error_in(const Frame& answer, pid_t worker) {
  try {
    throw_failure(answer.payload.view(), worker);
  } catch (const RemoteTrace& trace) {
    return trace.text();
  } catch (...) {
    return "an error that cannot be read here";
  }
}

}  // namespace

void Core::prepare(std::size_t index) {
  Slot& slot = crew_.slots()[index];
  if (slot.life != Slot::Life::alive || stopping_) return;
  if (!options_.initializer) return note_idle(index);
  std::list<Task> tasks(1);
  Task& task = tasks.front();
  task.number = ++last_task_;
  task.function = crew_.name_of(options_.initializer.invoke());  // or an error of the construction
  slot.initialising = true;
  try {
    const std::string_view arguments = options_.initializer.arguments();
    task.payload.append(arguments.data(), arguments.size());
    if (!give_one(index, tasks)) return crew_.kill_worker(index);
    hand_out(index);
  } catch (...) {  // no descriptor for large arguments, or no memory: another one, later
    crew_.kill_worker(index);
  }
}

void Core::on_initialised(std::size_t index, const Frame& answer, Completions& done) {
  Slot& slot = crew_.slots()[index];
  slot.initialising = false;
  slot.failures = 0;
  dismiss_if_spent(index);
  if (answer.header.kind != FrameKind::failure || stopping_) return;
  try {
    break_down("the initializer failed: " + error_in(answer, slot.pid), done);
  } catch (const std::bad_alloc&) {  // no memory to say so: the next worker will
    slot.leaving = true;
    crew_.kill_worker(index);
  }
}

void Core::on_initializer_death(const Report& report, Completions& done) {
  const auto index = static_cast<std::size_t>(report.slot);
  const ExitStatus status = status_of(report);
  // Somebody may have killed it, which says nothing about the others.
  const bool says_something = std::holds_alternative<Exited>(status) && !stopping_;
  std::string why;
  // First, since memory may run out: then the report is taken in again. Never for nothing: a pool
  // that is being ended may have none at all any more.
  if (says_something)
    why = "worker " + std::to_string(report.pid) + " left in the initializer: " + to_string(status);
  crew_.slots()[index].in_hands.clear();
  last_failed_start_ = report;
  crew_.vacate(index, Vacancy::failed_start);
  if (says_something) break_down(why, done);
}

}  // namespace poolproof::detail
