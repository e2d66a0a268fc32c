#include "models/drift/flip_law.h"

#include <cmath>
#include <numbers>

namespace brink::drift {

namespace {

/// Median of |x| for a standard normal x.
constexpr double half_normal_median = 0.67448975019608171;

constexpr double bf16_median = 6.3e-2;
constexpr double fp32_median_low = 1.8e-5, fp32_median_high = 3.6e-5;

double sigma(Nats median) { return median.value() / half_normal_median; }

/// E[min(1, rho x)].
double half_normal_within(double rho, Nats median) {
  const double s = sigma(median);
  const double reach = 1.0 / (rho * s * std::numbers::sqrt2);  // where rho x = 1, in units of sqrt(2) sigma
  return rho * s * std::sqrt(2.0 / std::numbers::pi) * -std::expm1(-reach * reach) + std::erfc(reach);
}

double exponential_within(double rho, double mean) { return rho * mean * -std::expm1(-1.0 / (rho * mean)); }

}  // namespace

const char* name(DeltaShape shape) { return shape == DeltaShape::half_normal ? "half_normal" : "exponential"; }

Nats FlipLaw::delta_mean() const {
  if (shape == DeltaShape::exponential) return delta_median / std::numbers::ln2;
  return Nats(sigma(delta_median) * std::sqrt(2.0 / std::numbers::pi));
}

double FlipLaw::flip_if_changed() const {
  const double rho = margin_density.value();
  if (rho <= 0.0 || delta_median.value() <= 0.0) return 0.0;
  return 0.5 * (shape == DeltaShape::exponential ? exponential_within(rho, delta_mean().value())
                                                 : half_normal_within(rho, delta_median));
}

Nats delta_median_of(Arithmetic arithmetic) {
  if (arithmetic == Arithmetic::int8) return Nats(0.0);
  if (arithmetic == Arithmetic::bf16) return Nats(bf16_median);
  const double fp32_median = std::sqrt(fp32_median_low * fp32_median_high);
  const double fp32_u = unit_roundoff(Arithmetic::fp32);
  const double exponent = std::log(bf16_median / fp32_median) / std::log(unit_roundoff(Arithmetic::bf16) / fp32_u);
  return Nats(fp32_median * std::pow(unit_roundoff(arithmetic) / fp32_u, exponent));
}

}  // namespace brink::drift
