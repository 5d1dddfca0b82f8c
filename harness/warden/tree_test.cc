#include "harness/warden/tree.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>

namespace poolproof::warden {
namespace {

using harness::Dead;
using harness::Dying;
using harness::Signalled;
using sys::Exited;
using sys::Killed;

/// Numbers are nobody's: what the tree asks /proc about them it never learns.
constexpr int kMain = 1 << 29;
constexpr int kOther = kMain + 1;

class TreeTest : public ::testing::Test {
 protected:
  void SetUp() override { tree_.born(kMain, 2, 0, "main"); }
  std::vector<harness::Event> events() { return tree_.take_events(); }
  template <class Kind>
  static int place(const std::vector<harness::Event>& events) {
    for (std::size_t i = 0; i < events.size(); ++i) {
      if (std::holds_alternative<Kind>(events[i].kind)) return static_cast<int>(i);
    }
    return -1;
  }
  Tree tree_{1};
};

TEST_F(TreeTest, DiesWithItsLastThread) {
  tree_.thread_born(kMain, kOther, 3);
  tree_.exiting(kMain, Exited{0});
  tree_.record(Signalled{2, 10, 0});
  tree_.exiting(kOther, Exited{5});
  tree_.ended(kOther, Exited{5});
  tree_.ended(kMain, Exited{5});
  const auto all = events();
  EXPECT_LT(place<Signalled>(all), place<Dying>(all));
  EXPECT_LT(place<Dying>(all), place<Dead>(all));
  EXPECT_EQ(std::get<Dying>(all[static_cast<std::size_t>(place<Dying>(all))].kind).status,
            sys::ExitStatus(Exited{5}));
}

/// Between the two lies all that may be its doing: nothing is known of when its descriptors closed.
TEST_F(TreeTest, PutsAnUnseenDyingWhereItWasLastAlive) {
  tree_.alive(kMain);
  tree_.record(harness::OutputEof{"stdout"});
  tree_.ended(kMain, Killed{9});
  const auto all = events();
  EXPECT_LT(place<Dying>(all), place<harness::OutputEof>(all));
  EXPECT_LT(place<harness::OutputEof>(all), place<Dead>(all));
  EXPECT_EQ(place<harness::Born>(all), 0);
}

/// Claims wake nobody, so that the last stop of a process may lie far behind them.
TEST_F(TreeTest, PutsAnUnseenDyingBehindWhatTheProcessClaimed) {
  tree_.record(harness::TaskBegun{2, 1});
  tree_.spoke(2);
  tree_.record(harness::OutputEof{"stdout"});
  tree_.ended(kMain, Killed{9});
  const auto all = events();
  EXPECT_LT(place<harness::TaskBegun>(all), place<Dying>(all));
  EXPECT_LT(place<Dying>(all), place<harness::OutputEof>(all));
}

TEST_F(TreeTest, PutsEachUnseenDyingWhereItsOwnProcessWasLastAlive) {
  tree_.born(kOther, 3, kMain, "fork");
  tree_.record(harness::TaskBegun{2, 1});
  tree_.spoke(2);
  tree_.record(harness::OutputEof{"stdout"});
  tree_.ended(kOther, Killed{9});
  tree_.ended(kMain, Killed{15});
  const auto all = events();
  const auto dying = [&](harness::Pid pid) {
    return std::find_if(all.begin(), all.end(),
                        [&](const auto& event) {
                          const auto* kind = std::get_if<Dying>(&event.kind);
                          return kind != nullptr && kind->pid == pid;
                        }) -
           all.begin();
  };
  EXPECT_LT(dying(3), place<harness::TaskBegun>(all));
  EXPECT_LT(place<harness::TaskBegun>(all), dying(2));
}

TEST_F(TreeTest, RecordsDyingOnce) {
  tree_.exiting(kMain, Exited{0});
  tree_.ended(kMain, Exited{0});
  const auto all = events();
  EXPECT_EQ(std::count_if(all.begin(), all.end(),
                          [](const auto& e) { return std::holds_alternative<Dying>(e.kind); }),
            1);
}

TEST_F(TreeTest, SurvivesAnExecByAnotherThread) {
  tree_.thread_born(kMain, kOther, 3);
  tree_.exiting(kMain, Exited{0});
  tree_.execed(kMain);
  EXPECT_TRUE(tree_.can_run(kMain));
  EXPECT_EQ(tree_.owner(kOther), nullptr);
  EXPECT_EQ(place<Dying>(events()), -1);
}

/// alarm's timer survives exec.
TEST_F(TreeTest, RemembersWakersThroughExec) {
  tree_.owner(kMain)->has_unseen_wakers = true;
  tree_.execed(kMain);
  EXPECT_TRUE(tree_.owner(kMain)->has_unseen_wakers);
}

TEST_F(TreeTest, KnowsWhoWasCutShort) {
  tree_.born(kOther, 3, kMain, "fork");
  tree_.exiting(kOther, Exited{0});
  tree_.ended(kOther, Exited{0});
  EXPECT_FALSE(tree_.was_cut_short(3));
  tree_.exiting(kMain, Killed{15});
  tree_.ended(kMain, Killed{15});
  EXPECT_TRUE(tree_.was_cut_short(2));
  EXPECT_TRUE(tree_.anyone_was_cut_short());
}

TEST_F(TreeTest, NumbersInitAsOneAndStrangersAsNobody) {
  tree_.born(kOther, 3, 1, "fork");
  tree_.born(kOther + 1, 4, kOther + 99, "fork");
  const auto all = events();
  EXPECT_EQ(std::get<harness::Born>(all[1].kind).parent, 1);
  EXPECT_EQ(std::get<harness::Born>(all[2].kind).parent, 0);
}

}  // namespace
}  // namespace poolproof::warden
