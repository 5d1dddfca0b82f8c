#include <csignal>

#include "properties/guides/guides.h"

namespace poolproof::properties {
namespace {

using namespace std::chrono_literals;
using harness::BodyKind;
using harness::End;
using harness::Form;
using harness::Victim;
using sys::Killed;
using Kind = harness::StepResult::Kind;

/// A task was accepted, the pool was closed and joined; main asks for the outcome.
Story joined() {
  Story story({create(1), submit(1), close(), join(), get_for(1, 100ms)});
  return story.begins(1).born(3).ends(1).step(2).task(1, 3).step(3).begins(4).dies(3).ends(4);
}

Story lost() {
  return joined().step(5, result(Kind::kTimeout)).exits();
}

Guide no_task_lost() {
  return {.rule = "T1",
          .sources = {"https://docs.python.org/3/library/multiprocessing.html"
                      "#multiprocessing.pool.Pool.join",
                      "https://bugs.python.org/issue28699"},
          .exercised_by =
              "a task that was accepted, then close and a join that returns, then a "
              "get of that task (or next until an imap is exhausted)",
          .examples = {{"held", [] { return joined().step(5, value("none")).exits(); }},
                       {"violated", lost},
                       {"inconclusive", [] { return joined().begins(5).over(End::kFuse); }},
                       {"not applicable",
                        [] {
                          auto story = lost();
                          story.contract.join_waits = false;
                          return story;
                        }},
                       {"not exercised", [] { return joined().exits(); }}}};
}

Story run_twice() {
  Story story({create(2), submit(1), get(1)});
  story.begins(1).born(3).born(4).ends(1).step(2).begins(3).begins_task(1, 3);
  return story.dies(3, Killed{SIGKILL}).task(1, 4).ends(3, value("none")).exits();
}

Guide no_task_runs_twice() {
  return {.rule = "T2",
          .sources = {"https://docs.celeryq.dev/en/stable/userguide/configuration.html"
                      "#task-acks-late"},
          .exercised_by = "a task whose body begins",
          .examples = {{"held", [] { return joined().exits(); }},
                       {"violated", run_twice},
                       {"not exercised", [] {
                          return Story({create(1), submit(1)}).step(1).step(2).exits();
                        }}}};
}

Story got(BodyKind body, harness::StepResult outcome) {
  Story story({create(1), submit(1, body), get(1)});
  story.begins(1).born(3).ends(1).step(2).begins(3).task(1, 3);
  return story.ends(3, std::move(outcome)).exits();
}

Guide outcome_is_true() {
  return {.rule = "T3",
          .sources = {"https://docs.python.org/3/library/multiprocessing.html"
                      "#multiprocessing.pool.AsyncResult.get"},
          .exercised_by =
              "a get, or a next, that gives what a body comes to, a value or an error, or the "
              "error of a "
              "map's input",
          .examples = {{"held", [] { return got(BodyKind::kNothing, value("none")); }},
                       {"violated",
                        [] { return got(BodyKind::kRaise, result(Kind::kTaskError, "task 12")); }},
                       {"not exercised", [] { return joined().exits(); }}}};
}

/// A map of three items, and what it gives.
Story mapped(std::string list) {
  Story story({create(2), map(1, Form::kMap, 3), get(1)});
  story.begins(1).born(3).born(4).ends(1).step(2).begins(3);
  story.item(1, 1, 3).item(1, 3, 4).item(1, 2, 3);
  return story.ends(3, value(std::move(list))).exits();
}

Guide order_is_kept() {
  return {.rule = "T4",
          .sources = {"https://docs.python.org/3/library/multiprocessing.html"
                      "#multiprocessing.pool.Pool.imap"},
          .exercised_by = "a map, starmap, imap or imap_unordered whose results main takes",
          .examples = {{"held", [] { return mapped("[item:1,item:2,item:3]"); }},
                       {"violated", [] { return mapped("[item:1,item:3,item:2]"); }},
                       {"not exercised", [] { return got(BodyKind::kNothing, value("none")); }}}};
}

/// One worker has a task in hand when the pool is terminated, and another one is queued.
Story terminated_with_a_queue() {
  Story story({create(1), submit(1, BodyKind::kNever), submit(2), terminate()});
  return story.begins(1).born(3).ends(1).step(2).begins_task(1, 3).step(3).begins(4);
}

Guide nothing_starts_after_terminate() {
  return {.rule = "T5",
          .sources = {"https://docs.python.org/3/library/multiprocessing.html"
                      "#multiprocessing.pool.Pool.terminate",
                      "https://bugs.python.org/issue8428"},
          .exercised_by = "a task that is still queued when terminate is called",
          .examples = {
              {"held",
               [] { return terminated_with_a_queue().dies(3, Killed{SIGTERM}).ends(4).exits(); }},
              {"violated", [] { return terminated_with_a_queue().ends(4).task(2, 3).exits(); }},
              {"not exercised", [] {
                 Story story({create(1), submit(1), get(1), terminate()});
                 story.begins(1).born(3).ends(1).step(2).begins(3).task(1, 3).ends(3,
                                                                                   value("none"));
                 return story.step(4).exits();
               }}}};
}

/// A busy worker is killed, and main asks for its task.
Story busy_worker_killed(const harness::Step& last = get(1)) {
  Story story({create(2), submit(1, BodyKind::kNever), kill(Victim::kBusy), last});
  story.begins(1).born(3).born(4).ends(1).step(2).begins_task(1, 3);
  return story.begins(3).dies(3, Killed{SIGKILL}).ends(3, killed(3)).begins(4);
}

Guide worker_death_is_reported() {
  return {
      .rule = "T6",
      .sources = {"https://github.com/python/cpython/issues/66587",
                  "https://docs.python.org/3/library/concurrent.futures.html"
                  "#concurrent.futures.process.BrokenProcessPool"},
      .exercised_by =
          "a worker that dies with a task in hand (a kill step, a fault, or a body "
          "that ends its worker), and a get of that task that waits longer than the "
          "grace, or for ever",
      .examples = {
          {"held", [] { return busy_worker_killed().ends(4, result(Kind::kWorkerDied)).exits(); }},
          {"violated", [] { return busy_worker_killed().at_rest().over(End::kAtRest); }},
          {"inconclusive", [] { return busy_worker_killed().over(End::kFuse); }},
          {"not exercised", [] {
             auto story = busy_worker_killed(get_for(1, 50ms)).after(50ms);
             return story.ends(4, result(Kind::kTimeout)).exits();
           }}}};
}

Story after_a_task_error() {
  Story story({create(1), submit(1, BodyKind::kRaise), get(1), submit(2), get(2)});
  story.begins(1).born(3).ends(1).step(2).begins(3).begins_task(1, 3).ends_task(1, 3, "raised");
  return story.ends(3, result(Kind::kTaskError, "task 1"));
}

Guide errors_leave_the_pool_usable() {
  return {.rule = "T7",
          .sources = {"https://github.com/python/cpython/issues/79492",
                      "https://github.com/python/cpython/issues/103061"},
          .exercised_by =
              "a task that fails while its worker lives on (raise, unserializable), a get "
              "that tells of it, and then another submission to the open pool, with its "
              "outcome or its refusal",
          .examples = {
              {"held",
               [] {
                 return after_a_task_error()
                     .step(4)
                     .begins(5)
                     .task(2, 3)
                     .ends(5, value("none"))
                     .exits();
               }},
              {"violated",
               [] { return after_a_task_error().step(4).begins(5).at_rest().over(End::kAtRest); }},
              {"not exercised", [] {
                 auto story = after_a_task_error();
                 story.scenario.steps.resize(3);
                 return story.exits();
               }}}};
}

Story timed_get() {
  Story story({create(1), submit(1, BodyKind::kNever), get_for(1, 50ms)});
  return story.begins(1).born(3).ends(1).step(2).begins_task(1, 3).begins(3);
}

Guide timeouts_are_kept() {
  return {
      .rule = "T8",
      .sources = {"https://docs.python.org/3/library/multiprocessing.html"
                  "#multiprocessing.pool.AsyncResult.get"},
      .exercised_by = "a get, a next or a wait with a timeout",
      .examples = {
          {"held", [] { return timed_get().after(60ms).ends(3, result(Kind::kTimeout)).exits(); }},
          {"violated", [] { return timed_get().after(1100ms).over(End::kDeadline); }},
          {"inconclusive", [] { return timed_get().after(100ms).over(End::kLimit); }},
          {"not exercised", [] { return got(BodyKind::kNothing, value("none")); }}}};
}

/// A task with a callback whose get is not over yet.
Story called_back(std::string with) {
  Story story({create(1), submit(1), get(1), close(), join()});
  story.scenario.steps[1].callback = harness::Callback::kReturns;
  story.begins(1).born(3).ends(1).step(2).begins(3).task(1, 3);
  return with.empty() ? story : story.calls_back(1, std::move(with));
}
Story& and_joined(Story&& story) {
  return story.ends(3, value("none")).step(4).begins(5).dies(3).ends(5).exits();
}

Guide callbacks_run_once() {
  return {.rule = "T9",
          .sources = {"https://docs.python.org/3/library/multiprocessing.html"
                      "#multiprocessing.pool.Pool.apply_async",
                      "https://github.com/python/cpython/issues/83371"},
          .exercised_by =
              "a submit with a callback and a get that tells the outcome, then a join, "
              "or time to pass; of one that raises, any later use of the pool too",
          .examples = {{"held", [] { return and_joined(called_back("value")); }},
                       {"violated", [] { return and_joined(called_back("")); }},
                       {"not exercised", [] { return called_back("").over(End::kFuse); }}}};
}

/// Main asks for a task that is still running.
Story asked_for(std::string answer) {
  Story story({create(1), submit(1, BodyKind::kNever), {.kind = harness::StepKind::kReady}});
  story.scenario.steps[2].task = 1;
  story.begins(1).born(3).ends(1).step(2).begins_task(1, 3);
  return story.step(3, value(std::move(answer))).exits();
}

Guide readiness_is_true() {
  return {.rule = "T10",
          .sources = {"https://docs.python.org/3/library/multiprocessing.html"
                      "#multiprocessing.pool.AsyncResult.ready",
                      "https://docs.python.org/3/library/concurrent.futures.html"
                      "#concurrent.futures.Future.done"},
          .exercised_by =
              "a ready, or a wait, of a task that still runs, or whose outcome main has found "
              "before",
          .examples = {{"held", [] { return asked_for("false"); }},
                       {"violated", [] { return asked_for("true"); }},
                       {"not exercised", [] { return joined().exits(); }}}};
}

/// The task runs when main takes it back.
Story taken_back(std::string answer) {
  Story story(
      {create(1), submit(1, BodyKind::kNever), {.kind = harness::StepKind::kCancel}, get(1)});
  story.scenario.steps[2].task = 1;
  story.begins(1).born(3).ends(1).step(2).begins_task(1, 3);
  return story.step(3, value(std::move(answer)));
}

Guide cancel_is_true() {
  return {.rule = "T11",
          .sources = {"https://docs.python.org/3/library/concurrent.futures.html"
                      "#concurrent.futures.Future.cancel"},
          .exercised_by =
              "a cancel that says yes, or one that says no and a get that tells the outcome",
          .examples = {
              {"held", [] { return taken_back("true").step(4, result(Kind::kCancelled)).exits(); }},
              {"violated", [] { return taken_back("true").step(4, value("none")).exits(); }},
              {"not exercised", [] { return taken_back("false").exits(); }}}};
}

/// Main has the outcome of a task that has printed, and terminates the pool.
Story printed(const std::string& output) {
  Story story({create(1), submit(1, BodyKind::kPrint), get(1), terminate()});
  story.begins(1).born(3).ends(1).step(2).begins(3).task(1, 3).ends(3, value("none"));
  story.begins(4).dies(3, Killed{SIGTERM}).ends(4).exits();
  story.trace.out = {output, static_cast<std::int64_t>(output.size())};
  return story;
}

Guide output_is_written() {
  return {.rule = "T12",
          .sources = {"https://docs.python.org/3/library/multiprocessing.html"
                      "#multiprocessing.Process.terminate",
                      "https://pubs.opengroup.org/onlinepubs/9799919799/functions/fflush.html"},
          .exercised_by =
              "a task that prints, and a get or next that gives its value, where standard output "
              "is open and no fault is placed",
          .examples = {{"held", [] { return printed("printed by task 1\n"); }},
                       {"violated", [] { return printed(""); }},
                       {"not exercised", [] { return joined().exits(); }}}};
}

}  // namespace

std::vector<Guide> task_guides() {
  return {no_task_lost(),
          no_task_runs_twice(),
          outcome_is_true(),
          order_is_kept(),
          nothing_starts_after_terminate(),
          worker_death_is_reported(),
          errors_leave_the_pool_usable(),
          timeouts_are_kept(),
          callbacks_run_once(),
          readiness_is_true(),
          cancel_is_true(),
          output_is_written()};
}

}  // namespace poolproof::properties
