#include "properties/surroundings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "properties/test_traces.h"

namespace poolproof::properties {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(Surroundings, ValuesAreRecordedOfAShortListAlone) {
  for (const char* name : {"LANG", "LC_ALL", "TZ", "PATH", "PYTHONPATH", "PYTHONHASHSEED",
                           "POOLPROOF_TIME_SCALE", "GTEST_TOTAL_SHARDS", "OMP_NUM_THREADS"}) {
    EXPECT_TRUE(may_be_recorded({name, "1"})) << name;
  }
  for (const char* name : {"HOME", "AWS_SECRET_ACCESS_KEY", "GITHUB_TOKEN", "PATHS", "MYLANG",
                           "PYTHON_TOKEN", "POOLPROOF_PASSWORD", "", "LANG_KEY"}) {
    EXPECT_FALSE(may_be_recorded({name, "1"})) << name;
  }
  EXPECT_FALSE(may_be_recorded({"PYTHON_INDEX", "https://me:secret@example.org"}));
}

TEST(Surroundings, AreOneLineThatHoldsNoOtherValue) {
  const FakeRunner runner([](const harness::Job& job) { return healthy_trace(job.scenario); });
  const std::vector<Pool> pools{executor_pool()};
  const Surroundings surroundings{.command = {"poolproof", "check", "--time", "5"},
                                  .kernel = "Linux 6.1.0 x86_64",
                                  .processors = 2,
                                  .environment = {{"API_TOKEN", "hunter2"}, {"TZ", "UTC\n\xff"}}};
  EXPECT_EQ(as_json_line(surroundings, pools, runner),
            "{\"type\":\"run\",\"poolproof\":\"0.1.0\",\"command\":[\"poolproof\",\"check\","
            "\"--time\",\"5\"],\"pools\":[{\"pool\":\"ProcessPoolExecutor:fork@3.11.7\","
            "\"runtime\":\"CPython 3.11.7\"}],\"jobs\":8,\"containment\":\"exact (ptrace), "
            "PID+mount+IPC namespaces\",\"kernel\":\"Linux 6.1.0 x86_64\",\"processors\":2,"
            "\"environment\":{\"API_TOKEN\":null,\"TZ\":\"UTC\\n\xef\xbf\xbd\"}}\n");
}

TEST(Surroundings, AreThoseOfThisProcess) {
  ::setenv("POOLPROOF_A_SECRET", "hunter2", 1);
  const auto found = Surroundings::of_this_process({"check", "reference"});
  ::unsetenv("POOLPROOF_A_SECRET");
  EXPECT_EQ(found.command, (std::vector<std::string>{"poolproof", "check", "reference"}));
  EXPECT_GT(found.processors, 0);
  const FakeRunner runner([](const harness::Job& job) { return healthy_trace(job.scenario); });
  const auto line = as_json_line(found, {}, runner);
  EXPECT_THAT(line, HasSubstr("\"POOLPROOF_A_SECRET\":null"));
  EXPECT_THAT(line, Not(HasSubstr("hunter2")));
}

}  // namespace
}  // namespace poolproof::properties
