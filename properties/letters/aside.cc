// What main does beside the pool: it sleeps, kills workers, forks children and starts programs of
// its own.
#include "properties/letters.h"
#include "properties/model.h"

namespace poolproof::properties::letters {
namespace {

using harness::Step;
using harness::StepKind;
using harness::Victim;
using std::chrono::milliseconds;
using Life = PoolState::Life;

// ---- sleep --------------------------------------------------------------------------------------

/// A sleep of main that a task begun before it may not outlive.
constexpr milliseconds kShortSleep{5};

bool is_long(const Step& step) {
  return step.duration > kShortSleep;
}

bool left_a_child(const Draft& draft) {
  return draft.any_step([](const Step& step) { return entry(step.body.kind).leaves_process; });
}

bool lost_a_worker(const Draft& draft) {
  return draft.any_step([](const Step& step) {
    return step.kind == StepKind::kKill || entry(step.body.kind).kills_worker;
  });
}

bool has_been_patient(const Draft& draft) {
  return draft.any_step([&](const Step& step) { return step.duration == draft.patience; });
}

bool has_a_quota(const Draft& draft) {
  return draft.any_step([](const Step& step) { return step.quota.has_value(); });
}

bool was_resized(const Draft& draft) {
  return draft.any_step([](const Step& step) { return step.kind == StepKind::kResize; });
}

/// Whoever was lost, or went for its quota, has a successor after the grace, as long as the pool is
/// in use: look, once.
bool awaits_successor(const Draft& draft) {
  return draft.model.state() == Life::kRunning &&
         (lost_a_worker(draft) || has_a_quota(draft) || was_resized(draft)) &&
         !has_been_patient(draft);
}

/// A pool that is over has the grace to let go of its workers, its threads, and what its tasks left
/// running, as has one that lost a worker which had left something; and somebody has to be there to
/// see: once.
bool awaits_release(const Draft& draft) {
  const bool gone = draft.model.state() == Life::kDropped && !draft.model.tangled();
  const bool over = gone || draft.model.joined() || (left_a_child(draft) && lost_a_worker(draft));
  return over && !has_been_patient(draft);
}

/// What join has waited for is gone mostly.
bool release_is_doubtful(const Draft& draft) {
  return draft.model.state() == Life::kDropped || left_a_child(draft);
}

void fill_sleep(Draft& draft, Step& step) {
  auto& dice = draft.dice;
  const bool to_see =
      (awaits_release(draft) && dice.percent(release_is_doubtful(draft) ? 65 : 20)) ||
      (awaits_successor(draft) && dice.percent(was_resized(draft) ? 85 : 7));
  step.duration = to_see ? draft.patience : milliseconds(dice.below(31));
}

/// What becomes of a dropped pool is worth waiting for.
int weigh_sleep(const Draft& draft, const Step& /*step*/) {
  if (awaits_release(draft) && release_is_doubtful(draft)) return 120;
  return awaits_successor(draft) && was_resized(draft) ? 600 : kSleep.weight;
}

// ---- kill ---------------------------------------------------------------------------------------

/// A kill that would find no such worker is none: idle ones are gone once the pool is closed.
Call call_of_kill(const PoolState& state, const Step& step) {
  if (state.doomed) return Call::kImpossible;
  const bool broken =
      state.contract.worker_death == Contract::WorkerDeath::kBreaks && state.deaths > 0;
  // Where close is a shutdown, the pool gives up its list of workers, in which a kill looks.
  const bool listed = state.life == Life::kRunning ||
                      (state.life == Life::kClosed && state.contract.join_needs_close);
  const bool plausible = step.victim == Victim::kBusy
                             ? listed && state.busy_worker_is_plausible()
                             : state.life == Life::kRunning && state.idle_worker_is_plausible();
  return plausible && !broken && !state.joined && !state.stillborn ? Call::kLegal
                                                                   : Call::kImpossible;
}

/// The victim is known only if one task alone can have been running.
void kill(PoolState& state, const Step& step, bool took_effect) {
  if (!took_effect) return;
  ++state.deaths;
  if (step.victim == Victim::kIdle) return;
  if (state.contract.worker_death == Contract::WorkerDeath::kRetried) return;
  std::vector<PoolState::Task*> candidates;
  for (auto& [number, task] : state.tasks) {
    if (task.accepted && !task.finished && state.has_place(number)) candidates.push_back(&task);
  }
  for (auto* task : candidates) task->perhaps_killed = true;
  // A map that lost an item still has the others.
  if (candidates.size() == 1 && !candidates.front()->is_map) candidates.front()->finished = true;
}

void fill_kill(Draft& draft, Step& step) {
  step.victim = Victim::kBusy;
  if (draft.model.call(step) == Call::kImpossible || draft.dice.percent(25))
    step.victim = Victim::kIdle;
}

/// A busy worker is worth killing while there is one, and one whose task has left something behind:
/// what becomes of that is seen then only.
int weigh_kill(const Draft& draft, const Step& step) {
  if (step.victim == Victim::kBusy) return 260;
  return left_a_child(draft) && draft.model.lost_workers() == 0 ? 60 : kKill.weight;
}

std::vector<Step> short_kills(const SmallAlphabet& /*alphabet*/, int /*tasks*/) {
  return {{.kind = StepKind::kKill, .victim = Victim::kIdle},
          {.kind = StepKind::kKill, .victim = Victim::kBusy}};
}

std::vector<std::string> kill_templates(const Step& step) {
  return {"kill_" + std::string(name(step.victim)), "kill"};
}

// ---- fork ---------------------------------------------------------------------------------------

bool is_always_prompt(const PoolState& /*state*/, const Step& /*step*/) {
  return true;
}

/// A child uses what main still has.
Call call_of_fork(const PoolState& state, const Step& step) {
  return uses_its_copy(step.child_end) && !state.is_referenced() ? Call::kImpossible : Call::kLegal;
}

/// A copy may be as good as the pool itself, where a server has the workers: then its task waits
/// for those before it.
bool fork_may_wait(const PoolState& state, const Step& step) {
  return step.child_end == harness::ChildEnd::kSubmits && state.life == Life::kRunning &&
         (state.stillborn || state.may_be_held());
}

/// A pool of the child's own takes as long to make and to end as another of main's does.
bool fork_is_prompt(const PoolState& state, const Step& step) {
  return step.child_end != harness::ChildEnd::kPools && !fork_may_wait(state, step);
}

void fill_fork(Draft& draft, Step& step) {
  using harness::ChildEnd;
  step.child_end = draft.dice.pick(
      std::array{ChildEnd::kReturn, ChildEnd::kReturn, ChildEnd::kOsExit, ChildEnd::kSigkill,
                 ChildEnd::kStays, ChildEnd::kPools, ChildEnd::kSubmits, ChildEnd::kEndsPool});
}

std::vector<std::string> fork_templates(const Step& step) {
  return {"fork_" + std::string(name(step.child_end))};
}

// ---- launch, reap -------------------------------------------------------------------------------

void launch(PoolState& state, const Step& /*step*/, bool took_effect) {
  if (took_effect) state.program = true;
}

void fill_launch(Draft& draft, Step& step) {
  using harness::Program;
  step.program = draft.dice.pick(std::array{Program::kStays, Program::kStays, Program::kEnds});
}

/// Who comes after a worker that is gone may get its pid.
int weigh_launch(const Draft& draft, const Step& /*step*/) {
  const bool in_time = lost_a_worker(draft) && draft.model.state() == Life::kRunning;
  return in_time ? 7 * kLaunch.weight : kLaunch.weight;
}

std::vector<std::string> launch_templates(const Step& step) {
  return {"launch_" + std::string(name(step.program))};
}

void reap(PoolState& state, const Step& /*step*/, bool took_effect) {
  if (took_effect) state.program = false;
}

/// What a pool does to a program shows when it has ended its own processes.
int weigh_reap(const Draft& draft, const Step& /*step*/) {
  return draft.model.state() == Life::kRunning ? kReap.weight : 19 * kReap.weight;
}

// ---- neighbour ----------------------------------------------------------------------------------

/// One at a time lives on, and works: a second in its stead would be its end. One whose only worker
/// is busy for ever would not come to another task.
Call call_of_neighbour(const PoolState& state, const Step& step) {
  using harness::Neighbour;
  if (step.neighbour == Neighbour::kEnds) return Call::kLegal;
  const bool wants_one = step.neighbour == Neighbour::kWorks;
  return wants_one == state.neighbour && !state.neighbour_is_busy ? Call::kLegal
                                                                  : Call::kImpossible;
}

void neighbour(PoolState& state, const Step& step, bool took_effect) {
  using harness::Neighbour;
  if (!took_effect) return;
  if (step.neighbour == Neighbour::kStays || step.neighbour == Neighbour::kBusy)
    state.neighbour = true;
  if (step.neighbour == Neighbour::kBusy) state.neighbour_is_busy = true;
}

void fill_neighbour(Draft& draft, Step& step) {
  using harness::Neighbour;
  step.neighbour = draft.dice.pick(
      std::array{Neighbour::kStays, Neighbour::kStays, Neighbour::kBusy, Neighbour::kEnds});
  if (draft.model.call(step) == Call::kImpossible) step.neighbour = Neighbour::kWorks;
}

/// What a pool's end has done to the other one shows when that is used.
int weigh_neighbour(const Draft& draft, const Step& step) {
  const bool asks = step.neighbour == harness::Neighbour::kWorks;
  return asks && draft.model.state() != Life::kRunning ? 20 * kNeighbour.weight : kNeighbour.weight;
}

std::vector<std::string> neighbour_templates(const Step& step) {
  return {"neighbour_" + std::string(name(step.neighbour))};
}

// ---- collect ------------------------------------------------------------------------------------

/// What it finds is dropped then, as by a plain drop.
bool collect_may_wait(const PoolState& state, const Step& /*step*/) {
  return state.tangled && state.contract.waits_at(harness::Farewell::kPlain) && state.endless() > 0;
}

void collect(PoolState& state, const Step& /*step*/, bool took_effect) {
  if (took_effect) state.tangled = false;
}

int weigh_collect(const Draft& draft, const Step& /*step*/) {
  return draft.model.tangled() ? 60 : kCollect.weight;
}

}  // namespace

const Letter kSleep{.kind = StepKind::kSleep,
                    .lets_time_pass = is_long,
                    .takes_a_time = always,
                    .weight = 5,
                    .fill = fill_sleep,
                    .weigh = weigh_sleep};

const Letter kKill{.kind = StepKind::kKill,
                   .call = call_of_kill,
                   .apply = kill,
                   .takes_a_time = always,  // the kit polls for a victim
                   .weight = 13,
                   .fill = fill_kill,
                   .weigh = weigh_kill,
                   .in_short = short_kills,
                   .templates = kill_templates};

const Letter kFork{.kind = StepKind::kFork,
                   .call = call_of_fork,
                   .may_wait_for_ever = fork_may_wait,
                   .lets_time_pass = always,
                   .is_prompt = fork_is_prompt,
                   .weight = 3,
                   .fill = fill_fork,
                   .templates = fork_templates};

const Letter kLaunch{.kind = StepKind::kLaunch,
                     .apply = launch,
                     .lets_time_pass = always,
                     .is_prompt = is_always_prompt,
                     .weight = 3,
                     .fill = fill_launch,
                     .weigh = weigh_launch,
                     .templates = launch_templates};

const Letter kReap{.kind = StepKind::kReap,
                   .apply = reap,
                   .lets_time_pass = always,
                   .is_prompt = is_always_prompt,
                   .weight = 4,
                   .weigh = weigh_reap};
/// Its workers inherit what the first pool has in main, and those that the first pool starts
/// later inherit its own.
const Letter kNeighbour{.kind = StepKind::kNeighbour,
                        .call = call_of_neighbour,
                        .apply = neighbour,
                        .lets_time_pass = always,
                        .weight = 4,
                        .fill = fill_neighbour,
                        .weigh = weigh_neighbour,
                        .templates = neighbour_templates};

/// Before the pool mostly: its workers inherit it then.
const Letter kHandle{.kind = StepKind::kHandle, .is_prompt = is_always_prompt, .weight = 1};
const Letter kMask{.kind = StepKind::kMask, .is_prompt = is_always_prompt, .weight = 1};
const Letter kIgnore{.kind = StepKind::kIgnore, .is_prompt = is_always_prompt, .weight = 1};

/// Before the pool mostly, too: what is forked then has a copy of a lock that nobody releases.
const Letter kLock{
    .kind = StepKind::kLock, .lets_time_pass = always, .is_prompt = is_always_prompt, .weight = 1};

const Letter kCollect{.kind = StepKind::kCollect,
                      .may_wait_for_ever = collect_may_wait,
                      .apply = collect,
                      .lets_time_pass = always,
                      .weight = 1,
                      .weigh = weigh_collect};

}  // namespace poolproof::properties::letters
