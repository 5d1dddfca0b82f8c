#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <set>
#include <string_view>
#include <system_error>
#include <utility>

#include "properties/rules/reading.h"
#include "properties/rules/replacement.h"
#include "properties/rules/rules.h"
#include "properties/rules/verdicts.h"
#include "properties/wait_graph.h"

namespace poolproof::properties {
namespace {

using harness::StepKind;
using Process = Reading::Process;
using Role = Reading::Role;

// ---- W1 -----------------------------------------------------------------------------------------

void judge_after_main(const Reading& reading, const Process& process, Verdicts& verdicts) {
  const auto dead = *reading.main_dead();
  const auto outlived = [&](const Reading::Moment& until, std::string_view how) {
    verdicts.violated(fmt::format("{} {} main by {}{}", reading.name(process), how,
                                  in_words(reading.tree_time(dead, until)),
                                  process.killed_by_warden ? " and was still alive" : ""),
                      {dead.event, until.event});
  };
  if (process.dying) {
    const bool in_time = reading.within_grace(dead, *process.dying);
    return in_time ? verdicts.held() : outlived(*process.dying, "outlived");
  }
  if (const auto rest = reading.proved_at_rest(dead)) {
    const auto waits = waits_in_words(reading.trace(), rest->event, process.pid);
    return verdicts.violated(
        fmt::format("main is gone, and {} is asleep for ever: nothing can wake it{}{}",
                    reading.name(process), waits.empty() ? "" : ": ", waits),
        {dead.event, rest->event});
  }
  const auto until = process.killed_by_warden.value_or(reading.end());
  if (!reading.within_grace(dead, until)) return outlived(until, "outlived");
  verdicts.doubtful(
      fmt::format("{} outlived main: {}", reading.name(process), reading.why_unclear()));
}

// ---- W2 -----------------------------------------------------------------------------------------

/// Alive when main claimed that it was about to end.
bool live_at_ending(const Reading& reading, const Process& process) {
  const auto& ending = *reading.ending_begun();
  return process.role == Role::kWorker && process.known_as_worker &&
         *process.known_as_worker < ending && !process.gone_before(ending);
}

void judge_delay_of_exit(const Reading& reading, Verdicts& verdicts) {
  if (!reading.ending_begun()) return;
  const auto begun = *reading.ending_begun();
  const auto& all = reading.processes();
  const auto live = std::find_if(all.begin(), all.end(),
                                 [&](const Process& p) { return live_at_ending(reading, p); });
  if (live == all.end()) return;
  const auto gone = reading.main_dead();
  if (gone && reading.within_grace(begun, *gone)) return verdicts.held();
  const auto until = gone ? *gone : reading.end();
  const auto rest = gone ? std::nullopt : reading.proved_at_rest(begun);
  if (rest) {
    verdicts.violated(
        fmt::format("main cannot exit while {} lives: it waits for ever", reading.name(*live)),
        {begun.event, rest->event});
  } else if (!reading.within_grace(begun, until)) {
    verdicts.violated(fmt::format("main's exit took {}{} while {} was alive",
                                  in_words(reading.tree_time(begun, until)),
                                  gone ? "" : " and more", reading.name(*live)),
                      {begun.event, until.event});
  } else {
    verdicts.doubtful("main had not exited: " + reading.why_unclear());
  }
}

void judge_daemon_flags(const Reading& reading, Verdicts& verdicts) {
  for (int step = 1; step <= reading.steps(); ++step) {
    const auto& run = reading.run(step);
    if (!run.is(Reading::Kind::kOk) || !run.result->workers) continue;
    for (const auto& listed : *run.result->workers) {
      if (listed.daemon == true) verdicts.held();
      if (listed.daemon == false) {
        verdicts.violated(
            fmt::format("{} reports worker {} as no daemon", reading.name(step), listed.pid),
            {run.ended->event});
      }
    }
  }
}

// ---- W3 -----------------------------------------------------------------------------------------

/// reaper: whose dead children count; 0 for anybody's of the tree.
void judge_zombies(const Reading& reading, const harness::Snapshot& snapshot, harness::Pid reaper,
                   const std::string& when, const Reading::Moment& moment, Verdicts& verdicts) {
  for (const auto& seen : snapshot.processes) {
    const auto* process = reading.process(seen.pid, moment);
    // Helpers too: what a pool started to look after its workers is its own to reap. What a
    // wrapper left to main by its exec is not.
    const bool of_the_pool =
        process != nullptr && (process->role == Role::kWorker || process->role == Role::kHelper) &&
        !process->may_be_a_neighbours && !reading.is_older_than_the_pool(*process);
    const bool of_the_tree = reading.process(seen.parent) != nullptr;
    if (!of_the_pool || seen.state != 'Z' || !of_the_tree) continue;
    if (reaper != 0 && seen.parent != reaper) continue;
    verdicts.violated(
        fmt::format("{} {} is dead and not reaped by {}", when, reading.name(*process),
                    reading.name(*reading.process(seen.parent))),
        {moment.event});
  }
}

/// Whom join leaves alive it has not reaped either, and nobody else will. Of a terminated pool S4
/// says so.
void judge_left_alive(const Reading& reading, int step, Verdicts& verdicts) {
  const auto state = reading.before(step).state();
  const bool closes = state == Model::State::kRunning && !reading.contract().join_needs_close;
  if (state != Model::State::kClosed && !closes) return;
  for (const auto* worker : reading.alive_after(step)) {
    verdicts.violated(
        fmt::format("{} has returned, but {} is alive", reading.name(step), reading.name(*worker)),
        {worker->born->event, reading.run(step).ended->event});
  }
}

void judge_joined(const Reading& reading, int step, Verdicts& verdicts) {
  const auto& run = reading.run(step);
  const bool joined = reading.step(step).kind == StepKind::kJoin && run.is(Reading::Kind::kOk);
  if (!joined || run.snapshot == nullptr) return;
  const bool had_workers = std::any_of(
      reading.processes().begin(), reading.processes().end(),
      [&](const Process& p) { return p.role == Role::kWorker && p.born && *p.born < *run.ended; });
  if (had_workers) verdicts.held();
  judge_left_alive(reading, step, verdicts);
  judge_zombies(reading, *run.snapshot, reading.trace().main(),
                reading.name(step) + " has returned, but", *run.ended, verdicts);
}

/// The last process table, when the tree was proved at rest while main lived.
void judge_zombies_at_rest(const Reading& reading, Verdicts& verdicts) {
  const auto* main = reading.main();
  if (reading.main_died() || main == nullptr || !main->born) return;
  const auto rest = reading.proved_at_rest(*main->born);
  if (!rest) return;
  const auto& events = reading.trace().events;
  for (std::size_t i = 0; i < events.size(); ++i) {
    const auto* snapshot = std::get_if<harness::Snapshot>(&events[i].kind);
    if (snapshot == nullptr || snapshot->step != 0) continue;
    if (reading.over_at(i)) continue;
    judge_zombies(reading, *snapshot, 0, "the tree is at rest, and", {events[i].at, i}, verdicts);
  }
}

// ---- W4 -----------------------------------------------------------------------------------------

/// N, where the scenario names it and the pool was made: the most that it ever asked for.
std::optional<int> wanted_workers(const Reading& reading) {
  std::optional<int> wanted;
  for (int step = 1; step <= reading.steps(); ++step) {
    const auto& asked = reading.step(step);
    if (asked.kind == StepKind::kCreate && reading.run(step).is(Reading::Kind::kOk)) {
      if (!asked.workers) return std::nullopt;
      wanted = std::max(wanted.value_or(0), *asked.workers);
    }
    if (asked.kind == StepKind::kResize && reading.run(step).begun && wanted)
      wanted = std::max(*wanted, *asked.workers);
  }
  return wanted;
}

std::optional<int> wanted_quota(const Reading& reading) {
  for (int step = 1; step <= reading.steps(); ++step) {
    if (reading.step(step).kind != StepKind::kCreate) continue;
    if (reading.run(step).is(Reading::Kind::kOk)) return reading.step(step).quota;
  }
  return std::nullopt;
}

/// At most so many workers had something in hand shortly before.
int busy_shortly_before(const Reading& reading, const Reading::Moment& moment) {
  std::set<harness::Pid> busy;
  for (const auto& [task, submitted] : reading.accepted()) {
    for (const auto& run : reading.runs(task)) {
      const bool long_over =
          run.ended && *run.ended < moment && !reading.within_grace(*run.ended, moment);
      if (run.begun < moment && !long_over) busy.insert(run.pid);
    }
  }
  return static_cast<int>(busy.size());
}

/// Whether workers may be leaving, or be replaced, when they are listed: for their quota they go
/// after a task, and their successors take a moment.
bool may_be_in_change(const Reading& reading, const Reading::StepRun& list) {
  const auto lately = [&](const Reading::Maybe& moment) {
    return moment && *moment < *list.ended && reading.within_grace(*moment, *list.begun);
  };
  if (!wanted_quota(reading)) return false;
  for (const auto& process : reading.processes()) {
    if (process.role == Role::kWorker && lately(process.dead)) return true;
  }
  return std::any_of(reading.accepted().begin(), reading.accepted().end(), [&](const auto& task) {
    const auto& runs = reading.runs(task.first);
    return std::any_of(runs.begin(), runs.end(),
                       [&](const auto& run) { return lately(run.ended); });
  });
}

/// A list of the workers, long enough after the last resize: whoever is too many leaves when
/// nothing is in its hands.
void judge_resized(const Reading& reading, Verdicts& verdicts) {
  std::optional<int> resized;
  const auto until = in_use_until(reading);
  for (int step = 1; step <= reading.steps(); ++step) {
    const auto& run = reading.run(step);
    if (!run.ended || until < *run.ended) return;
    if (reading.step(step).kind == StepKind::kResize)
      resized = run.is(Reading::Kind::kOk) ? std::optional(step) : std::nullopt;
    if (!resized || !run.result->workers) continue;
    const auto& asked = reading.run(*resized);
    const bool settled = !reading.within_grace(*asked.ended, *run.begun) &&
                         !reading.disturbed_before(*run.ended) && !reading.hit_before(*run.ended) &&
                         !may_be_in_change(reading, run);
    if (!settled) continue;
    const auto listed = run.result->workers->size();
    const int wanted = *reading.step(*resized).workers;
    const int most = std::max(wanted, busy_shortly_before(reading, *run.begun));
    const int least = reading.contract().starts_workers_late ? 0 : wanted;
    if (std::cmp_greater_equal(listed, least) && std::cmp_less_equal(listed, most)) {
      verdicts.held();
      continue;
    }
    verdicts.violated(fmt::format("{} asked for {} worker{}, and {} later {} lists {}",
                                  reading.name(*resized), wanted, wanted == 1 ? "" : "s",
                                  in_words(reading.tree_time(*asked.ended, *run.begun)),
                                  reading.name(step), listed),
                      {asked.ended->event, run.ended->event});
  }
}

/// Workers that are surely alive at the event: known as such, and not in their exit.
std::vector<const Process*> surely_alive(const Reading& reading, const Reading::Moment& moment) {
  std::vector<const Process*> alive;
  for (const auto& process : reading.processes()) {
    const bool known = process.role == Role::kWorker && process.known_as_worker &&
                       *process.known_as_worker <= moment;
    if (known && !process.gone_before(moment)) alive.push_back(&process);
  }
  return alive;
}

// ---- W5 -----------------------------------------------------------------------------------------

/// How many are in "0-1,4"; 0 where it is none of such.
int count_of_list(std::string_view list) {
  int count = 0;
  while (!list.empty()) {
    const auto range = list.substr(0, list.find(','));
    const auto dash = range.find('-');
    int first = 0;
    int last = 0;
    const auto from = range.substr(0, dash);
    if (std::from_chars(from.data(), from.data() + from.size(), first).ec != std::errc()) return 0;
    const auto to = dash == range.npos ? from : range.substr(dash + 1);
    if (std::from_chars(to.data(), to.data() + to.size(), last).ec != std::errc()) return 0;
    count += last - first + 1;
    list.remove_prefix(std::min(range.size() + 1, list.size()));
  }
  return count;
}

/// Those that main may use from its beginning to its end; nullopt where that is not known, or
/// somebody changed it meanwhile.
std::optional<int> processors_of_main(const Reading& reading) {
  std::optional<std::string> list;
  for (const auto& event : reading.trace().events) {
    const auto* state = std::get_if<harness::MainState>(&event.kind);
    if (state == nullptr) continue;
    if (list && *list != state->processors) return std::nullopt;
    list = state->processors;
  }
  const int count = list ? count_of_list(*list) : 0;
  return count > 0 ? std::optional(count) : std::nullopt;
}

/// Whether the scenario's one pool was made without a number.
bool counts_processors(const Reading& reading) {
  int pools = 0;
  bool by_default = false;
  for (int step = 1; step <= reading.steps(); ++step) {
    if (reading.step(step).kind == StepKind::kResize) return false;
    if (reading.step(step).kind != StepKind::kCreate || reading.was_rightly_refused(step)) continue;
    ++pools;
    by_default = !reading.step(step).workers && reading.run(step).is(Reading::Kind::kOk);
  }
  return pools == 1 && by_default;
}

/// A death is noticed through the kernel, but a list that another thread or process keeps up to
/// date may be this old by rights.
constexpr std::chrono::milliseconds kSettled{20};

// ---- W7 -----------------------------------------------------------------------------------------

/// As long as main goes on; after its death W1 has its say.
void judge_orphan(const Reading& reading, const Process& child, const Process& worker,
                  Verdicts& verdicts) {
  const auto gone = worker.dead ? *worker.dead : *worker.dying;
  const auto watched = reading.main_goes_on_until();
  if (watched < gone) return;
  const auto outlived = [&](const Reading::Moment& until, std::string_view more) {
    verdicts.violated(
        fmt::format("{} outlived {} by {}{}", reading.name(child), reading.name(worker),
                    in_words(reading.tree_time(gone, until)), more),
        {gone.event, until.event});
  };
  if (child.dying && *child.dying < watched) {
    if (*child.dying < gone || reading.within_grace(gone, *child.dying)) return verdicts.held();
    return outlived(*child.dying, "");
  }
  if (!reading.within_grace(gone, watched)) outlived(watched, " and is still there");
}

// ---- W9 -----------------------------------------------------------------------------------------

struct Listing {
  int step = 0;
  const Reading::StepRun& run;
  std::string name;
};

/// Main, where it does not run tasks itself, what main has started for itself, and what tasks have.
bool is_none_of_the_pools(const Reading& reading, const Process& process) {
  if (process.role == Role::kOwn || process.role == Role::kTaskChild) return true;
  if (process.role != Role::kMain) return false;
  return !reading.accepted().empty() &&
         std::none_of(reading.accepted().begin(), reading.accepted().end(), [&](const auto& task) {
           const auto& runs = reading.runs(task.first);
           return runs.empty() ||
                  std::any_of(runs.begin(), runs.end(),
                              [&](const Reading::Run& run) { return run.pid == process.pid; });
         });
}

void judge_listed(const Reading& reading, const Listing& listing,
                  const harness::StepResult::Listed& listed, Verdicts& verdicts) {
  if (listed.pid == 0 || listed.alive == false) return;
  const auto* process = reading.process(listed.pid, *listing.run.ended);
  if (process == nullptr || !process->born) {
    return verdicts.violated(
        fmt::format("{} lists pid {}, which no process of the tree has", listing.name, listed.pid),
        {listing.run.ended->event});
  }
  if (is_none_of_the_pools(reading, *process)) {
    return verdicts.violated(
        fmt::format("{} lists {}, which is no worker", listing.name, reading.name(*process)),
        {process->born->event, listing.run.ended->event});
  }
  const bool was_gone = process->dead && *process->dead < *listing.run.begun;
  if (was_gone && reading.tree_time(*process->dead, *listing.run.begun) <= kSettled) return;
  const bool long_gone = was_gone && !reading.within_grace(*process->dead, *listing.run.begun);
  // Without a word about life the list may be the pool's own, which it brings up to date in time.
  if (listed.alive == true ? was_gone : long_gone) {
    return verdicts.violated(
        fmt::format("{} lists worker {}{}, but it was dead before: it {}", listing.name, listed.pid,
                    listed.alive == true ? " as alive" : "", reading.how_died(*process)),
        {process->dead->event, listing.run.ended->event});
  }
  verdicts.held();
}

/// Whether a list that is kept up to date may lack the worker by rights: it was only just born, not
/// by the pool's creation, or it is leaving, which it may have told the pool before it exits.
bool comes_or_goes(const Reading& reading, const Listing& listing, const Process& process) {
  const auto& run = listing.run;
  const bool later = process.born && !reading.made_by_creation(process);
  if (later && reading.tree_time(*process.born, *run.begun) <= kSettled) return true;
  const bool by_itself = process.dying && process.status == sys::ExitStatus(sys::Exited{0});
  return by_itself && reading.tree_time(*run.ended, *process.dying) <= kSettled;
}

/// A worker that was one before the step and lived through it, of a pool that had no reason to let
/// it go.
void judge_unlisted(const Reading& reading, const Listing& listing, const Process& process,
                    Verdicts& verdicts) {
  const bool before = process.role == Role::kWorker && process.known_as_worker &&
                      *process.known_as_worker < *listing.run.begun;
  if (!before || process.gone_before(*listing.run.ended)) return;
  const auto& all = *listing.run.result->workers;
  const auto found = std::find_if(all.begin(), all.end(),
                                  [&](const auto& listed) { return listed.pid == process.pid; });
  if (found != all.end() && found->alive != false) return verdicts.held();
  if (comes_or_goes(reading, listing, process)) return;
  verdicts.violated(fmt::format("{} {} worker {}, which is alive", listing.name,
                                found == all.end() ? "leaves out" : "lists as dead", process.pid),
                    {process.known_as_worker->event, listing.run.ended->event});
}

void judge_listing(const Reading& reading, const Listing& listing, Verdicts& verdicts) {
  for (const auto& listed : *listing.run.result->workers) {
    judge_listed(reading, listing, listed, verdicts);
  }
  const bool running = reading.before(listing.step).state() == Model::State::kRunning;
  const bool breaks = reading.contract().worker_death == Contract::WorkerDeath::kBreaks;
  if (!running || (breaks && reading.lost_before(*listing.run.ended))) return;
  for (const auto& process : reading.processes()) {
    judge_unlisted(reading, listing, process, verdicts);
  }
}

}  // namespace

Verdict no_worker_outlives_parent(const Evidence& evidence) {
  const Reading reading(evidence);
  if (!reading.main_died()) return NotExercised{};
  Verdicts verdicts;
  for (const auto& process : reading.processes()) {
    // By contract that is the task's own affair.
    const bool exempt = process.role == Role::kTaskChild && !evidence.contract.ends_task_children;
    if (!exempt && reading.was_there_at_mains_death(process))
      judge_after_main(reading, process, verdicts);
  }
  return verdicts.verdict();
}

Verdict workers_are_daemons(const Evidence& evidence) {
  const Reading reading(evidence);
  const bool terminates = evidence.contract.exit == Contract::Exit::kTerminates;
  if (!terminates && !evidence.contract.workers_are_daemons) {
    return NotApplicable{"exit waits for tasks, and workers are no daemons, by contract"};
  }
  Verdicts verdicts;
  const bool cleans = entry(evidence.scenario.ending.kind).runs_cleanup;
  if (terminates && cleans) judge_delay_of_exit(reading, verdicts);
  if (evidence.contract.workers_are_daemons) judge_daemon_flags(reading, verdicts);
  return verdicts.verdict();
}

Verdict no_zombie_left(const Evidence& evidence) {
  const Reading reading(evidence);
  Verdicts verdicts;
  if (evidence.contract.join_waits) {
    for (int step = 1; step <= reading.steps(); ++step) judge_joined(reading, step, verdicts);
  }
  judge_zombies_at_rest(reading, verdicts);
  return verdicts.verdict();
}

Verdict default_worker_count(const Evidence& evidence) {
  const Reading reading(evidence);
  const auto usable = processors_of_main(reading);
  if (!usable || !counts_processors(reading)) return NotExercised{};
  Verdicts verdicts;
  for (const auto& process : reading.processes()) {
    if (process.role != Role::kWorker || !process.known_as_worker) continue;
    const auto alive = static_cast<int>(surely_alive(reading, *process.known_as_worker).size());
    if (alive == *usable) verdicts.held();
    if (alive <= *usable) continue;
    verdicts.violated(
        fmt::format("a pool that was made without a number has {} workers at once, where main may "
                    "use {} processor{}",
                    alive, *usable, *usable == 1 ? "" : "s"),
        {process.known_as_worker->event});
  }
  return verdicts.verdict();
}

Verdict worker_count_is_bounded(const Evidence& evidence) {
  const Reading reading(evidence);
  Verdicts verdicts;
  judge_replacements(reading, verdicts);
  judge_resized(reading, verdicts);
  const auto wanted = wanted_workers(reading);
  if (!wanted) return verdicts.verdict();
  for (const auto& process : reading.processes()) {
    if (process.role != Role::kWorker || !process.known_as_worker) continue;
    verdicts.held();
    const auto alive = surely_alive(reading, *process.known_as_worker);
    if (static_cast<int>(alive.size()) <= *wanted) continue;
    std::string names;
    for (const auto* one : alive) names += fmt::format("{}{}", names.empty() ? "" : ", ", one->pid);
    verdicts.violated(fmt::format("{} workers are alive at once, of a pool of {}: {}", alive.size(),
                                  *wanted, names),
                      {process.known_as_worker->event});
  }
  return verdicts.verdict();
}

/// At most so many items travel together; where that is the pool's choice, perhaps all.
static int items_that_travel(const harness::Step& step) {
  if (step.kind != harness::StepKind::kMap) return 1;
  return step.chunk.value_or(is_stream(step.form) ? 1 : std::max(step.items, 1));
}

Verdict task_quota_is_kept(const Evidence& evidence) {
  const Reading reading(evidence);
  const auto quota = wanted_quota(reading);
  if (!quota) return NotExercised{};
  Verdicts verdicts;
  std::map<const Process*, std::vector<std::size_t>> begun;
  for (const auto& [task, submitted] : reading.accepted()) {
    std::map<const Process*, int> items;
    for (const auto& run : reading.runs(task)) {
      // In a pool of threads all run in main. Items that travel together count as one task.
      if (run.pid == reading.trace().main()) continue;
      const auto* worker = reading.worker_of(run);
      if (items[worker]++ % items_that_travel(reading.handed_over(task)) == 0)
        begun[worker].push_back(run.begun.event);
    }
  }
  for (auto& [worker, events] : begun) {
    if (std::cmp_greater_equal(events.size(), *quota)) verdicts.held();
    if (std::cmp_less_equal(events.size(), *quota)) continue;
    std::sort(events.begin(), events.end());
    auto text = fmt::format("process {} began {} tasks, of a pool whose workers may run {}",
                            worker->pid, events.size(), *quota);
    verdicts.violated(std::move(text), std::move(events));
  }
  return verdicts.verdict();
}

Verdict daemons_have_no_children(const Evidence& evidence) {
  if (!evidence.contract.ends_task_children)
    return NotApplicable{"what a task leaves running lives on by contract"};
  const Reading reading(evidence);
  Verdicts verdicts;
  for (const auto& child : reading.processes()) {
    const auto* worker = child.role == Role::kTaskChild ? reading.worker_above(child) : nullptr;
    if (worker != nullptr && worker->dying) judge_orphan(reading, child, *worker, verdicts);
  }
  return verdicts.verdict();
}

Verdict active_children_are_true(const Evidence& evidence) {
  const Reading reading(evidence);
  Verdicts verdicts;
  for (int step = 1; step <= reading.steps(); ++step) {
    const auto& run = reading.run(step);
    if (!run.begun || !run.is(Reading::Kind::kOk) || !run.result->workers) continue;
    judge_listing(reading, {.step = step, .run = run, .name = reading.name(step)}, verdicts);
  }
  return verdicts.verdict();
}

}  // namespace poolproof::properties
