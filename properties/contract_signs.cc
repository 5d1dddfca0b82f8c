#include "properties/contract_signs.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <optional>
#include <utility>

#include "properties/rules/main_after.h"

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

// ---- What main's exit, or a block's end, does with tasks ----------------------------------------

/// A pool in use meets its end, by main's or by a block's.
struct Close {
  Reading::Moment begun;
  bool over = false;  // main is gone, or the block is left
  bool late = false;  // it was not, when the grace was over
  bool hangs = false;
  Reading::Moment until;  // later there are other reasons to end a worker
};

bool is_used(State state) {
  return state == State::kRunning || state == State::kClosed;
}

/// Main ends with cleanup and leaves a pool in use behind it. Where its end is a signal to its
/// process group the workers end of that, and where another pool is busy for ever exit may wait for
/// that one.
std::optional<Close> exit_of(const Reading& reading) {
  if (reading.scenario().ending.kind == harness::EndingKind::kCtrlC ||
      has_a_busy_neighbour(reading))
    return std::nullopt;
  const bool tells = reading.ending_begun() && entry(reading.scenario().ending.kind).runs_cleanup &&
                     is_used(reading.before(reading.steps() + 1).state()) && !reading.stillborn();
  if (!tells) return std::nullopt;
  const auto fate = reading.exit_fate();
  return Close{*reading.ending_begun(), fate == Fate::kMainDied, fate == Fate::kLate,
               fate == Fate::kHangs, reading.end()};
}

std::optional<Close> block_end_of(const Reading& reading) {
  for (int step = 1; step <= reading.steps(); ++step) {
    const auto& asked = reading.step(step);
    const bool is_block =
        asked.kind == StepKind::kDrop && asked.farewell != harness::Farewell::kPlain;
    if (!is_block || !reading.run(step).begun || reading.stillborn()) continue;
    if (!is_used(reading.before(step).state())) continue;
    const auto fate = reading.fate(step);
    return Close{*reading.run(step).begun, reading.run(step).is(Kind::kOk), fate == Fate::kLate,
                 fate == Fate::kHangs, reading.main_goes_on_until()};
  }
  return std::nullopt;
}

/// It was under way when the close began, or begun later; its worker was not lost before.
template <class Fits>
bool any_open_run(const Reading& reading, const Close& close, Fits fits) {
  return any_task(reading, [&](int task) {
    const auto& runs = reading.runs(task);
    return !entry(reading.body(task).kind).kills_worker &&
           std::any_of(runs.begin(), runs.end(), [&](const Reading::Run& run) {
             const auto* worker = reading.worker_of(run);
             const bool lost = worker != nullptr && worker->gone_before(close.begun);
             return !lost && !(run.ended && *run.ended < close.begun) && fits(run);
           });
  });
}

bool never_ended(const Reading::Run& run) {
  return !run.ended;
}

bool cuts_tasks_short(const Reading& reading, const std::optional<Close>& close) {
  return close && close->over && any_open_run(reading, *close, [&](const Reading::Run& run) {
           return reading.cut_short(run) && *reading.worker_of(run)->dying <= close->until;
         });
}

/// A task that ends in the very moment of the close tells nothing: nobody need have waited for it.
constexpr std::chrono::milliseconds kMoment{5};

bool lets_tasks_finish(const Reading& reading, const std::optional<Close>& close) {
  if (!close) return false;
  if (close->late) return any_open_run(reading, *close, never_ended);
  return close->over && !cuts_tasks_short(reading, close) &&
         any_open_run(reading, *close, [&](const Reading::Run& run) {
           return run.ended && reading.tree_time(close->begun, *run.ended) > kMoment;
         });
}

/// Nothing is at work, nor still to come.
bool all_tasks_are_over(const Reading& reading) {
  return !any_task(reading, [&](int task) {
    const auto& runs = reading.runs(task);
    const int items = reading.is_map(task) ? reading.handed_over(task).items : 1;
    return std::cmp_less(runs.size(), items) || std::any_of(runs.begin(), runs.end(), never_ended);
  });
}

bool waits_for_close(const Reading& reading) {
  const auto exit = exit_of(reading);
  return exit && (exit->hangs || exit->late) && reading.losses().empty() &&
         reading.before(reading.steps() + 1).state() == State::kRunning &&
         all_tasks_are_over(reading);
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

/// While nobody had closed it, it refused a task for a death. One whose workers all fail before
/// their first task is broken whatever it makes of a death.
bool breaks_after_a_death(const Reading& reading) {
  const int step = first_step(reading, StepKind::kSubmit, Kind::kWorkerDied);
  return step != 0 && reading.before(step).state() == State::kRunning && !reading.stillborn();
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
                 [](const Reading& r) { return cuts_tasks_short(r, exit_of(r)); }},
    ContractSign{"exit", "\"drains\"", "main's exit waits for a task that is at work",
                 [](const Reading& r) { return lets_tasks_finish(r, exit_of(r)); }},
    ContractSign{"exit", "\"waits-for-close\"", "exit waits though no task is at work",
                 waits_for_close},
    ContractSign{"scope", "\"terminates\"", "a block was left, and a task was cut short",
                 [](const Reading& r) { return cuts_tasks_short(r, block_end_of(r)); }},
    ContractSign{"scope", "\"drains\"", "a block's end waits for a task that is at work",
                 [](const Reading& r) { return lets_tasks_finish(r, block_end_of(r)); }},
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
