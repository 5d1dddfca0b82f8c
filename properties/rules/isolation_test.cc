#include <gtest/gtest.h>

#include "properties/rules/made_trace.h"

namespace poolproof::properties {
namespace {

using harness::MainState;
using namespace std::chrono_literals;

/// A pool comes and goes, and main is then as `after` says.
Story with_main_after(MainState after) {
  Story story({create(1), close(), join()});
  story.main_is("started").begins(1).born(3).ends(1).step(2).begins(3).dies(3).ends(3);
  return story.ending().main_is("ending", std::move(after)).dies(Story::kMain).eof();
}

TEST(MainIsLeftAsItWas, IsHeldWhenItIs) {
  EXPECT_EQ(with_main_after(plain_main()).outcome("I2"), "held");
}

TEST(MainIsLeftAsItWas, IsViolatedByEachThingForItself) {
  struct Change {
    std::string MainState::*what;
    std::string to;
    std::string says;
  };
  const Change changes[] = {
      {&MainState::blocked, "0000000000004000", "it blocks SIGTERM"},
      {&MainState::ignored, "0000000000001000", "it ignores SIGXFSZ no more"},
      {&MainState::caught, "0000000000010002", "it catches SIGCHLD"},
      {&MainState::caught, "8000000000000002", "it catches signal 64"},
      {&MainState::umask, "0077", "its umask is 0077, not 0022"},
      {&MainState::folder, "/", "its working folder is /, not /home"},
      {&MainState::root, "/jail", "its root folder is /jail, not /"},
      {&MainState::nice, "5", "its nice value is 5, not 0"},
      {&MainState::group, "7", "its process group is 7, not 2"},
      {&MainState::session, "7", "its session is 7, not 2"},
      {&MainState::limits, "Max open files 4096 4096 files; Max core file size 0 0 bytes",
       "its limits are others: Max open files 4096 4096 files"},
  };
  for (const auto& [what, to, says] : changes) {
    auto after = plain_main();
    after.*what = to;
    const auto story = with_main_after(after);
    EXPECT_EQ(story.violated(), std::vector<std::string>{"I2"}) << says;
    EXPECT_EQ(story.says("I2"),
              "at its end, after join (step 3), main is not as it was before the pool: " + says);
  }
}

/// What main has changed itself is to stay so.
TEST(MainIsLeftAsItWas, LooksForMainsOwnHandler) {
  const auto handled = [](std::string caught) {
    Story story({of_kind(harness::StepKind::kHandle), create(1), close(), join()});
    auto after = plain_main();
    if (!caught.empty()) after.caught = std::move(caught);
    story.main_is("started").step(1).begins(2).born(3).ends(2).step(3).begins(4).dies(3).ends(4);
    return story.ending().main_is("ending", std::move(after)).dies(Story::kMain).eof();
  };
  EXPECT_EQ(handled("0000000000004002").outcome("I2"), "held");
  EXPECT_EQ(handled("").says("I2"),
            "at its end, after join (step 4), main is not as it was before the pool: it catches "
            "SIGTERM no more");
}

TEST(MainIsLeftAsItWas, LooksForMainsOwnMaskAndWhatItIgnores) {
  const auto does = [](harness::StepKind kind, std::string MainState::*what, std::string is) {
    Story story({of_kind(harness::StepKind::kHandle), of_kind(kind), create(1), close(), join()});
    auto after = plain_main();
    const bool ignores = kind == harness::StepKind::kIgnore;
    after.caught = ignores ? "0000000000000002" : "0000000000004002";
    after.*what = std::move(is);
    story.main_is("started").step(1).step(2).begins(3).born(3).ends(3);
    story.step(4).begins(5).dies(3).ends(5);
    story.ending().main_is("ending", std::move(after)).dies(Story::kMain).eof();
    return story.says("I2");
  };
  const std::string other =
      "at its end, after join (step 5), main is not as it was before the pool: it ";
  using harness::StepKind;
  EXPECT_EQ(does(StepKind::kMask, &MainState::blocked, "0000000000004000"), "");
  EXPECT_EQ(does(StepKind::kMask, &MainState::blocked, "0000000000000000"),
            other + "blocks SIGTERM no more");
  EXPECT_EQ(does(StepKind::kIgnore, &MainState::ignored, "0000000001005000"), "");
  EXPECT_EQ(does(StepKind::kIgnore, &MainState::ignored, "0000000001001000"),
            other + "ignores SIGTERM no more");
  EXPECT_EQ(does(StepKind::kIgnore, &MainState::caught, "0000000000004002"),
            other + "ignores SIGTERM no more, catches SIGTERM");
}

TEST(MainIsLeftAsItWas, IsViolatedByAStreamThatIsAnother) {
  auto after = plain_main();
  after.descriptors[1].of = "/dev/null";
  EXPECT_NE(with_main_after(after).says("I2").find("descriptor 1 is /dev/null, not pipe:[1]"),
            std::string::npos);
  after = plain_main();
  after.descriptors.erase(after.descriptors.begin());
  EXPECT_NE(with_main_after(after).says("I2").find("descriptor 0 is closed"), std::string::npos);
}

/// The C library takes its own signals into use with the first thread; who may use which processor,
/// and whom the kernel kills first, others decide too.
TEST(MainIsLeftAsItWas, MindsNeitherTheLibrarysSignalsNorWhatOthersSet) {
  auto after = plain_main();
  after.caught = "0000000380000002";
  after.blocked = "0000000100000000";
  after.processors = "0";
  after.oom_score_adj = "0";
  EXPECT_EQ(with_main_after(after).outcome("I2"), "held");
}

TEST(MainIsLeftAsItWas, IsNotExercisedAsLongAsThePoolIsThere) {
  auto after = plain_main();
  after.umask = "0077";
  Story story({create(1)});
  story.main_is("started").begins(1).born(3).ends(1).ending().main_is("ending", after);
  EXPECT_EQ(story.dies(3).dies(Story::kMain).eof().outcome("I2"), "not exercised");
}

TEST(MainIsLeftAsItWas, ForgivesWhatTheCasesFaultMayHaveDone) {
  auto after = plain_main();
  after.limits = "Max open files 7 4096 files; Max core file size 0 0 bytes";
  for (const auto& [fault, outcome] : {std::pair("main:after-step:1=limit:files", "not exercised"),
                                       std::pair("main:rt_sigprocmask:1=EINVAL", "not exercised"),
                                       std::pair("worker:task:1=SIGKILL", "violated")}) {
    Story story({create(1), close(), join()});
    story.main_is("started").begins(1).born(3).ends(1);
    story.hit(fault, fault[0] == 'm' ? Story::kMain : 3).step(2).begins(3).dies(3).ends(3);
    story.ending().main_is("ending", after).dies(Story::kMain).eof();
    EXPECT_EQ(story.outcome("I2"), outcome) << fault;
  }
}

TEST(MainIsLeftAsItWas, GivesThePoolsThreadsTheGrace) {
  auto after = plain_main();
  after.blocked = "0000000000004000";
  for (const bool gone : {false, true}) {
    Story story({create(1), close(), join()});
    story.main_is("started").begins(1).born(3).add(harness::ThreadBorn{Story::kMain, 21}).ends(1);
    story.step(2).begins(3).dies(3);
    if (gone) story.add(harness::ThreadDead{Story::kMain, 21});
    story.ends(3).ending().main_is("ending", after).dies(Story::kMain).eof();
    EXPECT_EQ(story.outcome("I2"), gone ? "violated" : "not exercised");
  }
}

}  // namespace
}  // namespace poolproof::properties
