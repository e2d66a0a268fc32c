#include "models/plan/marlin.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "models/cost/roofline.h"
#include "models/plan/gemm_search.h"

namespace brink::plan {
namespace {

using cost::ceil_div;

constexpr std::int64_t kRowBlock = 16;     // tokens of one MMA
constexpr std::int64_t kRowBlocksMax = 4;  // a pass holds at most 64 tokens
constexpr std::int64_t kStages = 4;
constexpr std::int64_t kAtomicFeatures = 2048, kAtomicDepth = 2048;

struct ThreadTile {
  std::int64_t k, n;
};
// In order of preference; the first that divides the shape is taken.
constexpr std::array<ThreadTile, 3> kSmall{{{128, 128}, {64, 128}, {128, 64}}};  // one block of 16 rows
constexpr std::array<ThreadTile, 3> kLarge{{{64, 256}, {64, 128}, {128, 64}}};

}  // namespace

std::string MarlinKernel::name() const {
  return fmt::format("marlin/w4a16_m{}_k{}n{}_stripe{}{}", rows, tile_k, tile_n, stripe, atomics ? "_atomic" : "");
}

ReductionSig MarlinKernel::signature() const {
  ReductionSig sig = signature_hash(name_hash("mma.sync.f32.w4a16"), static_cast<std::uint64_t>(tile_k));
  sig = signature_hash(sig, static_cast<std::uint64_t>(tile_n));
  sig = signature_hash(sig, static_cast<std::uint64_t>(stripe));
  return signature_hash(sig, atomics ? 1 : 0);
}

GemmTile MarlinKernel::tile() const { return {tile_n, rows, true, kStages, {Cluster{1, 1}}}; }

bool marlin_legal(std::int64_t n, std::int64_t k) { return n % 64 == 0 && k % 128 == 0; }

MarlinKernel marlin_kernel(std::int64_t m, std::int64_t n, std::int64_t k, std::int64_t sm_count, bool allow_atomics) {
  MarlinKernel kernel;
  const std::int64_t blocks = std::min(ceil_div(m, kRowBlock), kRowBlocksMax);
  kernel.rows = blocks * kRowBlock;
  kernel.passes = ceil_div(m, kernel.rows);
  for (const ThreadTile tile : blocks == 1 ? kSmall : kLarge)
    if (n % tile.n == 0 && k % tile.k == 0) {
      kernel.tile_k = tile.k;
      kernel.tile_n = tile.n;
      break;
    }
  kernel.stripe = ceil_div((k / kernel.tile_k) * (n / kernel.tile_n) * kernel.passes, sm_count);
  kernel.atomics = allow_atomics && n < kAtomicFeatures && k >= kAtomicDepth;
  return kernel;
}

}  // namespace brink::plan
