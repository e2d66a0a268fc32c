#include "sim/conditions/pacing.h"

#include <algorithm>
#include <cassert>
#include <cmath>

#include "models/base/normal_quantile.h"

namespace brink::conditions {

namespace {

double normal_cdf(double z) { return 0.5 * std::erfc(-z * 0.70710678118654752440); }

// Simpson's rule on the normal deviate of the lateness, where the integrand is smooth: good to 1e-6.
constexpr int body_intervals = 160;
constexpr int jump_intervals = 40;
constexpr double z_min = -8.0;

// The table: eight knots an octave of the compute time between collectives, from 1 us on.
constexpr int knots_per_octave = 8;
constexpr int knot_count = 168;
constexpr double first_knot_s = 1e-6;

/// Moments of the latest rank. With X >= 0 and G its distribution, E[X^k] is the integral of k x^(k-1) (1 - G(x));
/// G is the product of the ranks' distributions.
class Moments {
 public:
  /// `least`: nobody is earlier, so that 1 - G is 1 below.
  explicit Moments(double least) : moments_{least, least * least, least * least * least} {}

  void add(const Lateness& lateness, std::span<const double> ahead, double from, double to, int intervals) {
    const double median = lateness.median.value(), sigma = lateness.sigma, cap = lateness.cap.value();
    const double step = (to - from) / intervals;
    const auto alike = static_cast<double>(std::count(ahead.begin(), ahead.end(), 0.0));
    for (int i = 0; i <= intervals; ++i) {
      const double z = from + step * i;
      const double x = median * std::exp(sigma * z);
      double below = std::pow(normal_cdf(z), alike);
      for (const double lead : ahead) {
        if (lead > 0.0 && x + lead < cap) below *= normal_cdf(std::log((x + lead) / median) / sigma);
      }
      const double weight = (i == 0 || i == intervals ? 1.0 : i % 2 == 1 ? 4.0 : 2.0) * step / 3.0;
      double power = (1.0 - below) * weight * sigma * x;
      for (int k = 0; k < 3; ++k, power *= x) moments_[k] += (k + 1) * power;
    }
  }

  [[nodiscard]] Cumulants cumulants() const {
    const double mean = moments_[0], square = moments_[1];
    return {mean, square - mean * mean, moments_[2] - 3.0 * mean * square + 2.0 * mean * mean * mean};
  }

 private:
  double moments_[3];
};

}  // namespace

Seconds Lateness::quantile(double upper_tail) const {
  return std::min(median * std::exp(-sigma * normal_quantile(upper_tail)), cap);
}

Seconds Lateness::mean() const {
  // Of the lognormal below the cap, and the cap for the rest.
  const double z = std::log(cap / median) / sigma;
  return median * (std::exp(0.5 * sigma * sigma) * normal_cdf(z - sigma)) + cap * normal_cdf(-z);
}

Lateness eager_lateness() { return {microseconds(114.8), 1.4231, milliseconds(14.0)}; }

Lateness graph_lateness() { return {microseconds(17.58), 0.54, milliseconds(1.0)}; }

Cumulants latest_of(const Lateness& lateness, std::span<const double> ahead) {
  const double median = lateness.median.value(), sigma = lateness.sigma, cap = lateness.cap.value();
  const double z_max = std::log(cap / median) / sigma;
  // A rank `lead` ahead is capped at cap - lead, where its distribution jumps to 1: from the lowest such point on the
  // range is integrated apart, so that the jumps fall into a short piece.
  double lowest_jump = cap;
  for (const double lead : ahead) {
    if (lead < cap) lowest_jump = std::min(lowest_jump, cap - lead);
  }
  const double low = std::min(z_min, z_max - 1.0);
  const double middle = std::max(std::log(lowest_jump / median) / sigma, low);
  Moments moments(median * std::exp(sigma * low));
  moments.add(lateness, ahead, low, middle, body_intervals);
  if (middle < z_max) moments.add(lateness, ahead, middle, z_max, jump_intervals);
  return moments.cumulants();
}

Cumulants latest_of(const Lateness& lateness, std::int64_t ranks) {
  return latest_of(lateness, std::vector<double>(static_cast<std::size_t>(ranks), 0.0));
}

PacedRanks::PacedRanks(const Lateness& lateness, std::vector<double> lead)
    : lateness_(lateness), lead_(std::move(lead)),
      equal_(std::all_of(lead_.begin(), lead_.end(), [](double l) { return l == 0.0; })),
      knots_(equal_ ? 1 : knot_count, Cumulants{0.0, -1.0, 0.0}) {}

const Cumulants& PacedRanks::knot(std::size_t i) {
  Cumulants& entry = knots_[i];
  if (entry.variance < 0.0) {
    const double compute = first_knot_s * std::exp2(static_cast<double>(i) / knots_per_octave);
    std::vector<double> ahead = lead_;
    for (double& a : ahead) a *= compute;
    entry = latest_of(lateness_, ahead);
  }
  return entry;
}

Cumulants PacedRanks::one(Seconds compute) {
  if (equal_) return knot(0);
  const double place = std::clamp(knots_per_octave * std::log2(std::max(compute.value(), first_knot_s) / first_knot_s), 0.0,
                                  static_cast<double>(knot_count - 2));
  const auto low = static_cast<std::size_t>(place);
  const double share = place - static_cast<double>(low);
  const Cumulants a = knot(low), b = knot(low + 1);
  const auto between = [share](double x, double y) { return x + (y - x) * share; };
  return {between(a.mean, b.mean), between(a.variance, b.variance), between(a.third, b.third)};
}

}  // namespace brink::conditions
