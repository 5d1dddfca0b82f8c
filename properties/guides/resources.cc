#include "properties/guides/guides.h"

namespace poolproof::properties {
namespace {

using namespace std::chrono_literals;
using harness::End;
using harness::LeftOver;

/// A pool comes and goes, and main then has these open beside its three streams.
Story with_open_after(std::vector<std::string> files, std::vector<harness::Step> steps) {
  auto main = plain_main();
  int fd = 3;
  for (auto& file : files) main.descriptors.push_back({fd++, std::move(file)});
  Story story(std::move(steps));
  story.main_is("started").begins(1).born(3).ends(1);
  for (int step = 2; step <= story.scenario.length(); ++step) story.step(step);
  return story.ending().main_is("ending", std::move(main)).dies(3).dies(Story::kMain).eof();
}

Guide no_descriptor_left() {
  return {
      .rule = "R1",
      .sources = {"https://bugs.python.org/issue33056", "https://bugs.python.org/issue34172"},
      .exercised_by =
          "a pool that is over (joined, or dropped with nothing pending) when main "
          "begins to end",
      .examples = {{"held",
                    [] {
                      return with_open_after({}, {create(1), close(), join()});
                    }},
                   {"violated",
                    [] {
                      return with_open_after({"pipe:[8]"}, {create(1), close(), join()});
                    }},
                   {"not exercised", [] { return with_open_after({"pipe:[8]"}, {create(1)}); }}}};
}

/// All are gone, in a sandbox whose folders nobody else has.
Story all_gone(int rung = 1) {
  Story story({create(1)});
  story.trace.rung = rung;
  return story.begins(1).born(3).ends(1).exits();
}

/// The warden killed who might have cleared up.
Story killed_before_clearing_up() {
  Story story({create(1)});
  story.trace.rung = 1;
  return story.begins(1).born(3).ends(1).ending().dies(Story::kMain).at_rest().over(End::kAtRest);
}

Guide no_shared_memory_left() {
  return {.rule = "R2",
          .sources = {"https://man7.org/linux/man-pages/man7/shm_overview.7.html",
                      "https://docs.python.org/3/library/multiprocessing.html"
                      "#contexts-and-start-methods"},
          .exercised_by = "a pool whose processes have all ended by themselves",
          .examples = {{"held", [] { return all_gone(); }},
                       {"violated",
                        [] {
                          return all_gone().add(LeftOver{"/dev/shm", 2});
                        }},
                       {"inconclusive",
                        [] {
                          return all_gone(2).add(LeftOver{"/dev/shm", 2});
                        }},
                       {"not exercised", killed_before_clearing_up}}};
}

Guide no_file_left() {
  return {.rule = "R3",
          .sources = {"https://docs.python.org/3/library/tempfile.html#tempfile.mkdtemp"},
          .exercised_by = "a pool whose processes have all ended by themselves",
          .examples = {{"held", [] { return all_gone(); }},
                       {"violated",
                        [] {
                          return all_gone().add(LeftOver{"/tmp", 1});
                        }},
                       {"inconclusive",
                        [] {
                          return all_gone(2).add(LeftOver{"/tmp", 1});
                        }},
                       {"not exercised", killed_before_clearing_up}}};
}

/// The pool has a thread in main, 21, and main goes on after the join.
Story with_a_thread() {
  Story story({create(1), close(), join(), sleep_for(1500ms)});
  story.begins(1).born(3).add(harness::ThreadBorn{Story::kMain, 21}).ends(1).step(2).begins(3);
  return story.dies(3);
}

Guide no_thread_left() {
  return {.rule = "R4",
          .sources = {"https://bugs.python.org/issue33056", "https://bugs.python.org/issue34172"},
          .exercised_by =
              "a pool that is over, and either all of its threads gone, or main alive "
              "for longer than the grace after that",
          .examples = {
              {"held",
               [] {
                 auto story = with_a_thread().add(harness::ThreadDead{Story::kMain, 21});
                 return story.ends(3).begins(4).after(1500ms).ends(4).exits();
               }},
              {"violated",
               [] { return with_a_thread().ends(3).begins(4).after(1500ms).ends(4).exits(); }},
              {"not exercised", [] { return with_a_thread().ends(3).begins(4).ends(4).exits(); }}}};
}

}  // namespace

std::vector<Guide> resource_guides() {
  return {no_descriptor_left(), no_shared_memory_left(), no_file_left(), no_thread_left()};
}

}  // namespace poolproof::properties
