// DeepGEMM's choice of tile on sm90: the least max(L1 cycles, L2 cycles) / wave efficiency over all legal tiles and
// clusters (DeepGEMM, csrc/jit_kernels/heuristics/sm90.hpp). It never splits k.
#pragma once

#include <cstdint>
#include <string>

#include "models/plan/gemm_catalogue.h"

namespace brink::plan {

struct DeepGemmTile {
  std::int64_t block_m = 64, block_n = 64, block_k = 64;  // tokens, features, depth
  std::int64_t cluster_m = 1, cluster_n = 1;
  std::int64_t stages = 4;
  std::int64_t waves = 1;
  std::int64_t last_wave = 1;  // thread blocks of the last wave

  [[nodiscard]] GemmTile tile() const;
  /// "deepgemm/fp8_64x96x128_2x1".
  [[nodiscard]] std::string name(Precision precision) const;
};

/// `precision` is bf16 or fp8 (128-element scale blocks, the 1D2D kernel); output bf16. Over a hundred tiles are
/// compared: microseconds.
[[nodiscard]] DeepGemmTile deepgemm_tile(std::int64_t m, std::int64_t n, std::int64_t k, Precision precision,
                                         std::int64_t sm_count = 132);

/// What vLLM asks of a block-scaled weight: n a multiple of 64, k of 128 (vllm/utils/deep_gemm.py,
/// should_use_deepgemm_for_fp8_linear).
[[nodiscard]] bool deepgemm_legal(std::int64_t n, std::int64_t k);

}  // namespace brink::plan
