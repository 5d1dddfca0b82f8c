#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <filesystem>

#include "harness/sys/fd.h"
#include "harness/warden/testing/subject_test.h"

namespace poolproof::testing {
namespace {

using harness::AtRest;
using harness::End;
using harness::Trace;

using Words = std::vector<std::string>;

/// Time enough for several looks.
constexpr harness::Settings kShort{.grace = 100ms, .fuse = 150ms};

std::string test_name(const ::testing::TestParamInfo<Words>& info) {
  std::string name;
  for (const auto& word : info.param) name += '_' + word;
  for (char& letter : name)
    letter = std::isalnum(static_cast<unsigned char>(letter)) ? letter : '_';
  return name.substr(1);
}

// ---- For ever
// ------------------------------------------------------------------------------------

class Hang : public SubjectTest, public ::testing::WithParamInterface<Words> {};

TEST_P(Hang, IsProvedLongBeforeTheFuse) {
  const Trace trace = run(GetParam(), {.grace = 5s, .fuse = 20s});
  EXPECT_EQ(trace.end, End::kAtRest) << trace;
  EXPECT_TRUE(proved_at_rest(trace)) << trace;
  const auto rests = all<AtRest>(trace);
  ASSERT_EQ(rests.size(), 1U) << trace;
  EXPECT_FALSE(rests[0]->waits.empty());
}

INSTANTIATE_TEST_SUITE_P(
    Of, Hang,
    ::testing::Values(Words{"wait-read"}, Words{"wait-write"}, Words{"wait-futex", "private"},
                      Words{"wait-futex", "shared"}, Words{"wait-child"}, Words{"wait-poll"},
                      Words{"wait-poll-after-signal"}, Words{"wait-ppoll"}, Words{"wait-epoll"},
                      Words{"wait-select"}, Words{"wait-sigsuspend"}, Words{"wait-sigwait"},
                      Words{"wait-signalfd"}, Words{"wait-eventfd"}, Words{"wait-pidfd"},
                      Words{"wait-socket-pair"}, Words{"wait-accept", "/tmp/socket"},
                      Words{"wait-join"}, Words{"stop-self"}, Words{"leader-leaves", "never"},
                      Words{"file-futex", "/tmp/page"}, Words{"close-everything", "hang"}),
    test_name);

class Rest : public SubjectTest {};

TEST_F(Rest, NamesEachWaitAndWhatItIsFor) {
  const Trace trace = run({"wait-child"});
  const auto rests = all<AtRest>(trace);
  ASSERT_EQ(rests.size(), 1U) << trace;
  ASSERT_EQ(rests[0]->waits.size(), 2U) << trace;
  EXPECT_EQ(rests[0]->waits[0].call, "wait4");
  EXPECT_EQ(rests[0]->waits[0].on, "children");
  EXPECT_EQ(rests[0]->waits[1].call, "read");
  EXPECT_EQ(rests[0]->waits[1].on.substr(0, 6), "pipe:[");
}

/// The resource of the first wait's first goal.
const harness::Resource* first_resource(const AtRest& rest) {
  for (const auto& resource : rest.resources) {
    if (resource.name == rest.waits.at(0).goals.at(0).of) return &resource;
  }
  return nullptr;
}

std::string in_words(const harness::Resource* resource) {
  std::string text;
  if (resource == nullptr) return "none";
  for (const auto& holder : resource->holders) text += holder.access + " ";
  return text;
}

TEST_F(Rest, KnowsWhoHoldsAPipesEnds) {
  const Trace trace = run({"wait-read"});
  const auto rests = all<AtRest>(trace);
  ASSERT_EQ(rests.size(), 1U) << trace;
  ASSERT_EQ(rests[0]->waits.at(0).goals.size(), 1U) << trace;
  EXPECT_EQ(rests[0]->waits[0].goals[0].wants, "byte");
  EXPECT_EQ(in_words(first_resource(*rests[0])), "r w ") << trace;
  EXPECT_EQ(first_resource(*rests[0])->holders[1].pid, trace.main());
}

TEST_F(Rest, KnowsAWriterFromAReader) {
  const Trace trace = run({"wait-write"});
  const auto rests = all<AtRest>(trace);
  ASSERT_EQ(rests.size(), 1U) << trace;
  EXPECT_EQ(rests[0]->waits.at(0).goals.at(0).wants, "room") << trace;
}

TEST_F(Rest, FindsTheOtherEndOfASocketPair) {
  const Trace trace = run({"wait-socket-pair"});
  const auto rests = all<AtRest>(trace);
  ASSERT_EQ(rests.size(), 1U) << trace;
  const auto* own = first_resource(*rests[0]);
  ASSERT_NE(own, nullptr) << trace;
  if (own->peer.empty()) GTEST_SKIP() << "this kernel has no unix_diag";
  ASSERT_EQ(rests[0]->resources.size(), 2U) << trace;
  for (const auto& resource : rests[0]->resources) EXPECT_EQ(in_words(&resource), "rw ") << trace;
}

TEST_F(Rest, TellsOneEventfdFromAnother) {
  const Trace trace = run({"wait-eventfd"});
  const auto rests = all<AtRest>(trace);
  ASSERT_EQ(rests.size(), 1U) << trace;
  EXPECT_EQ(rests[0]->waits.at(0).goals.at(0).of.substr(0, 9), "eventfd:[") << trace;
  EXPECT_EQ(in_words(first_resource(*rests[0])), "rw ") << trace;
}

TEST_F(Rest, KnowsWhoSharesAFutex) {
  const Trace trace = run({"wait-futex-of-two"});
  const auto rests = all<AtRest>(trace);
  ASSERT_EQ(rests.size(), 1U) << trace;
  EXPECT_EQ(in_words(first_resource(*rests[0])), "map map ") << trace;
  EXPECT_EQ(rests[0]->waits.at(0).goals.at(0).of, rests[0]->waits.at(1).goals.at(0).of) << trace;
}

TEST_F(Rest, KnowsWhichProcessesAreWaitedFor) {
  for (const auto* mode : {"wait-child", "wait-pidfd"}) {
    const Trace trace = run({mode});
    const auto rests = all<AtRest>(trace);
    ASSERT_EQ(rests.size(), 1U) << trace;
    const auto child = all<harness::Born>(trace).at(1)->pid;
    const auto& goals = rests[0]->waits.at(0).goals;
    ASSERT_EQ(goals.size(), 1U) << trace;
    EXPECT_EQ(goals[0].wants + " " + goals[0].of, "exit process:[" + std::to_string(child) + "]");
  }
}

TEST_F(Rest, TellsGoalsOfPollByWhatIsAskedFor) {
  const Trace trace = run({"wait-poll"});
  const auto rests = all<AtRest>(trace);
  ASSERT_EQ(rests.size(), 1U) << trace;
  ASSERT_EQ(rests[0]->waits.at(0).goals.size(), 2U) << trace;
  EXPECT_EQ(rests[0]->waits[0].goals[1].wants, "byte");
  EXPECT_EQ(rests[0]->resources.size(), 2U);
}

/// Each has a thread that holds the lock and sleeps, and main, which waits for the lock.
class LockOwner : public SubjectTest, public ::testing::WithParamInterface<std::string> {};

TEST_P(LockOwner, IsReadFromTheWord) {
  const Trace trace = run({"wait-lock", GetParam()});
  const auto rests = all<AtRest>(trace);
  ASSERT_EQ(rests.size(), 1U) << trace;
  const auto& waits = rests[0]->waits;
  ASSERT_EQ(waits.size(), 2U) << trace;
  EXPECT_EQ(waits[0].goals.at(0).owner, waits[1].tid) << trace;
}

INSTANTIATE_TEST_SUITE_P(Of, LockOwner,
                         ::testing::Values("normal", "recursive", "robust", "priority"),
                         [](const auto& kind) { return kind.param; });

TEST_F(Rest, NamesNoOwnerWhereTheWordIsNoLock) {
  for (const auto* kind : {"private", "shared"}) {
    const Trace trace = run({"wait-futex", kind});
    const auto rests = all<AtRest>(trace);
    ASSERT_EQ(rests.size(), 1U) << trace;
    EXPECT_EQ(rests[0]->waits.at(0).goals.at(0).owner, 0) << trace;
  }
}

TEST_F(Rest, OfSurvivorsEndsTheCaseBeforeTheGrace) {
  const auto begun = std::chrono::steady_clock::now();
  const Trace trace = run({"lost-child"}, {.grace = 10s, .fuse = 20s});
  EXPECT_EQ(trace.end, End::kAtRest) << trace;
  EXPECT_EQ(all<harness::KilledByWarden>(trace).size(), 1U) << trace;
  EXPECT_LT(std::chrono::steady_clock::now() - begun, 5s);
}

TEST_F(Rest, ShowsAStoppedProcess) {
  const Trace trace = run({"stop-self"});
  const auto rests = all<AtRest>(trace);
  ASSERT_EQ(rests.size(), 1U) << trace;
  ASSERT_EQ(rests[0]->waits.size(), 1U) << trace;
  EXPECT_EQ(rests[0]->waits[0].call, "stopped");
}

// ---- Not for ever
// --------------------------------------------------------------------------------

/// Every one of these would be a lie: it ends by itself, only later than the fuse here.
class TimedWait : public SubjectTest, public ::testing::WithParamInterface<Words> {};

TEST_P(TimedWait, IsNeverTakenForAHang) {
  const Trace trace = run(GetParam(), kShort);
  EXPECT_EQ(trace.end, End::kFuse) << trace;
  EXPECT_FALSE(proved_at_rest(trace)) << trace;
}

INSTANTIATE_TEST_SUITE_P(
    Of, TimedWait,
    ::testing::Values(Words{"timed-poll"}, Words{"timed-poll-after-signal"}, Words{"timed-ppoll"},
                      Words{"timed-select"}, Words{"timed-epoll"}, Words{"timed-sleep"},
                      Words{"timed-clock-sleep"}, Words{"timed-futex"}, Words{"timed-sigwait"},
                      Words{"timed-socket"}, Words{"timer-descriptor"}, Words{"timer-in-epoll"},
                      Words{"timer-in-epoll-renamed"}, Words{"alarm"}, Words{"alarm-before-exec"},
                      Words{"interval-timer"}, Words{"posix-timer"}, Words{"spin"},
                      Words{"one-thread-spins"}, Words{"one-child-spins"},
                      Words{"uninterruptible"}),
    test_name);

/// At rest, but somebody outside may end it: said with a doubt.
class OpenWait : public SubjectTest, public ::testing::WithParamInterface<Words> {};

TEST_P(OpenWait, IsRecordedWithADoubt) {
  const Trace trace = run(GetParam(), kShort);
  EXPECT_EQ(trace.end, End::kFuse) << trace;
  EXPECT_FALSE(proved_at_rest(trace)) << trace;
  EXPECT_NE(doubts(trace), "") << trace;
}

INSTANTIATE_TEST_SUITE_P(Of, OpenWait,
                         ::testing::Values(Words{"network-socket"}, Words{"named-pipe"},
                                           Words{"terminal"}, Words{"file-lock"},
                                           Words{"watched-folder"}, Words{"event-of-a-ring"},
                                           Words{"alarm-before-exec"},
                                           Words{"wait-accept", "/tmp/../tmp/socket"}),
                         test_name);

/// What a stranger may know: a file of the machine's.
class Shared : public SubjectTest {
 protected:
  void SetUp() override {
    std::string name = "/var/tmp/poolproof-test-XXXXXX";
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    folder_ = name;
  }
  void TearDown() override {
    std::filesystem::remove_all(folder_);
    SubjectTest::TearDown();
  }
  std::string folder_;
};

TEST_F(Shared, FutexInAFileIsDoubted) {
  const Trace trace = run({"file-futex", folder_ + "/page"}, kShort);
  EXPECT_FALSE(proved_at_rest(trace)) << trace;
  EXPECT_NE(doubts(trace).find("a futex in a file"), std::string::npos) << trace;
}

TEST_F(Shared, FutexInAFileThatLostItsNameIsDoubted) {
  const Trace trace = run({"nameless-file-futex", folder_ + "/page"}, kShort);
  EXPECT_FALSE(proved_at_rest(trace)) << trace;
  EXPECT_NE(doubts(trace).find("a futex in a file"), std::string::npos) << trace;
}

TEST_F(Shared, FutexInAPrivateFileThatLostItsNameIsNot) {
  const Trace trace = run({"nameless-file-futex", "/tmp/page"}, {.grace = 5s, .fuse = 20s});
  EXPECT_TRUE(proved_at_rest(trace)) << trace;
}

/// Somebody outside who is handed a descriptor and keeps it.
class Stranger : public Shared {
 protected:
  void SetUp() override {
    Shared::SetUp();
    sockaddr_un name{};
    name.sun_family = AF_UNIX;
    path().copy(name.sun_path, sizeof name.sun_path - 1);
    ASSERT_EQ(::bind(socket_.get(), reinterpret_cast<sockaddr*>(&name), sizeof name), 0);
    ASSERT_EQ(::listen(socket_.get(), 1), 0);
  }
  std::string path() const { return folder_ + "/socket"; }

 private:
  sys::Fd socket_{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
};

TEST_F(Stranger, WhoHoldsTheOnlyWriteEndIsDoubted) {
  const Trace trace = run({"handed-over-pipe", path(), "all"}, kShort);
  EXPECT_FALSE(proved_at_rest(trace)) << trace;
  EXPECT_NE(doubts(trace).find("is held by nobody of the tree"), std::string::npos) << trace;
}

TEST_F(Stranger, WhoMayHoldAWriteEndTooIsDoubted) {
  const Trace trace = run({"handed-over-pipe", path(), "a copy"}, kShort);
  EXPECT_FALSE(proved_at_rest(trace)) << trace;
  EXPECT_NE(doubts(trace).find("may have been handed over"), std::string::npos) << trace;
}

TEST_F(Shared, SocketWithANameIsDoubted) {
  const Trace trace = run({"wait-accept", folder_ + "/socket"}, kShort);
  EXPECT_FALSE(proved_at_rest(trace)) << trace;
  EXPECT_NE(doubts(trace).find("a socket that others may know"), std::string::npos) << trace;
}

// ---- Held up from outside
// -------------------------------------------------------------------------

class HeldUp : public SubjectTest {
 protected:
  /// Runs a mode, and does something to its process as soon as that is there.
  Trace run_and(const std::string& mode, const std::function<bool(int pid)>& disturb) {
    auto* where = runner();
    where->submit(job({mode}, {.grace = 5s, .fuse = 600ms}));
    const auto ours = [&] { return processes_with(mode); };
    EXPECT_TRUE(comes_true([&] { return ours().size() == 1; }));
    if (!ours().empty()) disturbed_ = disturb(ours().front());
    auto finished = where->next(std::chrono::steady_clock::now() + 60s);
    EXPECT_TRUE(finished && finished->trace);
    return finished && finished->trace ? *std::move(finished->trace) : Trace{};
  }
  bool disturbed_ = false;
};

TEST_F(HeldUp, ByAStopSignalIsRecordedWithADoubt) {
  const Trace trace = run_and("spin", [](int pid) { return ::kill(pid, SIGSTOP) == 0; });
  EXPECT_EQ(trace.end, End::kFuse) << trace;
  EXPECT_FALSE(proved_at_rest(trace)) << trace;
  EXPECT_NE(doubts(trace).find("stopped by nobody of the tree"), std::string::npos) << trace;
}

/// A control group of the unified hierarchy; none where there is none to be made.
class ControlGroup {
 public:
  ControlGroup() {
    for (const auto* root : {"/sys/fs/cgroup", "/sys/fs/cgroup/unified"}) {
      const auto path =
          std::filesystem::path(root) / ("poolproof-test-" + std::to_string(::getpid()));
      std::error_code error;
      const bool unified = std::filesystem::exists(std::string(root) + "/cgroup.procs", error);
      if (unified && std::filesystem::create_directory(path, error)) path_ = path;
    }
  }
  ~ControlGroup() {
    std::error_code error;
    std::filesystem::remove(path_, error);
  }
  bool exists() const { return !path_.empty(); }
  bool put(const char* file, const std::string& text) const {
    const auto opened = sys::open_file(path_ / file, O_WRONLY);
    return opened && sys::write_all(opened->get(), text);
  }

 private:
  std::filesystem::path path_;
};

TEST_F(HeldUp, ByAFreezerIsNoHang) {
  const ControlGroup group;
  if (!group.exists()) GTEST_SKIP() << "no control group can be made here";
  const Trace trace = run_and("spin", [&](int pid) {
    return group.put("cgroup.procs", std::to_string(pid)) && group.put("cgroup.freeze", "1");
  });
  if (!disturbed_) GTEST_SKIP() << "no process can be frozen here";
  EXPECT_EQ(trace.end, End::kFuse) << trace;
  EXPECT_FALSE(proved_at_rest(trace)) << trace;
}

// ---- Who was not announced
// -----------------------------------------------------------------------

class Unannounced : public SubjectTest {};

/// It wakes main later: to call this a hang would be wrong.
TEST_F(Unannounced, ChildIsForeignAndForbidsTheProof) {
  const Trace trace = run({"unannounced-child", "150"});
  EXPECT_FALSE(proved_at_rest(trace)) << trace;
  EXPECT_EQ(all<harness::Foreign>(trace).size(), 1U) << trace;
  EXPECT_EQ(end_of_main(trace), "exited 5") << trace;
}

TEST_F(Unannounced, ChildIsKilledWithTheRest) {
  const Trace trace = run({"unannounced-child", "30000"}, kShort);
  EXPECT_EQ(trace.end, End::kFuse) << trace;
  EXPECT_EQ(all<harness::Foreign>(trace).size(), 1U) << trace;
}

TEST_F(Unannounced, ThreadForbidsTheProof) {
  const Trace trace = run({"unannounced-thread"});
  EXPECT_FALSE(proved_at_rest(trace)) << trace;
  EXPECT_EQ(end_of_main(trace), "exited 5") << trace;
}

/// A birth whose event is still under way when the case ends is not foreign.
TEST_F(Unannounced, IsNobodyInABusyTree) {
  const Trace trace = run({"fork-bomb"}, {.max_births = 50});
  EXPECT_EQ(trace.end, End::kLimit);
  EXPECT_TRUE(all<harness::Foreign>(trace).empty()) << trace;
}

}  // namespace
}  // namespace poolproof::testing
