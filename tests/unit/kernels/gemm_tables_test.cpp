// Tables and maps of the GEMM groups: shapes, run lengths, tactics, bit classes.
#include "kernels/gemm/bit_classes.h"
#include "kernels/gemm/run_length.h"
#include "kernels/gemm/shapes.h"
#include "kernels/gemm/tactic.h"
#include "kernels/runner/verify.h"

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <sstream>

namespace brink::kernels {
namespace {

struct Model {
  std::int64_t hidden, intermediate, heads, heads_kv, vocabulary;
};

TEST(GemmShapes, AreTheLayersTheyAreSaidToBe) {
  const std::map<std::string, Model> models = {
      {"llama-3.1-8b", {4096, 14336, 32, 8, 128256}},  {"llama-2-7b", {4096, 11008, 32, 32, 32000}},
      {"qwen2.5-7b", {3584, 18944, 28, 4, 152064}},    {"qwen3-14b", {5120, 17408, 40, 8, 151936}},
      {"llama-3.1-70b", {8192, 28672, 64, 8, 128256}}, {"llama-3.1-405b", {16384, 53248, 128, 8, 128256}},
  };
  for (const GemmShape& shape : gemm_shapes()) {
    std::istringstream why(shape.why);
    std::string layer, name, degree;
    why >> layer >> name >> degree;
    SCOPED_TRACE(shape.why);
    ASSERT_EQ(models.count(name), 1u);
    const Model& m = models.at(name);
    const std::int64_t tp = std::stoll(degree.substr(2));
    std::int64_t n = 0, k = m.hidden;
    if (layer == "qkv") n = (m.heads + 2 * m.heads_kv) * 128 / tp;
    if (layer == "o") n = m.hidden, k = m.heads * 128 / tp;
    if (layer == "gate_up") n = 2 * m.intermediate / tp;
    if (layer == "down") n = m.hidden, k = m.intermediate / tp;
    if (layer == "lm_head") n = m.vocabulary / tp;
    EXPECT_EQ(shape.n, n);
    EXPECT_EQ(shape.k, k);
  }
}

TEST(GemmShapes, FitTheLimitsOfTheGroups) {
  EXPECT_LE(gemm_shapes().size(), 24u);
  EXPECT_LE(gemm_row_grid().size(), 24u);
  std::set<std::pair<std::int64_t, std::int64_t>> seen;
  for (const GemmShape& shape : gemm_shapes()) {
    EXPECT_TRUE(seen.insert({shape.n, shape.k}).second) << shape.why;
    EXPECT_EQ(shape.n % 16, 0) << shape.why;  // fp8 needs both
    EXPECT_EQ(shape.k % 16, 0) << shape.why;
    EXPECT_EQ(shape.n * shape.k % 256, 0) << shape.why;  // rotated copies stay aligned
    EXPECT_LE(shape.k, 18944) << shape.why;
  }
  for (std::size_t i = 1; i < gemm_row_grid().size(); ++i) EXPECT_LT(gemm_row_grid()[i - 1], gemm_row_grid()[i]);
}

TEST(RunLengths, CoverTheSequence) {
  const std::vector<int> values = {5, 5, 5, 7, 5, 5};
  const auto runs = run_lengths(values, 1);
  ASSERT_EQ(runs.size(), 3u);
  EXPECT_EQ(runs[0].first, 1);
  EXPECT_EQ(runs[0].last, 3);
  EXPECT_EQ(runs[1].first, 4);
  EXPECT_EQ(runs[1].last, 4);
  EXPECT_EQ(runs[2].last, 6);
  EXPECT_EQ(values[runs[2].value_at], 5);
  EXPECT_TRUE(run_lengths(std::vector<int>(), 1).empty());
}

Tactic tactic(std::int32_t id, std::int32_t split_k) {
  Tactic t;
  t.id = id;
  t.split_k = split_k;
  return t;
}

RowAt row(const Tactic& t, unsigned long long hash, unsigned changed) {
  RowAt at{t, {}};
  at.row.hash = hash;
  at.row.changed = changed;
  at.row.ulp_total = changed;
  at.row.delta_max_bits = changed == 0 ? 0u : 0x3f000000u;  // 0.5
  return at;
}

TEST(BitClasses, AreNumberedAsTheyAppearAndRunLengthEncoded) {
  const Tactic a = tactic(66, 1), b = tactic(66, 4);
  const JsonObject map = bit_class_map({row(a, 10, 0), row(a, 10, 0), row(b, 20, 3), row(a, 20, 3), row(a, 10, 0)}, 6);
  EXPECT_EQ(map.text(),
            "{\"runs\":[[1,2,0,0],[3,3,1,1],[4,4,0,1],[5,5,0,0]],"
            "\"tactics\":[\"66/t0/s0/k1/r0/w0/c0/i0/g0\",\"66/t0/s0/k4/r0/w0/c0/i0/g0\"],"
            "\"classes\":[{\"hash\":\"000000000000000a\",\"changed\":0,\"ulps\":0,\"delta_max\":0},"
            "{\"hash\":\"0000000000000014\",\"changed\":0.5,\"ulps\":1,\"delta_max\":0.5}]}");
}

TEST(BitClasses, RowsWithoutAnAlgorithmAreMarked) {
  const JsonObject map = bit_class_map({row(tactic(1, 1), 10, 0), row(Tactic(), 0, 0)}, 4);
  EXPECT_NE(map.text().find("\"runs\":[[1,1,0,0],[2,2,1,-1]]"), std::string::npos) << map.text();
}

TEST(BitClasses, RefuseUnwrittenRowsAndHashesThatContradictTheElements) {
  const Tactic a = tactic(66, 1);
  RowAt unwritten = row(a, 11, 4);
  unwritten.row.poisoned = 2;
  EXPECT_THROW(bit_class_map({row(a, 10, 0), unwritten}, 4), WrongResult);
  EXPECT_THROW(bit_class_map({row(a, 10, 0), row(a, 10, 1)}, 4), WrongResult);
  EXPECT_THROW(bit_class_map({row(a, 10, 0), row(a, 12, 0)}, 4), WrongResult);
}

TEST(Tactics, DifferInEveryFieldThatChangesTheKernel) {
  const Tactic base = tactic(66, 1);
  std::vector<Tactic> others(9, base);
  others[0].id = 67;
  others[1].tile = 1;
  others[2].stages = 1;
  others[3].split_k = 2;
  others[4].reduction = 1;
  others[5].swizzle = 1;
  others[6].custom = 1;
  others[7].inner = 1;
  others[8].cluster = 1;
  std::set<std::string> names = {tactic_name(base)};
  for (const Tactic& other : others) {
    EXPECT_NE(other, base);
    EXPECT_TRUE(names.insert(tactic_name(other)).second);
  }
  Tactic same = base;
  same.workspace_bytes = 1;  // a consequence of the choice, not part of it
  EXPECT_EQ(same, base);
  EXPECT_EQ(tactic_name(Tactic()), "none");
}

TEST(Tactics, EnumeratorsHaveReadableNames) {
  // CUBLASLT_MATMUL_TILE_8x8 = 1, _64x64 = 15, _128x256 = 23; CUBLASLT_CLUSTER_SHAPE_1x1x1 = 2, _2x1x1 = 3.
  EXPECT_EQ(tile_name(1), "8x8");
  EXPECT_EQ(tile_name(15), "64x64");
  EXPECT_EQ(tile_name(23), "128x256");
  EXPECT_EQ(tile_name(0), "");
  EXPECT_EQ(tile_name(100000), "");
  EXPECT_EQ(cluster_name(0), "auto");
  EXPECT_EQ(cluster_name(2), "1x1x1");
  EXPECT_EQ(cluster_name(3), "2x1x1");
  EXPECT_EQ(cluster_name(1), "");
}

}  // namespace
}  // namespace brink::kernels
