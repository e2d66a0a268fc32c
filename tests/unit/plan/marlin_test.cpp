#include "models/plan/marlin.h"

#include <gtest/gtest.h>

namespace brink::plan {
namespace {

TEST(Marlin, RowsOfAPassGrowToSixtyFour) {
  EXPECT_EQ(marlin_kernel(1, 4096, 4096, 132, false).rows, 16);
  EXPECT_EQ(marlin_kernel(17, 4096, 4096, 132, false).rows, 32);
  EXPECT_EQ(marlin_kernel(64, 4096, 4096, 132, false).rows, 64);
  EXPECT_EQ(marlin_kernel(65, 4096, 4096, 132, false).passes, 2);
}

TEST(Marlin, SmallAndLargeBatchesCutTheWeightsDifferently) {
  const MarlinKernel small = marlin_kernel(16, 4096, 4096, 132, false),
                     large = marlin_kernel(17, 4096, 4096, 132, false);
  EXPECT_EQ(small.tile_k, 128);
  EXPECT_EQ(small.tile_n, 128);
  EXPECT_EQ(large.tile_k, 64);
  EXPECT_EQ(large.tile_n, 256);
  EXPECT_EQ(small.stripe, 8);  // 32 x 32 tiles over 132 SMs
  EXPECT_NE(small.signature(), large.signature());
  EXPECT_EQ(marlin_kernel(1, 4096, 4096, 132, false).signature(), small.signature());
}

TEST(Marlin, AtomicsOnlyWhereAllowedNarrowAndDeep) {
  EXPECT_FALSE(marlin_kernel(1, 1024, 4096, 132, false).atomics);
  EXPECT_TRUE(marlin_kernel(1, 1024, 4096, 132, true).atomics);
  EXPECT_FALSE(marlin_kernel(1, 2048, 4096, 132, true).atomics);
  EXPECT_FALSE(marlin_kernel(1, 1024, 1920, 132, true).atomics);
}

}  // namespace
}  // namespace brink::plan
