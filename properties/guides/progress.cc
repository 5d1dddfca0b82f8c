#include "properties/guides/guides.h"

#include <csignal>

namespace poolproof::properties {
namespace {

using namespace std::chrono_literals;
using harness::BodyKind;
using harness::End;

/// Main waits for a task.
Story waiting(BodyKind body = BodyKind::kNothing) {
  Story story({create(1), submit(1, body), get(1)});
  return story.begins(1).born(3).ends(1).step(2).begins(3);
}

Guide no_deadlock() {
  return {.rule = "P1",
          .sources = {"https://github.com/python/cpython/issues/94777",
                      "https://github.com/python/cpython/issues/96062",
                      "https://github.com/python/cpython/issues/155477"},
          .exercised_by =
              "a pool, and main coming to its end, or a tree at rest before that in a wait "
              "that a healthy pool ends by itself",
          .examples = {
              {"held", [] { return waiting().task(1, 3).ends(3, value("none")).exits(); }},
              {"violated", [] { return waiting().at_rest().over(End::kAtRest); }},
              {"inconclusive", [] { return waiting().at_rest(false).over(End::kFuse); }},
              {"not exercised", [] {
                 return waiting(BodyKind::kNever).begins_task(1, 3).at_rest().over(End::kAtRest);
               }}}};
}

/// Main stands in the join of a closed pool that has done its task.
Story joining() {
  Story story({create(1), submit(1), close(), join()});
  return story.begins(1).born(3).ends(1).step(2).task(1, 3).step(3).begins(4);
}

harness::Polling polling(std::string doubt = "") {
  return {.since = 8ms,
          .pollers = {{Story::kMain, Story::kMain, "sleep", 612}},
          .doubt = std::move(doubt)};
}

Guide no_livelock() {
  return {.rule = "P2",
          .sources = {"https://github.com/python/cpython/issues/87472"},
          .exercised_by =
              "a pool, and main coming to its end, or a wait that a healthy pool ends "
              "by itself",
          .examples = {{"held", [] { return joining().dies(3).ends(4).exits(); }},
                       {"violated",
                        [] { return joining().after(1200ms).add(polling()).over(End::kPolling); }},
                       {"inconclusive",
                        [] { return joining().add(polling("a network socket")).over(End::kFuse); }},
                       {"not exercised", [] {
                          auto story = waiting(BodyKind::kNever).begins_task(1, 3);
                          return story.add(polling()).over(End::kPolling);
                        }}}};
}

/// A fault kills the worker that has the one task.
Story hit_in_its_task() {
  return waiting().begins_task(1, 3).hit("worker:task:1=SIGKILL", 3).dies(3, sys::Killed{SIGKILL});
}

Guide recoverable_from_anywhere() {
  using Kind = harness::StepResult::Kind;
  return {
      .rule = "P3",
      .sources = {"https://bugs.python.org/issue19675",
                  "https://www.usenix.org/legacy/events/hotos03/tech/full_papers/candea/"
                  "candea.pdf"},
      .exercised_by = "a fault that fires (check --faults, --sweep), and main coming to its end",
      .examples = {
          {"held", [] { return hit_in_its_task().ends(3, result(Kind::kWorkerDied)).exits(); }},
          {"violated", [] { return hit_in_its_task().at_rest().over(End::kAtRest); }},
          {"inconclusive", [] { return hit_in_its_task().at_rest(false).over(End::kFuse); }},
          {"not exercised", [] { return waiting().task(1, 3).ends(3, value("none")).exits(); }}}};
}

}  // namespace

std::vector<Guide> progress_guides() {
  return {no_deadlock(), no_livelock(), recoverable_from_anywhere()};
}

}  // namespace poolproof::properties
