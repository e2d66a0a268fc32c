// How far a sum of n rounded terms can be from the exact one, relative to the sum of their absolute values.
#pragma once

#include <cstdint>

#include "models/drift/arithmetic.h"

namespace brink::drift {

/// gamma_n = n u / (1 - n u): terms added one after the other (Higham, "Accuracy and Stability of Numerical
/// Algorithms", 2nd ed., chapter 4). Infinite where n u >= 1: then nothing is guaranteed.
[[nodiscard]] double sequential_bound(std::int64_t terms, Arithmetic arithmetic);

/// gamma of ceil(log2 n): terms added in a balanced tree (same chapter).
[[nodiscard]] double pairwise_bound(std::int64_t terms, Arithmetic arithmetic);

/// lambda sqrt(n) u: holds with probability at least 1 - 2 n exp(-lambda^2 / 2) when rounding errors are independent
/// with mean zero, to first order in u (Higham and Mary, SIAM J. Sci. Comput. 41, 2019).
[[nodiscard]] double probable_bound(std::int64_t terms, double lambda, Arithmetic arithmetic);

}  // namespace brink::drift
