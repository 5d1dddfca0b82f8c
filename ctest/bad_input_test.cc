// Bad input gets one clear line that says what is wrong, where, and what to do; exit 2 or 3.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

#include "ctest/program.h"

namespace poolproof::end_to_end {
namespace {

using testing::HasSubstr;

/// One line on stderr, nothing else promised.
void expect_one_line(const Ended& ended, int code, const std::string& says) {
  EXPECT_EQ(ended.code, code) << ended.out << ended.err;
  EXPECT_EQ(ended.error_lines(), 1) << ended.err;
  EXPECT_THAT(ended.err, HasSubstr(says));
}

class BadAdapter : public testing::Test {
 protected:
  Ended check(const std::string& script,
              const std::vector<std::string>& bounds = {"--time", "5", "--cases", "30"}) {
    std::vector<std::string> arguments{"check", "--adapter", scratch_.file("adapter", script),
                                       "--results", (scratch_.path() / "r").string()};
    arguments.insert(arguments.end(), bounds.begin(), bounds.end());
    return poolproof(std::move(arguments), 120);
  }
  Scratch scratch_;
};

TEST_F(BadAdapter, ThatIsMissingIsNamedByItsPath) {
  expect_one_line(poolproof({"check", "--adapter", "/no/such/adapter"}), 2, "/no/such/adapter");
}
TEST_F(BadAdapter, ThatCrashesWhenAskedIsToldBySignal) {
  const auto ended = check("#!/bin/sh\nkill -SEGV $$\n");
  EXPECT_THAT(ended.code, testing::AnyOf(2, 3));
  expect_one_line(ended, ended.code, "SIGSEGV");
}
TEST_F(BadAdapter, ThatSaysNothingIsToldSo) {
  const auto ended = check("#!/bin/sh\nexit 0\n");
  EXPECT_THAT(ended.code, testing::AnyOf(2, 3));
  expect_one_line(ended, ended.code, "--describe");
}
TEST_F(BadAdapter, ThatWritesGarbageIsToldSo) {
  const auto ended = check("#!/bin/sh\nhead -c 3000 /dev/urandom\n");
  EXPECT_THAT(ended.code, testing::AnyOf(2, 3));
  expect_one_line(ended, ended.code, "--describe");
}
TEST_F(BadAdapter, OfAnotherProtocolVersionIsToldWhichOneIsSpoken) {
  const auto ended = check("#!/bin/sh\necho '{\"protocol\": 7, \"name\": \"x\"}'\n");
  EXPECT_THAT(ended.code, testing::AnyOf(2, 3));
  expect_one_line(ended, ended.code, "this build speaks 0 only");
}
TEST_F(BadAdapter, ThatDescribesItselfAndThenFailsEachCaseEndsTheRun) {
  const auto ended = check(R"(#!/bin/sh
if [ "$1" = --describe ]; then
  echo '{"protocol": 0, "name": "x", "version": "1", "language": "python", "runtime": "sh", "start_methods": [],
    "steps": ["create", "submit", "get"], "bodies": ["nothing"], "endings": ["return"], "program": {}}'
  exit 0
fi
echo "x: import error" >&2
exit 99
)");
  EXPECT_EQ(ended.code, 3) << ended.out << ended.err;
  EXPECT_THAT(ended.err, HasSubstr("import error"));
}
TEST_F(BadAdapter, WhoseClaimsAreGarbageIsNeverHeld) {
  const auto ended = check(R"(#!/bin/sh
if [ "$1" = --describe ]; then
  echo '{"protocol": 0, "name": "x", "version": "1", "language": "python", "runtime": "sh", "start_methods": [],
    "steps": ["create", "submit", "get"], "bodies": ["nothing"], "endings": ["return"], "program": {}}'
  exit 0
fi
printf '\n{"claim": "step-ended", "step": "x"}\n' >> $POOLPROOF_TRACE
)");
  EXPECT_NE(ended.code, 0) << ended.out << ended.err;
}

/// An adapter in Python, on the kit that lies beside the programs.
std::string python_adapter(const std::string& methods) {
  return "#!/usr/bin/env python3\nimport sys\nsys.path.insert(0, '" +
         (bin_folder() / "../share/poolproof/adapters").string() +
         "')\nimport poolproof_adapter as kit\nfrom concurrent.futures import "
         "ThreadPoolExecutor\n\nclass Own(kit.Adapter):\n    name, version = 'own', '1'\n" +
         methods + "\nif __name__ == '__main__':\n    kit.main(Own)\n";
}

TEST_F(BadAdapter, WhosePoolCannotBeCreatedHasNotKeptTheRules) {
  const auto ended = check(python_adapter(R"(
    def create(self, workers): raise OSError("no semaphores here")
    def submit(self, pool, body, *args): return pool.submit(body, *args)
    def result(self, future, timeout): return future.result(timeout)
)"));
  expect_one_line(ended, 3, "no case could create the pool");
  EXPECT_THAT(ended.err, HasSubstr("no semaphores here"));
}

/// Nor broken them: with the second seed a child of main's cannot use a pool of its own, either.
TEST_F(BadAdapter, WhosePoolTakesNoTaskHasNotKeptTheRules) {
  const auto adapter = scratch_.file("adapter", python_adapter(R"(
    def create(self, workers): return ThreadPoolExecutor(workers)
    def submit(self, pool, body, *args): raise RuntimeError("not today")
    def result(self, future, timeout): return future.result(timeout)
)"));
  for (const auto* seed : {"1", "8d2cfd"}) {
    const auto ended = poolproof({"check", "--adapter", adapter, "--cases", "30", "--seed", seed,
                                  "--results", (scratch_.path() / seed).string()});
    expect_one_line(ended, 3, "took no task");
    EXPECT_THAT(ended.err, HasSubstr("not today"));
  }
}

/// By a seed of whose first cases none asks for a pool of no workers, which S10 would miss the
/// refusal of.
TEST_F(BadAdapter, WhosePoolPollsForEverIsUnclearEvenInAShortRun) {
  ::setenv("POOLPROOF_TIME_SCALE", "0.5", 1);
  const auto adapter = scratch_.file("adapter", python_adapter(R"(
    def create(self, workers):
        import time
        while True: time.sleep(0.01)
    def submit(self, pool, body, *args): return pool.submit(body, *args)
    def result(self, future, timeout): return future.result(timeout)
)"));
  const auto ended = poolproof({"check", "--adapter", adapter, "--time", "1", "--seed", "1",
                                "--results", (scratch_.path() / "r").string()});
  ::unsetenv("POOLPROOF_TIME_SCALE");
  expect_one_line(ended, 3, "judged nothing: ");
  EXPECT_THAT(ended.out, testing::ContainsRegex("not exercised, 2 unclear\n"));
}

TEST_F(BadAdapter, ThatForksWithoutEndIsToldByTheLimitAndItsCaseIsKept) {
  const auto ended = check(
      python_adapter(R"(
    def create(self, workers):
        import os, time
        while True:
            if os.fork() == 0: time.sleep(60)
    def submit(self, pool, body, *args): return pool.submit(body, *args)
    def result(self, future, timeout): return future.result(timeout)
)"),
      {"--time", "60", "--cases", "2", "--jobs", "1"});  // 400 births of Python take their time
  EXPECT_THAT(ended.out, HasSubstr("ended at the limit of births")) << ended.err;
  EXPECT_THAT(ended.out, HasSubstr("limit-1/case.json"));
  EXPECT_TRUE(std::filesystem::exists(scratch_.path() / "r/limit-1/case.json"));
}

TEST_F(BadAdapter, WhoseWorkersAllDieAtOnceIsBlamedForTheStorm) {
  const auto ended = check(python_adapter(R"(
    def create(self, workers):
        import os
        while True:
            if os.fork() == 0: os._exit(0)
            os.wait()
    def submit(self, pool, body, *args): return pool.submit(body, *args)
    def result(self, future, timeout): return future.result(timeout)
)"));
  EXPECT_THAT(ended.out, HasSubstr("W8 NoRespawnStorm")) << ended.err;
}

/// A case's /tmp is its own; the harness shows it what the adapter needs of the real one.
TEST(Adapter, FindsItsKitBelowTmpByPythonpath) {
  const Scratch kit;
  const Scratch own;
  std::filesystem::copy(bin_folder() / "../share/poolproof/adapters/poolproof_adapter.py",
                        kit.path());
  auto script = python_adapter(R"(
    def create(self, workers): return ThreadPoolExecutor(workers)
    def submit(self, pool, body, *args): return pool.submit(body, *args)
    def result(self, future, timeout): return future.result(timeout)
    def join(self, pool): pool.shutdown(wait=True)
)");
  const auto path = script.find("sys.path.insert");
  script.erase(path, script.find('\n', path) - path);
  std::filesystem::create_directory(own.path() / "with blank");
  const auto adapter = own.file("with blank/adapter", script);
  const auto case_file = own.file(
      "case.json",
      R"({"format": 1, "pool": "own", "seed": 1, "settings": {}, "scenario": {"start_method": "",
      "steps": [{"step": "create", "workers": 1}], "ending": {"how": "return"}}})");
  const auto ended = run({"/usr/bin/env", "PYTHONPATH=" + kit.path().string(),
                          (bin_folder() / "poolproof").string(), "replay", case_file, "--adapter",
                          adapter, "--no-known"});
  EXPECT_THAT(ended.code, testing::AnyOf(0, 1)) << ended.out << ended.err;
}

class BadCase : public testing::Test {
 protected:
  Ended replay(const std::string& text) {
    return poolproof({"replay", scratch_.file("case.json", text)});
  }
  Scratch scratch_;
};

TEST_F(BadCase, ThatIsMissingIsNamedByItsPath) {
  expect_one_line(poolproof({"replay", "/no/case.json"}), 2, "/no/case.json");
}
TEST_F(BadCase, ThatIsNotJsonIsToldSo) {
  expect_one_line(replay("hello"), 2, "JSON");
}
TEST_F(BadCase, FromTheFutureIsToldByItsFormat) {
  expect_one_line(replay(R"({"format": 99})"), 2, "this build reads format 1 only");
}
TEST_F(BadCase, NestedAMillionTimesIsRefused) {
  expect_one_line(replay(std::string(1000000, '[')), 2, "case.json");
}
TEST_F(BadCase, ThatAsksForAMillionWorkersIsRefused) {
  expect_one_line(
      replay(
          R"({"format": 1, "pool": "reference", "seed": 1, "settings": {}, "scenario": {"start_method": "fork",
    "steps": [{"step": "create", "workers": 1000000}], "ending": {"how": "return"}}})"),
      2, "workers");
}
TEST_F(BadCase, OfAnUnknownPoolIsToldWhichThereAre) {
  const auto ended = replay(
      R"({"format": 1, "pool": "nobody's", "seed": 1, "settings": {}, "scenario": {"start_method": "",
    "steps": [{"step": "create", "workers": 1}], "ending": {"how": "return"}}})");
  expect_one_line(ended, 125, "nobody's");  // git bisect skips what cannot be judged
}

TEST(BadArgument, UnknownPoolListsThosePresent) {
  expect_one_line(poolproof({"check", "no-such-pool"}), 2, "reference");
}
TEST(BadArgument, UnknownRuleSaysHowToListThem) {
  expect_one_line(poolproof({"check", "reference", "--rules", "Z9"}), 2, "poolproof rules");
}

TEST(BadArgument, AnAdaptersPoolHasItsOwnName) {
  const auto adapter = (bin_folder() / "../share/poolproof/adapters/reference").string();
  expect_one_line(poolproof({"contract", "nobodys", "--adapter", adapter}), 2,
                  "its pool is called reference");
  EXPECT_EQ(poolproof({"contract", "reference", "--adapter", adapter}).code, 0);
  EXPECT_EQ(poolproof({"contract", "--adapter", adapter}).code, 0);
}
TEST(BadArgument, AFolderThatIsNotThereIsToldBeforeTheCaseRuns) {
  expect_one_line(poolproof({"repro", POOLPROOF_FORMATS "/1/case.json", "-o", "/no/such/x.py"}), 2,
                  "there is no folder /no/such");
}
/// With this shell's redirections.
Ended redirected(const std::string& arguments) {
  const auto program = (bin_folder() / "poolproof").string();
  return run({"/bin/sh", "-c", "exec \"$0\" " + arguments, program});
}

TEST(FullDisk, IsTold) {
  expect_one_line(redirected("rules >/dev/full"), 3, "standard output: No space left on device");
}
TEST(FullDisk, IsAnExitStatusWhereNobodyCanBeTold) {
  EXPECT_EQ(redirected("rules >/dev/full 2>&1").code, 3);
  EXPECT_EQ(redirected("nosuch 2>/dev/full").code, 2);
  EXPECT_EQ(redirected("rules >&- 2>&-").code, 3);
}
TEST(ClosedStream, IsNoPipeOfAWardens) {
  const Scratch scratch;
  const auto ended =
      redirected("check reference:fork --cases 3 --results " + scratch.path().string() + " <&-");
  EXPECT_EQ(ended.code, 0) << ended.err;
  EXPECT_EQ(redirected("rules >&-").code, 3);
}

TEST(BadArgument, AnInterpreterThatWasAskedForAndIsNotThereIsNoSuccess) {
  const auto ended = poolproof({"check", "--python", "/no/such/python", "--time", "2"});
  EXPECT_EQ(ended.code, 3) << ended.out << ended.err;
  EXPECT_THAT(ended.err, HasSubstr("/no/such/python"));
}
TEST(BadArgument, TheContractOfAnotherPoolIsRefused) {
  const auto share = bin_folder() / "../share/poolproof";
  expect_one_line(
      poolproof({"check", "--adapter", (share / "adapters/reference").string(), "--contract",
                 (share / "contracts/ProcessPoolExecutor.toml").string(), "--time", "2"}),
      3, "is the contract of 'ProcessPoolExecutor'");
}
TEST(BadReplay, OfACaseWhosePoolCannotBeMadeJudgesNothing) {
  const Scratch scratch;
  const auto kit = bin_folder() / "../share/poolproof/adapters";
  const auto adapter = scratch.file("adapter", R"(#!/usr/bin/python3
import sys
sys.path.insert(0, ")" + kit.string() + R"(")
import poolproof_adapter as kit
class Unmade(kit.Adapter):
    name, version = "unmade", "1"
    def create(self, workers): raise RuntimeError("no")
    def submit(self, pool, body, *args): return pool.submit(body, *args)
    def result(self, future, timeout): return future.result(timeout)
kit.main(Unmade)
)");
  const auto saved = scratch.file(
      "case.json",
      R"({"format": 1, "pool": "unmade", "seed": 1, "settings": {}, "scenario": {"start_method": "",
      "steps": [{"step": "create", "workers": 1}], "ending": {"how": "return"}}})");
  const auto ended = poolproof({"replay", saved, "--adapter", adapter});
  EXPECT_EQ(ended.code, 125) << ended.out << ended.err;
  EXPECT_THAT(ended.out, HasSubstr("made no pool"));
}
/// Under the contract in force by now: one more case that tells `git bisect` nothing.
TEST(BadReplay, OfACaseThatMayWaitForEverJudgesNothing) {
  const Scratch scratch;
  const auto saved = scratch.file(
      "case.json",
      R"({"format": 1, "pool": "ProcessPoolExecutor:fork", "seed": 1, "settings": {}, "scenario":
      {"start_method": "fork", "steps": [{"step": "create", "workers": 1},
      {"step": "submit", "task": 1, "body": "never"}], "ending": {"how": "return"}}})");
  const auto ended = poolproof({"replay", saved});
  EXPECT_EQ(ended.code, 125) << ended.out << ended.err;
  EXPECT_THAT(ended.out, HasSubstr("main had not ended"));
}

}  // namespace
}  // namespace poolproof::end_to_end
