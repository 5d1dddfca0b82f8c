#include "properties/contract_signs.h"

#include <algorithm>
#include <array>

namespace poolproof::properties {
namespace {

using harness::StepKind;
using Fate = Reading::Fate;
using Kind = Reading::Kind;
using State = Model::State;

/// A pool looks for dead workers now and then; so long after a loss it has replaced them or won't.
constexpr std::chrono::milliseconds kLong{500};

template <class Fits>
bool any_task(const Reading& reading, Fits fits) {
  return std::any_of(reading.accepted().begin(), reading.accepted().end(),
                     [&](const auto& task) { return fits(task.first); });
}

// ---- What exit does with tasks ------------------------------------------------------------------

/// Main ends with cleanup and leaves a pool in use behind it.
bool exit_tells(const Reading& reading) {
  const auto state = reading.before(reading.steps() + 1).state();
  return reading.ending_begun() && entry(reading.scenario().ending.kind).runs_cleanup &&
         (state == State::kRunning || state == State::kClosed) && !reading.stillborn();
}

/// It had begun when main's ending began, and was not over; its worker was not lost.
template <class Fits>
bool any_open_run(const Reading& reading, Fits fits) {
  const auto& begun = *reading.ending_begun();
  return any_task(reading, [&](int task) {
    const auto& runs = reading.runs(task);
    return !entry(reading.body(task).kind).kills_worker &&
           std::any_of(runs.begin(), runs.end(), [&](const Reading::Run& run) {
             const auto* worker = reading.process(run.pid);
             const bool lost = worker != nullptr && worker->gone_before(begun);
             return run.begun < begun && !lost && !(run.ended && *run.ended < begun) && fits(run);
           });
  });
}

bool cuts_tasks_short(const Reading& reading) {
  return exit_tells(reading) && reading.exit_fate() == Fate::kMainDied &&
         any_open_run(reading, [](const Reading::Run& run) { return !run.ended; });
}

bool lets_tasks_finish(const Reading& reading) {
  if (!exit_tells(reading)) return false;
  if (reading.exit_fate() == Fate::kLate)
    return any_open_run(reading, [](const Reading::Run& run) { return !run.ended; });
  return reading.exit_fate() == Fate::kMainDied && !cuts_tasks_short(reading) &&
         any_open_run(reading, [](const Reading::Run& run) { return run.ended.has_value(); });
}

bool waits_for_close(const Reading& reading) {
  if (!exit_tells(reading) || reading.before(reading.steps() + 1).state() != State::kRunning)
    return false;
  const auto fate = reading.exit_fate();
  const bool ends_not = fate == Fate::kHangs || fate == Fate::kLate;
  return ends_not && reading.losses().empty() &&
         !any_open_run(reading, [](const Reading::Run& run) { return !run.ended; });
}

// ---- What a worker's death does -----------------------------------------------------------------

/// The first step of that kind with that result from `from` on; 0 for none.
int first_step(const Reading& reading, StepKind kind, Kind result, int from = 1) {
  for (int step = from; step <= reading.steps(); ++step) {
    if (reading.step(step).kind == kind && reading.run(step).is(result)) return step;
  }
  return 0;
}

/// After somebody was told of a death, the pool still takes tasks.
bool goes_on_after_a_death(const Reading& reading) {
  const int told = first_step(reading, StepKind::kGet, Kind::kWorkerDied);
  return told != 0 && first_step(reading, StepKind::kSubmit, Kind::kOk, told) != 0;
}

bool runs_tasks_again(const Reading& reading) {
  return any_task(reading, [&](int task) {
    const auto& runs = reading.runs(task);
    return !reading.is_map(task) && runs.size() > 1 && reading.cut_short(runs.front());
  });
}

/// While nobody had closed it, it refused a task for a death.
bool breaks_after_a_death(const Reading& reading) {
  const int step = first_step(reading, StepKind::kSubmit, Kind::kWorkerDied);
  return step != 0 && reading.before(step).state() == State::kRunning;
}

// ---- join ---------------------------------------------------------------------------------------

bool joins_running(const Reading& reading, Kind result) {
  for (int step = 1; step <= reading.steps(); ++step) {
    if (reading.step(step).kind == StepKind::kJoin && reading.run(step).is(result) &&
        reading.before(step).state() == State::kRunning)
      return true;
  }
  return false;
}

// ---- Workers ------------------------------------------------------------------------------------

const Reading::Process* first_worker(const Reading& reading) {
  for (const auto& process : reading.processes()) {
    if (process.role == Reading::Role::kWorker && process.born) return &process;
  }
  return nullptr;
}

template <class Fits>
bool any_loss(const Reading& reading, Fits fits) {
  const auto losses = reading.losses();
  return std::any_of(losses.begin(), losses.end(), [&](const auto* loss) { return fits(*loss); });
}

bool worker_appears_after(const Reading& reading, const Reading::Process& loss) {
  const auto& all = reading.processes();
  return std::any_of(all.begin(), all.end(), [&](const Reading::Process& other) {
    return other.role == Reading::Role::kWorker && other.born && *loss.dying < *other.born;
  });
}

bool replaces(const Reading& reading) {
  return any_loss(reading, [&](const auto& loss) { return worker_appears_after(reading, loss); });
}

bool replaces_not(const Reading& reading) {
  const auto until = reading.main_goes_on_until();
  return !replaces(reading) && any_loss(reading, [&](const Reading::Process& loss) {
    return reading.tree_time(*loss.dying, until) > kLong;
  });
}

bool lists(const Reading& reading, bool daemons) {
  for (int step = 1; step <= reading.steps(); ++step) {
    const auto* result = reading.run(step).result;
    if (result == nullptr || !result->workers) continue;
    for (const auto& worker : *result->workers) {
      if (worker.daemon == daemons) return true;
    }
  }
  return false;
}

constexpr std::array kSigns{
    ContractSign{"exit", "\"terminates\"", "main is gone, and a task was cut short",
                 cuts_tasks_short},
    ContractSign{"exit", "\"drains\"", "main's exit waits for a task that is at work",
                 lets_tasks_finish},
    ContractSign{"exit", "\"waits-for-close\"", "exit waits though no task is at work",
                 waits_for_close},
    ContractSign{"worker_death", "\"reported\"", "told of a death, main could still submit",
                 goes_on_after_a_death},
    ContractSign{"worker_death", "\"retried\"", "a task ran again after its worker died",
                 runs_tasks_again},
    ContractSign{"worker_death", "\"breaks\"", "a task was refused for a worker's death",
                 breaks_after_a_death},
    ContractSign{"join_needs_close", "true", "join of a running pool was refused",
                 [](const Reading& r) { return joins_running(r, Kind::kRefused); }},
    ContractSign{"join_needs_close", "false", "join of a running pool returned",
                 [](const Reading& r) { return joins_running(r, Kind::kOk); }},
    ContractSign{"replaces_workers", "true", "a worker appeared after a loss", replaces},
    ContractSign{"replaces_workers", "false", "none appeared within 500 ms after a loss",
                 replaces_not},
    ContractSign{"starts_workers_late", "false", "the first worker was made by create",
                 [](const Reading& r) {
                   const auto* worker = first_worker(r);
                   return worker != nullptr && r.made_by_creation(*worker);
                 }},
    ContractSign{"starts_workers_late", "true", "the first worker was made after create",
                 [](const Reading& r) {
                   const auto* worker = first_worker(r);
                   return worker != nullptr && !r.made_by_creation(*worker);
                 }},
    ContractSign{"workers_are_daemons", "true", "a worker was listed as a daemon",
                 [](const Reading& r) { return lists(r, true); }},
    ContractSign{"workers_are_daemons", "false", "a worker was listed as none",
                 [](const Reading& r) { return lists(r, false); }},
};

}  // namespace

std::span<const ContractSign> contract_signs() {
  return kSigns;
}

const ContractSign* sign_of(std::string_view key, std::string_view value) {
  const auto found = std::find_if(kSigns.begin(), kSigns.end(), [&](const ContractSign& sign) {
    return sign.key == key && sign.value == value;
  });
  return found == kSigns.end() ? nullptr : &*found;
}

}  // namespace poolproof::properties
