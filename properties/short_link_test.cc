#include "properties/short_link.h"

#include <gtest/gtest.h>

namespace poolproof::properties {
namespace {

TEST(ShortLink, NamesIssuesByNumber) {
  EXPECT_EQ(short_link("https://github.com/python/cpython/issues/66587"), "gh-66587");
  EXPECT_EQ(short_link("https://github.com/celery/billiard/issues/278"), "celery/billiard#278");
  EXPECT_EQ(short_link("https://github.com/celery/billiard/pull/279"), "celery/billiard#279");
  EXPECT_EQ(short_link("https://bugs.python.org/issue39360"), "bugs.python.org/issue39360");
}

TEST(ShortLink, NamesCodeByFileAndLine) {
  EXPECT_EQ(short_link("https://github.com/python/cpython/blob/v3.11.7/Lib/multiprocessing/"
                       "util.py#L353"),
            "util.py#L353");
}

TEST(ShortLink, NamesAPlaceInAPage) {
  EXPECT_EQ(short_link("https://docs.python.org/3.11/library/multiprocessing.html"
                       "#multiprocessing.Process.daemon"),
            "multiprocessing.Process.daemon");
  EXPECT_EQ(short_link("https://example.org/a/pool.html#close"), "pool.html#close");
}

TEST(ShortLink, CutsWhatIsLong) {
  EXPECT_EQ(short_link("https://example.org/pools"), "example.org/pools");
  EXPECT_EQ(short_link("https://example.org/" + std::string(100, 'x')).size(), 36u);
  EXPECT_EQ(short_link(""), "");
}

}  // namespace
}  // namespace poolproof::properties
