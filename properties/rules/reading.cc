#include "properties/rules/reading.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <set>
#include <utility>

#include "properties/rules/outcome.h"

namespace poolproof::properties {

using namespace harness;  // the trace's events are this file's whole subject

template <class... Fs>
struct Overloaded : Fs... {
  using Fs::operator()...;
};
template <class... Fs>
Overloaded(Fs...) -> Overloaded<Fs...>;

Reading::Reading(const Evidence& evidence)
    : evidence_(evidence), steps_(evidence.scenario.steps.size()) {
  const auto& events = evidence.trace.events;
  for (std::size_t i = 0; i < events.size(); ++i) {
    const Moment moment{events[i].at, i};
    const bool kill = std::holds_alternative<KilledByWarden>(events[i].kind);
    if (!over_ && (kill || moment.at >= end_.at)) end_ = moment;
    over_ = over_ || kill;
    over_ ? read_aftermath(moment, events[i].kind) : read(moment, events[i].kind);
  }
  take_unclaimed_children();
  take_children_of_own();
  take_neighbours();
  take_idle_workers();
  for (int step = 1; step <= steps(); ++step) {
    const bool submits = entry(this->step(step).kind).makes == Makes::kTask;
    if (submits && run(step).is(Kind::kOk)) accepted_[this->step(step).task] = step;
  }
}

// ---- Events -------------------------------------------------------------------------------------

void Reading::read(const Moment& moment, const Event::Kind& kind) {
  std::visit(Overloaded{
                 [&](const Born& e) {
                   const Process* maker = process(e.parent);
                   const bool in_a_task =
                       maker != nullptr && (maker->role == Role::kTaskChild || runs_a_task(*maker));
                   latest_[e.pid] = processes_.size();
                   processes_.push_back({.pid = e.pid, .parent = e.parent, .born = moment});
                   if (e.how == "main") processes_.back().role = Role::kMain;
                   if (in_a_task) processes_.back().role = Role::kTaskChild;
                   const Process* parent = process(e.parent);
                   if (parent != nullptr && parent->role == Role::kOwn)
                     processes_.back().role = Role::kOwn;
                 },
                 [&](const Dying& e) { take_death(moment, e.pid, e.status, false); },
                 [&](const Dead& e) { take_death(moment, e.pid, e.status, true); },
                 [&](const Snapshot& e) { take_snapshot(e); },
                 [&](const AtRest& e) {
                   if (e.proved) proved_rests_.push_back(moment);
                 },
                 [&](const FaultFired& e) {
                   auto fault = fault_from_string(e.token);
                   if (fault && !hit_) hit_ = Hit{moment, e.pid, *std::move(fault)};
                 },
                 [&](const StepBegun& e) {
                   StepRun* run = own_step(e.pid, e.step);
                   if (run != nullptr && !run->begun) run->begun = moment;
                 },
                 [&](const StepEnded& e) { take_step_end(moment, e); },
                 [&](const TaskBegun& e) {
                   leave_open_runs(moment, e.pid);
                   runs_[e.task].push_back({.pid = e.pid, .begun = moment, .item = e.item});
                   take_role(known(e.pid), moment);
                 },
                 [&](const TaskEnded& e) { take_run_end(moment, e); },
                 [&](const CalledBack& e) {
                   if (e.pid == evidence_.trace.main())
                     calls_back_[e.task].push_back({moment, e.with});
                 },
                 [&](const OwnChild& e) { take_own_child(e); },
                 [&](const EndingBegun& e) {
                   if (!ending_begun_ && e.pid == evidence_.trace.main()) ending_begun_ = moment;
                 },
                 [](const auto&) {},
             },
             kind);
}

void Reading::read_aftermath(const Moment& moment, const Event::Kind& kind) {
  if (const auto* killed = std::get_if<KilledByWarden>(&kind)) take_kill(moment, killed->pid);
  if (const auto* dying = std::get_if<Dying>(&kind)) take_kill(end_, dying->pid);
  if (const auto* dead = std::get_if<Dead>(&kind)) take_kill(end_, dead->pid);
}

Reading::Process& Reading::known(Pid pid) {
  const auto [found, is_new] = latest_.try_emplace(pid, processes_.size());
  if (is_new) processes_.push_back({.pid = pid});
  return processes_[found->second];
}

void Reading::take_role(Process& process, const Moment& moment) {
  if (process.role == Role::kMain) return;  // a pool of threads
  if (process.role == Role::kOwn) return;   // it has got the pid of a worker that is gone
  process.role = Role::kWorker;
  if (!process.known_as_worker) process.known_as_worker = moment;
}

void Reading::take_death(const Moment& moment, Pid pid, const sys::ExitStatus& status, bool dead) {
  Process& process = known(pid);
  if (!process.dying) process.dying = moment;  // without ptrace there is no exit stop
  if (dead && !process.dead) process.dead = moment;
  process.status = status;
}

void Reading::take_kill(const Moment& moment, Pid pid) {
  Process& process = known(pid);
  if (!process.dying && !process.killed_by_warden) process.killed_by_warden = moment;
}

void Reading::take_own_child(const OwnChild& claim) {
  if (claim.pid != evidence_.trace.main()) return;
  Process& child = known(claim.child);
  child.role = Role::kOwn;
  for (int step = 1; step <= steps(); ++step) {
    const bool launches = this->step(step).kind == StepKind::kLaunch;
    if (launches && run(step).begun && !run(step).ended) child.launched_in = step;
  }
}

/// Main that dies in a fork of its own may not have come to say whose child that is: whoever it
/// made in the step may be that one, which goes on by right.
void Reading::take_unclaimed_children() {
  if (!main_died()) return;
  for (int step = 1; step <= steps(); ++step) {
    const auto& begun = run(step).begun;
    if (this->step(step).kind != StepKind::kFork || !begun || run(step).ended) continue;
    const auto made_then = [&](const Process& process) {
      return process.parent == main()->pid && process.born && *begun < *process.born;
    };
    const bool claimed = std::any_of(
        processes_.begin(), processes_.end(),
        [&](const Process& process) { return made_then(process) && process.role == Role::kOwn; });
    for (Process& process : processes_) {
      const bool may_be = !claimed && made_then(process) && process.role == Role::kHelper;
      if (may_be) process.role = Role::kOwn;
    }
  }
}

/// Main may come to say whose child that is when it has children already.
void Reading::take_children_of_own() {
  for (Process& process : processes_) {
    const bool settled = process.role != Role::kHelper && process.role != Role::kWorker;
    if (!process.born || settled) continue;
    const Process* parent = this->process(process.parent, *process.born);
    if (parent != nullptr && parent->role == Role::kOwn) process.role = Role::kOwn;
  }
}

void Reading::take_neighbours() {
  for (int step = 1; step <= steps(); ++step) {
    const auto& run = this->run(step);
    if (this->step(step).kind != StepKind::kNeighbour || !run.begun) continue;
    for (Process& process : processes_) {
      if (process.role == Role::kHelper && process.born && *run.begun < *process.born &&
          *process.born < run.ended.value_or(end_))
        process.may_be_a_neighbours = true;
    }
  }
}

/// Who never had a task and is not listed is known by the number of workers that was asked for: of
/// those that the pool's creation has forked, with the same parent as the known ones, as many as
/// are missing. What executes a program of its own may look after the workers.
void Reading::take_idle_workers() {
  if (!trace().exact) return;
  const auto first = std::find_if(scenario().steps.begin(), scenario().steps.end(),
                                  [](auto& step) { return step.kind == StepKind::kCreate; });
  const StepRun* create = creation();
  if (create == nullptr || !create->is(Kind::kOk) || !first->workers) return;
  const auto of_creation = [&](const Process& process) {
    return process.born && *create->begun < *process.born && *process.born < *create->ended;
  };
  std::set<Pid> makers;
  std::ptrdiff_t known = 0;
  for (const Process& process : processes_) {
    if (process.role != Role::kWorker || !of_creation(process)) continue;
    makers.insert(process.parent);
    ++known;
  }
  std::vector<Process*> rest;
  for (Process& process : processes_) {
    const bool meant = process.role == Role::kHelper && of_creation(process) &&
                       makers.contains(process.parent) && !has_executed(process);
    if (meant) rest.push_back(&process);
  }
  if (known + std::ssize(rest) != *first->workers) return;
  for (Process* process : rest) process->is_idle_worker = true;
}

bool Reading::has_executed(const Process& process) const {
  return std::any_of(trace().events.begin(), trace().events.end(), [&](const Event& event) {
    const auto* execed = std::get_if<harness::Execed>(&event.kind);
    return execed != nullptr && execed->pid == process.pid;
  });
}

Reading::StepRun* Reading::own_step(Pid claimant, int step) {
  const bool mine = claimant == evidence_.trace.main() && step >= 1 && step <= steps();
  return mine ? &steps_[static_cast<std::size_t>(step - 1)] : nullptr;
}

void Reading::take_step_end(const Moment& moment, const StepEnded& claim) {
  StepRun* run = own_step(claim.pid, claim.step);
  if (run == nullptr || run->ended) return;
  run->ended = moment;
  run->result = &claim.result;
  // A kill step picks its victim among those that the pool lists.
  if (claim.result.killed != 0) take_role(known(claim.result.killed), moment);
  if (!claim.result.workers) return;
  for (const auto& listed : *claim.result.workers) {
    const auto found = latest_.find(listed.pid);
    if (found == latest_.end()) continue;
    Process& process = processes_[found->second];
    // What a task has started is no worker because the pool says so.
    if (process.role != Role::kTaskChild) take_role(process, moment);
  }
}

/// A worker that begins a task has left the one before, though an error that is not one of the
/// body's own (the language's exit, which some pools deliver) skips the claim that it has ended.
void Reading::leave_open_runs(const Moment& moment, Pid pid) {
  if (pid == evidence_.trace.main()) return;  // threads run side by side
  for (auto& [task, runs] : runs_) {
    for (Run& run : runs) {
      if (!is_open(run, pid)) continue;
      run.ended = moment;
      run.how = "left";
    }
  }
}

void Reading::take_run_end(const Moment& moment, const TaskEnded& claim) {
  auto& runs = runs_[claim.task];
  const auto open = std::find_if(runs.begin(), runs.end(),
                                 [&](const Run& run) { return is_open(run, claim.pid); });
  if (open == runs.end()) return;
  open->ended = moment;
  open->how = claim.how;
  open->input = claim.input;
}

void Reading::take_snapshot(const Snapshot& snapshot) {
  if (snapshot.step < 1 || snapshot.step > steps()) return;
  StepRun& run = steps_[static_cast<std::size_t>(snapshot.step - 1)];
  const bool next_begun =
      snapshot.step < steps() && steps_[static_cast<std::size_t>(snapshot.step)].begun;
  if (run.ended && !next_begun && run.snapshot == nullptr) run.snapshot = &snapshot;
}

bool Reading::runs_a_task(const Process& process) const {
  return std::any_of(runs_.begin(), runs_.end(), [&](const auto& task) {
    return std::any_of(task.second.begin(), task.second.end(),
                       [&](const Run& run) { return !run.ended && is_by(run, process); });
  });
}

/// Of who has the pid now.
bool Reading::is_open(const Run& run, Pid pid) const {
  return run.pid == pid && !run.ended && worker_of(run) == process(pid);
}

// ---- Processes ----------------------------------------------------------------------------------

const Reading::Process* Reading::main() const {
  return process(evidence_.trace.main());
}

const Reading::Process* Reading::process(Pid pid) const {
  const auto found = latest_.find(pid);
  return found == latest_.end() ? nullptr : &processes_[found->second];
}

const Reading::Process* Reading::process(Pid pid, const Moment& then) const {
  for (auto at = processes_.rbegin(); at != processes_.rend(); ++at) {
    if (at->pid == pid && (!at->born || !(then < *at->born))) return &*at;
  }
  return nullptr;
}

Reading::Moment Reading::main_goes_on_until() const {
  if (ending_begun_) return *ending_begun_;
  return main_died() ? *main()->dying : end_;
}

Reading::Maybe Reading::main_dead() const {
  if (!main_died()) return std::nullopt;
  return main()->dead ? main()->dead : main()->dying;
}

// ---- Steps --------------------------------------------------------------------------------------

Reading::Fate Reading::fate_since(const Maybe& begun) const {
  if (!begun) return Fate::kNotBegun;
  if (main_died()) return Fate::kMainDied;
  if (proved_at_rest(*begun)) return Fate::kHangs;
  return within_grace(*begun, end_) ? Fate::kUnclear : Fate::kLate;
}

Reading::Fate Reading::fate(int step) const {
  return run(step).ended ? Fate::kEnded : fate_since(run(step).begun);
}

Reading::Fate Reading::exit_fate() const {
  return fate_since(ending_begun_);
}

std::optional<int> Reading::pending() const {
  if (main_died()) return std::nullopt;
  if (ending_begun_) return 0;
  for (int step = steps(); step >= 1; --step) {
    if (run(step).begun) return run(step).ended ? std::nullopt : std::optional(step);
  }
  return std::nullopt;
}

bool Reading::asked_to_wait(int step) const {
  if (step == 0) {
    return is_deaf_to_its_ending(scenario()) ||
           before(steps() + 1).may_wait_for_ever(scenario().ending);
  }
  return before(step).may_wait_for_ever(this->step(step));
}

bool Reading::was_rightly_refused(int step) const {
  return has_bad_count(this->step(step)) && run(step).is(Kind::kRefused);
}

bool Reading::took_effect(int step) const {
  const StepRun& run = this->run(step);
  const auto kind = this->step(step).kind;
  if (kind != StepKind::kGet && kind != StepKind::kNext) return run.is(Kind::kOk);
  return run.ended && !run.is(Kind::kTimeout);
}

Model Reading::before(int step) const {
  Model model(contract());
  for (int earlier = 1; earlier < step; ++earlier)
    model.apply(this->step(earlier), took_effect(earlier));
  return model;
}

bool Reading::lets_go(int step) const {
  const auto& asked = this->step(step);
  if (asked.kind == StepKind::kDrop) return asked.farewell != Farewell::kCycle;
  return asked.kind == StepKind::kCollect && before(step).tangled();
}

bool Reading::stillborn() const {
  const auto& steps = scenario().steps;
  return std::any_of(steps.begin(), steps.end(), [](const Step& step) {
    return step.kind == StepKind::kCreate && fails(step.initializer);
  });
}

// ---- The case's fault ---------------------------------------------------------------------------

bool Reading::does_harm() const {
  using Action = Fault::Action;
  const Action action = hit_->fault.action;
  return action != Action::kStop && action != Action::kDelay && action != Action::kReusePids;
}

bool Reading::harmed_by_fault(const Process& process) const {
  if (!hit_ || !does_harm()) return false;
  if (process.dying && *process.dying < hit_->moment) return false;
  const bool hits_all =
      hit_->fault.who == "group" || hit_->fault.action == Fault::Action::kLimitProcesses;
  return hits_all || hit_->pid == process.pid;
}

bool Reading::may_have_broken_the_pool_before(const Moment& moment) const {
  const Process* victim = hit_ ? process(hit_->pid) : nullptr;
  const bool helper = victim != nullptr && victim->role == Role::kHelper;
  return calls_failed_before(moment) || stillborn() || (harmed_before(moment) && helper);
}

bool Reading::calls_failed_before(const Moment& moment) const {
  if (!hit_before(moment)) return false;
  switch (hit_->fault.action) {
    case Fault::Action::kErrno:
    case Fault::Action::kTypicalError:
    case Fault::Action::kLimitFiles:
    case Fault::Action::kLimitMemory:
    case Fault::Action::kLimitProcesses:
    case Fault::Action::kCloseStdout:
      return true;
    case Fault::Action::kSignal:
    case Fault::Action::kStop:
    case Fault::Action::kDelay:
    case Fault::Action::kReusePids:
      return false;
  }
  return false;
}

// ---- Tasks --------------------------------------------------------------------------------------

const Step& Reading::handed_over(int task) const {
  static const Step kUnknown{.kind = StepKind::kSubmit};
  const auto found = accepted_.find(task);
  return found == accepted_.end() ? kUnknown : step(found->second);
}

const Body& Reading::body(int task) const {
  return handed_over(task).body;
}

const std::vector<Reading::Run>& Reading::runs(int task) const {
  static const std::vector<Run> kNone;
  const auto found = runs_.find(task);
  return found == runs_.end() ? kNone : found->second;
}

const std::vector<Reading::CallBack>& Reading::calls_back(int task) const {
  static const std::vector<CallBack> kNone;
  const auto found = calls_back_.find(task);
  return found == calls_back_.end() ? kNone : found->second;
}

std::vector<int> Reading::gets(int task) const {
  std::vector<int> found;
  for (int step = 1; step <= steps(); ++step) {
    const Step& asked = this->step(step);
    const bool gets = asked.kind == StepKind::kGet || asked.kind == StepKind::kNext;
    if (gets && asked.task == task && run(step).begun) found.push_back(step);
  }
  return found;
}

std::optional<int> Reading::cancelled_before(int task, const Moment& moment) const {
  for (int step = 1; step <= steps(); ++step) {
    const auto& run = this->run(step);
    if (this->step(step).kind != StepKind::kCancel || this->step(step).task != task) continue;
    if (!run.begun || moment < *run.begun) continue;
    const bool said_no = run.ended && (!run.is(Kind::kOk) || run.result->value != "true");
    if (!said_no) return step;
  }
  return std::nullopt;
}

Reading::Maybe Reading::released_from(int step) const {
  auto from = *run(step).ended;
  for (const auto& [task, submitted] : accepted_) {
    const auto& runs = this->runs(task);
    // Whoever was joined is through with its tasks, begun or not.
    if (runs.empty() && this->step(step).kind == StepKind::kJoin) continue;
    if (is_map(task) && std::cmp_less(runs.size(), items_of(handed_over(task))))
      return std::nullopt;
    if (is_map(task) && runs.empty()) continue;
    const bool over = !runs.empty() && std::all_of(runs.begin(), runs.end(), [&](const Run& run) {
      return run.ended || cut_short(run);
    });
    if (!over) return std::nullopt;
    for (const Run& run : runs)
      from = std::max(from, run.ended ? *run.ended : *worker_of(run)->dying);
  }
  return from;
}

bool Reading::main_is_in_a_body(std::optional<BodyKind> kind) const {
  const auto& steps = scenario().steps;
  return std::any_of(steps.begin(), steps.end(), [&](const Step& step) {
    if (entry(step.kind).makes != Makes::kTask || step.body.kind != kind.value_or(step.body.kind))
      return false;
    const auto& runs = this->runs(step.task);
    return std::any_of(runs.begin(), runs.end(),
                       [&](const Run& run) { return run.pid == trace().main() && !run.ended; });
  });
}

bool Reading::callback_failed_before(const Moment& moment) const {
  return was_called_back_before(harness::Callback::kRaises, moment);
}

bool Reading::callback_ended_before(const Moment& moment) const {
  return was_called_back_before(harness::Callback::kTerminates, moment);
}

/// It claims the call first.
bool Reading::was_called_back_before(harness::Callback what, const Moment& moment) const {
  return std::any_of(accepted_.begin(), accepted_.end(), [&](const auto& task) {
    const auto& calls = calls_back(task.first);
    return this->step(task.second).callback == what && !calls.empty() && calls.front().at < moment;
  });
}

bool Reading::task_failed_before(const Moment& moment) const {
  return std::any_of(accepted_.begin(), accepted_.end(), [&](const auto& task) {
    // Where it fails on its way nothing says when.
    if (entry(body(task.first).kind).comes == harness::Comes::kToAnError) return true;
    const auto& runs = this->runs(task.first);
    return std::any_of(runs.begin(), runs.end(), [&](const Run& run) {
      return run.how == "raised" && run.ended && *run.ended < moment;
    });
  });
}

bool Reading::cut_short(const Run& run) const {
  const Process* worker = worker_of(run);
  return !run.ended && worker != nullptr && worker->role == Role::kWorker && worker->dying;
}

// ---- Time and doubt -----------------------------------------------------------------------------

Reading::Maybe Reading::proved_at_rest(const Moment& since) const {
  const auto found = std::upper_bound(proved_rests_.begin(), proved_rests_.end(), since);
  return found == proved_rests_.end() ? std::nullopt : Maybe(*found);
}

/// What kept the last look at a tree at rest from being a proof; empty where none did.
std::string Reading::doubt_about_rest() const {
  std::string doubt;
  for (const Event& event : trace().events) {
    const auto* rest = std::get_if<AtRest>(&event.kind);
    if (rest == nullptr || rest->proved) continue;
    for (const Wait& wait : rest->waits) {
      if (wait.doubt.empty()) continue;
      doubt = fmt::format("{} waits in {}({}), {}", wait.pid, wait.call, wait.on, wait.doubt);
    }
  }
  return doubt;
}

std::string Reading::why_unclear() const {
  const std::string doubt = doubt_about_rest();
  const std::string at_rest = doubt.empty() ? "" : "; it was at rest, but " + doubt;
  switch (trace().end) {
    case End::kFuse:
      return "the fuse ended the case" + at_rest;
    case End::kTimeOver:
      return "the case was ended because the time of the run was over" + at_rest;
    case End::kPolling:
      return "the case was ended because all that went on was polling, or processes dying" +
             at_rest;
    case End::kDeadline:
      return "the case was ended because something took too long" + at_rest;
    case End::kLimit:
      return "a limit ended the case" + at_rest;
    case End::kGrace:
      return "the case was ended before the whole grace had passed" + at_rest;
    case End::kAtRest:
      return "it was at rest, but " + (doubt.empty() ? "without proof" : doubt);
    case End::kAllDead:
      return "the recording shows neither an end nor a reason";
  }
  return "";
}

// ---- In words -----------------------------------------------------------------------------------

std::string Reading::name(int step) const {
  if (step == 0) return "main's exit";
  return fmt::format("{} (step {})", entry(this->step(step).kind).name, step);
}

std::string Reading::name(const Process& who) const {
  switch (who.role) {
    case Role::kMain:
      return fmt::format("main {}", who.pid);
    case Role::kWorker:
      return fmt::format("worker {}", who.pid);
    case Role::kHelper:
      return fmt::format("process {}", who.pid);
    case Role::kTaskChild:
      return fmt::format("a task's child {}", who.pid);
    case Role::kOwn:
      return fmt::format("main's own {} {}", who.launched_in == 0 ? "child" : "program", who.pid);
  }
  return "";
}

std::string Reading::how_died(const Process& who) const {
  std::string text = who.status ? sys::to_string(*who.status) : "died";
  if (!who.dying) return text;
  for (int step = steps(); step >= 1; --step) {
    const StepRun& run = this->run(step);
    if (!run.begun || *who.dying < *run.begun) continue;
    return text +
           fmt::format(" {} step {}", run.ended && *run.ended < *who.dying ? "after" : "in", step);
  }
  return text;
}

std::string in_words(Nanoseconds time) {
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(time).count();
  return ms < 1000 ? fmt::format("{} ms", ms)
                   : fmt::format("{:.1f} s", static_cast<double>(ms) / 1000);
}

}  // namespace poolproof::properties
