#include "harness/warden/claims.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <vector>

#include "harness/sys/fd.h"
#include "harness/warden/testing/subject_test.h"

namespace poolproof::testing {
namespace {

using harness::End;
using harness::Garbage;
using harness::Lost;
using harness::Trace;
using warden::ClaimReader;

// ---- The reader alone
// ----------------------------------------------------------------------------

class Reader : public ::testing::Test {
 protected:
  void append(const std::string& text) { ASSERT_TRUE(sys::write_all(file_.get(), text)); }
  static std::string line(int pid, int sequence) {
    return "\n{\"claim\": \"started\", \"pid\": " + std::to_string(pid) +
           ", \"seq\": " + std::to_string(sequence) + ", \"at_ns\": 500}\n";
  }
  sys::Fd file_{::memfd_create("claims", MFD_CLOEXEC)};
  ClaimReader reader_{file_.get()};
};

TEST_F(Reader, TellsTimeSinceTheStart) {
  append(line(7, 1));
  const auto events = reader_.read(harness::Nanoseconds(200));
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(events[0].at.count(), 300);
}

TEST_F(Reader, JoinsWhatComesInPieces) {
  const std::string whole = line(7, 1);
  append(whole.substr(0, 20));
  EXPECT_TRUE(reader_.read({}).empty());
  append(whole.substr(20));
  EXPECT_EQ(reader_.read({}).size(), 1U);
  EXPECT_TRUE(reader_.torn().empty());
}

TEST_F(Reader, KeepsTheLineAfterATornOne) {
  append(line(7, 1).substr(0, 40) + line(8, 1));
  EXPECT_EQ(reader_.read({}).size(), 1U);
  const auto torn = reader_.torn();
  ASSERT_EQ(torn.size(), 1U);
  EXPECT_EQ(torn[0].writer, 7);
}

TEST_F(Reader, DoesNotTrustANumberThatMayBeTorn) {
  append("\n{\"claim\": \"started\", \"pid\": 12");
  reader_.read({});
  const auto torn = reader_.torn();
  ASSERT_EQ(torn.size(), 1U);
  EXPECT_EQ(torn[0].writer, 0);
}

TEST_F(Reader, KeepsTheFirstOfManyTornLines) {
  for (int i = 0; i < 5000; ++i) append("nonsense\n");
  reader_.read({});
  EXPECT_EQ(reader_.torn().size(), 100U);
}

TEST_F(Reader, MissesNumbersThatWereNotWritten) {
  append(line(7, 1) + line(7, 3) + line(8, 2) + line(8, 1));
  reader_.read({});
  EXPECT_EQ(reader_.writers_with_gaps(), std::vector<harness::Pid>{7});
}

/// A program that execs counts from 1 again.
TEST_F(Reader, AcceptsNumbersThatComeTwice) {
  append(line(7, 1) + line(7, 2) + line(7, 1));
  reader_.read({});
  EXPECT_TRUE(reader_.writers_with_gaps().empty());
}

TEST_F(Reader, NoticesThatTheFileWasCut) {
  append(line(7, 1));
  reader_.read({});
  EXPECT_FALSE(reader_.shrank());
  ASSERT_EQ(::ftruncate(file_.get(), 3), 0);
  EXPECT_TRUE(reader_.shrank());
}

// ---- In a run
// ------------------------------------------------------------------------------------

class Claims : public SubjectTest {};

/// Without a stop the warden hears of them from the file alone.
TEST_F(Claims, StandBetweenTheFactsThatLedToThemAndThoseThatTheyLedTo) {
  for (int i = 0; i < 20; ++i) {
    const Trace trace = run({"claims-between"});
    const auto born = all<harness::Born>(trace);
    ASSERT_EQ(born.size(), 2U) << trace;
    const auto main = born[0]->pid;
    const auto child = born[1]->pid;
    const std::vector<int> places{
        place_of<harness::Started>(trace, main),     place_of<harness::Born>(trace, child),
        place_of<harness::TaskBegun>(trace, child),  place_of<harness::Dying>(trace, child),
        place_of<harness::EndingBegun>(trace, main), place_of<harness::Dying>(trace, main)};
    EXPECT_TRUE(std::is_sorted(places.begin(), places.end())) << trace;
    EXPECT_GE(places.front(), 0) << trace;
  }
}

TEST_F(Claims, StopTheirWriterOnlyWhereSomethingIsToBeSeen) {
  auto work = job({"print-sync-points"});
  using harness::StepKind;
  work.scenario.steps = {{.kind = StepKind::kCreate},
                         {.kind = StepKind::kClose},
                         {.kind = StepKind::kJoin},
                         {.kind = StepKind::kWorkers}};
  ::setenv("POOLPROOF_SYNC", "task-begun", 1);  // not for the subject
  const auto fresh = harness::Runner::start(options(1));
  ::unsetenv("POOLPROOF_SYNC");
  ASSERT_TRUE(fresh);
  (*fresh)->submit(work);
  const auto finished = (*fresh)->next(std::chrono::steady_clock::now() + 30s);
  ASSERT_TRUE(finished && finished->trace);
  EXPECT_EQ(finished->trace->out.text, "started ending step-ended:3 step-ended:4 \n");
}

TEST_F(Claims, EndTheCaseWhenAPromptStepIsNot) {
  for (const auto& [what, step] : {std::pair("step", 1), std::pair("ending", 0)}) {
    auto work = job({"slow", what, "20000"}, {.grace = 80ms, .fuse = 15s});
    work.prompt_steps = {step};
    runner()->submit(work);
    const auto finished = runner()->next(std::chrono::steady_clock::now() + 30s);
    ASSERT_TRUE(finished && finished->trace);
    EXPECT_EQ(finished->trace->end, End::kDeadline) << *finished->trace;
  }
}

TEST_F(Claims, OfOtherStepsHaveTime) {
  auto work = job({"slow", "step", "200"}, {.grace = 80ms, .fuse = 15s});
  work.prompt_steps = {0, 2};
  runner()->submit(work);
  const auto finished = runner()->next(std::chrono::steady_clock::now() + 30s);
  ASSERT_TRUE(finished && finished->trace);
  EXPECT_EQ(finished->trace->end, End::kAllDead) << *finished->trace;
}

TEST_F(Claims, GarbageIsRecorded) {
  const Trace trace = run({"garbage", "text"});
  ASSERT_EQ(all<Garbage>(trace).size(), 1U) << trace;
  EXPECT_EQ(all<Garbage>(trace)[0]->text, "no claim");
}

TEST_F(Claims, GarbageOfBytesComesThrough) {
  EXPECT_EQ(all<Garbage>(run({"garbage", "bytes"})).size(), 1U);
}

TEST_F(Claims, FragmentOfAKilledWriterIsNoGarbage) {
  EXPECT_TRUE(all<Garbage>(run({"torn-by-signal"})).empty());
}

TEST_F(Claims, FragmentOfAThreadThatMainsEndCutShortIsNoGarbage) {
  const Trace trace = run({"torn-by-main"});
  EXPECT_EQ(end_of_main(trace), "exited 0");
  EXPECT_TRUE(all<Garbage>(trace).empty()) << trace;
}

TEST_F(Claims, FragmentOfALivingWriterIsGarbage) {
  EXPECT_EQ(all<Garbage>(run({"torn-by-nobody"})).size(), 1U);
}

TEST_F(Claims, MissingOnesAreAHoleInTheRecord) {
  EXPECT_EQ(all<Lost>(run({"claims-gap", "living"})).size(), 1U);
  EXPECT_TRUE(all<Lost>(run({"claims-gap", "killed"})).empty());
}

TEST_F(Claims, FileThatWasCutIsAHoleInTheRecord) {
  EXPECT_FALSE(all<Lost>(run({"cut-claims"})).empty());
}

TEST_F(Claims, FileThatWasRemovedIsThereForTheNextCase) {
  EXPECT_EQ(end_of_main(run({"remove-claims"})), "exited 0");
  EXPECT_EQ(all<harness::StepEnded>(run({"claims"})).size(), 1U);
}

TEST_F(Claims, FloodIsRead) {
  const Trace trace = run({"claims-flood", "5000"});
  EXPECT_EQ(all<harness::TaskBegun>(trace).size(), 5000U);
  EXPECT_EQ(trace.end, End::kAllDead);
}

/// More than a trace can hold ends the case and does not cost the trace.
TEST_F(Claims, EndlessFloodHitsALimit) {
  const Trace trace = run({"claims-flood", "100000"}, {.grace = 5s, .fuse = 30s});
  ASSERT_EQ(all<harness::LimitHit>(trace).size(), 1U);
  // Which of the two is hit first depends on how often there was something to record in between.
  const auto& what = all<harness::LimitHit>(trace)[0]->what;
  EXPECT_TRUE(what == "claims" || what == "events") << what;
  EXPECT_TRUE(all<Lost>(trace).empty());
}

}  // namespace
}  // namespace poolproof::testing
