#include "models/cost/efficiency_surface.h"

#include <cmath>

#include <gtest/gtest.h>

#include "models/base/error.h"
#include "models/cost/surface_grid.h"

namespace brink::cost {
namespace {

EfficiencySurface line(double nugget) {
  return EfficiencySurface::fit({{"x", 2.0}}, {{1}, {4}, {16}, {64}}, {{0.1}, {0.2}, {0.15}, {0.3}}, {1, 1, 1, 1}, nugget);
}

TEST(EfficiencySurface, PassesThroughPointsWithoutNuggetAndSmoothsWithOne) {
  EXPECT_NEAR(line(1e-9).value({4.0}), 0.2, 1e-4);
  EXPECT_NEAR(line(1e-9).value({64.0}), 0.3, 1e-4);
  EXPECT_LT(line(1.0).value({64.0}), 0.29);  // pulled towards the mean
}

TEST(EfficiencySurface, HoldsItsEdgeBeyondTheRange) {
  const EfficiencySurface surface = line(0.01);
  EXPECT_DOUBLE_EQ(surface.value({1e9}), surface.value({64.0}));
  EXPECT_TRUE(surface.inside({17.0}));
  EXPECT_FALSE(surface.inside({65.0}));
  EXPECT_TRUE(surface.has_point({16.0}));
  EXPECT_FALSE(surface.has_point({17.0}));
}

TEST(EfficiencySurface, JsonRoundTripKeepsEveryValue) {
  const EfficiencySurface surface = line(0.05);
  const Json json = surface.to_json();
  const EfficiencySurface again = EfficiencySurface::from_json(ObjectReader(json, ""));
  EXPECT_EQ(again.to_json().dump(), json.dump());
  EXPECT_EQ(again.value({7.0}), surface.value({7.0}));
}

TEST(EfficiencySurface, RefusesAPointOfTheWrongLength) {
  const Json json = parse_json(R"({"axes": [{"name": "x", "octaves": 2}], "means": [0], "points": [[1, 0.5], [2]]})");
  try {
    (void)EfficiencySurface::from_json(ObjectReader(json, "/surface"));
    FAIL() << "accepted";
  } catch (const ConfigError& error) {
    EXPECT_EQ(error.pointer(), "/surface/points/1");
  }
}

TEST(SurfaceGrid, StaysNearTheSurfaceAndForgetsTheOrderOfQuestions) {
  std::vector<std::vector<std::int64_t>> at;
  std::vector<std::vector<double>> values;
  for (std::int64_t x : {1, 8, 64})
    for (std::int64_t y : {2, 32, 512}) {
      at.push_back({x, y, 4});
      values.push_back({0.1 * std::sin(static_cast<double>(x)) + 0.02 * std::log2(static_cast<double>(y))});
    }
  const auto surface = EfficiencySurface::fit({{"x", 2}, {"y", 2}, {"z", 2}}, at, values, std::vector<double>(at.size(), 1.0), 0.05);
  const SurfaceGrid forward(surface), backward(surface);
  std::vector<double> first, second;
  for (int i = 1; i <= 60; ++i) {
    const std::vector<double> q{static_cast<double>(i), 8.0 * i, 4.0};
    first.push_back(forward.value(q));
    EXPECT_NEAR(first.back(), surface.value(q), 0.005);
  }
  for (int i = 60; i >= 1; --i) second.push_back(backward.value({static_cast<double>(i), 8.0 * i, 4.0}));
  EXPECT_TRUE(std::equal(first.begin(), first.end(), second.rbegin()));
  EXPECT_NEAR(forward.value({8.0, 32.0, 4.0}), surface.value({8.0, 32.0, 4.0}), 1e-12);
}

}  // namespace
}  // namespace brink::cost
