#include "kernels/l2/slices.h"

#include <gtest/gtest.h>

#include <random>

namespace brink::kernels {
namespace {

/// Even SMs sit at the half that holds even lines.
std::vector<double> two_halves(int sms, int lines, double near, double far, double noise) {
  std::mt19937 random(3);
  std::normal_distribution<double> normal(0, noise > 0 ? noise : 1);
  std::vector<double> cycles;
  for (int sm = 0; sm < sms; ++sm) {
    for (int line = 0; line < lines; ++line) {
      cycles.push_back((sm % 2 == line % 2 ? near : far) + (noise > 0 ? normal(random) : 0));
    }
  }
  return cycles;
}

TEST(KernelSlices, FindsTwoHalves) {
  const SliceSplit s = split_slices(two_halves(132, 64, 260, 470, 12), 132, 64);
  EXPECT_NEAR(s.near_cycles, 260, 2);
  EXPECT_NEAR(s.far_cycles, 470, 2);
  EXPECT_DOUBLE_EQ(s.far_share, 0.5);
  EXPECT_NEAR(s.separation, 210 / 12.0, 2);
  EXPECT_EQ(s.sm_classes, 2);
  ASSERT_EQ(s.sm_mean_cycles.size(), 132U);
  EXPECT_NEAR(s.sm_mean_cycles[5], 365, 8);
}

TEST(KernelSlices, ExactValuesAndOneKind) {
  EXPECT_EQ(split_slices(two_halves(4, 8, 200, 400, 0), 4, 8).separation, 1000);
  const SliceSplit same = split_slices(std::vector<double>(12, 250), 3, 4);
  EXPECT_EQ(same.near_cycles, 250);
  EXPECT_EQ(same.far_cycles, 250);
  EXPECT_EQ(same.far_share, 0);
  EXPECT_EQ(same.separation, 0);
  EXPECT_EQ(same.sm_classes, 1);
}

TEST(KernelSlices, NoiseOfOneKindIsNoSplit) {
  const SliceSplit s = split_slices(two_halves(132, 64, 260, 260, 12), 132, 64);
  EXPECT_LT(s.separation, 4);  // two means of one normal lie 2.6 of their deviations apart
}

TEST(KernelSlices, RefusesABadShape) {
  EXPECT_THROW(split_slices({}, 0, 4), std::invalid_argument);
  EXPECT_THROW(split_slices({1, 2, 3}, 2, 2), std::invalid_argument);
}

}  // namespace
}  // namespace brink::kernels
