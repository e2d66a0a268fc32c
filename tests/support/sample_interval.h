// Mean of a small sample with Student's 95 % interval, and numpy's linear quantile.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <stdexcept>
#include <vector>

namespace brink::test {

struct SampleInterval {
  double mean = 0.0, half_width = 0.0;

  [[nodiscard]] double low() const { return mean - half_width; }
  [[nodiscard]] double high() const { return mean + half_width; }
  [[nodiscard]] bool holds_zero() const { return low() <= 0.0 && high() >= 0.0; }
};

/// Of 2 to 11 independent values.
[[nodiscard]] inline SampleInterval interval95(const std::vector<double>& values) {
  // 97.5 % quantile by degrees of freedom, from 1 (Student's t).
  constexpr std::array t = {12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228};
  const std::size_t n = values.size();
  if (n < 2 || n > t.size() + 1) throw std::runtime_error("interval95 takes 2 to 11 values");
  SampleInterval out;
  out.mean = std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(n);
  double squares = 0.0;
  for (const double v : values) squares += (v - out.mean) * (v - out.mean);
  out.half_width = t[n - 2] * std::sqrt(squares / static_cast<double>(n - 1) / static_cast<double>(n));
  return out;
}

[[nodiscard]] inline double quantile(std::vector<double> values, double q) {
  if (values.empty()) throw std::runtime_error("a quantile of nothing");
  std::sort(values.begin(), values.end());
  const double at = q * static_cast<double>(values.size() - 1);
  const auto low = static_cast<std::size_t>(at);
  const std::size_t high = std::min(low + 1, values.size() - 1);
  return values[low] + (at - static_cast<double>(low)) * (values[high] - values[low]);
}

[[nodiscard]] inline double mean(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

}  // namespace brink::test
