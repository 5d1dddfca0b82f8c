#include <csignal>

#include "properties/guides/guides.h"

namespace poolproof::properties {
namespace {

/// Main has a program of its own, 9, which sleeps beside a pool of one worker, 3.
Story with_program() {
  Story story({create(1), of_kind(harness::StepKind::kLaunch), terminate(),
               of_kind(harness::StepKind::kReap)});
  story.begins(1).born(3).ends(1).begins(2).born(9);
  return story.add(harness::OwnChild{Story::kMain, 9}).ends(2).begins(3);
}

Story reaped(Story story) {
  story.dies(3).ends(3).begins(4).dies(9, sys::Killed{SIGKILL});
  return story.ends(4, value("killed 9")).exits();
}

Guide foreign_processes_are_left_alone() {
  return {
      .rule = "I1",
      .sources = {"https://github.com/dotnet/runtime/issues/33297",
                  "https://github.com/benoitc/gunicorn/issues/371"},
      .exercised_by =
          "a launch step, and a pool that is there before main reaps the program; or a "
          "neighbour step that asks another pool to work",
      .examples = {{"held", [] { return reaped(with_program()); }},
                   {"violated",
                    [] {
                      auto story = with_program().add(harness::Signalled{9, SIGTERM, Story::kMain});
                      story.dies(9, sys::Killed{SIGTERM}).dies(3).ends(3);
                      return story.step(4, value("killed 15")).exits();
                    }},
                   {"not exercised", [] {
                      Story story({create(1), terminate()});
                      return story.begins(1).born(3).ends(1).begins(2).dies(3).ends(2).exits();
                    }}}};
}

/// A pool comes and goes, and main is then as `after` says.
Story with_main_after(harness::MainState after) {
  Story story({create(1), close(), join()});
  story.main_is("started").begins(1).born(3).ends(1).step(2).begins(3).dies(3).ends(3);
  return story.ending().main_is("ending", std::move(after)).dies(Story::kMain).eof();
}

harness::MainState with_umask(std::string umask) {
  auto main = plain_main();
  main.umask = std::move(umask);
  return main;
}

Guide main_is_left_as_it_was() {
  return {.rule = "I2",
          .sources = {"https://docs.fedoraproject.org/en-US/defensive-coding/tasks/"
                      "Tasks-Library_Design/"},
          .exercised_by =
              "a pool that is over (joined, or dropped with nothing pending) when main "
              "begins to end",
          .examples = {{"held", [] { return with_main_after(plain_main()); }},
                       {"violated", [] { return with_main_after(with_umask("0077")); }},
                       {"not exercised", [] {
                          Story story({create(1)});
                          story.main_is("started").begins(1).born(3).ends(1).ending();
                          story.main_is("ending", with_umask("0077")).dies(3);
                          return story.dies(Story::kMain).eof();
                        }}}};
}

/// A task of worker 3's looks into standard input, where main's holds a line.
Story reading_input(int bytes, bool holds_a_line = true) {
  Story story({create(1), submit(1, harness::BodyKind::kReadInput), get(1)});
  if (holds_a_line) story.scenario.inherits = {harness::Inherited::kInput};
  story.begins(1).born(3).ends(1).step(2).begins(3).begins_task(1, 3);
  story.add(harness::TaskEnded{3, 1, "returned", 0, bytes});
  return story.ends(3, value("none")).exits();
}

Guide input_stays_mains() {
  return {.rule = "I3",
          .sources = {"https://docs.python.org/3/library/multiprocessing.html"
                      "#all-start-methods",
                      "https://github.com/bundlewrap/bundlewrap/pull/7"},
          .exercised_by = "a task read_input that comes to its end, where main inherits input",
          .examples = {{"held", [] { return reading_input(0); }},
                       {"violated", [] { return reading_input(1); }},
                       {"not exercised", [] { return reading_input(0, false); }}}};
}

}  // namespace

std::vector<Guide> isolation_guides() {
  return {foreign_processes_are_left_alone(), main_is_left_as_it_was(), input_stays_mains()};
}

}  // namespace poolproof::properties
