// The W4A16 kernel of vLLM (Marlin): stripes of k x n tiles cut evenly over the SMs, so that most columns are summed
// by several SMs (csrc/quantization/gptq_marlin/gptq_marlin.cu; marlin_utils.py).
#pragma once

#include <cstdint>
#include <string>

#include "models/plan/gemm_catalogue.h"
#include "models/plan/tactic.h"

namespace brink::plan {

struct MarlinKernel {
  std::int64_t rows = 16;  // of tokens a pass holds: 16, 32, 48 or 64
  std::int64_t tile_k = 128, tile_n = 128;
  std::int64_t stripe = 1;  // k tiles one SM sums in a row before it moves on
  std::int64_t passes = 1;  // chunks of tokens
  bool atomics = false;     // partial sums meet by atomicAdd instead of in order

  /// "marlin/w4a16_m16_k128n128_stripe4[_atomic]".
  [[nodiscard]] std::string name() const;
  /// Where the stripes cut k, and how the parts meet.
  [[nodiscard]] ReductionSig signature() const;
  [[nodiscard]] GemmTile tile() const;
};

/// n a multiple of 64 and k of 128 (GPTQ_MARLIN_MIN_THREAD_N, _K).
[[nodiscard]] bool marlin_legal(std::int64_t n, std::int64_t k);

/// `allow_atomics`: VLLM_MARLIN_USE_ATOMIC_ADD; atomics are then used where n < 2048 and k >= 2048
/// (should_use_atomic_add_reduce). The shape must be legal.
[[nodiscard]] MarlinKernel marlin_kernel(std::int64_t m, std::int64_t n, std::int64_t k, std::int64_t sm_count,
                                         bool allow_atomics);

}  // namespace brink::plan
