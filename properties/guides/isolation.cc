#include "properties/guides/guides.h"

namespace poolproof::properties {
namespace {

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

}  // namespace

std::vector<Guide> isolation_guides() {
  return {main_is_left_as_it_was()};
}

}  // namespace poolproof::properties
