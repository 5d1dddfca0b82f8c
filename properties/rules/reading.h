#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "harness/case.h"
#include "harness/fault.h"
#include "harness/trace.h"
#include "properties/model.h"
#include "properties/rules.h"

namespace poolproof::properties {

/// What a trace says, asked in the rules' words. Built for one rule and one case, never changed.
///
/// On order: an event's index is its place in the record. A fact that stands before main's claim to
/// begin a step came before anything that the step did, since the warden reads what has been
/// claimed before it records a fact; what reacts to an exit never stands before its `dying`. Times
/// are for durations alone.
class Reading {
 public:
  using Nanoseconds = harness::Nanoseconds;
  using Pid = harness::Pid;
  using Kind = harness::StepResult::Kind;

  struct Moment {
    Nanoseconds at{0};
    std::size_t event = 0;
    auto operator<=>(const Moment& other) const { return event <=> other.event; }
    bool operator==(const Moment& other) const { return event == other.event; }
  };
  using Maybe = std::optional<Moment>;

  /// kOwn: main made it for itself, not for its pool; and who descends from such a one.
  enum class Role { kMain, kWorker, kHelper, kTaskChild, kOwn };

  struct Process {
    Pid pid = 0;
    Pid parent = 0;
    Role role = Role::kHelper;
    Maybe born;
    Maybe dying;  // dying, dead, status: of a death that is the subject's doing
    Maybe dead;
    std::optional<sys::ExitStatus> status;
    Maybe killed_by_warden;  // it was alive when the case was over
    Maybe known_as_worker;   // the first claim that says so
    int launched_in = 0;     // the step by which main started it as a program of its own
    /// Born while main made another pool beside: it may be that one's.
    bool may_be_a_neighbours = false;
    /// A worker, as the number that was asked for tells, of which no claim ever says so.
    bool is_idle_worker = false;
    bool gone_before(const Moment& moment) const { return dying && *dying < moment; }
  };

  /// One execution of a task's body.
  struct Run {
    Pid pid = 0;
    Moment begun;
    Maybe ended;
    int item = 0;     // of a map, from 1
    std::string how;  // "returned", "raised"; "left" if its worker went on without saying so
    int input = 0;    // bytes of its standard input that it read
  };

  /// One call of main's callback for a task.
  struct CallBack {
    Moment at;
    std::string with;  // "value", "error"
  };

  struct StepRun {
    Maybe begun;
    Maybe ended;
    const harness::StepResult* result = nullptr;  // set once it ended
    const harness::Snapshot* snapshot = nullptr;  // taken while main stood at the step's end
    bool is(Kind kind) const { return result != nullptr && result->kind == kind; }
  };

  /// How a step came out, or main's exit.
  enum class Fate {
    kNotBegun,
    kEnded,
    kMainDied,  // main's death came in between
    kHangs,     // proved: nothing can wake it
    kLate,      // not over after the grace, and then the case was ended
    kUnclear,   // not over, and the recording cannot say why
  };

  explicit Reading(const Evidence& evidence);

  const harness::Scenario& scenario() const { return evidence_.scenario; }
  const Contract& contract() const { return evidence_.contract; }
  const harness::Trace& trace() const { return evidence_.trace; }

  // ---- Processes --------------------------------------------------------------------------------

  /// Null if main was never born.
  const Process* main() const;
  /// Who has the pid, or had it last.
  const Process* process(Pid pid) const;
  /// Who had it then, if it was seen: the kernel gives a pid again once its process was reaped.
  const Process* process(Pid pid, const Moment& then) const;
  const Process* worker_of(const Run& run) const { return process(run.pid, run.begun); }
  /// Whether the run is, or was, the process's.
  bool is_by(const Run& run, const Process& process) const { return worker_of(run) == &process; }
  const std::vector<Process>& processes() const { return processes_; }
  bool main_died() const { return main() != nullptr && main()->dying; }
  /// Until when main goes on with the scenario: its ending, its death, or the case's end. Later,
  /// others have a reason to go.
  Moment main_goes_on_until() const;
  /// Whether it is one of the pool's workers, be it one that never had a task.
  bool is_worker(const Process& process) const {
    return process.role == Role::kWorker || process.is_idle_worker;
  }
  /// Whether main asked for a pool and may have one: it has begun to make one, or has another one
  /// beside that lives on or has not come to a good end.
  bool may_have_a_pool() const;
  /// Whether main may have another pool still, made by a neighbour step, with all that belongs to
  /// it.
  bool has_a_neighbour() const;
  /// The worker in whose task the process was started, itself or who started it; nullptr: in none.
  const Process* worker_above(const Process& process) const;
  /// When main, or its end, first began to end the pool; nullopt: never. A call that was refused
  /// has ended nothing.
  Maybe first_end_of_pool() const;
  /// Main's end: from here on it is gone for everybody.
  Maybe main_dead() const;
  /// Whether it was born before the pool was begun to be made: a wrapper's child, say.
  bool is_older_than_the_pool(const Process& process) const;
  /// Whether it was born before the pool's creation had returned.
  bool made_by_creation(const Process& process) const;
  /// Whether the moment lies behind the beginning of the pool's creation.
  bool is_within_the_pools_life(const Moment& moment) const;
  /// Whether the process was there, in whatever state, when main began to die.
  bool was_there_at_mains_death(const Process& process) const;
  /// Whether anybody was, who could outlive main; doubt says yes.
  bool anybody_at_mains_death() const;
  /// Workers that were lost: died while the pool was in use, not because it was ended, nor of
  /// themselves between two tasks.
  std::vector<const Process*> losses() const;
  bool lost_before(const Moment& moment) const;
  /// Those, but main, that died, worker or not, in a way that may disturb the pool.
  std::vector<const Process*> deaths_before(const Moment& moment) const;
  /// Who sent the signal of which it died; nullptr where that is not told: SIGKILL is delivered
  /// unseen, and some signals are the kernel's.
  const Process* killer_of(const Process& process) const;
  /// Whether there are any; doubt says yes.
  bool any_death_before(const Moment& moment) const;
  /// Workers that were surely alive when the step was over, by the process table taken then.
  std::vector<const Process*> alive_after(int step) const;

  // ---- Steps, from 1 ----------------------------------------------------------------------------

  int steps() const { return static_cast<int>(steps_.size()); }
  const StepRun& run(int step) const { return steps_[static_cast<std::size_t>(step - 1)]; }
  const harness::Step& step(int step) const {
    return evidence_.scenario.steps[static_cast<std::size_t>(step - 1)];
  }
  Fate fate(int step) const;
  /// The fate of main's exit, from its claim that it is about to end.
  Fate exit_fate() const;
  const Maybe& ending_begun() const { return ending_begun_; }
  /// The step in which the case ended, 0 for main's exit, nullopt if main died or stood in none.
  std::optional<int> pending() const;
  /// Whether main waits for what never comes because the scenario asked for it; doubt says yes.
  bool asked_to_wait(int step) const;

  /// Asked for a number of workers that no pool has, and told so: it has made and changed nothing.
  bool was_rightly_refused(int step) const;
  /// Whether main's last reference to the pool goes in it: a drop, or the collect that finds one
  /// which was dropped in a cycle.
  bool lets_go(int step) const;

  /// What a healthy pool is like before the step (steps() + 1: at main's ending), told by how the
  /// earlier ones really went.
  Model before(int step) const;

  /// Whether the scenario asked for workers none of which gets through with its initializer: no
  /// task can run, and calls may by rights end in an error, though not hang.
  bool stillborn() const;

  // ---- The case's fault -------------------------------------------------------------------------

  struct Hit {
    Moment moment;
    Pid pid = 0;
    harness::Fault fault;
  };
  /// Where it fired, if it did.
  const std::optional<Hit>& hit() const { return hit_; }
  /// Whether it did harm to the process, before the process began to die: that may be why it died.
  bool harmed_by_fault(const Process& process) const;
  bool hit_before(const Moment& moment) const { return hit_ && hit_->moment < moment; }
  /// Whether it made calls fail before, by an error or a limit: from then on a step may by rights
  /// end in an error, though not hang.
  bool calls_failed_before(const Moment& moment) const;
  /// Whether it did any harm before: all but a stop, a delay and the reuse of pids do.
  bool harmed_before(const Moment& moment) const { return hit_before(moment) && does_harm(); }
  /// Whether it may have broken the pool before, by rights: it came upon a helper, or made calls
  /// fail. A worker that is killed is no reason.
  bool may_have_broken_the_pool_before(const Moment& moment) const;
  /// Whether a death or such a fault may be why a step fails.
  bool disturbed_before(const Moment& moment) const {
    return any_death_before(moment) || calls_failed_before(moment) || stillborn();
  }

  // ---- Tasks ------------------------------------------------------------------------------------

  /// Tasks that the pool accepted, with the step that submitted each.
  const std::map<int, int>& accepted() const { return accepted_; }
  const harness::Body& body(int task) const;
  const std::vector<Run>& runs(int task) const;
  /// In their order.
  const std::vector<CallBack>& calls_back(int task) const;
  /// The step that handed it over.
  const harness::Step& handed_over(int task) const;
  bool is_map(int task) const { return handed_over(task).kind == harness::StepKind::kMap; }
  /// The steps that get the task, or the next result of it, in order.
  std::vector<int> gets(int task) const;
  /// The step that took the task back, if one has begun before that has not said no.
  std::optional<int> cancelled_before(int task, const Moment& moment) const;
  /// When the step that ended the pool is over and nothing of the pool is pending any more: a
  /// future may hold a dropped one until then by rights. nullopt where a task may never be over.
  Maybe released_from(int step) const;
  /// In a pool of threads main itself runs the bodies, and what one does to its process it does to
  /// main. Whether one of this kind, or any, is not over, be it of a task that main has not yet
  /// learnt to be accepted.
  bool main_is_in_a_body(std::optional<harness::BodyKind> kind = std::nullopt) const;
  /// Whether a callback that raises has been called before.
  bool callback_failed_before(const Moment& moment) const;
  /// Whether a callback that terminates the pool has been called before.
  bool callback_ended_before(const Moment& moment) const;
  /// Whether a task may have failed before, in the body or, at whatever moment, on its way.
  bool task_failed_before(const Moment& moment) const;
  /// A run that its worker's death cut short.
  bool cut_short(const Run& run) const;

  // ---- Time and doubt ---------------------------------------------------------------------------

  Nanoseconds tree_time(const Moment& from, const Moment& to) const {
    return evidence_.trace.tree_time(from.at, to.at);
  }
  bool within_grace(const Moment& from, const Moment& to) const {
    return tree_time(from, to) <= contract().grace;
  }
  /// When the warden ended the case by its first kill, or the last event. What comes after that
  /// kill (deaths, claims, EOF) may be its consequence, and is never read as the subject's doing.
  const Moment& end() const { return end_; }
  bool over_at(std::size_t event) const { return over_ && event >= end_.event; }
  /// The first proof after `since` that nothing can wake the tree.
  Maybe proved_at_rest(const Moment& since) const;
  /// Why the case's end says nothing about what was pending: "the fuse ended the case".
  std::string why_unclear() const;

  // ---- In words ---------------------------------------------------------------------------------

  std::string name(int step) const;                // "get (step 4)"
  std::string name(const Process& who) const;      // "worker 7"
  std::string how_died(const Process& who) const;  // "killed by SIGKILL in step 3"

 private:
  void read(const Moment& moment, const harness::Event::Kind& kind);
  void read_aftermath(const Moment& moment, const harness::Event::Kind& kind);
  Process& known(Pid pid);
  void take_role(Process& process, const Moment& moment);
  void take_death(const Moment& moment, Pid pid, const sys::ExitStatus& status, bool dead);
  void take_kill(const Moment& moment, Pid pid);
  void take_neighbours();
  void take_idle_workers();
  void take_own_child(const harness::OwnChild& claim);
  void take_unclaimed_children();
  void take_children_of_own();
  void take_step_end(const Moment& moment, const harness::StepEnded& claim);
  void leave_open_runs(const Moment& moment, Pid pid);
  void take_run_end(const Moment& moment, const harness::TaskEnded& claim);
  void take_snapshot(const harness::Snapshot& snapshot);
  StepRun* own_step(Pid claimant, int step);
  bool is_open(const Run& run, Pid pid) const;
  bool runs_a_task(const Process& process) const;
  const StepRun* creation() const;
  bool has_executed(const Process& process) const;
  bool preceded_the_pool(const Process& process) const;
  bool may_run_unseen_exit() const;
  bool left_in_peace(const Process& process) const;
  bool does_harm() const;
  Fate fate_since(const Maybe& begun) const;
  std::string doubt_about_rest() const;
  bool took_effect(int step) const;
  bool was_called_back_before(harness::Callback what, const Moment& moment) const;

  const Evidence& evidence_;
  std::vector<Process> processes_;
  std::map<Pid, std::size_t> latest_;  // pid to its newest process
  std::vector<StepRun> steps_;
  std::map<int, std::vector<Run>> runs_;
  std::map<int, std::vector<CallBack>> calls_back_;
  std::map<int, int> accepted_;
  std::vector<Moment> proved_rests_;
  std::optional<Hit> hit_;
  Maybe ending_begun_;
  Moment end_;
  bool over_ = false;
};

/// The machine's doing as likely as the pool's: the out-of-memory killer, a limit of the sandbox.
bool may_be_the_machines(const sys::ExitStatus& status);

/// "1.2 s", "340 ms".
std::string in_words(harness::Nanoseconds time);

}  // namespace poolproof::properties
