// A distribution with a given mean, variance and skewness, sampled from one standard normal: stands in for the sum
// of many skewed draws, whose third moment a normal would drop.
#pragma once

namespace brink {

/// The first three cumulants of one draw. Those of a sum of independent draws add up.
struct Cumulants {
  double mean = 0.0;
  double variance = 0.0;
  double third = 0.0;  // third central moment

  /// Of the sum of `n` independent draws.
  [[nodiscard]] Cumulants times(double n) const { return {mean * n, variance * n, third * n}; }
};

/// The value at standard normal deviate `z`, increasing in z, of the lognormal shifted to have these cumulants
/// (Johnson, Kotz & Balakrishnan 1994, "Continuous univariate distributions" vol. 1, ch. 14: the three-parameter
/// lognormal fitted by moments). A skewness <= 0 gives the normal.
[[nodiscard]] double shifted_lognormal(const Cumulants& cumulants, double z);

}  // namespace brink
