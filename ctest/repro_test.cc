// poolproof repro: a case becomes a script that fails without poolproof, or none.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <string>

#include "ctest/program.h"
#include "harness/sys/fd.h"

namespace poolproof::end_to_end {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

std::string case_text(const std::string& pool, const std::string& start_method,
                      const std::string& steps, const std::string& ending) {
  return R"({"format": 1, "pool": ")" + pool + R"(", "seed": 1,
    "settings": {"grace_ms": 1000, "fuse_ms": 10000},
    "scenario": {"start_method": ")" +
         start_method + R"(", "steps": [)" + steps + R"(], "ending": {"how": ")" + ending +
         R"("}}})";
}

constexpr const char* kLostTask = R"({"step": "create", "workers": 1},
  {"step": "submit", "task": 1, "body": "os_exit", "code": 3}, {"step": "get", "task": 1})";
constexpr const char* kOneTask = R"({"step": "create", "workers": 1},
  {"step": "submit", "task": 1, "body": "nothing"}, {"step": "get", "task": 1})";

/// Who is killed is a zombie, or gone, a little later.
bool is_soon_dead(int pid) {
  return comes_true([pid] {
    const auto stat = sys::read_file("/proc/" + std::to_string(pid) + "/stat");
    return !stat || stat->substr(stat->rfind(')') + 2, 1) == "Z";
  });
}

class Repro : public testing::Test {
 protected:
  void SetUp() override {
    if (poolproof({"pools"}).out.find("multiprocessing.Pool") == std::string::npos)
      GTEST_SKIP() << "no Python that has multiprocessing.Pool is here";
  }
  Ended repro(const std::string& text, std::vector<std::string> more = {}) {
    std::vector<std::string> arguments{"repro", scratch_.file("case.json", text)};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return poolproof(arguments, 170);
  }
  fs::path script() const { return scratch_.path() / "repro.py"; }
  std::string text() const {
    std::ifstream file(script());
    return {std::istreambuf_iterator<char>(file), {}};
  }

  Scratch scratch_;
};

TEST_F(Repro, WritesAHangAsAScriptThatFails) {
  const auto ended = repro(case_text("multiprocessing.Pool:fork", "fork", kLostTask, "return"),
                           {"--rule", "T6", "--times", "2"});
  ASSERT_EQ(ended.code, 0) << ended.err;
  EXPECT_THAT(ended.out, HasSubstr(", fails 2 of 2\n"));
  const auto lines = text();
  EXPECT_LE(std::count(lines.begin(), lines.end(), '\n'), 40) << lines;
  const auto alone = run({"python3", script().string()});
  EXPECT_EQ(alone.code, 1) << alone.err;
  EXPECT_THAT(alone.out, HasSubstr("Happened: the program is still in get (step 3) after 10 s"));
  EXPECT_THAT(alone.out, HasSubstr("Expected: A task whose worker died gets an outcome"));
}

/// Of multiprocessing.
std::set<std::string> semaphores() {
  std::set<std::string> names;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator("/dev/shm", ignored)) {
    const std::string name = entry.path().filename();
    if (name.starts_with("sem.mp-")) names.insert(name);
  }
  EXPECT_FALSE(ignored) << "/dev/shm: " << ignored.message();
  return names;
}

/// Others may have come beside: but those go again, too.
bool goes_again(const std::set<std::string>& before) {
  auto left = semaphores();
  for (const auto& name : before) left.erase(name);
  return comes_true([&left] {
    const auto now = semaphores();
    return std::none_of(left.begin(), left.end(),
                        [&now](const std::string& name) { return now.contains(name); });
  });
}

/// Neither when the scripts are tried nor when one is run by hand.
TEST_F(Repro, LeavesNoSemaphoreOfAPoolThatHangs) {
  const auto before = semaphores();
  const auto ended = repro(case_text("multiprocessing.Pool:spawn", "spawn", kLostTask, "return"),
                           {"--rule", "T6", "--times", "1"});
  ASSERT_EQ(ended.code, 0) << ended.err;
  EXPECT_TRUE(goes_again(before));
  EXPECT_EQ(run({"python3", script().string()}).code, 1);
  EXPECT_TRUE(goes_again(before));
}

TEST_F(Repro, WritesSurvivorsAsAScriptThatFailsAndLeavesNobody) {
  const auto before = semaphores();
  const auto ended = repro(case_text("ProcessPoolExecutor:spawn", "spawn", kOneTask, "sigkill"),
                           {"--rule", "W1", "--times", "1"});
  ASSERT_EQ(ended.code, 0) << ended.err;
  const auto alone = run({"python3", script().string()});
  EXPECT_EQ(alone.code, 1) << alone.err;
  EXPECT_THAT(alone.out, HasSubstr("Happened: main is gone, these live: ["));
  const auto pids = alone.out.substr(alone.out.rfind('[') + 1);
  EXPECT_TRUE(is_soon_dead(std::stoi(pids))) << alone.out;
  EXPECT_TRUE(goes_again(before)) << "its semaphores";
}

/// Whoever has the word among those of its command line.
bool anybody_runs(const std::string& word) {
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator("/proc", ignored)) {
    const auto words = sys::read_file(entry.path() / "cmdline");
    if (words && words->find(word) != words->npos) return true;
  }
  return false;
}

/// The script has the program that hangs in hand then.
TEST_F(Repro, LeavesNobodyWhenItIsStopped) {
  const auto file = scratch_.file(
      "case.json", case_text("multiprocessing.Pool:fork", "fork", kLostTask, "return"));
  const auto ended = run({"/bin/sh", "-c", R"("$0" repro "$1" --rule T6 >/dev/null & repro=$!
until cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\0' ' ' | grep -q "[/]${2#/} program"; do
  kill -0 $repro || exit 1
done
kill -TERM $repro
wait $repro)",
                          (bin_folder() / "poolproof").string(), file, script().string()},
                         170);
  EXPECT_EQ(ended.code, 130) << ended.err;
  EXPECT_TRUE(comes_true([this] { return !anybody_runs(script().string()); }));
  EXPECT_FALSE(fs::exists(script()));
}

/// Python ends with status 1 for a program that is none, too: that shows nothing.
TEST_F(Repro, KeepsNoScriptThatFailsForAnotherReason) {
  const auto kit = (bin_folder() / "../share/poolproof/adapters").string();
  const auto adapter = scratch_.file(
      "adapter", "#!/usr/bin/env python3\nimport sys\nsys.path.insert(0, \"" + kit + R"(")
import multiprocessing
from poolproof_adapter import Adapter, main
class Own(Adapter):
    name, version = "own", "1"
    program = {"get": "f{task}.get("}
    def create(self, workers): return multiprocessing.get_context("fork").Pool(workers)
    def submit(self, pool, body, *args): return pool.apply_async(body, args)
    def result(self, future, timeout): return future.get(timeout)
if __name__ == "__main__": main(Own)
)");
  const auto ended = repro(case_text("own", "", kLostTask, "return"),
                           {"--rule", "T6", "--times", "1", "--adapter", adapter});
  EXPECT_EQ(ended.code, 125) << ended.out;
  EXPECT_THAT(ended.err, HasSubstr("SyntaxError"));
  EXPECT_FALSE(fs::exists(script()));
}

TEST_F(Repro, KeepsNothingOfACaseThatBreaksNoRule) {
  const auto ended = repro(case_text("multiprocessing.Pool:fork", "fork", kOneTask, "return"));
  EXPECT_EQ(ended.code, 125);
  EXPECT_EQ(ended.err, "poolproof: the case broke no rule in 20 runs here\n");
  EXPECT_FALSE(fs::exists(script()));
}

TEST_F(Repro, NamesTheRuleThatTheCaseDoesNotBreak) {
  const auto ended =
      repro(case_text("multiprocessing.Pool:fork", "fork", kOneTask, "return"), {"--rule", "T1"});
  EXPECT_EQ(ended.code, 125);
  EXPECT_EQ(ended.err, "poolproof: the case did not break T1 NoTaskLost in 20 runs here\n");
}

TEST_F(Repro, NamesARuleThatThereIsNot) {
  const auto ended =
      repro(case_text("multiprocessing.Pool:fork", "fork", kOneTask, "return"), {"--rule", "W99"});
  EXPECT_EQ(ended.code, 2);
  EXPECT_EQ(ended.err, "poolproof: no rule is named 'W99'; 'poolproof rules' lists them\n");
}

TEST_F(Repro, SaysThatItWritesNoCxx) {
  const auto ended = repro(case_text("mutant:close_still_accepts", "fork",
                                     R"({"step": "create", "workers": 1}, {"step": "close"},
      {"step": "submit", "task": 1, "body": "nothing"})",
                                     "return"));
  EXPECT_EQ(ended.code, 125);
  EXPECT_THAT(ended.err, HasSubstr("scripts are written for pools in Python only"));
  EXPECT_FALSE(fs::exists(script()));
}

}  // namespace
}  // namespace poolproof::end_to_end
