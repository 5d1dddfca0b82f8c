#include "properties/conditions.h"

#include <algorithm>
#include <array>
#include <csignal>
#include <functional>
#include <initializer_list>

#include "properties/rules/main_after.h"
#include "properties/rules/reading.h"

namespace poolproof::properties {
namespace {

using harness::BodyKind;
using harness::Inherited;
using harness::Scenario;
using harness::StepKind;
using harness::Trace;
using Kind = Reading::Kind;

constexpr std::int64_t kPipe = 65536;

/// Reads without any contract: a condition is about what happened, not about what was promised.
template <class Ask>
bool ask(const Scenario& scenario, const Trace& trace, Ask question) {
  static const Contract kAny;
  const Evidence evidence{.scenario = scenario, .trace = trace, .contract = kAny};
  return question(Reading(evidence));
}

bool any_step(const Reading& reading, StepKind kind) {
  for (int step = 1; step <= reading.steps(); ++step) {
    if (reading.step(step).kind == kind && reading.run(step).begun) return true;
  }
  return false;
}

using Fits = std::function<bool(const harness::Body&)>;

/// Of a task that the pool has accepted, whether it ever begins or not.
bool any_accepted(const Reading& reading, const Fits& fits) {
  return std::any_of(reading.accepted().begin(), reading.accepted().end(),
                     [&](const auto& task) { return fits(reading.body(task.first)); });
}

/// What stands behind it in a queue has done nothing yet.
bool any_begun(const Reading& reading, const Fits& fits) {
  return std::any_of(reading.accepted().begin(), reading.accepted().end(), [&](const auto& task) {
    return !reading.runs(task.first).empty() && fits(reading.body(task.first));
  });
}

/// Whether a body was under way at the moment, or began later; one that ends its worker is over at
/// once, and never says so.
bool busy_at(const Reading& reading, const Reading::Moment& moment) {
  if (has_a_busy_neighbour(reading)) return true;
  return std::any_of(reading.accepted().begin(), reading.accepted().end(), [&](const auto& task) {
    const auto& runs = reading.runs(task.first);
    if (entry(reading.body(task.first).kind).kills_worker) return false;
    return std::any_of(runs.begin(), runs.end(), [&](const Reading::Run& run) {
      const auto* worker = reading.worker_of(run);
      const bool gone = worker != nullptr && worker->gone_before(moment);
      return !(run.ended && *run.ended < moment) && !gone;
    });
  });
}

/// Where main's end began: its claim, or its death without one.
Reading::Maybe main_ends(const Reading& reading) {
  if (reading.ending_begun()) return reading.ending_begun();
  return reading.main_died() ? reading.main()->dying : std::nullopt;
}

/// Whether the case's fault killed main, be it in the middle of its cleanup.
bool main_killed_by_fault(const Reading& reading) {
  const auto& hit = reading.hit();
  return hit && reading.main_died() && hit->pid == reading.main()->pid &&
         hit->fault.action == harness::Fault::Action::kSignal &&
         reading.main()->status == sys::ExitStatus(sys::Killed{hit->fault.number});
}

bool without_cleanup(const Reading& reading) {
  const bool by_plan = !entry(reading.scenario().ending.kind).runs_cleanup;
  return main_ends(reading) &&
         (by_plan || !reading.ending_begun() || main_killed_by_fault(reading));
}

/// Whether main ended without cleanup so soon after it gave up a pool that this may still have been
/// going on, in a thread of the pool's own.
bool killed_soon_after_a_drop(const Reading& reading) {
  if (!without_cleanup(reading)) return false;
  for (int step = 1; step <= reading.steps(); ++step) {
    const auto& run = reading.run(step);
    if (reading.step(step).kind == StepKind::kDrop && run.begun &&
        reading.within_grace(*run.begun, *main_ends(reading)))
      return true;
  }
  return false;
}

/// Whether main was killed in the middle of what ends a pool.
bool killed_while_ending_a_pool(const Reading& reading) {
  if (killed_soon_after_a_drop(reading)) return true;
  if (!main_killed_by_fault(reading)) return false;
  if (reading.ending_begun()) return entry(reading.scenario().ending.kind).runs_cleanup;
  for (int step = 1; step <= reading.steps(); ++step) {
    const auto kind = reading.step(step).kind;
    const bool ends = kind == StepKind::kTerminate || kind == StepKind::kDrop;
    if (ends && reading.run(step).begun && !reading.run(step).ended) return true;
  }
  return false;
}

bool joined_after_close(const Reading& reading) {
  bool closed = false;
  for (int step = 1; step <= reading.steps(); ++step) {
    if (!reading.run(step).begun) continue;
    if (closed && reading.step(step).kind == StepKind::kJoin) return true;
    closed |= reading.step(step).kind == StepKind::kClose;
  }
  return false;
}

/// Whether all that the pool has accepted came to be run, as far as main's end has let it.
bool has_run_all(const Reading& reading) {
  if (!reading.main_died() || without_cleanup(reading)) return true;
  if (reading.any_death_before(*main_ends(reading))) return true;
  return std::all_of(reading.accepted().begin(), reading.accepted().end(), [&](const auto& task) {
    return !reading.runs(task.first).empty() || entry(reading.body(task.first).kind).never_begins ||
           reading.cancelled_before(task.first, reading.end());
  });
}

/// Accepted before the first step of that kind, with no outcome told by then; 0 for any such.
bool pending_at(const Reading& reading, StepKind kind, int wanted) {
  for (int step = 1; step <= reading.steps(); ++step) {
    if (reading.step(step).kind != kind || !reading.run(step).begun) continue;
    const auto model = reading.before(step);
    return std::any_of(reading.accepted().begin(), reading.accepted().end(), [&](const auto& task) {
      const bool meant = wanted == 0 || wanted == task.first;
      return meant && task.second < step && !model.finished(task.first);
    });
  }
  return false;
}

/// Somebody of the pool died of the SIGTERM that such a child sent.
bool forked_child_killed(const Reading& reading) {
  const auto& all = reading.processes();
  for (int step = 1; step <= reading.steps(); ++step) {
    const auto& asked = reading.step(step);
    const auto& run = reading.run(step);
    if (asked.kind != StepKind::kFork || asked.child_end != harness::ChildEnd::kReturn ||
        !run.begun)
      continue;
    const auto until = run.ended.value_or(reading.end());
    const bool killed = std::any_of(all.begin(), all.end(), [&](const Reading::Process& process) {
      const bool of_the_pool =
          process.role == Reading::Role::kWorker || process.role == Reading::Role::kHelper;
      return of_the_pool && process.status == sys::ExitStatus(sys::Killed{SIGTERM}) &&
             process.dying && *run.begun < *process.dying && *process.dying <= until &&
             reading.killer_of(process) != nullptr &&
             reading.killer_of(process)->role == Reading::Role::kOwn;
    });
    if (killed) return true;
  }
  return false;
}

/// A future of nothing, over at once, which is handed over while the pool is. What `next` takes is
/// another thing.
bool mapped_nothing(const Reading& reading) {
  return std::any_of(reading.accepted().begin(), reading.accepted().end(), [&](const auto& task) {
    const auto& asked = reading.handed_over(task.first);
    return asked.kind == StepKind::kMap && asked.items == 0 && !is_stream(asked.form);
  });
}

/// By a signal, by a task's _exit, or not at all. Other exits, of whatever status, are its own.
bool is_cut_short(const Reading& reading, const Reading::Process& worker) {
  if (!worker.status || std::holds_alternative<sys::Killed>(*worker.status)) return true;
  const auto& tasks = reading.accepted();
  return std::any_of(tasks.begin(), tasks.end(), [&](const auto& task) {
    const auto& runs = reading.runs(task.first);
    return reading.body(task.first).kind == BodyKind::kOsExit &&
           std::any_of(runs.begin(), runs.end(),
                       [&](const auto& run) { return run.pid == worker.pid; });
  });
}

bool printed_and_was_cut_short(const Reading& reading) {
  const auto& tasks = reading.accepted();
  return std::any_of(tasks.begin(), tasks.end(), [&](const auto& task) {
    if (reading.body(task.first).kind != BodyKind::kPrint) return false;
    const auto& runs = reading.runs(task.first);
    return std::any_of(runs.begin(), runs.end(), [&](const auto& run) {
      const auto* worker = reading.worker_of(run);
      return worker != nullptr && is_cut_short(reading, *worker);
    });
  });
}

bool killed_while(const Reading& reading, harness::Victim victim) {
  for (int step = 1; step <= reading.steps(); ++step) {
    const auto& asked = reading.step(step);
    const bool fits = asked.kind == StepKind::kKill && asked.victim == victim;
    if (fits && reading.run(step).is(Kind::kOk)) return true;
  }
  return false;
}

/// One that had no task and no children of its own: an idle worker, or one that was about to be.
bool died_idle(const Reading& reading, const Reading::Process& victim) {
  if (&victim == reading.main() || !victim.dying) return false;
  if (victim.role == Reading::Role::kTaskChild) return false;
  const auto& all = reading.processes();
  const bool has_children = std::any_of(all.begin(), all.end(), [&](const Reading::Process& other) {
    return other.parent == victim.pid;
  });
  const auto& tasks = reading.accepted();
  return !has_children && std::none_of(tasks.begin(), tasks.end(), [&](const auto& task) {
    const auto& runs = reading.runs(task.first);
    return std::any_of(runs.begin(), runs.end(), [&](const Reading::Run& run) {
      return run.pid == victim.pid && !run.ended;
    });
  });
}

/// Whether the case's fault killed such a one; a signal to the group kills several, and main may
/// have a handler for it.
bool killed_idle_by_fault(const Reading& reading) {
  const auto& hit = reading.hit();
  if (!hit || hit->fault.action != harness::Fault::Action::kSignal) return false;
  if (hit->fault.who != "group") {
    const auto* victim = reading.process(hit->pid);
    return victim != nullptr && died_idle(reading, *victim);
  }
  const sys::ExitStatus of_it = sys::Killed{hit->fault.number};
  if (reading.main()->status == of_it) return false;  // that tells more
  const auto& all = reading.processes();
  return std::any_of(all.begin(), all.end(), [&](const Reading::Process& process) {
    return process.role == Reading::Role::kWorker && !process.gone_before(hit->moment) &&
           process.status == of_it && died_idle(reading, process);
  });
}

/// Main has forked a child of its own that was to end so.
bool has_forked(const Reading& reading, harness::ChildEnd end) {
  for (int step = 1; step <= reading.steps(); ++step) {
    const auto& asked = reading.step(step);
    const bool meant = asked.kind == StepKind::kFork && asked.child_end == end;
    const auto& run = reading.run(step);
    if (meant && run.begun && (!run.ended || run.is(Kind::kOk))) return true;
  }
  return false;
}

/// Main's own child has made a process when it was to hand over a task.
bool copy_started_workers(const Reading& reading) {
  const auto& all = reading.processes();
  return std::any_of(all.begin(), all.end(), [&](const Reading::Process& process) {
    if (process.role != Reading::Role::kOwn || !process.born) return false;
    if (process.parent == reading.trace().main()) return false;
    for (int step = 1; step <= reading.steps(); ++step) {
      const auto& run = reading.run(step);
      const bool meant = reading.step(step).kind == StepKind::kFork &&
                         reading.step(step).child_end == harness::ChildEnd::kSubmits;
      if (meant && run.begun && *run.begun < *process.born &&
          *process.born < run.ended.value_or(reading.end()))
        return true;
    }
    return false;
  });
}

/// A get, or a wait, after terminate, of a task that was pending then.
bool got_after_terminate(const Reading& reading) {
  bool terminated = false;
  for (int step = 1; step <= reading.steps(); ++step) {
    const auto& asked = reading.step(step);
    if (!reading.run(step).begun) continue;
    terminated = terminated || asked.kind == StepKind::kTerminate;
    const bool gets =
        terminated && (asked.kind == StepKind::kGet || asked.kind == StepKind::kNext ||
                       asked.kind == StepKind::kWait);
    if (gets && pending_at(reading, StepKind::kTerminate, asked.task)) return true;
  }
  return false;
}

bool died_in_a_task(const Reading& reading) {
  const auto lost = reading.losses();
  return std::any_of(reading.accepted().begin(), reading.accepted().end(), [&](const auto& task) {
    const auto& runs = reading.runs(task.first);
    return std::any_of(runs.begin(), runs.end(), [&](const Reading::Run& run) {
      return reading.cut_short(run) &&
             std::find(lost.begin(), lost.end(), reading.worker_of(run)) != lost.end();
    });
  });
}

/// Whether a process of main's pools has such a SIGTERM from main, or from one that has it from
/// main.
bool has_left_to_a_process(const Reading& reading,
                           const std::function<bool(const MainsSigterm&)>& is_such) {
  const auto& all = reading.processes();
  return std::any_of(all.begin(), all.end(), [&](const Reading::Process& process) {
    const auto* child = &process;
    while (child != nullptr && child->born && child->parent != reading.trace().main()) {
      const auto* parent = reading.process(child->parent, *child->born);
      if (parent == child) return false;
      child = parent;
    }
    return child != nullptr && child->born && child->role != Reading::Role::kOwn &&
           child->role != Reading::Role::kMain && is_such(mains_sigterm(reading, *child->born));
  });
}

bool called_back(const Reading& reading, harness::Callback what) {
  const auto& tasks = reading.accepted();
  return std::any_of(tasks.begin(), tasks.end(), [&](const auto& task) {
    return reading.step(task.second).callback == what && !reading.calls_back(task.first).empty();
  });
}

bool any_begun_of(const Reading& reading, std::initializer_list<BodyKind> kinds) {
  return any_begun(reading, [&](const harness::Body& body) {
    return std::find(kinds.begin(), kinds.end(), body.kind) != kinds.end();
  });
}

constexpr std::array kConditions{
    Condition{"always", "in any case", [](const Scenario&, const Trace&) { return true; }},
    Condition{"worker-died", "a worker died by itself or was killed while the pool was in use",
              [](const Scenario& s, const Trace& t) {
                return ask(s, t, [](const Reading& r) { return !r.losses().empty(); });
              }},
    Condition{"busy-worker-died", "the same, in the middle of a task",
              [](const Scenario& s, const Trace& t) { return ask(s, t, died_in_a_task); }},
    Condition{"idle-worker-killed", "a kill step, or the case's fault, hit an idle worker",
              [](const Scenario& s, const Trace& t) {
                return ask(s, t, [](const Reading& r) {
                  return killed_while(r, harness::Victim::kIdle) || killed_idle_by_fault(r);
                });
              }},
    Condition{"terminated", "terminate was called",
              [](const Scenario& s, const Trace& t) {
                return ask(s, t,
                           [](const Reading& r) { return any_step(r, StepKind::kTerminate); });
              }},
    Condition{"after-terminate",
              "main gets, or waits for, a task that was pending when it called terminate",
              [](const Scenario& s, const Trace& t) { return ask(s, t, got_after_terminate); }},
    Condition{"dropped", "main gave up its last reference to the pool",
              [](const Scenario& s, const Trace& t) {
                return ask(s, t, [](const Reading& r) { return any_step(r, StepKind::kDrop); });
              }},
    Condition{"dropped-pending", "the same, with a task whose outcome main did not know",
              [](const Scenario& s, const Trace& t) {
                return ask(s, t,
                           [](const Reading& r) { return pending_at(r, StepKind::kDrop, 0); });
              }},
    Condition{"joined-after-close", "main joined a pool that it had closed before",
              [](const Scenario& s, const Trace& t) { return ask(s, t, joined_after_close); }},
    Condition{"drained-later",
              "the same, and all that the pool had accepted has run in the end, unless main was "
              "killed before",
              [](const Scenario& s, const Trace& t) {
                return ask(
                    s, t, [](const Reading& r) { return joined_after_close(r) && has_run_all(r); });
              }},
    Condition{"main-killed", "main ended without cleanup: a signal, _exit, abort, exec",
              [](const Scenario& s, const Trace& t) { return ask(s, t, without_cleanup); }},
    Condition{"main-killed-busy", "the same, while a worker was running a task",
              [](const Scenario& s, const Trace& t) {
                return ask(s, t, [](const Reading& r) {
                  return without_cleanup(r) && busy_at(r, *main_ends(r));
                });
              }},
    Condition{
        "main-killed-ending",
        "main was killed while it terminated a pool or cleaned up at its exit, or ended without "
        "cleanup within a second after it gave one up",
        [](const Scenario& s, const Trace& t) { return ask(s, t, killed_while_ending_a_pool); }},
    Condition{"exit-busy", "main ended with cleanup while a worker was running a task",
              [](const Scenario& s, const Trace& t) {
                return ask(s, t, [](const Reading& r) {
                  return main_ends(r) && !without_cleanup(r) && busy_at(r, *main_ends(r));
                });
              }},
    Condition{"ctrl-c", "main's end was SIGINT to its process group, as from a terminal",
              [](const Scenario& s, const Trace& t) {
                return s.ending.kind == harness::EndingKind::kCtrlC &&
                       ask(s, t, [](const Reading& r) { return r.ending_begun().has_value(); });
              }},
    Condition{"task-raised", "a task's body raised",
              [](const Scenario& s, const Trace& t) {
                return ask(s, t, [](const Reading& r) {
                  return any_begun_of(r, {BodyKind::kRaise, BodyKind::kRaiseNested});
                });
              }},
    Condition{"callback-raised", "a callback of main's raised",
              [](const Scenario& s, const Trace& t) {
                return ask(s, t, [](const Reading& r) {
                  return called_back(r, harness::Callback::kRaises);
                });
              }},
    Condition{"callback-terminated", "a callback of main's terminated its pool, or tried to",
              [](const Scenario& s, const Trace& t) {
                return ask(s, t, [](const Reading& r) {
                  return called_back(r, harness::Callback::kTerminates);
                });
              }},
    Condition{"beside-another-pool", "main had made another pool, which was still there",
              [](const Scenario& s, const Trace& t) {
                return ask(s, t, [](const Reading& r) { return r.has_a_neighbour(); });
              }},
    Condition{"mapped-nothing",
              "a map without items was handed over, whose outcome comes as a whole",
              [](const Scenario& s, const Trace& t) {
                return ask(s, t, [](const Reading& r) { return mapped_nothing(r); });
              }},
    Condition{"printed-and-cut-short",
              "a worker that had printed did not come to an exit of its own",
              [](const Scenario& s, const Trace& t) {
                return ask(s, t, [](const Reading& r) { return printed_and_was_cut_short(r); });
              }},
    Condition{"unreadable-outcome",
              "a task returned, or raised, what main cannot build again from what it is sent",
              [](const Scenario& s, const Trace& t) {
                return ask(s, t, [](const Reading& r) {
                  return any_begun_of(r, {BodyKind::kUnbuildableError, BodyKind::kUnreadableValue});
                });
              }},
    Condition{"unreadable-argument",
              "a task was given what its worker cannot build again from what it is sent",
              [](const Scenario& s, const Trace& t) {
                return ask(s, t, [](const Reading& r) {
                  return any_accepted(r, [](const harness::Body& b) {
                    return b.kind == BodyKind::kUnreadableArgument;
                  });
                });
              }},
    Condition{"task-interrupted", "a task's body raised what is no plain error",
              [](const Scenario& s, const Trace& t) {
                return ask(
                    s, t, [](const Reading& r) { return any_begun_of(r, {BodyKind::kInterrupt}); });
              }},
    Condition{"task-left-child", "a task left a process of its own running",
              [](const Scenario& s, const Trace& t) {
                return ask(s, t, [](const Reading& r) {
                  return any_begun(
                      r, [](const harness::Body& b) { return entry(b.kind).leaves_process; });
                });
              }},
    Condition{"task-made-pool", "a task made a pool of its own",
              [](const Scenario& s, const Trace& t) {
                return ask(s, t, [](const Reading& r) {
                  return any_begun_of(r, {BodyKind::kUsePool, BodyKind::kLeavePool});
                });
              }},
    Condition{"ignores-sigterm", "a task made its worker ignore SIGTERM, or stopped it",
              [](const Scenario& s, const Trace& t) {
                return ask(s, t, [](const Reading& r) {
                  return any_begun(r, [](const harness::Body& b) {
                    return b.kind == BodyKind::kIgnoreSigterm || b.kind == BodyKind::kStopSelf;
                  });
                });
              }},
    Condition{"failing-initializer", "no worker gets through with its initializer",
              [](const Scenario& s, const Trace& t) {
                return ask(s, t, [](const Reading& r) { return r.stillborn(); });
              }},
    Condition{"main-forked",
              "a child that main forked for itself sent SIGTERM to a worker as it returned",
              [](const Scenario& sc, const Trace& t) {
                return ask(sc, t, [](const Reading& r) { return forked_child_killed(r); });
              }},
    Condition{"called-at-once", "two threads of main's made the same call at once",
              [](const Scenario& s, const Trace& t) {
                return ask(s, t, [](const Reading& r) {
                  for (int step = 1; step <= r.steps(); ++step) {
                    if (r.step(step).caller == harness::Caller::kThreads && r.run(step).begun)
                      return true;
                  }
                  return false;
                });
              }},
    Condition{"main-forked-stays", "a child that main forked for itself lives on",
              [](const Scenario& s, const Trace& t) {
                return ask(s, t, [](const Reading& r) {
                  return has_forked(r, harness::ChildEnd::kStays);
                });
              }},
    Condition{"main-forked-pools", "a child that main forked for itself makes a pool of its own",
              [](const Scenario& s, const Trace& t) {
                return ask(s, t, [](const Reading& r) {
                  return has_forked(r, harness::ChildEnd::kPools);
                });
              }},
    Condition{
        "main-forked-submits",
        "a child that main forked for itself has handed a task to its copy of the pool, and waits",
        [](const Scenario& s, const Trace& t) {
          return ask(s, t, [](const Reading& r) {
            const int step = r.pending().value_or(0);
            return step != 0 && r.step(step).kind == StepKind::kFork &&
                   r.step(step).child_end == harness::ChildEnd::kSubmits;
          });
        }},
    Condition{"copy-started-workers",
              "a child that main forked for itself has started workers for its copy of the pool",
              [](const Scenario& s, const Trace& t) {
                return ask(s, t, [](const Reading& r) { return copy_started_workers(r); });
              }},
    Condition{"large-payload", "a task was given 64 KiB or more",
              [](const Scenario& s, const Trace& t) {
                return ask(s, t, [](const Reading& r) {
                  return any_accepted(r, [](const harness::Body& b) {
                    return b.kind == BodyKind::kEcho && b.amount >= kPipe;
                  });
                });
              }},
    Condition{"few-processors", "main may use fewer processors than the machine has",
              [](const Scenario& s, const Trace&) { return s.processors.has_value(); }},
    Condition{"sigchld-ignored", "main inherited that SIGCHLD is ignored",
              [](const Scenario& s, const Trace&) {
                return s.inherits.contains(Inherited::kSigchldIgnored);
              }},
    Condition{"sigterm-blocked",
              "main has inherited that SIGTERM is blocked, or a process of its pools began after a "
              "step that blocks it",
              [](const Scenario& s, const Trace& t) {
                return s.inherits.contains(Inherited::kSigtermBlocked) ||
                       ask(s, t, [](const Reading& r) {
                         return has_left_to_a_process(
                             r, [](const MainsSigterm& sigterm) { return sigterm.is_blocked; });
                       });
              }},
    Condition{"sigterm-ignored", "a process of main's pools began while main ignored SIGTERM",
              [](const Scenario& s, const Trace& t) {
                return ask(s, t, [](const Reading& r) {
                  return has_left_to_a_process(r, [](const MainsSigterm& sigterm) {
                    return sigterm.disposition == MainsSigterm::Disposition::kIgnored;
                  });
                });
              }},
    Condition{"sigterm-handled",
              "a process of main's pools began while main had a handler of its own for SIGTERM",
              [](const Scenario& s, const Trace& t) {
                return ask(s, t, [](const Reading& r) {
                  return has_left_to_a_process(r, [](const MainsSigterm& sigterm) {
                    return sigterm.disposition == MainsSigterm::Disposition::kCaught;
                  });
                });
              }},
    Condition{"sigint-ignored", "main inherited that SIGINT is ignored",
              [](const Scenario& s, const Trace&) {
                return s.inherits.contains(Inherited::kSigintIgnored);
              }},
    Condition{"stream-closed", "main was started with standard input or output closed",
              [](const Scenario& s, const Trace&) {
                return s.inherits.contains(Inherited::kStdinClosed) ||
                       s.inherits.contains(Inherited::kStdoutClosed);
              }},
    Condition{"fork", "workers are started by fork",
              [](const Scenario& s, const Trace&) { return s.start_method == "fork"; }},
    Condition{"spawn", "workers are started by spawn",
              [](const Scenario& s, const Trace&) { return s.start_method == "spawn"; }},
    Condition{"forkserver", "workers are started by a fork server",
              [](const Scenario& s, const Trace&) { return s.start_method == "forkserver"; }},
};

}  // namespace

std::span<const Condition> condition_table() {
  return kConditions;
}

const Condition* condition_named(std::string_view name) {
  const auto found =
      std::find_if(kConditions.begin(), kConditions.end(),
                   [&](const Condition& condition) { return condition.name == name; });
  return found == kConditions.end() ? nullptr : &*found;
}

/// Asks about each of the names until one says no.
template <class Ask>
static bool each(std::string_view names, Ask ask) {
  constexpr std::string_view kBetween = ", ";
  for (;;) {
    const auto end = names.find(kBetween);
    if (!ask(names.substr(0, end))) return false;
    if (end == names.npos) return true;
    names.remove_prefix(end + kBetween.size());
  }
}

bool are_conditions(std::string_view names) {
  return each(names, [](std::string_view name) { return condition_named(name) != nullptr; });
}

bool all_hold(std::string_view names, const Scenario& scenario, const Trace& trace) {
  return each(names, [&](std::string_view name) {
    const auto* condition = condition_named(name);
    return condition != nullptr && condition->holds(scenario, trace);
  });
}

std::string condition_names() {
  std::string names;
  for (const Condition& condition : kConditions) {
    if (!names.empty()) names += ", ";
    names += condition.name;
  }
  return names;
}

}  // namespace poolproof::properties
