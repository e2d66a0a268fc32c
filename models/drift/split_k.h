// What cutting the K dimension of a GEMM into splits does to its outputs: the law behind `reduction_sig`.
// Fitted to our Monte Carlo of tensor-core sums (16 products a step, FP32 accumulators, outputs of unit variance, K
// from 1024 to 14336, 2 to 16 splits).
#pragma once

#include <cstdint>

#include "models/drift/arithmetic.h"

namespace brink::drift {

/// Root mean square of the difference that splitting makes, over the root mean square of the outputs.
/// `partials` is what the partial sums are kept in. 0 without splits and for INT8, whose sums are exact.
/// FP32: 0.075 sqrt(K) 2^-24, nearly independent of the number of splits.
[[nodiscard]] double split_k_difference(std::int64_t k, std::int64_t splits, Arithmetic partials);

/// Share of outputs, stored as BF16, that another split count changes. FP32 partials: the sum over binades of the
/// chance that a difference of split_k_difference() crosses a rounding boundary; 1e-4 to 7e-4. BF16 partials: 37, 50,
/// 59, 67 % for 2, 4, 8, 16 splits, linear in log2 between. INT8: 0.
[[nodiscard]] double split_k_changed_share(std::int64_t k, std::int64_t splits, Arithmetic partials);

}  // namespace brink::drift
