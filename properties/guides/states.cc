#include <csignal>

#include "properties/guides/guides.h"

namespace poolproof::properties {
namespace {

using namespace std::chrono_literals;
using harness::BodyKind;
using harness::End;
using harness::OwnChild;
using sys::Killed;
using Kind = harness::StepResult::Kind;

constexpr std::string_view kPool =
    "https://docs.python.org/3/library/multiprocessing.html#multiprocessing.pool.Pool";
constexpr std::string_view kJoin =
    "https://docs.python.org/3/library/multiprocessing.html#multiprocessing.pool.Pool.join";
constexpr std::string_view kClose =
    "https://docs.python.org/3/library/multiprocessing.html#multiprocessing.pool.Pool.close";
constexpr std::string_view kTerminate =
    "https://docs.python.org/3/library/multiprocessing.html#multiprocessing.pool.Pool.terminate";
constexpr std::string_view kShutdown =
    "https://docs.python.org/3/library/concurrent.futures.html"
    "#concurrent.futures.Executor.shutdown";

Story closed_then_submit() {
  return Story({create(1), close(), submit(1)}).begins(1).born(3).ends(1).step(2);
}

Guide submit_after_close_is_refused() {
  return {.rule = "S1",
          .sources = {kClose, kShutdown},
          .exercised_by = "a submission after a close or terminate that went well",
          .examples = {
              {"held", [] { return closed_then_submit().step(3, result(Kind::kRefused)).exits(); }},
              {"violated", [] { return closed_then_submit().step(3).exits(); }},
              {"not exercised", [] {
                 return Story({create(1), submit(1)}).begins(1).born(3).ends(1).step(2).exits();
               }}}};
}

Story join_while_running() {
  return Story({create(1), join()}).begins(1).born(3).ends(1);
}

Guide join_before_close_is_refused() {
  return {
      .rule = "S2",
      .sources = {kJoin},
      .exercised_by = "a join on a pool that was neither closed nor terminated",
      .examples = {
          {"held", [] { return join_while_running().step(2, result(Kind::kRefused)).exits(); }},
          {"violated", [] { return join_while_running().begins(2).at_rest().over(End::kAtRest); }},
          {"inconclusive", [] { return join_while_running().begins(2).over(End::kFuse); }},
          {"not applicable",
           [] {
             auto story = join_while_running().step(2).exits();
             story.contract.join_needs_close = false;
             return story;
           }},
          {"not exercised", [] {
             return Story({create(1), close(), join()}).step(1).step(2).step(3).exits();
           }}}};
}

Story closed_twice() {
  return Story({create(1), close(), close()}).begins(1).born(3).ends(1).step(2);
}

Guide endings_are_idempotent() {
  return {.rule = "S3",
          .sources = {"https://docs.oracle.com/en/java/javase/17/docs/api/java.base/java/util/"
                      "concurrent/ExecutorService.html#shutdown()",
                      kShutdown},
          .exercised_by =
              "a second close, terminate or join after the first one, or two threads that make the "
              "call "
              "at once",
          .examples = {
              {"held", [] { return closed_twice().step(3).exits(); }},
              {"violated",
               [] {
                 return closed_twice().step(3, result(Kind::kRefused, "Pool not running")).exits();
               }},
              {"inconclusive", [] { return closed_twice().begins(3).over(End::kFuse); }},
              {"not exercised", [] {
                 return Story({create(1), close(), join()}).step(1).step(2).step(3).exits();
               }}}};
}

Story terminated_busy() {
  Story story({create(1), submit(1, BodyKind::kNever), terminate(), join()});
  return story.begins(1).born(3).ends(1).step(2).begins_task(1, 3).begins(3);
}

Guide terminate_is_prompt() {
  return {
      .rule = "S4",
      .sources = {kTerminate, "https://bugs.python.org/issue42963",
                  "https://github.com/oracle/opengrok/issues/3650"},
      .exercised_by = "a terminate, and the join after it",
      .examples = {
          {"held",
           [] { return terminated_busy().dies(3, Killed{SIGTERM}).ends(3).step(4).exits(); }},
          {"violated",
           [] { return terminated_busy().ends(3).begins(4).after(1200ms).over(End::kDeadline); }},
          {"inconclusive", [] { return terminated_busy().over(End::kFuse); }},
          {"not exercised", [] { return closed_twice().step(3).exits(); }}}};
}

/// Two tasks are accepted before close, and main joins.
Story closed_with_a_queue() {
  Story story({create(1), submit(1, BodyKind::kSleep, 30), submit(2), close(), join()});
  return story.begins(1).born(3).ends(1).step(2).step(3).step(4).begins(5);
}

Guide close_drains() {
  return {.rule = "S5",
          .sources = {kClose, kShutdown},
          .exercised_by =
              "a task that is still queued or running at close, no terminate, and a "
              "join that returns",
          .examples = {
              {"held",
               [] { return closed_with_a_queue().task(1, 3).task(2, 3).dies(3).ends(5).exits(); }},
              {"violated", [] { return closed_with_a_queue().task(1, 3).dies(3).ends(5).exits(); }},
              {"not applicable",
               [] {
                 auto story = closed_with_a_queue().task(1, 3).ends(5).exits();
                 story.contract.join_waits = false;
                 return story;
               }},
              {"not exercised", [] {
                 Story story({create(1), submit(1), get(1), close(), join()});
                 story.begins(1).born(3).ends(1).step(2).begins(3).task(1, 3);
                 story.ends(3, value("none")).step(4).begins(5);
                 return story.dies(3).ends(5).exits();
               }}}};
}

/// One worker that has done a task; main has dropped its pool in step 3, and lives on.
Story dropped(harness::Farewell farewell = harness::Farewell::kPlain) {
  Story story({create(1), submit(1), drop(), sleep_for(1500ms)});
  story.scenario.steps[2].farewell = farewell;
  return story.begins(1).born(3).ends(1).step(2).task(1, 3).step(3).begins(4);
}

Story lives_on(Story story) {
  return story.after(1500ms).ends(4).exits();
}

Guide dropped_pool_is_released() {
  return {.rule = "S6",
          .sources = {"https://bugs.python.org/issue34172"},
          .exercised_by =
              "a drop of the last reference, after which main lives on for longer than "
              "the grace with no task pending; a create that fails, after which main lives on so "
              "long",
          .examples = {{"held", [] { return lives_on(dropped().dies(3)); }},
                       {"violated", [] { return lives_on(dropped()); }},
                       {"not applicable",
                        [] {
                          auto story = lives_on(dropped());
                          story.contract.drop_ends_pool = false;
                          return story;
                        }},
                       {"not exercised", [] { return dropped().after(20ms).ends(4).exits(); }}}};
}

Guide scope_ends_the_pool() {
  return {.rule = "S7",
          .sources = {kPool, kShutdown},
          .exercised_by =
              "a drop by scope or scope_error, after which main lives on for longer than "
              "the grace",
          .examples = {
              {"held", [] { return lives_on(dropped(harness::Farewell::kScopeError).dies(3)); }},
              {"violated", [] { return lives_on(dropped(harness::Farewell::kScopeError)); }},
              {"not exercised", [] { return lives_on(dropped().dies(3)); }}}};
}

/// Main has forked its own child, 9, beside a pool of one worker, 3.
Story forking() {
  harness::Step fork{.kind = harness::StepKind::kFork};
  Story story({create(1), fork, submit(1), get(1)});
  return story.begins(1).born(3).ends(1).begins(2).born(9).add(OwnChild{Story::kMain, 9});
}

Story goes_on(Story story) {
  return story.step(3).begins(4).task(1, 3).ends(4, value("none")).exits();
}

Guide forked_child_does_no_harm() {
  return {
      .rule = "S8",
      .sources = {"https://github.com/python/cpython/issues/146313",
                  "https://bugs.python.org/issue14548"},
      .exercised_by = "a fork step while a pool is there",
      .examples = {{"held", [] { return goes_on(forking().dies(9).ends(2, value("exited 0"))); }},
                   {"violated", [] { return forking().at_rest().over(End::kAtRest); }},
                   {"not exercised", [] {
                      Story story({create(1), submit(1), get(1)});
                      story.begins(1).born(3).ends(1).step(2).begins(3).task(1, 3);
                      return story.ends(3, value("none")).exits();
                    }}}};
}

/// A task is done, and main goes on to another.
Story working() {
  Story story({create(1), submit(1), submit(2)});
  return story.begins(1).born(3).ends(1).step(2).task(1, 3);
}

Guide running_pool_keeps_its_workers() {
  return {
      .rule = "S9",
      .sources = {"https://docs.python.org/3/library/multiprocessing.html"
                  "#multiprocessing.pool.Pool"},
      .exercised_by = "a worker that has run a task, or was listed, while the pool was in use",
      .examples = {
          {"held", [] { return working().step(3).task(2, 3).exits(); }},
          {"violated", [] { return working().dies(3, sys::Killed{SIGKILL}).step(3).exits(); }},
          {"not exercised", [] { return Story({create(1)}).begins(1).born(3).ends(1).exits(); }}}};
}

Guide bad_count_is_refused() {
  return {.rule = "S10",
          .sources = {kPool,
                      "https://docs.python.org/3/library/concurrent.futures.html"
                      "#concurrent.futures.ProcessPoolExecutor"},
          .exercised_by = "a create, or a resize, with a number of workers below 1",
          .examples = {
              {"held", [] { return Story({create(0)}).step(1, result(Kind::kRefused)).exits(); }},
              {"violated", [] { return Story({create(-1)}).step(1).exits(); }},
              {"not exercised", [] { return Story({create(1)}).step(1).exits(); }}}};
}

Guide legal_calls_are_taken() {
  return {.rule = "S11",
          .sources = {kPool, kJoin},
          .exercised_by =
              "a submission, close, join or resize that the pool's state allows, before "
              "anything has gone wrong",
          .examples = {
              {"held",
               [] {
                 return Story({create(1), close()}).step(1).step(2).exits();
               }},
              {"violated",
               [] {
                 return Story({create(1), close()}).step(1).step(2, result(Kind::kError)).exits();
               }},
              {"not exercised", [] { return Story({create(1)}).step(1).exits(); }}}};
}

}  // namespace

std::vector<Guide> state_guides() {
  return {submit_after_close_is_refused(),
          join_before_close_is_refused(),
          endings_are_idempotent(),
          terminate_is_prompt(),
          close_drains(),
          dropped_pool_is_released(),
          scope_ends_the_pool(),
          forked_child_does_no_harm(),
          running_pool_keeps_its_workers(),
          bad_count_is_refused(),
          legal_calls_are_taken()};
}

}  // namespace poolproof::properties
