#include "models/plan/cutlass_dispatch.h"

#include <gtest/gtest.h>

namespace brink::plan {
namespace {

TEST(CutlassDispatch, Fp8KnownAnswers) {
  const CutlassKernel narrow16{64, 16, 256, 1, 2, true}, wide16{64, 16, 256, 1, 1, true};
  const CutlassKernel narrow64{64, 16, 256, 1, 4, true}, wide64{64, 64, 256, 1, 1, true};
  const CutlassKernel to128{64, 128, 128, 2, 1, false}, above{128, 128, 128, 2, 1, false};
  for (const std::int64_t m : {1, 16}) {
    EXPECT_EQ(cutlass_fp8(m, 1280), narrow16);
    EXPECT_EQ(cutlass_fp8(m, 1281), wide16);
  }
  for (const std::int64_t m : {17, 64}) {
    EXPECT_EQ(cutlass_fp8(m, 1280), narrow64);
    EXPECT_EQ(cutlass_fp8(m, 1281), wide64);
  }
  for (const std::int64_t n : {1280, 8192}) {
    EXPECT_EQ(cutlass_fp8(65, n), to128);
    EXPECT_EQ(cutlass_fp8(128, n), to128);
    EXPECT_EQ(cutlass_fp8(129, n), above);
    EXPECT_EQ(cutlass_fp8(8192, n), above);
  }
}

TEST(CutlassDispatch, Int8KnownAnswers) {
  const CutlassKernel narrow{64, 64, 256, 1, 8, false}, wide{64, 128, 256, 1, 4, false}, to64{64, 64, 256, 1, 1, false};
  const CutlassKernel to128{64, 128, 128, 2, 1, false}, above{128, 128, 128, 2, 1, false};
  for (const std::int64_t m : {1, 31, 32}) {
    EXPECT_EQ(cutlass_int8(m, 8191), narrow);
    EXPECT_EQ(cutlass_int8(m, 8192), wide);
  }
  for (const std::int64_t m : {33, 64}) EXPECT_EQ(cutlass_int8(m, 8192), to64);
  for (const std::int64_t m : {65, 128}) EXPECT_EQ(cutlass_int8(m, 4096), to128);
  for (const std::int64_t m : {129, 4096}) EXPECT_EQ(cutlass_int8(m, 4096), above);
}

TEST(CutlassDispatch, SwappedKernelsHaveFeaturesInTheirRows) {
  const GemmTile swapped = cutlass_fp8(1, 1024).tile();
  EXPECT_EQ(swapped.features, 64);
  EXPECT_EQ(swapped.tokens, 16);
  EXPECT_FALSE(swapped.token_rows);
  EXPECT_EQ(swapped.clusters.front().tokens, 2);
  const GemmTile plain = cutlass_fp8(100, 1024).tile();
  EXPECT_EQ(plain.features, 128);
  EXPECT_EQ(plain.tokens, 64);
  EXPECT_TRUE(plain.token_rows);
  EXPECT_EQ(plain.clusters.front().tokens, 2);
}

TEST(CutlassDispatch, RowsOfSixteenBytes) {
  EXPECT_TRUE(cutlass_legal(4096, 4096));
  EXPECT_FALSE(cutlass_legal(4104, 4096));
  EXPECT_FALSE(cutlass_legal(4096, 4104));
}

}  // namespace
}  // namespace brink::plan
