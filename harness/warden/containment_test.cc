#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "harness/sys/fd.h"
#include "harness/sys/proc.h"
#include "harness/warden/testing/subject_test.h"

namespace poolproof::testing {
namespace {

namespace fs = std::filesystem;
using harness::End;
using harness::LeftOver;
using harness::LimitHit;
using harness::Trace;

class Containment : public SubjectTest {
 protected:
  std::string printed(std::vector<std::string> words) { return run(std::move(words)).out.text; }
};

TEST_F(Containment, RecordsWhatIsLeftAndHidesItFromTheNextCase) {
  const Trace trace = run({"leave-things"});
  EXPECT_EQ(end_of_main(trace), "exited 0") << trace.err.text;
  std::map<std::string, std::int64_t> left;
  for (const auto* one : all<LeftOver>(trace)) left[one->where] = one->count;
  const std::map<std::string, std::int64_t> expected{
      {"/tmp", 2}, {"/dev/shm", 1}, {"System V IPC", 3}, {"POSIX message queues", 1}};
  EXPECT_EQ(left, expected) << trace;
  EXPECT_EQ(printed({"list", "/tmp"}).find("left"), std::string::npos);
  EXPECT_EQ(printed({"list", "/dev/shm"}).find("left"), std::string::npos);
  EXPECT_TRUE(all<LeftOver>(run({"exit", "0"})).empty());
  EXPECT_FALSE(fs::exists("/tmp/left"));
  EXPECT_FALSE(fs::exists("/dev/shm/left"));
}

TEST_F(Containment, UndoesWhatOneCaseChangedForTheNext) {
  const auto before = printed({"print-mode", "/tmp"});
  EXPECT_EQ(before, "1777\n");
  EXPECT_EQ(end_of_main(run({"alter-tmp"})), "exited 0");
  EXPECT_EQ(printed({"print-mode", "/tmp"}), before);
}

TEST_F(Containment, UndoesMountsForTheNextCase) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root may mount in there";
  EXPECT_EQ(end_of_main(run({"mount-over", "/usr"})), "exited 0");
  EXPECT_NE(printed({"list", "/usr"}).find("bin"), std::string::npos);
}

TEST_F(Containment, HidesTheMachinesFiles) {
  const std::string name = "/tmp/poolproof-test-" + std::to_string(::getpid());
  std::ofstream(name) << "secret";
  EXPECT_EQ(printed({"list", "/tmp"}).find("poolproof-test"), std::string::npos);
  fs::remove(name);
}

TEST_F(Containment, HarmsNobodyOutside) {
  auto* where = runner(1);
  if (where == nullptr || where->containment().rung != 1) GTEST_SKIP() << "needs rung 1";
  const Trace trace = run({"kill-all"});
  // Neither the caller nor init is among those that kill(-1) reaches.
  EXPECT_EQ(end_of_main(trace), "exited 3") << trace;
  EXPECT_EQ(all<harness::Dead>(trace).size(), 4U) << trace;
}

TEST_F(Containment, CleansUpAfterASubjectThatStoppedInit) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root may trace init in there";
  EXPECT_EQ(run({"stop-init"}).end, End::kAtRest);
  EXPECT_EQ(end_of_main(run({"exit", "7"})), "exited 7");
}

TEST_F(Containment, StopsForkBombs) {
  for (const char* bomb : {"fork-bomb", "thread-bomb"}) {
    const Trace trace = run({bomb}, {.max_births = 200});
    EXPECT_EQ(trace.end, End::kLimit) << bomb;
    ASSERT_EQ(all<LimitHit>(trace).size(), 1U) << bomb;
    EXPECT_EQ(all<LimitHit>(trace)[0]->what, "births") << bomb;
  }
}

TEST_F(Containment, StopsEndlessEvents) {
  const Trace trace = run({"signal-storm"});
  EXPECT_EQ(trace.end, End::kLimit);
  ASSERT_EQ(all<LimitHit>(trace).size(), 1U);
  EXPECT_EQ(all<LimitHit>(trace)[0]->what, "events");
}

TEST_F(Containment, TakesAnyAmountOfOutput) {
  const Trace trace = run({"flood-stdout", "100"}, {.grace = 5s, .fuse = 60s});
  EXPECT_EQ(end_of_main(trace), "exited 0");
  EXPECT_EQ(trace.out.bytes, 100 << 20);
  EXPECT_EQ(trace.out.text.size(), 64U << 10);
}

TEST_F(Containment, EndsEndlessOutputByTheFuse) {
  const Trace trace = run({"flood-stdout", "-1"}, {.grace = 100ms, .fuse = 200ms});
  EXPECT_EQ(trace.end, End::kFuse);
}

TEST_F(Containment, LimitsTheSizeOfFiles) {
  const Trace trace = run({"big-file", "17"}, {.file_bytes = 16 << 20});
  EXPECT_EQ(end_of_main(trace), "killed by SIGXFSZ") << trace;
  EXPECT_EQ(end_of_main(run({"big-file", "15"}, {.file_bytes = 16 << 20})), "exited 0");
}

TEST_F(Containment, SurvivesASubjectThatClosesEverything) {
  const Trace trace = run({"close-everything", "4"});
  EXPECT_EQ(end_of_main(trace), "exited 4");
  EXPECT_EQ(trace.end, End::kAllDead);
}

TEST_F(Containment, PassesTheEnvironmentButForItsOwnWords) {
  ::setenv("POOLPROOF_TEST_WORD", "passed", 1);
  ::setenv("POOLPROOF_TRACE", "/somebody/elses", 1);
  ::setenv("TMPDIR", "/var/tmp", 1);
  auto fresh = harness::Runner::start(options(1));
  ASSERT_TRUE(fresh) << fresh.error().message();
  const auto value = [&](const char* name) {
    (*fresh)->submit(job({"print-environment", name}));
    auto finished = (*fresh)->next(std::chrono::steady_clock::now() + 20s);
    return finished && finished->trace ? finished->trace->out.text : "?";
  };
  EXPECT_EQ(value("POOLPROOF_TEST_WORD"), "passed\n");
  EXPECT_EQ(value("TMPDIR"), "/tmp\n");
  EXPECT_EQ(value("POOLPROOF_TRACE"), "/tmp/.poolproof/claims\n");
  ::unsetenv("POOLPROOF_TRACE");
  ::unsetenv("TMPDIR");
}

class LongContainment : public Containment {};

TEST_F(LongContainment, RunsManyCasesInOneSandboxWithoutLeaks) {
  ASSERT_EQ(end_of_main(run({"children", "3"})), "exited 0");
  ASSERT_EQ(wardens().size(), 1U);
  const int warden = wardens()[0];
  const auto inits = sys::children_of(warden);
  const auto resident = [&] {
    const auto text = file_text("/proc/" + std::to_string(warden) + "/statm");
    return std::atol(text.c_str() + text.find(' '));
  };
  const auto descriptors = sys::descriptor_count(warden);
  for (int i = 0; i < 20; ++i) run({"children", "3"});
  const auto pages = resident();
  for (int i = 0; i < 180; ++i) {
    const Trace trace = run({"children", "3"});
    ASSERT_EQ(trace.end, End::kAllDead) << i;
    ASSERT_FALSE(was_foreign_or_lost(trace)) << i;
  }
  EXPECT_EQ(sys::children_of(warden), inits) << "the sandbox was rebuilt";
  EXPECT_EQ(sys::descriptor_count(warden), descriptors);
  EXPECT_LE(resident(), pages + 64);
}

// ---- Adapters that lie where the sandbox has places of its own
// ------------------------------------

class HiddenPlace : public SubjectTest, public ::testing::WithParamInterface<const char*> {
 protected:
  void SetUp() override {
    std::string name = std::string(GetParam()) + "/poolproof-test-XXXXXX";
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    ASSERT_EQ(::chmod(name.c_str(), 0755), 0);
    folder_ = name;
    home_ = fs::current_path();
  }
  void TearDown() override {
    fs::current_path(home_);
    fs::remove_all(folder_);
    SubjectTest::TearDown();
  }
  /// A fresh runner, since a warden's working folder is its runner's.
  Trace run_copy(const fs::path& program, std::vector<std::string> words) {
    fs::copy_file(subject_path(), program, fs::copy_options::overwrite_existing);
    auto fresh = harness::Runner::start(options(1));
    if (!fresh) return {};
    auto work = job(std::move(words));
    work.command[0] = program.string();
    (*fresh)->submit(work);
    auto finished = (*fresh)->next(std::chrono::steady_clock::now() + 20s);
    EXPECT_TRUE(finished && finished->trace);
    return finished && finished->trace ? *finished->trace : Trace{};
  }
  fs::path folder_;
  fs::path home_;
};
INSTANTIATE_TEST_SUITE_P(Of, HiddenPlace, ::testing::Values("/tmp", "/dev/shm"),
                         [](const auto& place) { return place.index == 0 ? "Tmp" : "Shm"; });

TEST_P(HiddenPlace, AdapterRuns) {
  EXPECT_EQ(end_of_main(run_copy(folder_ / "adapter", {"exit", "7"})), "exited 7");
}

TEST_P(HiddenPlace, AdapterInABinFolderRuns) {
  fs::create_directories(folder_ / "bin");
  EXPECT_EQ(end_of_main(run_copy(folder_ / "bin" / "adapter", {"exit", "7"})), "exited 7");
}

/// Not in a folder that could be shown, but right among what must stay hidden.
TEST_P(HiddenPlace, AdapterInThePlaceItselfRuns) {
  const fs::path program = folder_.string() + "-adapter";
  const Trace trace = run_copy(program, {"list", GetParam()});
  fs::remove(program);
  EXPECT_EQ(end_of_main(trace), "exited 0");
  EXPECT_NE(trace.out.text.find(program.filename()), std::string::npos);
  EXPECT_EQ(trace.out.text.find(folder_.filename().string() + "\n"), std::string::npos);
}

TEST_P(HiddenPlace, AdapterCannotBeChangedByTheSubject) {
  const Trace trace = run_copy(folder_ / "adapter", {"try-to-write", (folder_ / "new").string()});
  EXPECT_EQ(trace.out.text, "Read-only file system\n");
}

/// A relative path must not lead below the private place.
TEST_P(HiddenPlace, WorkingFolderIsReadOnly) {
  fs::current_path(folder_);
  const Trace trace = run_copy(folder_ / "adapter", {"try-to-write", "new"});
  EXPECT_EQ(trace.out.text, "Read-only file system\n");
  EXPECT_FALSE(fs::exists(folder_ / "new"));
}

TEST_P(HiddenPlace, WorkingFolderMayBeThePlaceItself) {
  fs::current_path(GetParam());
  const std::string name = folder_.filename().string() + "-new";
  const Trace trace = run_copy(folder_ / "adapter", {"try-to-write", name});
  EXPECT_EQ(trace.out.text, "written\n");
  EXPECT_FALSE(fs::exists(name));
}

}  // namespace
}  // namespace poolproof::testing
