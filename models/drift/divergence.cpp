#include "models/drift/divergence.h"

#include <algorithm>
#include <cmath>

namespace brink::drift {

namespace {

/// sum over j < n of a^j r^(n - 1 - j) = (r^n - a^n) / (r - a), without its cancellation.
double mixed_power_sum(double a, double r, double n) {
  const double large = std::max(a, r), small = std::min(a, r);
  if (small <= 0.0) return std::pow(large, n - 1.0);
  const double ratio = std::log(small / large);
  const double terms = ratio == 0.0 ? n : std::expm1(n * ratio) / std::expm1(ratio);
  return std::pow(large, n - 1.0) * terms;
}

}  // namespace

double divergence(double hazard, std::int64_t positions) {
  if (hazard <= 0.0 || positions <= 0) return 0.0;
  return -std::expm1(static_cast<double>(positions) * std::log1p(-hazard));
}

double first_flip(double hazard, std::int64_t positions) {
  const auto n = static_cast<double>(positions);
  if (hazard >= 1.0) return 1.0;
  const double rate = hazard > 0.0 ? -std::log1p(-hazard) : 0.0;
  const double x = rate * n;
  if (x > 0.25) return -1.0 / std::expm1(-rate) - n / std::expm1(x);
  // The difference of two near poles, by the Bernoulli series of each (x / (e^x - 1)); the next term is below 1e-13.
  const auto term = [&](double coefficient, int power) {
    return coefficient * std::pow(rate, power) * (1.0 - std::pow(n, power + 1));
  };
  return 0.5 * (n + 1.0) + term(1.0 / 12.0, 1) - term(1.0 / 720.0, 3) + term(1.0 / 30240.0, 5) -
         term(1.0 / 1209600.0, 7);
}

double pair_divergence(double hazard, const PairAgreement& agreement) {
  if (hazard <= 0.0 || agreement.tokens <= 0) return 0.0;
  const std::int64_t length = agreement.tokens;
  const std::int64_t end = agreement.broken_from > 0 ? std::min(agreement.broken_from, length + 1) : length + 1;
  if (end <= 1) return divergence(hazard, length);
  double agreeing = agreement.prefill;
  double diverged = (1.0 - agreeing) * divergence(hazard, length);
  if (end > 2) {
    diverged += agreeing * (1.0 - agreement.decode) * divergence(hazard, length - 1);
    agreeing *= agreement.decode;
  }
  const std::int64_t steps = end - 3;  // decode steps after the first, up to the break
  const double a = agreement.step;
  if (steps > 0 && a < 1.0 && agreeing > 0.0) {
    const auto n = static_cast<double>(steps);
    const double kept = 1.0 - hazard;
    const double last = std::pow(kept, static_cast<double>(length - 1 - steps));  // tokens after the last of these steps
    const double left = -std::expm1(n * std::log(a));
    diverged += agreeing * std::max(0.0, left - (1.0 - a) * last * mixed_power_sum(a, kept, n));
    agreeing *= 1.0 - left;
  }
  return diverged + agreeing * divergence(hazard, length + 1 - end);
}

}  // namespace brink::drift
