// Which deaths count: the part of Reading that tells a lost worker from one that was let go.
#include <algorithm>
#include <csignal>

#include "properties/rules/reading.h"

namespace poolproof::properties {

using harness::BodyKind;
using harness::Step;
using harness::StepKind;

/// From here on workers may go because they were told to.
Reading::Maybe Reading::first_end_of_pool() const {
  Maybe first = ending_begun_;
  if (main_died() && (!first || *main()->dying < *first)) first = main()->dying;
  for (int step = 1; step <= steps(); ++step) {
    const StepKind kind = this->step(step).kind;
    const bool ends = kind == StepKind::kClose || kind == StepKind::kTerminate ||
                      kind == StepKind::kDrop || kind == StepKind::kJoin;
    const bool refused = run(step).is(Kind::kRefused);
    if (ends && !refused && run(step).begun && (!first || *run(step).begun < *first))
      first = run(step).begun;
  }
  return first;
}

/// Null before it has begun.
const Reading::StepRun* Reading::creation() const {
  for (int step = 1; step <= steps(); ++step) {
    if (this->step(step).kind == StepKind::kCreate && run(step).begun) return &run(step);
  }
  return nullptr;
}

/// Gone before the pool was begun to be made: an interpreter's wrapper, say. None of the pool's.
bool Reading::preceded_the_pool(const Process& process) const {
  const auto* create = creation();
  return create != nullptr && process.gone_before(*create->begun);
}

bool Reading::is_older_than_the_pool(const Process& process) const {
  const auto* create = creation();
  return create != nullptr && process.born && *process.born < *create->begun;
}

bool Reading::is_within_the_pools_life(const Moment& moment) const {
  const auto* create = creation();
  return create != nullptr && *create->begun < moment;
}

bool Reading::has_a_neighbour() const {
  for (int step = 1; step <= steps(); ++step) {
    if (this->step(step).kind != StepKind::kNeighbour || !run(step).begun) continue;
    if (this->step(step).neighbour != harness::Neighbour::kEnds || !run(step).is(Kind::kOk))
      return true;
  }
  return false;
}

bool Reading::may_have_a_pool() const {
  return creation() != nullptr || has_a_neighbour();
}

const Reading::Process* Reading::worker_above(const Process& process) const {
  const Process* above = &process;
  while (above != nullptr && above->role == Role::kTaskChild && above->born)
    above = this->process(above->parent, *above->born);
  return above != nullptr && above->role == Role::kWorker ? above : nullptr;
}

bool Reading::made_by_creation(const Process& process) const {
  const auto* create = creation();
  return create != nullptr && process.born && create->ended && *process.born < *create->ended;
}

/// Whether a body that ends its worker with status 0 may be under way, or over, without its claim.
bool Reading::may_run_unseen_exit() const {
  for (int step = 1; step <= steps(); ++step) {
    const Step& asked = this->step(step);
    if (entry(asked.kind).makes != harness::Makes::kTask || !run(step).begun) continue;
    const bool exits = asked.body.kind == BodyKind::kExit || asked.body.kind == BodyKind::kOsExit;
    if (exits && (asked.body.amount & 0xff) == 0 && runs(asked.task).empty()) return true;
  }
  return false;
}

/// A worker that is let go between two tasks, or a helper that has done its work, exits with status
/// 0. So does one whose task calls exit, but its run is open. Whatever else died may be missed.
bool Reading::left_in_peace(const Process& process) const {
  if (preceded_the_pool(process)) return true;
  if (harmed_by_fault(process)) return false;
  const bool normally = process.status == sys::ExitStatus(sys::Exited{0});
  return normally && !runs_a_task(process) && !may_run_unseen_exit();
}

bool Reading::was_there_at_mains_death(const Process& process) const {
  return process.role != Role::kMain && process.role != Role::kOwn && main_died() &&
         !process.gone_before(*main()->dying);
}

bool Reading::anybody_at_mains_death() const {
  return !trace().exact ||
         std::any_of(processes_.begin(), processes_.end(),
                     [&](const Process& process) { return was_there_at_mains_death(process); });
}

std::vector<const Reading::Process*> Reading::losses() const {
  std::vector<const Process*> lost;
  const Maybe ended = first_end_of_pool();
  for (const Process& process : processes_) {
    if (process.role != Role::kWorker || !process.dying) continue;
    const bool in_use = (!ended || process.gone_before(*ended)) && !left_in_peace(process);
    const bool by_step = std::any_of(steps_.begin(), steps_.end(), [&](const StepRun& run) {
      return run.is(Kind::kOk) && run.result->killed == process.pid &&
             this->process(process.pid, *run.ended) == &process;
    });
    const bool by_body = std::any_of(runs_.begin(), runs_.end(), [&](const auto& task) {
      if (!accepted_.contains(task.first) || !entry(body(task.first).kind).kills_worker)
        return false;
      return std::any_of(task.second.begin(), task.second.end(),
                         [&](const Run& run) { return !run.ended && is_by(run, process); });
    });
    if (in_use || by_step || by_body) lost.push_back(&process);
  }
  return lost;
}

bool Reading::lost_before(const Moment& moment) const {
  const auto lost = losses();
  return std::any_of(lost.begin(), lost.end(),
                     [&](const Process* process) { return process->gone_before(moment); });
}

std::vector<const Reading::Process*> Reading::deaths_before(const Moment& moment) const {
  std::vector<const Process*> deaths;
  for (const Process& process : processes_) {
    const bool counts = process.role != Role::kMain && process.role != Role::kOwn;
    if (counts && process.gone_before(moment) && !left_in_peace(process))
      deaths.push_back(&process);
  }
  return deaths;
}

const Reading::Process* Reading::killer_of(const Process& process) const {
  const auto* killed = process.status ? std::get_if<sys::Killed>(&*process.status) : nullptr;
  if (killed == nullptr || !process.dying) return nullptr;
  const Process* killer = nullptr;
  for (std::size_t i = 0; i < process.dying->event; ++i) {
    const auto* sent = std::get_if<harness::Signalled>(&trace().events[i].kind);
    const Moment moment{trace().events[i].at, i};
    if (sent != nullptr && sent->signal == killed->signal &&
        this->process(sent->pid, moment) == &process)
      killer = this->process(sent->sender, moment);
  }
  return killer;
}

bool Reading::any_death_before(const Moment& moment) const {
  return !trace().exact || !deaths_before(moment).empty();
}

bool may_be_the_machines(const sys::ExitStatus& status) {
  return status == sys::ExitStatus(sys::Killed{SIGKILL}) ||
         status == sys::ExitStatus(sys::Killed{SIGXFSZ}) ||
         status == sys::ExitStatus(sys::Killed{SIGXCPU});
}

/// A stop of the warden shows as 't', be it at an exit or elsewhere: who stands in one may be on
/// its way out. Anybody else has not begun to exit, since the exit's stop comes first.
static bool surely_lives(char state) {
  return state == 'R' || state == 'S' || state == 'D' || state == 'T';
}

std::vector<const Reading::Process*> Reading::alive_after(int step) const {
  const StepRun& run = this->run(step);
  std::vector<const Process*> alive;
  if (run.snapshot == nullptr || !trace().exact) return alive;
  for (const auto& seen : run.snapshot->processes) {
    const Process* process = this->process(seen.pid, *run.ended);
    if (process == nullptr || !is_worker(*process) || !process->born) continue;
    const bool meant = *process->born < *run.ended && !process->gone_before(*run.ended);
    if (meant && surely_lives(seen.state)) alive.push_back(process);
  }
  return alive;
}

}  // namespace poolproof::properties
