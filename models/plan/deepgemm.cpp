#include "models/plan/deepgemm.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <vector>

#include "models/cost/roofline.h"

namespace brink::plan {
namespace {

using cost::ceil_div;

constexpr std::int64_t kSharedCapacity = 232448;  // bytes a thread block may use
constexpr std::int64_t kStagesMax = 16;
constexpr std::int64_t kBarrierBytes = kStagesMax * 8 * 2;
constexpr std::int64_t kStageBytesOfK = 128;  // of one row in a pipeline stage
constexpr std::int64_t kOutputBytes = 2;
constexpr std::int64_t kScaleBytes = 4;
constexpr std::int64_t kMmaRows = 64;  // warp-group MMA pads its reads to this

std::int64_t align(std::int64_t value, std::int64_t to) { return ceil_div(value, to) * to; }

struct Problem {
  std::int64_t m, n, k, element_bytes, block_k, sm_count;
  bool scaled;
};

std::int64_t stage_count(const Problem& p, std::int64_t block_m, std::int64_t block_n) {
  std::int64_t fixed = align(block_m * block_n * kOutputBytes, 1024) + kBarrierBytes;
  std::int64_t stage = (block_m + block_n) * kStageBytesOfK;
  if (p.scaled) {
    const std::int64_t copies = p.block_k % block_n == 0 ? 1 : 2;  // a tile may straddle two weight blocks
    fixed += align(ceil_div(p.k, p.block_k) * kScaleBytes * copies, 8);
    stage += align(block_m * kScaleBytes, 128);
  }
  return std::min((kSharedCapacity - fixed) / stage, kStagesMax);
}

bool tile_legal(const Problem& p, std::int64_t block_m, std::int64_t block_n, std::int64_t stages) {
  // The scaled kernel unrolls over the part of the tile beyond a weight block.
  const std::int64_t beyond = block_n - p.block_k;
  if (p.scaled && beyond > 0 && block_n % beyond != 0 && p.block_k % beyond != 0) return false;
  if (block_m > 128 && block_n > 128) return false;  // registers
  return stages >= 3 && (block_m * block_n >= 128 * 192 || stages >= 4);
}

std::int64_t cycles(const Problem& p, const DeepGemmTile& t, std::int64_t blocks) {
  const double l2_rate = std::min(64.0 * static_cast<double>(p.sm_count), 8e6 / 1.3e3);  // bytes a cycle
  const auto l2_per_cycle = static_cast<std::int64_t>(l2_rate);
  const std::int64_t l1_per_cycle = 128 * p.sm_count;
  const std::int64_t e = p.element_bytes, output = t.block_m * t.block_n * kOutputBytes;
  const std::int64_t l2_operands = p.k * (t.block_m / t.cluster_n * e + t.block_n / t.cluster_m * e);
  const std::int64_t l1_operands = p.k * (t.block_m + t.block_n) * e;
  const std::int64_t l1_mma = p.k * (std::max(kMmaRows, t.block_m) + t.block_n) * e + output;
  const std::int64_t l2 = (l2_operands + output) * blocks / l2_per_cycle;
  const std::int64_t l1 = (l1_operands + l1_mma + output) * blocks / l1_per_cycle;
  // Single precision, as the heuristic has it: ties depend on it.
  const float efficiency = static_cast<float>(blocks) / static_cast<float>(t.waves * p.sm_count);
  return static_cast<std::int64_t>(static_cast<float>(std::max(l1, l2)) / efficiency);
}

}  // namespace

GemmTile DeepGemmTile::tile() const {
  GemmTile tile;
  tile.features = block_n;
  tile.tokens = block_m;
  tile.token_rows = true;
  tile.stages = stages;
  tile.clusters = {Cluster{cluster_n, cluster_m}};
  return tile;
}

std::string DeepGemmTile::name(Precision precision) const {
  return fmt::format("deepgemm/{}_{}x{}x{}_{}x{}", plan::name(precision), block_m, block_n, block_k, cluster_m,
                     cluster_n);
}

DeepGemmTile deepgemm_tile(std::int64_t m, std::int64_t n, std::int64_t k, Precision precision, std::int64_t sm_count) {
  const bool scaled = precision == Precision::fp8;
  const std::int64_t element_bytes = scaled ? 1 : 2;
  const Problem problem{m, n, k, element_bytes, kStageBytesOfK / element_bytes, sm_count, scaled};
  std::vector<std::int64_t> heights = {64, 128};
  if (m <= 16) heights.push_back(16);
  if (m <= 32) heights.push_back(32);
  heights.push_back(256);
  constexpr std::int64_t clusters[3][2] = {{1, 1}, {1, 2}, {2, 1}};
  DeepGemmTile best;
  std::int64_t least = std::numeric_limits<std::int64_t>::max();
  for (const auto& cluster : clusters) {
    if (sm_count % (cluster[0] * cluster[1]) != 0) continue;
    for (const std::int64_t block_m : heights)
      for (std::int64_t block_n = 16; block_n <= (scaled ? 192 : 256); block_n += 16) {
        const std::int64_t stages = stage_count(problem, block_m, block_n);
        if (!tile_legal(problem, block_m, block_n, stages)) continue;
        const std::int64_t blocks = ceil_div(m, block_m) * ceil_div(n, block_n);
        DeepGemmTile tile{
            block_m,          block_n, problem.block_k, cluster[0], cluster[1], stages, ceil_div(blocks, sm_count),
            blocks % sm_count};
        if (tile.last_wave == 0) tile.last_wave = sm_count;
        // One wave keeps every SM busy already: a cluster would only add its barrier.
        if (cluster[0] * cluster[1] > 1 && tile.waves <= 1) continue;
        const std::int64_t cost = cycles(problem, tile, blocks);
        if (cost < least) {
          least = cost;
          best = tile;
        }
      }
  }
  return best;
}

bool deepgemm_legal(std::int64_t n, std::int64_t k) { return n % 64 == 0 && k % 128 == 0; }

}  // namespace brink::plan
