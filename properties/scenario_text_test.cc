#include "properties/scenario_text.h"

#include <gtest/gtest.h>

#include "properties/rules/made_trace.h"

namespace poolproof::properties {
namespace {

using namespace std::chrono_literals;
using harness::BodyKind;
using harness::EndingKind;

TEST(ScenarioInWords, NamesStepsWithWhatTheyAskFor) {
  const Story story({create(2), submit(1, BodyKind::kSleep, 30), get_for(1, 50ms), sleep_for(5ms),
                     kill(harness::Victim::kBusy), map(2, harness::Form::kImap, 3), close()},
                    EndingKind::kExit, 7);
  EXPECT_EQ(in_words(story.scenario),
            "create workers 2, submit task 1 sleep 30 ms, get task 1 for 50 ms, sleep 5 ms, kill "
            "busy, map task 2 imap items 3 nothing, close; main: exit 7");
}

TEST(ScenarioInWords, LeavesOutWhatIsAbsent) {
  EXPECT_EQ(in_words(Story({}).scenario), "no step; main: return");
  const Story story({of_kind(harness::StepKind::kCreate), get(1)}, EndingKind::kSigkill);
  EXPECT_EQ(in_words(story.scenario), "create, get task 1; main: sigkill");
}

}  // namespace
}  // namespace poolproof::properties
