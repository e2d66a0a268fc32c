// Search over the catalogue: legality, the known answers of tile and wave quantisation, and laws on random shapes
// (fixed seeds: no false failures).
#include "models/plan/gemm_search.h"

#include <gtest/gtest.h>

#include <limits>
#include <random>

#include "models/cost/roofline.h"

namespace brink::plan {
namespace {

GemmCatalogue default_catalogue() {
  return GemmCatalogue::load(std::string(BRINK_SOURCE_DIR) + "/configs/tactics/h100_cublaslt.json");
}

const GemmSearch& search() {
  static const GemmSearch instance(default_catalogue());
  return instance;
}

GemmShape random_shape(std::mt19937_64& draw) {
  const auto between = [&](std::int64_t low, std::int64_t high) {
    return std::uniform_int_distribution<std::int64_t>(low, high)(draw);
  };
  const std::int64_t m = std::int64_t{1} << between(0, 13);
  return {between(1, m), 8 * between(1, 1 << between(4, 12)), 8 * between(1, 1 << between(4, 11))};
}

TEST(GemmSearch, A100KnownAnswersOfTheWaves) {
  GemmCatalogue catalogue = default_catalogue();
  catalogue.machine.sm_count = 108;
  const GemmTile tile{128, 256, false, 3, {Cluster{1, 1}}};
  const GemmFamily& family = catalogue.families.front();
  EXPECT_EQ(cost::tile_count(1792, 1792, {256, 128}), 98);
  EXPECT_EQ(cost::tile_count(1793, 1793, {256, 128}), 120);
  const TacticWork one = tactic_work({1792, 1792, 4096}, tile, {1, 1}, {}, family, catalogue.machine);
  const TacticWork two = tactic_work({1793, 1793, 4096}, tile, {1, 1}, {}, family, catalogue.machine);
  EXPECT_DOUBLE_EQ(one.wave_efficiency, 98.0 / 108.0);
  EXPECT_DOUBLE_EQ(two.wave_efficiency, 120.0 / 216.0);
  EXPECT_DOUBLE_EQ(one.tile_efficiency, 1.0);
  EXPECT_NEAR(two.tile_efficiency, 1793.0 * 1793.0 / (8.0 * 256.0 * 15.0 * 128.0), 1e-12);
  EXPECT_GT(two.time / one.time, 1.8);  // a second wave for one more row and column
}

TEST(GemmSearch, SplitLegalIffItsPartialSumsFit) {
  const GemmShape shape{33, 2560, 4096};
  const std::size_t family = search().family(shape, Precision::bf16);
  for (std::size_t t = 0; t < search().families()[family].tiles.size(); ++t) {
    const GemmTile& tile = search().families()[family].tiles[t];
    const std::int64_t rows = cost::ceil_div(33, tile.tokens) * tile.tokens,
                       columns = cost::ceil_div(2560, tile.features) * tile.features;
    const Bytes needed(3.0 * static_cast<double>(rows * columns) * 4.0);
    const GemmTactic tactic{t, 0, 0, 3};
    EXPECT_TRUE(search().legal(shape, family, tactic, {needed, true}));
    EXPECT_FALSE(search().legal(shape, family, tactic, {needed - Bytes(1.0), true}));
    EXPECT_FALSE(search().legal(shape, family, tactic, {needed, false}));
    EXPECT_TRUE(search().legal(shape, family, {t, 0, 0, 1}, {Bytes(0.0), false}));
  }
}

// Feature tile, token tile, cluster and absence of a split that public H100 profiles show at these shapes.
TEST(GemmSearch, AgreesWithPublicProfilesWhereOneTileFills) {
  const auto at = [](std::int64_t m, std::int64_t n, std::int64_t k) {
    const GemmShape shape{m, n, k};
    const std::size_t family = search().family(shape, Precision::bf16);
    return search().name(family, search().fastest(shape, family, {}));
  };
  EXPECT_EQ(at(64, 2560, 4096), "bf16/sm90_64x32_64x16_4x2_TNT");
  EXPECT_EQ(at(128, 2560, 4096), "bf16/sm90_64x64_64x13_4x2_TNT");
  EXPECT_EQ(at(128, 2560, 5120), "bf16/sm90_64x64_64x13_4x2_TNT");
  EXPECT_EQ(at(2, 2560, 9216), "bf16/sm90_64x8_64x16_4x1_TNT_splitK3");
}

TEST(GemmSearch, AlignmentChoosesTheFamily) {
  EXPECT_TRUE(search().preferred(search().family({1, 4096, 4096}, Precision::bf16)));
  const std::size_t odd = search().family({1, 4097, 4096}, Precision::bf16);
  ASSERT_LT(odd, search().families().size());
  EXPECT_FALSE(search().preferred(odd));
  EXPECT_EQ(search().family({1, 4104, 4096}, Precision::fp8), search().families().size());
}

TEST(GemmSearch, ChosenIsLegalAndEfficienciesAreShares) {
  std::mt19937_64 draw(1);
  for (int i = 0; i < 400; ++i) {
    const GemmShape shape = random_shape(draw);
    const Bytes workspace(std::exp2(std::uniform_real_distribution<double>(10.0, 28.0)(draw)));
    const std::size_t family = search().family(shape, Precision::bf16);
    const GemmTactic tactic = search().fastest(shape, family, {workspace, true});
    ASSERT_TRUE(search().legal(shape, family, tactic, {workspace, true}));
    const TacticWork work = search().work(shape, family, tactic);
    ASSERT_GT(work.tile_efficiency, 0.0);
    ASSERT_LE(work.tile_efficiency, 1.0);
    ASSERT_GT(work.wave_efficiency, 0.0);
    ASSERT_LE(work.wave_efficiency, 1.0);
    ASSERT_GE(work.time, compulsory_bytes(shape, 2.0) / search().catalogue().machine.hbm);
  }
}

TEST(GemmSearch, MoreWorkspaceNeverTakesLonger) {
  std::mt19937_64 draw(2);
  for (int i = 0; i < 150; ++i) {
    const GemmShape shape = random_shape(draw);
    const std::size_t family = search().family(shape, Precision::bf16);
    Seconds before(std::numeric_limits<double>::infinity());
    for (double bytes = 1024.0; bytes <= 512.0 * 1048576.0; bytes *= 4.0) {
      const Seconds time = search().work(shape, family, search().fastest(shape, family, {Bytes(bytes), true})).time;
      ASSERT_LE(time.value(), before.value() * (1.0 + 1e-12)) << shape.m << ' ' << shape.n << ' ' << shape.k;
      before = time;
    }
  }
}

// The oracle: every tactic of the catalogue by tactic_work, with the search's own limits on what is worth a timing.
TEST(GemmSearch, IsTheMinimumOverTheCatalogue) {
  std::mt19937_64 draw(3);
  const GemmFamily& family = search().families().front();
  for (int i = 0; i < 60; ++i) {
    const GemmShape shape = random_shape(draw);
    const GemmLimits limits{mib(32), true};
    Seconds least(std::numeric_limits<double>::infinity());
    for (std::size_t t = 0; t < family.tiles.size(); ++t)
      for (std::size_t c = 0; c < family.tiles[t].clusters.size(); ++c) {
        const GemmTile& tile = family.tiles[t];
        const Cluster cluster = tile.clusters[c];
        const std::int64_t across = cost::ceil_div(shape.n, tile.features), down = cost::ceil_div(shape.m, tile.tokens);
        if (across < cluster.features || down < cluster.tokens) continue;
        const std::int64_t blocks = cost::ceil_div(across, cluster.features) * cluster.features *
                                    cost::ceil_div(down, cluster.tokens) * cluster.tokens;
        for (const std::int64_t split : family.splits) {
          const bool worth =
              blocks * split <= 2 * cluster_slots(cluster, 132) && split_depth(shape.k, split, 64) >= 256;
          const GemmTactic tactic{t, c, 0, split};
          if ((split == 1 || worth) && search().legal(shape, 0, tactic, limits))
            least = std::min(least, search().work(shape, 0, tactic).time);
        }
      }
    EXPECT_DOUBLE_EQ(search().work(shape, 0, search().fastest(shape, 0, limits)).time.value(), least.value());
  }
}

TEST(GemmSearch, SignatureKnowsSplitsAndInstructionsOnly) {
  const GemmShape shape{16, 4096, 4096};
  EXPECT_EQ(search().signature(shape, 0, {0, 0, 0, 1}), search().signature(shape, 0, {20, 3, 0, 1}));
  EXPECT_EQ(search().signature(shape, 0, {0, 0, 0, 4}), search().signature(shape, 0, {20, 3, 0, 4}));
  EXPECT_NE(search().signature(shape, 0, {0, 0, 0, 4}), search().signature(shape, 0, {0, 0, 0, 2}));
  EXPECT_NE(search().signature(shape, 0, {0, 0, 0, 1}), search().signature(shape, 1, {0, 0, 0, 1}));
}

TEST(GemmSearch, Int8SumsAreExactWhateverRuns) {
  const GemmShape shape{16, 4096, 4096};
  const std::size_t family = search().family(shape, Precision::int8);
  for (const std::int64_t split : {1, 2, 3, 8})
    for (const std::size_t tile : {0U, 7U, 30U})
      EXPECT_EQ(search().signature(shape, family, {tile, 0, 0, split}),
                search().signature(shape, family, {0, 0, 0, 1}));
}

TEST(GemmSearch, PartialsInTheOutputTypeAreOtherBitsAndHalfTheWorkspace) {
  GemmCatalogue catalogue = default_catalogue();
  catalogue.families.front().reductions.push_back({"output_type", "bf16", 2, true});
  const GemmSearch with(catalogue);
  const GemmShape shape{16, 2560, 4096};
  const GemmTactic fp32{0, 0, 0, 2}, bf16{0, 0, 1, 2};
  EXPECT_NE(with.signature(shape, 0, fp32), with.signature(shape, 0, bf16));
  const Bytes half(2.0 * 16.0 * 2560.0 * 2.0);
  EXPECT_TRUE(with.legal(shape, 0, bf16, {half, true}));
  EXPECT_FALSE(with.legal(shape, 0, fp32, {half, true}));
}

}  // namespace
}  // namespace brink::plan
