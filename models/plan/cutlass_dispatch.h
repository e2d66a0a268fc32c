// The kernels vLLM's CUTLASS scaled_mm runs on sm90, by shape: a fixed table, no search and no split-K
// (csrc/quantization/w8a8/cutlass/c3x/scaled_mm_sm90_{fp8,int8}_dispatch.cuh).
#pragma once

#include <cstdint>
#include <string>

#include "models/plan/gemm_catalogue.h"

namespace brink::plan {

struct CutlassKernel {
  // Tile and cluster as the kernel is written: rows x columns of what it computes.
  std::int64_t tile_m = 128, tile_n = 128, tile_k = 128;
  std::int64_t cluster_m = 1, cluster_n = 1;
  bool swapped = false;  // computes the transpose: its rows are features

  /// The same tile as tokens x features of Y.
  [[nodiscard]] GemmTile tile() const;
  /// "cutlass/fp8_64x16x256_1x4_swap".
  [[nodiscard]] std::string name(Precision precision) const;

  friend bool operator==(const CutlassKernel&, const CutlassKernel&) = default;
};

/// FP8 with a scale a tensor, token or channel: m tokens, n features.
[[nodiscard]] CutlassKernel cutlass_fp8(std::int64_t m, std::int64_t n);
/// INT8: m is rounded up to a power of two, at least 32.
[[nodiscard]] CutlassKernel cutlass_int8(std::int64_t m, std::int64_t n);

/// Both need rows of 16 bytes: n and k multiples of 16 (AlignmentAB of the kernels).
[[nodiscard]] bool cutlass_legal(std::int64_t n, std::int64_t k);

}  // namespace brink::plan
