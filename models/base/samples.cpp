#include "models/base/samples.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <limits>

namespace brink {

void Samples::add(double value) {
  histogram_.add(value);
  if (count() <= exact_max) {
    values_.push_back(value);
    sorted_ = false;
  } else if (!values_.empty()) {
    values_ = {};
  }
}

double Samples::quantile(double q) const {
  assert(q >= 0.0 && q <= 1.0);
  if (count() == 0) return std::numeric_limits<double>::quiet_NaN();
  if (values_.empty()) return histogram_.quantile(q);
  if (!sorted_) {
    std::sort(values_.begin(), values_.end());
    sorted_ = true;
  }
  // Hyndman & Fan 1996, type 7; interpolated from the nearer end as numpy does, so that the
  // results agree to the last bit.
  const double position = q * static_cast<double>(values_.size() - 1);
  const auto lower = static_cast<std::size_t>(position);
  const std::size_t upper = std::min(lower + 1, values_.size() - 1);
  const double fraction = position - static_cast<double>(lower);
  const double gap = values_[upper] - values_[lower];
  return fraction < 0.5 ? values_[lower] + gap * fraction : values_[upper] - gap * (1.0 - fraction);
}

std::string_view Samples::method() const {
  return count() <= exact_max ? "exact_linear" : "log_histogram_0.1pct";
}

}  // namespace brink
