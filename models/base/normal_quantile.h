// Quantile of the standard normal distribution.
#pragma once

namespace brink {

/// x with Phi(x) = p, for p in (0, 1); relative error about 1e-16.
/// Wichura 1988, "Algorithm AS 241: The percentage points of the normal distribution"
/// (Applied Statistics 37), routine PPND16.
[[nodiscard]] double normal_quantile(double p);

}  // namespace brink
