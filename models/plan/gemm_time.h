// How long one GEMM tactic takes, by physics: tiles run in waves over the SMs, each step of k bound by the MMA, by
// shared memory or by operands from L2; all of it meets the HBM bound; split-K pays for its partial sums.
#pragma once

#include <cstdint>

#include "models/base/units.h"
#include "models/plan/gemm_catalogue.h"

namespace brink::plan {

/// Rows, features and depth of Y[m, n] = X[m, k] W[n, k]^T.
struct GemmShape {
  std::int64_t m = 1, n = 1, k = 1;
};

/// Time of one k_step inside a tile: the MMA issue max'ed with the MMA's reads of shared memory (rows once, columns
/// once for each 64 rows), joined with operand loads from L2 by a 4-norm. Multicast divides what a block loads
/// (DeepGEMM, csrc/jit_kernels/heuristics/sm90.hpp: L1 and L2 cycles).
[[nodiscard]] Seconds step_time(const GemmTile& tile, Cluster cluster, const GemmFamily& family,
                                const GemmMachine& machine);

/// Thread blocks that run at once with clusters of this size.
[[nodiscard]] std::int64_t cluster_slots(Cluster cluster, std::int64_t sm_count);

/// Parts of k and the size of a partial sum.
struct SplitCount {
  std::int64_t parts = 1;
  std::int64_t partial_bytes = 4;
};

/// One tactic on one shape.
struct TacticWork {
  Seconds time{0.0};
  double tile_efficiency = 1.0, wave_efficiency = 1.0;  // (0, 1]
};

/// launch + ((waves * (steps * step + fixed))^4 + (bytes / HBM)^4)^(1/4), and for a split of S the partial sums
/// written and read (2 S m n bytes) and the kernel that adds them. Tile and wave quantisation: NVIDIA Deep Learning
/// Performance guide, "Matrix Multiplication Background".
[[nodiscard]] TacticWork tactic_work(const GemmShape& shape, const GemmTile& tile, Cluster cluster, SplitCount split,
                                     const GemmFamily& family, const GemmMachine& machine);

/// Compulsory traffic: both operands and the 16-bit output, once.
[[nodiscard]] Bytes compulsory_bytes(const GemmShape& shape, double element_bytes);

/// (a^4 + b^4)^(1/4): close to the larger, smooth where they meet.
[[nodiscard]] Seconds joined(Seconds a, Seconds b);

/// Elements of k that one of `split` parts takes: whole pipeline steps.
[[nodiscard]] std::int64_t split_depth(std::int64_t k, std::int64_t split, std::int64_t k_step);

/// Scratch memory for the partial sums of a split: S * Mpad * Npad * bytes each; none unsplit.
[[nodiscard]] Bytes split_workspace(const GemmShape& shape, const GemmTile& tile, std::int64_t split,
                                    std::int64_t partial_bytes);

}  // namespace brink::plan
