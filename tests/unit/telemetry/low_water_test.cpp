#include "sim/telemetry/low_water.h"

#include <algorithm>
#include <vector>

#include <gtest/gtest.h>

namespace brink::telemetry {
namespace {

TEST(LowWater, IsTheMinimumSinceThen) {
  LowWater water;
  std::vector<std::int64_t> levels;
  for (int i = 0; i < 2000; ++i) {
    levels.push_back(500 + (i * 7919 % 997) - i % 101);
    water.push(Seconds(i), levels.back());
    for (int from = std::max(0, i - 300); from <= i; from += 37) {
      EXPECT_EQ(water.since(Seconds(from), -1), *std::min_element(levels.begin() + from, levels.end()));
    }
  }
}

TEST(LowWater, KeepsNoMoreMarksThanLevels) {
  LowWater water;
  for (int i = 0; i < 100'000; ++i) water.push(Seconds(i), i * 31 % 64);
  EXPECT_LE(water.marks(), 64U);
}

TEST(LowWater, KnowsNothingOfTheFuture) {
  LowWater water;
  EXPECT_EQ(water.since(Seconds(0.0), -1), -1);
  water.push(Seconds(1.0), 5);
  EXPECT_EQ(water.since(Seconds(1.0), -1), 5);
  EXPECT_EQ(water.since(Seconds(1.5), -1), -1);
}

}  // namespace
}  // namespace brink::telemetry
