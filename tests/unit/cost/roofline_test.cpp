#include "models/cost/roofline.h"

#include <gtest/gtest.h>

namespace brink::cost {
namespace {

// Known answers of NVIDIA's matrix-multiplication guide: A100, 108 SMs, 256x128 tiles.
TEST(Roofline, KnownTilesAndWavesOfA100) {
  const Tile tile{256, 128};
  EXPECT_EQ(tile_count(1792, 1792, tile), 98);
  EXPECT_EQ(wave_count(98, 108), 1);
  EXPECT_EQ(tile_count(1793, 1793, tile), 120);
  EXPECT_EQ(wave_count(120, 108), 2);
  EXPECT_DOUBLE_EQ(tile_efficiency(1792, 1792, tile), 1.0);
  EXPECT_DOUBLE_EQ(wave_efficiency(98, 108), 98.0 / 108.0);
  EXPECT_DOUBLE_EQ(wave_efficiency(120, 108), 120.0 / 216.0);
}

TEST(Roofline, PartlyCoveredTilesWaste) {
  EXPECT_DOUBLE_EQ(tile_efficiency(1, 128, {128, 128}), 1.0 / 128.0);
  EXPECT_DOUBLE_EQ(tile_efficiency(129, 128, {128, 128}), 129.0 / 256.0);
}

TEST(Roofline, TheLongerOfComputeAndTraffic) {
  EXPECT_DOUBLE_EQ(roofline(Flops(989e12), Bytes(1), FlopsPerSecond(989e12), BytesPerSecond(3.35e12)).value(), 1.0);
  EXPECT_DOUBLE_EQ(roofline(Flops(1), Bytes(3.35e12), FlopsPerSecond(989e12), BytesPerSecond(3.35e12)).value(), 1.0);
}

}  // namespace
}  // namespace brink::cost
