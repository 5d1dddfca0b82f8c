// What a run leaves behind tells how it was made, and nothing that is nobody's business.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>

#include "ctest/program.h"

namespace poolproof::end_to_end {
namespace {

using testing::HasSubstr;

std::string content(const std::filesystem::path& path) {
  std::stringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

TEST(Results, TellTheSurroundingsAndNoSecretOfThem) {
  const Scratch scratch;
  const auto results = scratch.path() / "r";
  ::setenv("BUILD_TOKEN", "hunter2", 1);
  ::setenv("TZ", "UTC", 1);
  const auto ended =
      poolproof({"check", "reference", "--cases", "5", "--json", "--results", results.string()});
  ::unsetenv("BUILD_TOKEN");
  EXPECT_EQ(ended.code, 0) << ended.err;
  const auto kept = content(results / "verdicts.jsonl");
  EXPECT_EQ(kept, ended.out);
  EXPECT_EQ(kept.rfind("{\"type\":\"run\",", 0), 0U) << kept;
  EXPECT_THAT(kept, HasSubstr("\"--cases\",\"5\""));
  EXPECT_THAT(kept, HasSubstr("\"TZ\":\"UTC\""));
  EXPECT_THAT(kept, HasSubstr("\"BUILD_TOKEN\":null"));
  EXPECT_THAT(kept, HasSubstr("\"reference:fork@"));
  for (const auto& entry : std::filesystem::recursive_directory_iterator(results)) {
    if (!entry.is_regular_file()) continue;
    EXPECT_THAT(content(entry.path()), testing::Not(HasSubstr("hunter2"))) << entry.path();
  }
}

TEST(Results, AreToldToCiServersAsWell) {
  const Scratch scratch;
  const auto junit = (scratch.path() / "junit.xml").string();
  const auto ended =
      poolproof({"check", "reference:fork", "multiprocessing.Pool:fork", "--cases", "5", "--junit",
                 junit, "--results", (scratch.path() / "r").string()});
  EXPECT_EQ(ended.code, 0) << ended.err;
  const auto read = run({"python3", "-c",
                         "import sys, xml.etree.ElementTree as t\n"
                         "for s in t.parse(sys.argv[1]).getroot().iter('testsuite'):\n"
                         "  print(s.get('name').split('@')[0], len(s.findall('testcase')) == "
                         "int(s.get('tests')), s.get('failures'))",
                         junit});
  EXPECT_EQ(read.out, "reference:fork True 0\nmultiprocessing.Pool:fork True 0\n") << read.err;
}

}  // namespace
}  // namespace poolproof::end_to_end
