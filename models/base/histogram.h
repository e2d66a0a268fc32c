// Weighted log-histogram: relative bucket width <= 0.1 %, memory independent of the count.
#pragma once

#include <cstdint>
#include <vector>

namespace brink {

/// Histogram of positive values (zero has its own bucket). Weights are counts: a decode step
/// adds its latency once with weight n, so recording is O(1) in the batch.
class LogHistogram {
 public:
  /// value >= 0 and finite (asserted), weight >= 1.
  void add(double value, std::uint64_t weight = 1);
  void merge(const LogHistogram& other);

  [[nodiscard]] std::uint64_t count() const { return count_; }
  [[nodiscard]] double sum() const { return sum_; }
  [[nodiscard]] double mean() const;
  /// Population standard deviation.
  [[nodiscard]] double stddev() const;
  [[nodiscard]] double min() const { return min_; }
  [[nodiscard]] double max() const { return max_; }
  /// Nearest-rank quantile, q in [0, 1]; at most 0.05 % from the exact order statistic,
  /// and exact at 0 and 1. NaN when empty.
  [[nodiscard]] double quantile(double q) const;

 private:
  void reserve(std::int32_t index);
  void combine(double weight, double sum, double deviations);

  std::vector<std::uint64_t> buckets_;
  std::int32_t first_ = 0;  // log index of buckets_[0]
  std::uint64_t zeros_ = 0, count_ = 0;
  double sum_ = 0.0, min_ = 0.0, max_ = 0.0;
  double deviations_ = 0.0;  // sum of squared deviations from the mean
};

}  // namespace brink
