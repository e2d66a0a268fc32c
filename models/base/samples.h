// A sample whose quantiles are exact (numpy's "linear" method) up to one million values and
// log-histogram estimates beyond, saying which.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "models/base/histogram.h"

namespace brink {

class Samples {
 public:
  static constexpr std::size_t exact_max = 1'000'000;

  void add(double value);

  [[nodiscard]] std::size_t count() const { return static_cast<std::size_t>(histogram_.count()); }
  [[nodiscard]] double mean() const { return histogram_.mean(); }
  [[nodiscard]] double stddev() const { return histogram_.stddev(); }
  [[nodiscard]] double min() const { return histogram_.min(); }
  [[nodiscard]] double max() const { return histogram_.max(); }
  /// q in [0, 1]; NaN when empty.
  [[nodiscard]] double quantile(double q) const;
  /// "exact_linear" or "log_histogram_0.1pct".
  [[nodiscard]] std::string_view method() const;

 private:
  mutable std::vector<double> values_;  // emptied when the limit is crossed
  mutable bool sorted_ = false;
  LogHistogram histogram_;
};

}  // namespace brink
