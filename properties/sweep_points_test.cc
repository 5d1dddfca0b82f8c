#include "properties/sweep_points.h"

#include <gtest/gtest.h>

#include <vector>

namespace poolproof::properties {
namespace {

/// Points 1 to `count`, each sent; run ids are ten times as high.
SweepPoints sent(int count) {
  SweepPoints points;
  for (int i = 1; i <= count; ++i) points.send(static_cast<std::uint64_t>(i) * 10);
  return points;
}
void come_back(SweepPoints& points, const std::vector<int>& which, bool fired) {
  for (const int point : which) {
    EXPECT_EQ(points.take(static_cast<std::uint64_t>(point) * 10), point);
    points.note(point, fired);
  }
}

TEST(SweepPoints, EndWithThreeQuietOnesInARow) {
  auto points = sent(6);
  come_back(points, {1, 2, 3}, true);
  come_back(points, {4, 5}, false);
  EXPECT_EQ(points.end(), std::nullopt);
  come_back(points, {6}, false);
  EXPECT_EQ(points.end(), 4);
  EXPECT_TRUE(points.complete());
}

/// Those between them may yet fire.
TEST(SweepPoints, DoNotEndWithQuietOnesThatHaveGapsBetweenThem) {
  auto points = sent(9);
  come_back(points, {1, 2, 3, 4}, true);
  come_back(points, {5, 7, 9}, false);
  EXPECT_EQ(points.end(), std::nullopt);
  come_back(points, {6, 8}, true);
  EXPECT_EQ(points.end(), std::nullopt);
  EXPECT_FALSE(points.complete());
}

TEST(SweepPoints, AreNotCompleteAsLongAsAnEarlierOneIsOnItsWay) {
  auto points = sent(7);
  come_back(points, {1, 3}, true);
  come_back(points, {4, 5, 6}, false);
  EXPECT_EQ(points.end(), 4);
  EXPECT_FALSE(points.complete());
  come_back(points, {2}, true);
  EXPECT_TRUE(points.complete()) << "point 7 lies behind the end";
}

TEST(SweepPoints, AreNotCompleteBeforeAnyCameBack) {
  EXPECT_FALSE(SweepPoints().complete());
  EXPECT_FALSE(sent(3).complete());
}

}  // namespace
}  // namespace poolproof::properties
