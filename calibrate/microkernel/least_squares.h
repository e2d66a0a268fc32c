// Bounded non-linear least squares: Levenberg-Marquardt (Marquardt, J. SIAM 11(2), 1963) on Eigen, with
// steps projected onto the bounds and the weights of a soft absolute loss, so that one odd point does not
// bend a curve.
#pragma once

#include <functional>
#include <string>
#include <vector>

namespace brink::calibrate {

/// A parameter that is searched on a logarithmic scale when `low` is positive, else on a linear one.
struct FitParameter {
  std::string name;
  double start, low, high;
};

struct FitSolution {
  std::vector<double> values;
  double rms = 0.0;                    ///< of the residuals, unweighted
  std::vector<std::string> at_bound;   ///< parameters that stopped at a physical bound
};

/// `residuals(values)` returns as many numbers every time, here always log(predicted / measured).
using FitResiduals = std::function<std::vector<double>(const std::vector<double>& values)>;

/// Minimises the sum of scale^2 * 2 * (sqrt(1 + (r / scale)^2) - 1); `scale` is where a residual turns
/// from quadratic to linear. Deterministic. Throws Error when there are fewer residuals than parameters.
[[nodiscard]] FitSolution least_squares(const std::vector<FitParameter>& parameters, const FitResiduals& residuals, double scale = 0.05);

}  // namespace brink::calibrate
