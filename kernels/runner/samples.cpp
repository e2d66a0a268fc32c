#include "kernels/runner/samples.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace brink::kernels {
namespace {

/// The sorted samples read at a rank between two of them.
double at_rank(const std::vector<double>& sorted, double rank) {
  const double last = static_cast<double>(sorted.size() - 1);
  const double inside = std::clamp(rank, 0.0, last);
  const auto below = static_cast<std::size_t>(std::floor(inside));
  const std::size_t above = std::min(below + 1, sorted.size() - 1);
  const double part = inside - std::floor(inside);
  return sorted[below] * (1 - part) + sorted[above] * part;
}

}  // namespace

SampleSummary summarize(std::vector<double> samples_s) {
  SampleSummary summary;
  const auto n = samples_s.size();
  summary.repeats = static_cast<int>(n);
  if (n == 0) return summary;
  std::sort(samples_s.begin(), samples_s.end());
  summary.min_s = samples_s.front();
  summary.median_s = n % 2 == 1 ? samples_s[n / 2] : 0.5 * (samples_s[n / 2 - 1] + samples_s[n / 2]);
  summary.p90_s = samples_s[std::min(n - 1, static_cast<std::size_t>(std::ceil(0.9 * static_cast<double>(n))) - 1)];
  if (n < 5 || summary.median_s <= 0) return summary;
  const double centre = 0.5 * static_cast<double>(n - 1);
  const double half = 0.5 * std::sqrt(static_cast<double>(n));
  summary.noise = 0.5 * (at_rank(samples_s, centre + half) - at_rank(samples_s, centre - half)) / summary.median_s;
  return summary;
}

bool settled(const SampleSummary& summary, const StopRule& rule, double elapsed_s) {
  if (summary.repeats >= rule.samples_max) return true;
  // Past the time limit a handful is better than nothing: five give a median with a spread.
  if (elapsed_s >= rule.time_max_s && summary.repeats >= std::min(rule.samples_min, 5)) return true;
  return summary.repeats >= rule.samples_min && summary.noise <= rule.relative_error_max;
}

int batch_for(double once_s, double sample_min_s, int batch_max) {
  if (batch_max < 1) throw std::invalid_argument("batch_for: batch_max must be at least 1");
  if (!(once_s > 0)) return batch_max;
  const double wanted = std::ceil(sample_min_s / once_s);
  return static_cast<int>(std::clamp(wanted, 1.0, static_cast<double>(batch_max)));
}

std::vector<long long> log_grid(long long first, long long last, int per_octave, long long multiple) {
  if (first < 1 || last < first || per_octave < 1 || multiple < 1) throw std::invalid_argument("log_grid: bad range");
  std::vector<long long> grid;
  const auto rounded = [multiple](double x) {
    return std::max(1LL, static_cast<long long>(std::llround(x / static_cast<double>(multiple)))) * multiple;
  };
  for (int i = 0;; ++i) {
    const double x = static_cast<double>(first) * std::exp2(static_cast<double>(i) / per_octave);
    if (x > static_cast<double>(last) * (1 + 1e-9)) break;
    const long long value = std::min(rounded(x), std::max(multiple, last / multiple * multiple));
    if (grid.empty() || value > grid.back()) grid.push_back(value);
  }
  const long long end = std::max(multiple, last / multiple * multiple);
  if (grid.empty() || grid.back() < end) grid.push_back(end);
  return grid;
}

}  // namespace brink::kernels
