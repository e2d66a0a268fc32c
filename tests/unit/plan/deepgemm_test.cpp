#include "models/plan/deepgemm.h"

#include <gtest/gtest.h>

#include "tests/unit/plan/deepgemm_tables.h"

namespace brink::plan {
namespace {

TEST(DeepGemm, EveryThresholdOfTheKnownTables) {
  std::size_t rows = 0;
  for (const TileTable& table : deepgemm_tables())
    for (const TileRow& row : table.rows) {
      SCOPED_TRACE(::testing::Message() << name(table.precision) << " n " << table.n << " k " << table.k << " m "
                                        << row.from_m);
      const DeepGemmTile tile = deepgemm_tile(row.from_m, table.n, table.k, table.precision);
      EXPECT_EQ(tile.block_m, row.block_m);
      EXPECT_EQ(tile.block_n, row.block_n);
      EXPECT_EQ(tile.block_k, row.block_k);
      EXPECT_EQ(tile.cluster_m, row.cluster_m);
      EXPECT_EQ(tile.cluster_n, row.cluster_n);
      EXPECT_EQ(tile.stages, row.stages);
      EXPECT_EQ(tile.waves, row.waves);
      EXPECT_EQ(tile.last_wave, row.last);
      ++rows;
    }
  EXPECT_EQ(rows, 194U);
}

TEST(DeepGemm, NothingChangesBetweenTheThresholds) {
  for (const TileTable& table : deepgemm_tables())
    for (std::size_t i = 0; i < table.rows.size(); ++i) {
      const std::int64_t end = i + 1 < table.rows.size() ? table.rows[i + 1].from_m : 1025;
      const std::string expected =
          deepgemm_tile(table.rows[i].from_m, table.n, table.k, table.precision).name(table.precision);
      for (std::int64_t m = table.rows[i].from_m; m < end; ++m)
        ASSERT_EQ(deepgemm_tile(m, table.n, table.k, table.precision).name(table.precision), expected)
            << table.n << 'x' << table.k << " m " << m;
    }
}

TEST(DeepGemm, WhatABlockScaledWeightNeeds) {
  EXPECT_TRUE(deepgemm_legal(64, 128));
  EXPECT_FALSE(deepgemm_legal(96, 128));
  EXPECT_FALSE(deepgemm_legal(64, 192));
}

}  // namespace
}  // namespace brink::plan
