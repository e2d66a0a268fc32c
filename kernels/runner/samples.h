#pragma once

#include <vector>

namespace brink::kernels {

/// When a point has been measured often enough.
struct StopRule {
  double relative_error_max = 0.005;  // 0.5 %: below what a step-time model can resolve
  int samples_min = 11;               // fewer give no interval of the median
  int samples_max = 200;
  double time_max_s = 0.4;  // wall time of one point: some never settle, and the lease is short
};

struct SampleSummary {
  double median_s = 0;
  double min_s = 0;
  double p90_s = 0;
  double noise = 1;  ///< relative standard error of the median; 1 if it is not known yet
  int repeats = 0;
};

/// Median, extremes and the standard error of the median from its order statistics: the ranks
/// n/2 -+ sqrt(n)/2 lie one standard error from it whatever the distribution (David & Nagaraja,
/// Order Statistics, 7.1), so that two clock states or a long tail need no model.
SampleSummary summarize(std::vector<double> samples_s);

/// Whether to stop: enough samples and quiet, or a limit reached.
bool settled(const SampleSummary& summary, const StopRule& rule, double elapsed_s);

/// Kernels per sample so that one sample takes at least `sample_min_s`, in [1, batch_max].
int batch_for(double once_s, double sample_min_s, int batch_max);

/// Points from `first` to `last`, both included, evenly spaced in the logarithm with
/// `per_octave` a doubling, rounded to whole multiples of `multiple`, each once.
std::vector<long long> log_grid(long long first, long long last, int per_octave, long long multiple = 1);

}  // namespace brink::kernels
