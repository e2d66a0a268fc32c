#include "models/cost/badge.h"

#include <gtest/gtest.h>

#include "models/cost/estimate.h"

namespace brink::cost {
namespace {

TEST(Badge, WorseIsTheLaterOfTheTwoEitherWayRound) {
  const Badge order[] = {Badge::measured, Badge::interpolated, Badge::extrapolated, Badge::hypothetical};
  for (int a = 0; a < 4; ++a)
    for (int b = 0; b < 4; ++b) EXPECT_EQ(worse(order[a], order[b]), order[std::max(a, b)]);
}

TEST(Badge, NamesAreThoseOfTheResults) {
  EXPECT_EQ(name(Badge::measured), "measured");
  EXPECT_EQ(name(Badge::interpolated), "interpolated");
  EXPECT_EQ(name(Badge::extrapolated), "extrapolated");
  EXPECT_EQ(name(Badge::hypothetical), "hypothetical");
}

TEST(Estimate, SumAddsTimesAndKeepsTheWorstBadge) {
  const Estimate a{microseconds(2), Badge::interpolated}, b{microseconds(3), Badge::measured};
  EXPECT_DOUBLE_EQ(to_us((a + b).time), 5.0);
  EXPECT_EQ((a + b).badge, Badge::interpolated);
  EXPECT_EQ((Estimate{} + b), b);
  EXPECT_DOUBLE_EQ(to_us((a * 4.0).time), 8.0);
}

}  // namespace
}  // namespace brink::cost
