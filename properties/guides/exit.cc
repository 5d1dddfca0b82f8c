#include <csignal>

#include "properties/guides/guides.h"

namespace poolproof::properties {
namespace {

using namespace std::chrono_literals;
using harness::End;
using harness::EndingKind;
using sys::Exited;
using sys::Killed;

/// A pool of one worker that ran one task; main is about to end.
Story worked(EndingKind ending = EndingKind::kReturn, int code = 0) {
  Story story({create(1), submit(1), get(1)}, ending, code);
  return story.begins(1).born(3).ends(1).step(2).begins(3).task(1, 3).ends(3, value("none"));
}

Story hangs_at_exit() {
  return worked().ending().at_rest().over(End::kAtRest);
}

Guide process_exits() {
  return {.rule = "E1",
          .sources = {"https://bugs.python.org/issue39360",
                      "https://github.com/python/cpython/issues/82682"},
          .exercised_by = "main coming to its end after it has made a pool",
          .examples = {{"held", [] { return worked().exits(); }},
                       {"violated", hangs_at_exit},
                       {"inconclusive", [] { return worked().ending().over(End::kFuse); }},
                       {"not applicable",
                        [] {
                          auto story = hangs_at_exit();
                          story.contract.exit = Contract::Exit::kWaitsForClose;
                          return story;
                        }},
                       {"not exercised", [] { return Story({}).exits(); }}}};
}

Guide exit_status_is_true() {
  return {.rule = "E2",
          .sources = {"https://docs.python.org/3/library/sys.html#sys.exit",
                      "https://bugs.python.org/issue1054041",
                      "https://pubs.opengroup.org/onlinepubs/9699919799/functions/exit.html"},
          .exercised_by = "main dying of itself, by any ending whose status its language defines",
          .examples = {{"held", [] { return worked(EndingKind::kExit, 7).exits(Exited{7}); }},
                       {"violated", [] { return worked(EndingKind::kExit, 7).exits(Exited{0}); }},
                       {"inconclusive", [] { return worked().exits(Killed{SIGKILL}); }},
                       {"not exercised",
                        [] { return worked(EndingKind::kExit, 7).ending().over(End::kFuse); }}}};
}

Guide output_reaches_eof() {
  return {
      .rule = "E3",
      .sources = {"https://nexte.st/docs/features/leaky-tests/",
                  "https://github.com/python/cpython/issues/111873"},
      .exercised_by = "a process of the pool that is still there when main dies",
      .examples = {
          {"held", [] { return worked().ending().dies(Story::kMain).after(500ms).dies(3).eof(); }},
          {"violated",
           [] { return worked().ending().dies(Story::kMain).after(1100ms).dies(3).eof(); }},
          {"inconclusive",
           [] { return worked().ending().dies(Story::kMain).over(End::kFuse).eof(); }},
          {"not exercised", [] { return worked().exits(); }}}};
}

}  // namespace

std::vector<Guide> exit_guides() {
  return {process_exits(), exit_status_is_true(), output_reaches_eof()};
}

}  // namespace poolproof::properties
