#include "models/plan/cutlass_dispatch.h"

#include <fmt/format.h>

#include <algorithm>

namespace brink::plan {
namespace {

constexpr std::int64_t kAlignment = 16;            // elements of one byte in a 128-bit access
constexpr std::int64_t kFp8NarrowFeatures = 1280;  // up to here a cluster shares the weights
constexpr std::int64_t kInt8WideFeatures = 8192;   // from here
constexpr std::int64_t kSharedBytes = 214 * 1024;  // operand pipeline; the rest holds the output tile
constexpr std::int64_t kStagesMax = 16;

}  // namespace

GemmTile CutlassKernel::tile() const {
  GemmTile tile;
  tile.features = swapped ? tile_m : tile_n;
  tile.tokens = swapped ? tile_n : tile_m;
  tile.token_rows = !swapped;
  tile.stages = std::min(kSharedBytes / ((tile_m + tile_n) * tile_k), kStagesMax);
  tile.clusters = {swapped ? Cluster{cluster_m, cluster_n} : Cluster{cluster_n, cluster_m}};
  return tile;
}

std::string CutlassKernel::name(Precision precision) const {
  return fmt::format("cutlass/{}_{}x{}x{}_{}x{}{}", plan::name(precision), tile_m, tile_n, tile_k, cluster_m, cluster_n,
                     swapped ? "_swap" : "");
}

CutlassKernel cutlass_fp8(std::int64_t m, std::int64_t n) {
  const bool narrow = n <= kFp8NarrowFeatures;
  if (m <= 16) return {64, 16, 256, 1, narrow ? 2 : 1, true};
  if (m <= 64) return narrow ? CutlassKernel{64, 16, 256, 1, 4, true} : CutlassKernel{64, 64, 256, 1, 1, true};
  if (m <= 128) return {64, 128, 128, 2, 1, false};
  return {128, 128, 128, 2, 1, false};
}

CutlassKernel cutlass_int8(std::int64_t m, std::int64_t n) {
  // A power of two from 32 up is at most 32, 64 or 128 exactly when m is.
  if (m <= 32)
    return n < kInt8WideFeatures ? CutlassKernel{64, 64, 256, 1, 8, false} : CutlassKernel{64, 128, 256, 1, 4, false};
  if (m <= 64) return {64, 64, 256, 1, 1, false};
  if (m <= 128) return {64, 128, 128, 2, 1, false};
  return {128, 128, 128, 2, 1, false};
}

bool cutlass_legal(std::int64_t n, std::int64_t k) { return n % kAlignment == 0 && k % kAlignment == 0; }

}  // namespace brink::plan
