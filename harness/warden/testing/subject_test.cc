#include "harness/warden/testing/subject_test.h"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <ostream>
#include <thread>

#include "harness/sys/fd.h"
#include "harness/sys/proc.h"

namespace poolproof::testing {

using harness::Trace;

std::map<int, std::unique_ptr<harness::Runner>> SubjectTest::runners_;

namespace {

std::string beside_us(const char* name) {
  return (std::filesystem::read_symlink("/proc/self/exe").parent_path() / name).string();
}

constexpr auto kPatience = 10s;

}  // namespace

std::string subject_path() {
  return beside_us("poolproof-warden-subject");
}

std::string warden_path() {
  // For trying these tests on a warden of another build.
  const char* other = std::getenv("POOLPROOF_TEST_WARDEN");
  return other != nullptr ? other : beside_us("poolproof-warden");
}

harness::RunnerOptions options(int rung, int jobs) {
  return {.jobs = jobs, .rung = rung, .warden = warden_path()};
}

harness::Runner* SubjectTest::runner(int rung) {
  auto& runner = runners_[rung];
  if (runner) return runner.get();
  auto started = harness::Runner::start(options(rung));
  if (started) {
    runner = std::move(*started);
  } else {
    std::printf("rung %d: %s\n", rung, started.error().message().c_str());
  }
  return runner.get();
}

void EveryRung::SetUp() {
  if (runner(GetParam()) == nullptr) GTEST_SKIP() << "this rung cannot be stood on here";
}

harness::Job SubjectTest::job(std::vector<std::string> words, harness::Settings settings) {
  harness::Job job;
  job.command = std::move(words);
  job.command.insert(job.command.begin(), subject_path());
  job.settings = settings;
  return job;
}

Trace SubjectTest::run(std::vector<std::string> words, harness::Settings settings, int rung) {
  auto* where = runner(rung);
  if (where == nullptr) {
    ADD_FAILURE() << "no runner";
    return {};
  }
  where->submit(job(std::move(words), settings));
  auto finished = where->next(std::chrono::steady_clock::now() + 60s);
  if (!finished || !finished->trace) {
    ADD_FAILURE() << (finished ? finished->trace.error().message() : "no answer within a minute");
    return {};
  }
  return std::move(*finished->trace);
}

void SubjectTest::TearDown() {
  for (const int warden : wardens()) {
    for (const int init : sys::children_of(warden)) {
      EXPECT_EQ(sys::children_of(init), std::vector<int>()) << "processes left in a sandbox";
    }
  }
}

::testing::AssertionResult comes_true(const std::function<bool()>& condition) {
  const auto limit = std::chrono::steady_clock::now() + kPatience;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > limit) {
      return ::testing::AssertionFailure() << "not within " << kPatience.count() << " s";
    }
    std::this_thread::sleep_for(1ms);
  }
  return ::testing::AssertionSuccess();
}

std::vector<int> processes_with(const std::string& word) {
  std::vector<int> found;
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    const int pid = std::atoi(entry.path().filename().c_str());
    if (pid == 0 || pid == ::getpid()) continue;
    const auto words = sys::read_file(entry.path() / "cmdline");
    if (words && words->find(word + '\0') != std::string::npos) found.push_back(pid);
  }
  return found;
}

std::vector<int> wardens() {
  std::vector<int> found;
  for (const int child : sys::children_of(::getpid())) {
    if (file_text("/proc/" + std::to_string(child) + "/comm") == "poolproof-warde\n") {
      found.push_back(child);
    }
  }
  return found;
}

std::string file_text(const std::string& path) {
  auto text = sys::read_file(path);
  return text ? *text : std::string();
}

std::string end_of(const Trace& trace, harness::Pid pid) {
  for (const auto* dead : all<harness::Dead>(trace)) {
    if (dead->pid == pid) return sys::to_string(dead->status);
  }
  return "no death";
}

std::string end_of_main(const Trace& trace) {
  return end_of(trace, trace.main());
}

bool proved_at_rest(const Trace& trace) {
  for (const auto* rest : all<harness::AtRest>(trace)) {
    if (rest->proved) return true;
  }
  return false;
}

std::string doubts(const Trace& trace) {
  std::string text;
  for (const auto* rest : all<harness::AtRest>(trace)) {
    for (const auto& wait : rest->waits) text += wait.doubt + '\n';
  }
  return text;
}

bool was_foreign_or_lost(const Trace& trace) {
  return !all<harness::Foreign>(trace).empty() || !all<harness::Lost>(trace).empty();
}

}  // namespace poolproof::testing

namespace poolproof::harness {

std::ostream& operator<<(std::ostream& out, const Trace& trace) {
  return out << to_json_lines(trace);
}

std::ostream& operator<<(std::ostream& out, End end) {
  return out << name(end);
}

}  // namespace poolproof::harness
