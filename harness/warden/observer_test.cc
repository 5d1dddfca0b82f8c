#include <unistd.h>

#include <algorithm>
#include <set>

#include "harness/warden/testing/subject_test.h"

namespace poolproof::testing {
namespace {

using harness::Born;
using harness::Dead;
using harness::Dying;
using harness::End;
using harness::Execed;
using harness::Trace;

class Observer : public SubjectTest {};

TEST_F(Observer, TellsTheExactStatus) {
  const std::pair<std::vector<std::string>, std::string> cases[] = {
      {{"exit", "0"}, "exited 0"},
      {{"exit", "7"}, "exited 7"},
      {{"exit", "137"}, "exited 137"},
      {{"exit", "200"}, "exited 200"},
      {{"die-by", "9"}, "killed by SIGKILL"},
      {{"die-by", "15"}, "killed by SIGTERM"},
      {{"die-by", "11"}, "killed by SIGSEGV"}};
  for (const auto& [words, end] : cases) {
    const Trace trace = run(words);
    EXPECT_EQ(end_of_main(trace), end);
    EXPECT_EQ(trace.end, End::kAllDead) << trace;
    EXPECT_FALSE(was_foreign_or_lost(trace)) << trace;
  }
}

TEST_F(Observer, RecordsABirthBeforeAnythingOfTheChild) {
  const Trace trace = run({"children", "20"});
  const auto births = all<Born>(trace);
  ASSERT_EQ(births.size(), 21U) << trace;
  EXPECT_EQ(births[0]->how, "main");
  EXPECT_EQ(births[0]->parent, 0);
  for (std::size_t i = 1; i < births.size(); ++i) {
    const auto pid = births[i]->pid;
    const int claimed = place_of<harness::TaskBegun>(trace, pid);
    EXPECT_EQ(births[i]->parent, trace.main());
    EXPECT_LT(place_of<Born>(trace, pid), claimed);
    EXPECT_LT(claimed, place_of<Dying>(trace, pid));
    EXPECT_LT(place_of<Dying>(trace, pid), place_of<Dead>(trace, pid));
    EXPECT_LT(place_of<Dead>(trace, pid), place_of<Dead>(trace, trace.main()));
    EXPECT_EQ(end_of(trace, pid), "exited " + std::to_string(i));
  }
}

TEST_F(Observer, NumbersProcessesAsTheyNumberThemselves) {
  const Trace trace = run({"children", "3"});
  for (const auto* begun : all<harness::TaskBegun>(trace)) {
    EXPECT_GE(place_of<Born>(trace, begun->pid), 0) << trace;
  }
}

TEST_F(Observer, TellsThreadsFromProcesses) {
  const Trace trace = run({"threads", "5"});
  EXPECT_EQ(all<harness::ThreadBorn>(trace).size(), 5U) << trace;
  EXPECT_EQ(all<harness::ThreadDead>(trace).size(), 5U) << trace;
  EXPECT_EQ(all<Born>(trace).size(), 1U) << trace;
}

/// A thread that was joined is no thread of main's any more, even if we have not yet waited for it.
TEST_F(Observer, DoesNotCountJoinedThreads) {
  auto* where = runner();
  ASSERT_NE(where, nullptr);
  auto work = job({"threads", "5"});
  work.scenario.steps.push_back({.kind = harness::StepKind::kWorkers});
  where->submit(work);
  const auto finished = where->next(std::chrono::steady_clock::now() + 10s);
  ASSERT_TRUE(finished && finished->trace);
  const auto snapshots = all<harness::Snapshot>(*finished->trace);
  ASSERT_EQ(snapshots.size(), 1U) << *finished->trace;
  EXPECT_EQ(snapshots[0]->main_threads, 1) << *finished->trace;
}

TEST_F(Observer, LooksAtMainWhereItBeginsAndEnds) {
  const Trace trace = run({"changes"});
  const auto states = all<harness::MainState>(trace);
  ASSERT_EQ(states.size(), 2U) << trace;
  const auto& [before, after] = std::pair(*states[0], *states[1]);
  EXPECT_EQ(before.at, "started");
  EXPECT_EQ(after.at, "ending");
  ASSERT_EQ(before.descriptors.size(), 3U) << trace;  // not that of the claims
  EXPECT_EQ(before.descriptors[0].of, "/dev/null");
  ASSERT_EQ(after.descriptors.size(), 4U) << trace;
  EXPECT_EQ(after.descriptors[2].fd, 3);
  EXPECT_EQ(after.descriptors[2].of.rfind("pipe:[", 0), 0U);
  EXPECT_EQ(before.blocked, "0000000000000000");
  EXPECT_EQ(after.blocked, "0000000000004000");
  EXPECT_EQ(after.ignored, "0000000000000200");
  EXPECT_EQ(after.umask, "0027");
  EXPECT_NE(before.folder, after.folder);
  EXPECT_EQ(after.folder, "/");
  EXPECT_EQ(after.root, "/");
  EXPECT_EQ(std::stoi(after.nice), std::min(std::stoi(before.nice) + 1, 19));
  EXPECT_NE(after.limits.find("Max open files 100 200 files"), std::string::npos) << after.limits;
  EXPECT_EQ(before.group, before.session);
  EXPECT_EQ(before.group, std::to_string(trace.main()));
  EXPECT_FALSE(before.processors.empty());
}

TEST_F(Observer, HandsDownWhatMainInherits) {
  auto* where = runner();
  ASSERT_NE(where, nullptr);
  auto work = job({"changes"});
  using harness::Inherited;
  work.scenario.inherits = {Inherited::kSigchldIgnored, Inherited::kSigtermBlocked,
                            Inherited::kSigintIgnored, Inherited::kStdinClosed,
                            Inherited::kSpareDescriptors};
  where->submit(work);
  const auto finished = where->next(std::chrono::steady_clock::now() + 10s);
  ASSERT_TRUE(finished && finished->trace);
  const auto states = all<harness::MainState>(*finished->trace);
  ASSERT_FALSE(states.empty()) << *finished->trace;
  const auto& found = *states[0];
  EXPECT_EQ(found.ignored, "0000000000010002");
  EXPECT_EQ(found.blocked, "0000000000004000");
  ASSERT_EQ(found.descriptors.size(), 2U + harness::kSpareDescriptors) << *finished->trace;
  EXPECT_EQ(found.descriptors.front().fd, 1);
  EXPECT_EQ(found.descriptors.back().of, "/dev/null");
}

TEST_F(Observer, PutsASubreaperAboveMainWhereItInheritsOne) {
  auto* where = runner();
  ASSERT_NE(where, nullptr);
  for (const bool subreaper : {false, true, true}) {
    auto work = job({"orphan"});
    if (subreaper) work.scenario.inherits = {harness::Inherited::kSubreaper};
    where->submit(work);
    const auto finished = where->next(std::chrono::steady_clock::now() + 10s);
    ASSERT_TRUE(finished && finished->trace);
    const Trace& trace = *finished->trace;
    const auto births = all<Born>(trace);
    ASSERT_EQ(births.size(), 3U) << trace;
    EXPECT_EQ(end_of(trace, births[2]->pid), subreaper ? "exited 7" : "exited 1") << trace;
    EXPECT_EQ(end_of_main(trace), "exited 0") << trace;
    EXPECT_TRUE(all<harness::Foreign>(trace).empty()) << trace;  // the reaper is init's own
    EXPECT_TRUE(trace.exact) << trace;
  }
}

TEST_F(Observer, MakesPipesSmallWhereMainInheritsThat) {
  auto* where = runner();
  ASSERT_NE(where, nullptr);
  for (const bool small : {false, true}) {
    auto work = job({"pipe_pages"});
    if (small) work.scenario.inherits = {harness::Inherited::kSmallPipes};
    where->submit(work);
    const auto finished = where->next(std::chrono::steady_clock::now() + 10s);
    ASSERT_TRUE(finished && finished->trace);
    const std::string one_each = "exited 11";
    EXPECT_EQ(end_of_main(*finished->trace) == one_each, small) << *finished->trace;
  }
}

/// The leader makes an exit stop then, which is not the process's.
TEST_F(Observer, TakesAnExecByAnotherThreadForNoDeath) {
  const Trace trace = run({"thread-exec", "5"});
  ASSERT_EQ(all<Execed>(trace).size(), 2U) << trace;
  ASSERT_EQ(all<Dying>(trace).size(), 1U) << trace;
  EXPECT_EQ(all<Dying>(trace)[0]->status, sys::ExitStatus(sys::Exited{5})) << trace;
  EXPECT_EQ(end_of_main(trace), "exited 5");
  EXPECT_EQ(all<harness::ThreadBorn>(trace).size(), all<harness::ThreadDead>(trace).size());
}

TEST_F(Observer, TakesTheLeadersEndForNoDeathWhileOtherThreadsLive) {
  const Trace trace = run({"leader-leaves", "3"});
  ASSERT_EQ(all<Dying>(trace).size(), 1U) << trace;
  EXPECT_EQ(all<Dying>(trace)[0]->status, sys::ExitStatus(sys::Exited{3})) << trace;
  EXPECT_EQ(end_of_main(trace), "exited 3");
}

TEST_F(Observer, SeesVforkAndExec) {
  const Trace trace = run({"vfork-exec", "6"});
  ASSERT_EQ(all<Born>(trace).size(), 2U) << trace;
  EXPECT_EQ(all<Born>(trace)[1]->how, "vfork");
  const auto execs = all<Execed>(trace);
  ASSERT_EQ(execs.size(), 2U) << trace;
  EXPECT_EQ(execs[1]->path, subject_path());
  EXPECT_EQ(end_of(trace, execs[1]->pid), "exited 6");
  EXPECT_EQ(end_of_main(trace), "exited 6");
}

TEST_F(Observer, KnowsADaemonsMakerAndKillsIt) {
  const Trace trace = run({"daemon", "closed"});
  const auto births = all<Born>(trace);
  ASSERT_EQ(births.size(), 3U) << trace;
  EXPECT_EQ(births[2]->parent, births[1]->pid);
  const auto killed = all<harness::KilledByWarden>(trace);
  ASSERT_EQ(killed.size(), 1U) << trace;
  EXPECT_EQ(killed[0]->pid, births[2]->pid);
  EXPECT_EQ(all<harness::OutputEof>(trace).size(), 2U) << trace;
  EXPECT_TRUE(proved_at_rest(trace)) << trace;
}

TEST_F(Observer, TellsTheStreamsEndApartFromMains) {
  const Trace trace = run({"child-holds-stdout", "60"});
  const auto dead = place_of<Dead>(trace, trace.main());
  const auto eof = std::find_if(trace.events.begin(), trace.events.end(), [](const auto& event) {
    return std::holds_alternative<harness::OutputEof>(event.kind);
  });
  ASSERT_NE(eof, trace.events.end()) << trace;
  ASSERT_GE(dead, 0) << trace;
  EXPECT_GE(eof->at - trace.events[static_cast<std::size_t>(dead)].at, 40ms) << trace;
  EXPECT_EQ(trace.end, End::kAllDead);
}

TEST_F(Observer, NeverSeesTheEndOfAStreamThatADaemonHolds) {
  const Trace trace = run({"daemon", "open"});
  EXPECT_TRUE(all<harness::OutputEof>(trace).empty()) << trace;
  EXPECT_EQ(all<harness::KilledByWarden>(trace).size(), 1U) << trace;
}

TEST_F(Observer, SeesTheDeathThatAParentsDeathBrings) {
  const Trace trace = run({"die-with-parent"});
  const auto births = all<Born>(trace);
  ASSERT_EQ(births.size(), 2U) << trace;
  EXPECT_EQ(end_of(trace, births[1]->pid), "killed by SIGTERM");
  EXPECT_EQ(trace.end, End::kAllDead);
}

TEST_F(Observer, SeesAStopAndItsEnd) {
  const Trace trace = run({"stop-and-continue"});
  EXPECT_EQ(end_of_main(trace), "exited 7") << trace;
  EXPECT_EQ(trace.end, End::kAllDead) << trace;
}

TEST_F(Observer, CarriesWhatMainPrints) {
  const Trace trace = run({"print", "words"});
  EXPECT_EQ(trace.out.text, "words\n");
  EXPECT_EQ(trace.err.text, "and words\n");
  EXPECT_EQ(trace.out.bytes, 6);
}

TEST_F(Observer, CarriesBytesThatAreNoText) {
  const Trace trace = run({"print-bytes"});
  EXPECT_EQ(trace.out.bytes, 7);
  EXPECT_EQ(trace.end, End::kAllDead);
}

TEST_F(Observer, GivesAnEmptyStdin) {
  EXPECT_EQ(end_of_main(run({"read-stdin"})), "exited 0");
}

class LongObserver : public SubjectTest {};

/// A maker that dies by a signal while it makes a child never tells of the child.
TEST_F(LongObserver, LosesNobodyWhenMakersAreKilled) {
  for (const char* what : {"threads", "children"}) {
    const Trace trace = run({"kill-makers", what, "100"}, {.max_births = 1'000'000});
    EXPECT_FALSE(was_foreign_or_lost(trace)) << what;
    EXPECT_EQ(trace.end, End::kAllDead) << what;
    EXPECT_EQ(end_of_main(trace), "exited 0") << what;
    EXPECT_EQ(all<Born>(trace).size(), all<Dead>(trace).size()) << what;
    EXPECT_EQ(all<Born>(trace).size(), all<Dying>(trace).size()) << what;
    EXPECT_EQ(all<harness::ThreadBorn>(trace).size(), all<harness::ThreadDead>(trace).size())
        << what;
    for (const auto* born : all<Born>(trace)) {
      EXPECT_LT(place_of<Born>(trace, born->pid), place_of<Dying>(trace, born->pid));
    }
  }
}

class OnEveryRung : public EveryRung {};
INSTANTIATE_TEST_SUITE_P(Rungs, OnEveryRung, ::testing::Values(1, 2, 3));

TEST_P(OnEveryRung, TellsHowMainEnded) {
  EXPECT_EQ(end_of_main(run({"exit", "7"}, kSettings, GetParam())), "exited 7");
  const Trace trace = run({"die-by", "9"}, kSettings, GetParam());
  EXPECT_EQ(end_of_main(trace), "killed by SIGKILL");
  EXPECT_EQ(trace.rung, GetParam());
  EXPECT_EQ(trace.exact, GetParam() != 3);
}

TEST_P(OnEveryRung, ReadsClaims) {
  const Trace trace = run({"claims"}, kSettings, GetParam());
  EXPECT_EQ(all<harness::StepEnded>(trace).size(), 1U) << trace;
  EXPECT_EQ(all<harness::EndingBegun>(trace).size(), 1U) << trace;
  EXPECT_EQ(all<harness::Garbage>(trace).size(), 0U) << trace;
  EXPECT_EQ(all<harness::Lost>(trace).size(), 0U) << trace;
}

TEST_P(OnEveryRung, TellsGarbageFromFragments) {
  EXPECT_EQ(all<harness::Garbage>(run({"torn-by-nobody"}, kSettings, GetParam())).size(), 1U);
  EXPECT_EQ(all<harness::Garbage>(run({"torn-by-signal"}, kSettings, GetParam())).size(), 0U);
}

/// On rung 3 whoever is quick escapes, or is seen and reaped before anybody asks how it ended.
TEST_P(OnEveryRung, OutlivesManyShortChildren) {
  for (const char* milliseconds : {"0", "30"}) {
    const Trace trace = run({"silent-children", "12", milliseconds}, kSettings, GetParam());
    EXPECT_EQ(end_of_main(trace), "exited 0") << trace;
    EXPECT_EQ(trace.end, End::kAllDead) << trace;
    EXPECT_EQ(all<Born>(trace).size(), all<Dead>(trace).size()) << trace;
  }
}

TEST_P(OnEveryRung, EndsADaemonWithTheCase) {
  const Trace trace = run({"daemon", "closed"}, kSettings, GetParam());
  // Below rung 1 it takes root to see who sets an alarm; on rung 3 nobody does.
  const bool provable = GetParam() == 1 || (GetParam() == 2 && ::geteuid() == 0);
  EXPECT_EQ(all<harness::KilledByWarden>(trace).size(), 1U) << trace;
  EXPECT_EQ(trace.end, provable ? End::kAtRest : End::kGrace) << trace;
  EXPECT_EQ(proved_at_rest(trace), provable) << trace;
}

TEST_P(OnEveryRung, GivesSurvivorsTheGrace) {
  const Trace trace = run({"restless-child"}, kSettings, GetParam());
  EXPECT_EQ(trace.end, End::kGrace) << trace;
  EXPECT_EQ(all<harness::KilledByWarden>(trace).size(), 1U) << trace;
}

TEST_P(OnEveryRung, SaysWhatExecSaid) {
  auto* where = runner(GetParam());
  where->submit({.id = 5, .command = {"/nonexistent/adapter"}});
  const auto finished = where->next(std::chrono::steady_clock::now() + 20s);
  ASSERT_TRUE(finished);
  EXPECT_EQ(finished->id, 5U);
  ASSERT_FALSE(finished->trace);
  EXPECT_EQ(finished->trace.error().message(),
            "exec /nonexistent/adapter: No such file or directory");
  EXPECT_EQ(end_of_main(run({"exit", "7"}, kSettings, GetParam())), "exited 7");
}

}  // namespace
}  // namespace poolproof::testing
