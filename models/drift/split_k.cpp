#include "models/drift/split_k.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

namespace brink::drift {

namespace {

/// Partial sums of 16 bits: shares and rms differences at 1, 2, 4, 8, 16 splits (means over K).
constexpr std::array<double, 5> changed_16bit = {0.0, 0.376, 0.499, 0.592, 0.672};
constexpr std::array<double, 5> difference_bf16 = {0.0, 2.87e-3, 3.55e-3, 4.38e-3, 5.55e-3};

double by_splits(const std::array<double, 5>& table, std::int64_t splits) {
  const double x = std::clamp(std::log2(static_cast<double>(splits)), 0.0, 4.0);
  const auto i = std::min(static_cast<std::size_t>(x), table.size() - 2);
  return std::lerp(table[i], table[i + 1], x - static_cast<double>(i));
}

/// P(|x| < bound) of a standard normal x.
double within(double bound) { return std::erf(bound / std::numbers::sqrt2); }

/// Chance that x + d rounds to another BF16 number than x, for x ~ N(0, 1) and a small d of mean size `size`: within
/// one binade numbers are `spacing` apart, and a shift of d crosses a boundary with probability |d| / spacing.
double crossing_share(double size) {
  double share = 0.0;
  for (int exponent = 2; exponent >= -60; --exponent) {
    const double low = std::ldexp(1.0, exponent);
    const double spacing = std::ldexp(2.0 * unit_roundoff(Arithmetic::bf16), exponent);
    share += (within(2.0 * low) - within(low)) * std::min(1.0, size / spacing);
  }
  return share;
}

bool narrow(Arithmetic partials) { return partials == Arithmetic::bf16 || partials == Arithmetic::fp16; }

}  // namespace

double split_k_difference(std::int64_t k, std::int64_t splits, Arithmetic partials) {
  if (splits <= 1 || partials == Arithmetic::int8) return 0.0;
  if (narrow(partials)) {
    // Scales with the spacing of what partials are kept in.
    return by_splits(difference_bf16, splits) * unit_roundoff(partials) / unit_roundoff(Arithmetic::bf16);
  }
  return 0.075 * std::sqrt(static_cast<double>(k)) * unit_roundoff(Arithmetic::fp32);
}

double split_k_changed_share(std::int64_t k, std::int64_t splits, Arithmetic partials) {
  if (splits <= 1 || partials == Arithmetic::int8) return 0.0;
  if (partials == Arithmetic::bf16) return by_splits(changed_16bit, splits);
  const double mean_size = split_k_difference(k, splits, partials) * std::sqrt(2.0 / std::numbers::pi);
  return crossing_share(mean_size);
}

}  // namespace brink::drift
