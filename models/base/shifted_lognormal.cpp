#include "models/base/shifted_lognormal.h"

#include <cmath>

namespace brink {

double shifted_lognormal(const Cumulants& cumulants, double z) {
  if (!(cumulants.variance > 0.0)) return cumulants.mean;
  const double deviation = std::sqrt(cumulants.variance);
  const double skewness = cumulants.third / (cumulants.variance * deviation);
  // Below this the lognormal's exponent is lost in rounding, and the normal is as near.
  if (!(skewness > 1e-4)) return cumulants.mean + deviation * z;
  // With w^2 = exp(s^2) - 1 the skewness is w^3 + 3 w; its real root by Cardano's formula.
  const double t = std::cbrt(0.5 * (skewness + std::sqrt(skewness * skewness + 4.0)));
  const double w = t - 1.0 / t;
  const double s2 = std::log1p(w * w);
  return cumulants.mean + deviation / w * std::expm1(std::sqrt(s2) * z - 0.5 * s2);
}

}  // namespace brink
