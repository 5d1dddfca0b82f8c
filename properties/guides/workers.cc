#include <csignal>

#include "properties/guides/guides.h"

namespace poolproof::properties {
namespace {

using namespace std::chrono_literals;
using harness::BodyKind;
using harness::End;
using harness::EndingKind;
using harness::Snapshot;
using sys::Exited;
using sys::Killed;

constexpr std::string_view kPool =
    "https://docs.python.org/3/library/multiprocessing.html#multiprocessing.pool.Pool";
constexpr std::string_view kDaemon =
    "https://docs.python.org/3/library/multiprocessing.html#multiprocessing.Process.daemon";

Story worked(EndingKind ending = EndingKind::kReturn) {
  Story story({create(1), submit(1), get(1)}, ending);
  return story.begins(1).born(3).ends(1).step(2).begins(3).task(1, 3).ends(3, value("none"));
}

/// Main was killed; its worker is still there.
Story main_killed() {
  return worked(EndingKind::kSigkill).ending().dies(Story::kMain, Killed{SIGKILL});
}

Guide no_worker_outlives_parent() {
  return {.rule = "W1",
          .sources = {"https://github.com/python/cpython/issues/111873",
                      "https://man7.org/linux/man-pages/man2/prctl.2.html"},
          .exercised_by = "a process of main's tree that is still there when main dies",
          .examples = {
              {"held", [] { return main_killed().after(40ms).dies(3, Killed{SIGTERM}).eof(); }},
              {"violated", [] { return main_killed().after(1100ms).over(End::kGrace); }},
              {"violated", [] { return main_killed().at_rest().over(End::kAtRest); }},
              {"inconclusive", [] { return main_killed().after(500ms).over(End::kFuse); }},
              {"not exercised", [] { return worked().exits(); }}}};
}

Story late_exit() {
  return worked().ending().after(1100ms).dies(3).dies(Story::kMain).eof();
}

Guide workers_are_daemons() {
  return {.rule = "W2",
          .sources = {kDaemon},
          .exercised_by =
              "a live worker when main begins to end with cleanup (return, raise, "
              "exit), or a list of workers that says what they are",
          .examples = {{"held", [] { return worked().exits(); }},
                       {"violated", late_exit},
                       {"inconclusive", [] { return worked().ending().over(End::kFuse); }},
                       {"not applicable",
                        [] {
                          auto story = worked().exits();
                          story.contract.exit = Contract::Exit::kDrains;
                          story.contract.workers_are_daemons = false;
                          return story;
                        }},
                       {"not exercised", [] { return worked().dies(3).exits(); }}}};
}

/// Closed and joined, with this table of processes when join has returned.
Story joined_with(std::vector<Snapshot::Process> table) {
  Story story({create(1), submit(1), get(1), close(), join()});
  story.begins(1).born(3).ends(1).step(2).begins(3).task(1, 3).ends(3, value("none"));
  story.step(4).begins(5).dies(3).ends(5).add(Snapshot{.step = 5, .processes = std::move(table)});
  return story.exits();
}

Guide no_zombie_left() {
  return {.rule = "W3",
          .sources = {"https://man7.org/linux/man-pages/man2/wait.2.html",
                      "https://github.com/puma/puma/issues/3313"},
          .exercised_by =
              "join returning after the pool's workers were started, or a tree at rest "
              "in which one has died",
          .examples = {{"held",
                        [] {
                          return joined_with({{2, 'S', 1}});
                        }},
                       {"violated",
                        [] {
                          return joined_with({{2, 'S', 1}, {3, 'Z', 2}});
                        }},
                       {"not exercised", [] { return worked().exits(); }}}};
}

/// A pool of one, and so many workers that ran a task at the same time.
Story workers_at_once(int workers) {
  Story story({create(1), submit(1), submit(2)});
  story.begins(1);
  for (int i = 0; i < workers; ++i) story.born(3 + i);
  story.ends(1).step(2).step(3).task(1, 3);
  return story.task(2, workers > 1 ? 4 : 3).exits();
}

/// A pool of two: worker 3 dies of its task, and main sleeps on.
Story loses_one() {
  Story story({create(2), submit(1, BodyKind::kKillSelf), sleep_for(1500ms)});
  story.begins(1).born(3).born(4).ends(1).step(2).begins_task(1, 3).begins(3);
  return story.dies(3, Killed{SIGKILL}).after(1500ms).ends(3).exits();
}

Guide worker_count_is_bounded() {
  return {.rule = "W4",
          .sources = {kPool, "https://github.com/puma/puma/issues/3313"},
          .exercised_by =
              "a pool that was made with a number of workers and runs a task, or that has lost a "
              "worker and is in use for longer than the grace after that, or that was resized so "
              "long before main asks for its workers",
          .examples = {{"held", [] { return workers_at_once(1); }},
                       {"violated", [] { return workers_at_once(2); }},
                       {"violated", loses_one},
                       {"not exercised", [] {
                          Story story({of_kind(harness::StepKind::kCreate), submit(1)});
                          return story.begins(1).born(3).ends(1).step(2).task(1, 3).exits();
                        }}}};
}

/// A pool without a number, in which two workers run tasks at once.
Story default_count(const std::string& processors) {
  Story story({of_kind(harness::StepKind::kCreate), submit(1), submit(2)});
  auto main = plain_main();
  main.processors = processors;
  story.main_is("started", main).begins(1).born(3).born(4).ends(1).step(2).step(3);
  return story.task(1, 3).task(2, 4).exits();
}

Guide default_worker_count() {
  return {.rule = "W5",
          .sources = {kPool, "https://github.com/python/cpython/issues/109649",
                      "https://man7.org/linux/man-pages/man2/sched_setaffinity.2.html"},
          .exercised_by =
              "a pool that was made without a number and has as many workers at once "
              "as main may use processors, or more",
          .examples = {{"held", [] { return default_count("0-1"); }},
                       {"violated", [] { return default_count("0"); }},
                       {"not exercised", [] { return default_count("0-3"); }}}};
}

Story with_quota(int quota) {
  auto made = create(1);
  made.quota = quota;
  Story story({made, submit(1), submit(2), close(), join()});
  return story.begins(1).born(3).ends(1).step(2).step(3).task(1, 3);
}

Guide task_quota_is_kept() {
  return {.rule = "W6",
          .sources = {kPool, "https://github.com/celery/billiard/issues/278"},
          .exercised_by = "a pool with a task quota, and enough tasks that a worker reaches it",
          .examples = {
              {"held",
               [] {
                 auto story = with_quota(1).dies(3).born(4).task(2, 4).step(4).begins(5);
                 return story.dies(4).ends(5).exits();
               }},
              {"violated", [] { return with_quota(1).task(2, 3).step(4).step(5).exits(); }},
              {"not exercised", [] { return with_quota(5).task(2, 3).step(4).step(5).exits(); }}}};
}

/// Worker 3 leaves process 4 running, and then is let go; main sleeps on.
Story leaves_a_child() {
  Story story({create(1), submit(1, BodyKind::kLeaveChild), close(), join(), sleep_for(1500ms)});
  story.begins(1).born(3).ends(1).step(2).begins_task(1, 3).born(4, 3).ends_task(1, 3);
  return story.step(3).begins(4).dies(3);
}

Story child_stays() {
  return leaves_a_child().ends(4).begins(5).after(1500ms).ends(5).exits();
}

Guide daemons_have_no_children() {
  return {.rule = "W7",
          .sources = {kDaemon},
          .exercised_by =
              "a task that leaves a child of its own running (leave_child), whose "
              "worker ends while main lives on for longer than the grace",
          .examples = {{"held",
                        [] {
                          auto story = leaves_a_child().dies(4, Killed{SIGKILL}).ends(4);
                          return story.begins(5).after(1500ms).ends(5).exits();
                        }},
                       {"violated", child_stays},
                       {"not applicable",
                        [] {
                          auto story = child_stays();
                          story.contract.ends_task_children = false;
                          return story;
                        }},
                       {"not exercised", [] { return leaves_a_child().ends(4).exits(); }}}};
}

/// Main waits for a task of a pool whose workers all fail at once; the first so many do.
Story with_failing_workers(int deaths) {
  auto made = create(1);
  made.initializer = harness::Initializer::kRaises;
  Story story({made, submit(1), get(1)});
  story.step(1).step(2).begins(3);
  for (int i = 0; i < deaths; ++i) story.born(10 + i).dies(10 + i, Exited{1});
  return story;
}

Guide no_respawn_storm() {
  return {
      .rule = "W8",
      .sources = {"https://github.com/python/cpython/issues/87472"},
      .exercised_by = "an initializer that fails, or another reason why each worker dies at once",
      .examples = {{"held",
                    [] {
                      return with_failing_workers(2)
                          .ends(3, result(harness::StepResult::Kind::kError, "initializer failed"))
                          .exits();
                    }},
                   {"violated", [] { return with_failing_workers(50).over(End::kLimit); }},
                   {"not exercised", [] { return with_failing_workers(10).over(End::kLimit); }}}};
}

/// Two workers at work, and what the pool says that it has.
Story listed(std::vector<harness::StepResult::Listed> workers_listed) {
  Story story({create(2), submit(1), submit(2), workers()});
  story.begins(1).born(3).born(4).ends(1).step(2).step(3).task(1, 3).task(2, 4);
  return story.step(4, listing(std::move(workers_listed))).after(25ms).exits();
}

Guide active_children_are_true() {
  return {.rule = "W9",
          .sources = {"https://docs.python.org/3/library/multiprocessing.html"
                      "#multiprocessing.active_children"},
          .exercised_by = "a workers step on a pool that is open and whose workers are processes",
          .examples = {{"held",
                        [] {
                          return listed({{.pid = 3}, {.pid = 4}});
                        }},
                       {"violated", [] { return listed({{.pid = 3}}); }},
                       {"not exercised", [] {
                          Story story({create(1), submit(1), close(), workers()});
                          story.begins(1).born(3).ends(1).step(2).task(1, 3).step(3);
                          return story.step(4, listing({})).exits();
                        }}}};
}

}  // namespace

std::vector<Guide> worker_guides() {
  return {no_worker_outlives_parent(), workers_are_daemons(),  no_zombie_left(),
          worker_count_is_bounded(),   default_worker_count(), task_quota_is_kept(),
          daemons_have_no_children(),  no_respawn_storm(),     active_children_are_true()};
}

}  // namespace poolproof::properties
